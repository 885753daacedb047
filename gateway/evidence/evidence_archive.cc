#include "gateway/evidence/evidence_archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <utility>

#include "as2/cms/verify.h"
#include "as2/mic.h"
#include "as2/mime/headers.h"
#include "as2/receipt.h"
#include "base/digest.h"
#include "certstore/x509/certificate.h"
#include "gateway/evidence/evidence_readme_internal.h"
#include "gateway/evidence/tar_writer.h"

namespace signet::gateway {
namespace {

using Json = nlohmann::ordered_json;

/// A message or a receipt as octets: its head and its body.
Result<Slice> as_travelled(const WireCopy& copy, const SpoolArea& spool) {
  const auto whole = std::make_shared<Spool>(spool);
  SIGNET_CHECK(whole->write(as_bytes(head_octets(copy.headers))));
  SIGNET_CHECK(copy.body.copy_to(*whole));
  return Spool::finish(whole);
}

/// The value, or nothing where it is not kept.
template <class T>
Result<std::optional<T>> if_kept(Result<T> got) {
  if (got) return std::optional<T>(*std::move(got));
  if (got.error().kind == ErrorKind::NotFound) return std::optional<T>();
  return fail(std::move(got).error());
}

class Archive {
 public:
  Archive(MessageStore& messages, EvidenceStore& evidence, const MessageRecord& record,
          const SpoolArea& spool, Time now)
      : messages_(messages), evidence_(evidence), spool_(spool) {
    facts_.record = record;
    facts_.made = now;
  }

  Result<> collect() {
    SIGNET_CHECK(read_records());
    SIGNET_CHECK(add_message());
    SIGNET_CHECK(add_receipts());
    if (contents_.empty())
      return fail(ErrorKind::NotFound, fmt::format("nothing is kept of message {}: the agreement's "
                                                   "enableNRRFor... settings did not ask for it, or its time "
                                                   "is over (x:retention)",
                                                   record().id));
    SIGNET_CHECK(add_certificates());
    for (const EvidenceRecord& each : facts_.records)
      SIGNET_CHECK(
          add(fmt::format("chain/{}.json", each.number), "a record of the chain", Slice::of(each.line)));
    return {};
  }

  Result<std::vector<ArchivedFile>> write(Sink& out) {
    SIGNET_CHECK(add("manifest.json", "the message's facts and the other files, for programs",
                     Slice::of(manifest_text())));
    const std::string readme = readme_for(facts_);
    TarWriter tar(out);
    SIGNET_CHECK(tar.add("README.txt", Slice::of(readme), facts_.made));
    for (std::size_t i = 0; i < contents_.size(); ++i)
      SIGNET_CHECK(tar.add(facts_.files[i].name, contents_[i], facts_.made));
    SIGNET_CHECK(tar.finish());
    return std::move(facts_.files);
  }

 private:
  [[nodiscard]] const MessageRecord& record() const { return facts_.record; }

  Result<> read_records() {
    SIGNET_TRY(facts_.records, evidence_.records(record().id));
    for (const EvidenceRecord& each : facts_.records) {
      const Json line = Json::parse(each.line, nullptr, false);
      if (!line.is_object() || line.value("message", Json()) != record().id)
        return fail(ErrorKind::CryptoFailure, fmt::format("record {} of the chain of evidence is not one of "
                                                          "message {} any more: see signet audit verify",
                                                          each.number, record().id));
      note_digests(line, each.number);
      if (&each == &facts_.records.back()) SIGNET_CHECK(check_facts(line));
    }
    return {};
  }

  /// The newest digest of each copy counts: an outbound message may have been answered more than once.
  void note_digests(const Json& line, std::uint64_t number) {
    const bool is_late = line.value("event", Json()) == kLateReceiptEvent;
    for (const char* field : {"wire", "payload", "receipt"}) {
      const Json sha256 = line.value(field, Json());
      if (!sha256.is_string()) continue;
      NamedCopy copy{"", field, number, sha256.get<std::string>()};
      if (is_late)
        recorded_late_.push_back(std::move(copy));
      else
        recorded_[field] = std::move(copy);
    }
  }

