#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <sstream>

#include "as2/mdn.h"
#include "as2/mic.h"
#include "as2/mime/canonical.h"
#include "as2/mime/content_type.h"
#include "as2/mime/entity.h"
#include "as2/receipt_request.h"
#include "base/file.h"

/// Messages and receipts recorded from other implementations (tests/vectors/openas2-wire and peer-wire, each
/// with its MANIFEST.md).

namespace signet::as2 {
namespace {

const std::filesystem::path kOpenAs2 = SIGNET_SOURCE_DIR "/tests/vectors/openas2-wire";
const std::filesystem::path kPeers = SIGNET_SOURCE_DIR "/tests/vectors/peer-wire";

/// A recorded HTTP message: its fields, and what follows them.
mime::Entity read_http(const std::filesystem::path& path, bool has_start_line) {
  const std::string text = read_text_file(path).value();
  const std::size_t start = has_start_line ? text.find('\n') + 1 : 0;
  const auto block = mime::parse_headers(std::string_view(text).substr(start), mime::HeaderRules::http());
  EXPECT_TRUE(block) << path;
  if (!block) return {};
  const Slice body = Slice::of(std::string_view(text).substr(start + block->octets));
  return {block->headers, body, body};
}

std::string text_of(const Slice& slice) { return std::string(as_text(slice.to_bytes(10000000).value())); }

std::string canonical(const Slice& slice) {
  SliceSource source(slice);
  mime::CanonicalLineEnds filter(source);
  MemorySink sink;
  EXPECT_TRUE(copy(filter, sink));
  return std::string(as_text(sink.bytes()));
}

/// The parts of a message that is signed outermost.
std::optional<mime::SignedParts> signed_parts(const mime::Entity& message) {
  const auto type = mime::content_type(message.headers);
  if (!type || !*type || !(*type)->is("multipart/signed")) return std::nullopt;
  const auto parts = mime::split_signed(message.body, (*type)->parameter("boundary").value_or(""));
  EXPECT_TRUE(parts);
  if (!parts) return std::nullopt;
  return *parts;
}

MdnContent receipt_in(const mime::Entity& message) {
  mime::Entity report = message;
  if (const auto parts = signed_parts(message)) report = mime::read_entity(parts->content).value();
  const auto content = parse_mdn(report);
  EXPECT_TRUE(content) << content.error().detail;
  return content ? *content : MdnContent{};
}

/// The rows of the MANIFEST's tables whose first cell is a sample: its last two cells are disposition and
/// MIC.
struct Expected {
  std::string disposition;
  std::string mic;
};
std::map<std::string, Expected> manifest() {
  std::map<std::string, Expected> rows;
  std::istringstream lines(read_text_file(kOpenAs2 / "MANIFEST.md").value());
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, '|');) {
      std::erase(cell, '`');
      cells.emplace_back(trim(cell));
    }
    if (cells.size() > 6 && std::filesystem::is_directory(kOpenAs2 / cells[1]))
      rows[cells[1]] = {cells[cells.size() - 2], cells.back()};
  }
  return rows;
}

TEST(OpenAs2Wire, MessagesSignedOutermostAreCutToTheOctetsOfTheirMic) {
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kOpenAs2)) {
    if (!std::filesystem::exists(entry.path() / "mic-input.bin")) continue;
    mime::Entity message = read_http(entry.path() / "request.http", true);
    message.body = Slice::of(read_file(entry.path() / "request-body.bin").value());
    const auto parts = signed_parts(message);
    if (!parts) continue;
    ++seen;
    const std::string mic_input(as_text(read_file(entry.path() / "mic-input.bin").value()));
    const bool rewrites_line_ends = entry.path().filename().string().find("8bit") != std::string::npos;
    EXPECT_EQ(rewrites_line_ends ? canonical(parts->content) : text_of(parts->content), mic_input)
        << entry.path();
    EXPECT_EQ(parts->signature.headers.value("Content-Type").value_or("").substr(0, 27),
              "application/pkcs7-signature");
    EXPECT_TRUE(mime::file_name(mime::read_entity(parts->content)->headers).value_or("").ends_with(".edi"));
  }
  EXPECT_GE(seen, 8);
}

