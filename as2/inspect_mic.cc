#include "as2/inspect_mic.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace signet::as2 {
namespace {

using mime::Entity;

std::string meaning_of_wire() {
  return "The other side hashes the body before it takes any layer off, which is right only for a message "
         "that is neither "
         "signed nor encrypted (RFC 4130 section 7.3.1).";
}

std::string meaning_of(Stage stage, bool with_headers) {
  std::string text;
  switch (stage) {
    case Stage::Wire:
      break;
    case Stage::Decrypted:
      text =
          "The other side hashes what it decrypted, whatever is inside; for a signed message it is what "
          "was signed that "
          "counts (RFC 4130 section 7.3.1).";
      break;
    case Stage::Signed:
      text = "The other side hashes what was signed, as RFC 4130 section 7.3.1 has it.";
      break;
    case Stage::Decompressed:
      text =
          "The other side hashes after decompressing; of a message compressed before signing, the "
          "compressed form that was "
          "signed counts (RFC 5402 section 4.1).";
      break;
  }
  if (!with_headers)
    text +=
        " It leaves the MIME headers out, which is right only for a message that is neither signed nor "
        "encrypted.";
  return text;
}

/// Where the standards contradict each other, neither side is wrong.
void explain_compressed_only(const Explanation& explanation, std::vector<MicBase>& bases) {
  if (explanation.security != std::vector<LayerKind>{LayerKind::Compressed}) return;
  for (MicBase& base : bases)
    if (base.id.starts_with("decompressed"))
      base.meaning =
          "For a message that is compressed only, RFC 5402 section 4.3 takes the MIME headers in and RFC "
          "4130 section 7.3.1 leaves "
          "them out; peers differ, and the agreement's compressedUnsigned chooses.";
}

}  // namespace

void MicSearch::keep(Stage stage, const Entity& entity) {
  if (stage == Stage::Signed) signed_ = entity;
  last_ = entity;
  static constexpr std::array<std::string_view, 4> ids = {"http-body", "decrypted", "signed-content",
                                                          "decompressed"};
  static constexpr std::array<std::string_view, 4> what = {"the HTTP body", "what was decrypted",
                                                           "the signed part", "what was decompressed"};
  const auto index = static_cast<std::size_t>(stage);
  if (stage == Stage::Wire) {
    bases_.push_back(
        {std::string(ids[index]), "the body as it came, no layer taken off", meaning_of_wire(), entity.body});
    return;
  }
  bases_.push_back({std::string(ids[index]), fmt::format("{} with its MIME headers", what[index]),
                    meaning_of(stage, true), entity.whole});
  bases_.push_back({fmt::format("{}-body", ids[index]),
                    fmt::format("{} without its MIME headers", what[index]), meaning_of(stage, false),
                    entity.body});
}

void MicSearch::keep_decoded_payload(const Slice& plain) {
  bases_.push_back({"decoded-payload", "the payload without its transfer encoding",
                    "The MIC is taken before the transfer encoding is undone.", plain});
}

void MicSearch::explain(const ReceiptRequest& request, Explanation& explanation) {
  if (explanation.receipt) return;
  if (!signed_ && !explanation.complete) return give_bases(std::nullopt, explanation);
  const bool encrypted =
      std::count(explanation.security.begin(), explanation.security.end(), LayerKind::Encrypted) > 0;
  const bool compressed =
      std::count(explanation.security.begin(), explanation.security.end(), LayerKind::Compressed) > 0;
  const bool with_headers = options_.compressed_mic == CompressedMic::WithHeaders;
  MicBase rule{"by-rule", "the content without MIME headers", "", last_.body};
  explanation.mic_rule =
      "neither signed nor encrypted, so over the content without MIME headers (RFC 4130 section 7.3.1)";
  if (signed_) {
    rule.octets = signed_->whole;
    rule.covers = "the signed part with its MIME headers";
    explanation.mic_rule = "signed, so over the signed part with its MIME headers (RFC 4130 section 7.3.1)";
  } else if (encrypted || (compressed && with_headers)) {
    rule.octets = last_.whole;
    rule.covers = "the content with its MIME headers, decrypted and decompressed";
    explanation.mic_rule = encrypted ? "encrypted and not signed, so over the decrypted and decompressed "
                                       "content with its MIME headers "
                                       "(RFC 4130 section 7.3.1, RFC 5402 section 4.2)"
                                     : "compressed only, so over the decompressed content with its MIME "
                                       "headers (RFC 5402 section 4.3)";
  } else if (compressed) {
    explanation.mic_rule =
        "compressed only, so over the decompressed content without MIME headers (RFC 4130 section 7.3.1, "
        "as "
        "the agreement has it)";
  }
  const Hash hash = hash_for(request);
  if (auto value = digest(hash, rule.octets)) explanation.mic = Mic{hash, *std::move(value)};
  give_bases(std::move(rule), explanation);
}

Hash MicSearch::hash_for(const ReceiptRequest& request) const {
  if (signed_ && signature_hash_) return *signature_hash_;
  for (const RequestedHash& wanted : request.hashes)
    if (wanted.hash != Hash::Md5) return wanted.hash;
  return options_.default_mic_hash;
}

void MicSearch::give_bases(std::optional<MicBase> by_rule, Explanation& explanation) {
  if (by_rule) explanation.mic_bases.push_back(*std::move(by_rule));
  explain_compressed_only(explanation, bases_);
  std::move(bases_.rbegin(), bases_.rend(), std::back_inserter(explanation.mic_bases));
  explanation.mic_bases.push_back(
      {"empty",
       "no octets at all",
       "The other side hashes an empty content: its software lost the message before hashing.",
       {}});
}

}  // namespace signet::as2