  /// What the message's row says is what its newest record says.
  [[nodiscard]] Result<> check_facts(const Json& line) const {
    const MessageRecord& r = record();
    const std::vector<std::pair<const char*, std::string>> facts = {{"agreement", r.agreement},
                                                                    {"as2From", r.as2_from},
                                                                    {"as2To", r.as2_to},
                                                                    {"messageId", r.message_id},
                                                                    {"created", to_rfc3339(r.created)},
                                                                    {"mic", r.mic},
                                                                    {"signer", r.signer_thumbprint},
                                                                    {"recipient", r.recipient_thumbprint}};
    for (const auto& [field, value] : facts)
      if (as_json(line.value(field, Json(""))) != as_json(value))
        return fail(ErrorKind::CryptoFailure,
                    fmt::format("message {} says '{}' as its {}, and its newest record {}: it was changed in "
                                "the store; restore it from a backup",
                                r.id, printable(value), field, as_json(line.value(field, Json("")))));
    return {};
  }
  /// As it stands in a record: what is no UTF-8 is replaced there.
  static std::string as_json(const Json& value) {
    return value.dump(-1, ' ', true, Json::error_handler_t::replace);
  }

  /// @param expected  its digest in a record, if it has one.
  Result<> add(std::string name, std::string what, Slice octets, const NamedCopy* expected = nullptr) {
    SIGNET_TRY(const Bytes sha256, digest(Hash::Sha256, octets));
    const std::string hex = hex_lower(sha256);
    if (expected != nullptr && expected->sha256 != hex)
      return fail(ErrorKind::CryptoFailure,
                  fmt::format("{} of message {} is not what was recorded: its SHA-256 is {}, recorded is {}. "
                              "It was changed in the store; restore it from a backup",
                              name, record().id, hex, expected->sha256));
    if (expected != nullptr) facts_.named.push_back({name, expected->field, expected->record, hex});
    facts_.files.push_back({std::move(name), std::move(what), hex, octets.size()});
    contents_.push_back(std::move(octets));
    return {};
  }
  [[nodiscard]] const NamedCopy* recorded(std::string_view field) const {
    const auto found = recorded_.find(field);
    return found == recorded_.end() ? nullptr : &found->second;
  }
  /// Of the late receipt that is so many from the end, 1 for the last: the first may have gone, or be older
  /// than the chain.
  [[nodiscard]] const NamedCopy* recorded_late(std::size_t from_end) const {
    return from_end > recorded_late_.size() ? nullptr : &recorded_late_[recorded_late_.size() - from_end];
  }

  /// The MIC is the content's digest.
  Result<> check_mic(const Slice& content) const {
    SIGNET_TRY(const as2::Mic mic,
               as2::parse_mic(fmt::format("{}, {}", record().mic, record().mic_algorithm)));
    SIGNET_TRY(const Bytes value, digest(mic.hash, content));
    if (value == mic.value) return {};
    return fail(ErrorKind::CryptoFailure, fmt::format("the content of message {} is not the one that its MIC "
                                                      "was made of: it was changed in the store; restore it "
                                                      "from a backup",
                                                      record().id));
  }

  Result<> check_signature(const Proof& proof) {
    SIGNET_TRY(const auto signer, kept_certificate(record().signer_thumbprint));
    if (!signer) return {};
    if (const auto verified = verify(proof.signature, proof.content, *signer); !verified)
      return fail(ErrorKind::CryptoFailure, fmt::format("the signature of message {} is not the one that was "
                                                        "verified: it was changed in the store; restore it "
                                                        "from a backup ({})",
                                                        record().id, verified.error().cause.detail));
    return {};
  }
  /// By whatever hash: whether it was good enough was decided when the message came.
  static as2::Step<as2::cms::VerifiedSigner> verify(const Bytes& signature, const Slice& content,
                                                    const certstore::Certificate& signer) {
    const as2::cms::VerifyPolicy policy{{Hash::Sha1, Hash::Sha224, Hash::Sha256, Hash::Sha384, Hash::Sha512}};
    return as2::cms::verify_detached(signature, content, std::span(&signer, 1), policy);
  }