TEST(OpenAs2Wire, ReceiptsSayWhatTheManifestSays) {
  int seen = 0;
  for (const auto& [sample, expected] : manifest()) {
    for (const std::string_view file : {"response.http", "async-mdn-request.http"}) {
      const std::filesystem::path path = kOpenAs2 / sample / file;
      if (!std::filesystem::exists(path)) continue;
      const mime::Entity message = read_http(path, true);
      const auto type = mime::content_type(message.headers);
      if (!type || !*type || (*type)->type != "multipart") continue;
      ++seen;
      const MdnContent content = receipt_in(message);
      EXPECT_TRUE(content.disposition.text.ends_with("; " + expected.disposition))
          << sample << ": " << content.disposition.text;
      EXPECT_EQ(content.disposition.accepted(), expected.disposition == "processed") << sample;
      EXPECT_EQ(content.mic_text, expected.mic == "-" ? "" : expected.mic) << sample;
      EXPECT_EQ(content.mic.has_value(), expected.mic != "-") << sample;

      const mime::Entity request = read_http(kOpenAs2 / sample / "request.http", true);
      ASSERT_TRUE(content.original_message_id) << sample;
      EXPECT_EQ(content.original_message_id->text(), request.headers.value("Message-ID")) << sample;
      EXPECT_EQ(content.final_recipient, As2Name::parse(request.headers.value("AS2-To").value_or("")).value())
          << sample;

      const std::filesystem::path mic_input = kOpenAs2 / sample / "mic-input.bin";
      if (content.mic && std::filesystem::exists(mic_input)) {
        EXPECT_EQ(content.mic->value, digest(content.mic->hash, read_file(mic_input).value())) << sample;
      }
    }
  }
  EXPECT_GE(seen, 35);
}

TEST(OpenAs2Wire, RequestsForReceiptsAreUnderstood) {
  for (const auto& [sample, expected] : manifest()) {
    if (sample == "x-get") continue;
    const ReceiptRequest request =
        parse_receipt_request(read_http(kOpenAs2 / sample / "request.http", true).headers);
    EXPECT_EQ(request.wanted, sample.find("nomdn") == std::string::npos) << sample;
    const bool unsigned_wanted = sample == "plain-unsignedmdn" || sample == "async-unsigned";
    EXPECT_EQ(request.signed_wanted, request.wanted && !unsigned_wanted) << sample;
    EXPECT_TRUE(request.protocol_supported) << sample;
    EXPECT_EQ(request.only_unknown_hashes(), sample == "x-micalg-optional_sha_999") << sample;
    EXPECT_EQ(request.async_url.has_value(), sample.starts_with("async")) << sample;
  }
}

TEST(PeerWire, ReceiptsOfLibas2AndPyas2AreRead) {
  for (const std::string_view name :
       {"node_compress_sign384", "node_sign256_aes256_oaepsha1", "py_sign256_aes256_syncsigned"}) {
    const MdnContent content = receipt_in(read_http(kPeers / fmt::format("{}.mdn", name), false));
    EXPECT_TRUE(content.disposition.accepted()) << name;
    EXPECT_TRUE(content.mic) << name;
    const mime::Entity message = read_http(kPeers / fmt::format("{}.msg", name), false);
    EXPECT_EQ(content.original_message_id->text(), message.headers.value("Message-ID")) << name;
    EXPECT_TRUE(parse_receipt_request(message.headers).signed_wanted) << name;
  }
}

TEST(PeerWire, MessageOfLibas2IsCutToTheOctetsOfItsMic) {
  const auto parts = signed_parts(read_http(kPeers / "node_compress_sign384.msg", false));
  ASSERT_TRUE(parts);
  const MdnContent content = receipt_in(read_http(kPeers / "node_compress_sign384.mdn", false));
  EXPECT_EQ(content.mic->hash, Hash::Sha384);
  EXPECT_EQ(content.mic->value, digest(Hash::Sha384, parts->content).value());
}

}  // namespace
}  // namespace signet::as2