  Result<> add_message() {
    SIGNET_TRY(const auto wire, if_kept(messages_.wire(record().id)));
    if (wire) {
      SIGNET_TRY(Slice octets, as_travelled(*wire, spool_));
      SIGNET_CHECK(add("wire.http", "the message as it travelled, head and body", std::move(octets),
                       recorded("wire")));
    }
    SIGNET_TRY(const auto payload, if_kept(messages_.payload(record().id)));
    const bool has_payload = payload && record().payload_size > 0;
    if (has_payload) SIGNET_CHECK(add("payload", "the document", *payload, recorded("payload")));
    SIGNET_TRY(const auto proof, if_kept(evidence_.proof(record().id)));
    if (!proof) return {};
    SIGNET_CHECK(check_mic(proof->content));
    SIGNET_CHECK(add("content.mime", "what MIC and signature are over", proof->content));
    if (!proof->signature.empty()) {
      SIGNET_CHECK(check_signature(*proof));
      SIGNET_CHECK(add("content.p7s", "the sender's signature: CMS SignedData, DER, detached",
                       Slice::of(proof->signature)));
    }
    if (has_payload) {
      SIGNET_TRY(facts_.payload_ends_content, ends_with(proof->content, *payload));
    }
    return {};
  }

  Result<> add_receipts() {
    SIGNET_TRY(const auto receipt, if_kept(messages_.receipt(record().id)));
    if (receipt && !receipt->body.empty()) SIGNET_CHECK(add_receipt(*receipt));
    SIGNET_TRY(facts_.receipt_post, if_kept(messages_.receipt_post(record().id)));
    SIGNET_TRY(const auto late, evidence_.late_receipts(record().id));
    for (std::size_t i = 0; i < late.size(); ++i) {
      SIGNET_TRY(Slice octets,
                 as_travelled({late[i].receipt.headers, Slice::of(late[i].receipt.body)}, spool_));
      SIGNET_CHECK(add(fmt::format("late-receipt-{}.http", i + 1),
                       fmt::format("came {} and changed nothing: {}", to_rfc3339(late[i].received),
                                   printable(late[i].verdict)),
                       std::move(octets), recorded_late(late.size() - i)));
    }
    return {};
  }

  Result<> add_receipt(const StoredReceipt& receipt) {
    SIGNET_TRY(Slice octets, as_travelled({receipt.headers, Slice::of(receipt.body)}, spool_));
    SIGNET_CHECK(add("receipt.http", "the receipt as it travelled, head and body", std::move(octets),
                     recorded("receipt")));
    as2::mime::Headers headers;
    for (const auto& [name, value] : receipt.headers) headers.add(name, value);
    const auto parts = as2::split_receipt(headers, Slice::of(receipt.body), spool_);
    if (!parts || !*parts) return {};  // not signed; or an answer that is no receipt, which is shown as it is
    return add_signed_receipt(**parts);
  }

  Result<> add_signed_receipt(const as2::SignedReceipt& receipt) {
    SIGNET_TRY(const auto signer, kept_certificate(record().receipt_signer_thumbprint));
    if (!signer) return {};
    const auto verified = verify(receipt.signature, receipt.content, *signer);
    if (!verified) return {};
    facts_.receipt_is_verified = true;
    SIGNET_TRY(const Bytes text, receipt.content.to_bytes(static_cast<std::size_t>(receipt.content.size())));
    facts_.receipt_says_mic =
        !record().mic.empty() && as_text(text).find(record().mic) != std::string_view::npos;
    facts_.receipt_says_message_id =
        !record().message_id.empty() && as_text(text).find(record().message_id) != std::string_view::npos;
    SIGNET_CHECK(add("receipt-content.mime", "the signed part of the receipt", receipt.content));
    return add("receipt-content.p7s", "its signature: CMS SignedData, DER, detached",
               Slice::of(verified->signature()));  // of several signatures, the one that counted
  }

  Result<> add_certificates() {
    SIGNET_CHECK(add_certificate("signer", "signed the message", record().signer_thumbprint));
    SIGNET_CHECK(add_certificate("recipient", "is the one that the message was encrypted for",
                                 record().recipient_thumbprint));
    return add_certificate("receipt-signer", "signed the receipt", record().receipt_signer_thumbprint);
  }

  Result<> add_certificate(std::string_view name, std::string role, const std::string& thumbprint) {
    SIGNET_TRY(const auto certificate, kept_certificate(thumbprint));
    if (!certificate) return {};
    std::string file = fmt::format("certificates/{}.pem", name);
    SIGNET_CHECK(add(file, role, Slice::of(certificate->pem())));
    facts_.certificates.push_back(
        {std::move(file), to_lower(thumbprint), certificate->subject(), std::move(role)});
    return {};
  }

  Result<std::optional<certstore::Certificate>> kept_certificate(const std::string& thumbprint) {
    if (thumbprint.empty()) return std::nullopt;
    SIGNET_TRY(const auto der, if_kept(evidence_.certificate(thumbprint)));
    if (!der) return std::nullopt;
    SIGNET_TRY(certstore::Certificate certificate, certstore::Certificate::parse(*der));
    if (certificate.thumbprint_sha256() != thumbprint)
      return fail(ErrorKind::CryptoFailure,
                  fmt::format("what is kept as certificate {} is another one: it was changed in the store; "
                              "restore it from a backup",
                              thumbprint));
    return certificate;
  }

  [[nodiscard]] std::string manifest_text() const {
    Json files = Json::array();
    for (const ArchivedFile& each : facts_.files)
      files.push_back(
          {{"name", each.name}, {"what", each.what}, {"size", each.size}, {"sha256", each.sha256}});
    Json records = Json::array();
    for (const EvidenceRecord& each : facts_.records)
      records.push_back({{"number", each.number}, {"sha256", each.hash}});
    const auto time_or_null = [](const std::optional<Time>& time) {
      return time ? Json(to_rfc3339(*time)) : Json();
    };
    const MessageRecord& r = record();
    Json post;
    if (const auto& known = facts_.receipt_post)
      post = {{"attempts", known->attempts},
              {"posted", time_or_null(known->posted)},
              {"givenUp", time_or_null(known->given_up)},
              {"reason", known->reason}};
    const Json manifest = {{"format", "signet-evidence-1"},
                           {"exported", to_rfc3339(facts_.made)},
                           {"message",
                            {{"id", r.id},
                             {"direction", to_string(r.direction)},
                             {"state", to_string(r.state)},
                             {"agreement", r.agreement},
                             {"as2From", r.as2_from},
                             {"as2To", r.as2_to},
                             {"messageId", r.message_id},
                             {"subject", r.subject},
                             {"created", to_rfc3339(r.created)},
                             {"settled", time_or_null(r.settled)},
                             {"contentType", r.content_type},
                             {"fileName", r.file_name},
                             {"payloadSize", r.payload_size},
                             {"security", r.security},
                             {"revocationUnchecked", r.revocation_unchecked},
                             {"mic", r.mic},
                             {"micAlgorithm", r.mic_algorithm},
                             {"disposition", r.disposition},
                             {"reason", r.reason},
                             {"signerThumbprint", r.signer_thumbprint},
                             {"recipientThumbprint", r.recipient_thumbprint},
                             {"receiptSignerThumbprint", r.receipt_signer_thumbprint}}},
                           {"receiptPost", std::move(post)},
                           {"files", std::move(files)},
                           {"records", std::move(records)}};
    return manifest.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
  }

  MessageStore& messages_;
  EvidenceStore& evidence_;
  const SpoolArea spool_;
  ArchiveFacts facts_;
  std::vector<Slice> contents_;                             ///< of facts_.files, in their order
  std::map<std::string, NamedCopy, std::less<>> recorded_;  ///< the newest digest of each copy, by its field
  std::vector<NamedCopy> recorded_late_;                    ///< of the late receipts, in their order
};

}  // namespace

Result<std::vector<ArchivedFile>> export_evidence(MessageStore& messages, EvidenceStore& evidence,
                                                  const MessageRecord& record, const SpoolArea& spool,
                                                  Time now, Sink& out) {
  Archive archive(messages, evidence, record, spool, now);
  SIGNET_CHECK(archive.collect());
  return archive.write(out);
}

}  // namespace signet::gateway
