#include "tests/bench/messages.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "as2/cms/sign.h"
#include "base/openssl.h"
#include "tests/support/test_certificates.h"

namespace signet::bench {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

/// Line and fields of a head, apart.
Result<as2::mime::Headers> fields_of(std::string_view head) {
  head.remove_prefix(std::min(head.size(), head.find("\r\n") + 2));
  SIGNET_TRY(as2::mime::HeaderBlock block, as2::mime::parse_headers(head));
  return std::move(block.headers);
}

Result<as2::MessageId> message_id_of(const as2::mime::Headers& headers) {
  return as2::MessageId::parse(headers.value("Message-ID").value_or(""));
}

/// Octets of most ECDSA P-256 signatures in DER.
constexpr std::size_t kSignature = 71;

/// Whether a SignedData's last element is a signature of the usual size.
bool ends_with_signature(const Bytes& cms) {
  constexpr std::uint8_t kOctetString = 0x04;
  if (cms.size() < kSignature + 2) return false;
  const std::size_t element = cms.size() - kSignature - 2;
  return cms[element] == kOctetString && cms[element + 1] == kSignature;
}

/// A signature over the octets, of the usual size.
Result<Bytes> sign(const certstore::KeyHandle& key, ByteView octets) {
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  Bytes signature(kSignature + 1);
  std::size_t size = 0;
  while (size != kSignature) {
    size = signature.size();
    if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.native()) != 1 ||
        EVP_DigestSign(context.get(), signature.data(), &size, octets.data(), octets.size()) != 1)
      return fail(take_openssl_error(ErrorKind::CryptoFailure, "signing a receipt"));
  }
  signature.resize(size);
  return signature;
}

}  // namespace

Sender::Sender(std::string name, certstore::PrivateCertificate own, certstore::Certificate receiver,
               std::string receiver_name, SpoolArea spool)
    : name_(std::move(name)),
      own_(std::move(own)),
      receiver_(std::move(receiver)),
      receiver_name_(std::move(receiver_name)),
      spool_(std::move(spool)) {}

Result<Prepared> Sender::prepare(const Slice& payload, const Layers& layers) const {
  SIGNET_TRY(const as2::As2Name from, as2::As2Name::of(name_));
  SIGNET_TRY(const as2::As2Name to, as2::As2Name::of(receiver_name_));
  as2::ComposeSettings settings{from, to, as2::MessageId::generate("bench.example")};
  settings.date = SystemClock().now();
  settings.content_type = "application/EDIFACT";
  settings.file_name = "orders.edi";
  if (layers.is_signed) settings.signer = own_;
  if (layers.is_encrypted) settings.recipients = {receiver_};
  settings.compress = layers.is_compressed;
  settings.receipt.wanted = true;
  settings.receipt.signed_wanted = true;
  settings.receipt.notify_to = "bench@example.com";
  settings.receipt.hashes = {{Hash::Sha256, "sha-256"}};
  settings.spool = spool_;
  SIGNET_TRY(as2::Composed composed, as2::compose(payload, settings));
  composed.headers.remove("Message-ID");
  return Prepared{"POST /as2 HTTP/1.1\r\nHost: 127.0.0.1\r\n" + composed.headers.serialise(),
                  std::move(composed.body), std::move(composed.mic)};
}

Result<> Sender::check_receipt(std::string_view answer, const std::string& message_id,
                               const as2::Mic& mic) const {
  answer.remove_prefix(std::min(answer.size(), answer.find("\r\n") + 2));
  SIGNET_TRY(const as2::mime::HeaderBlock head, as2::mime::parse_headers(answer));
  SIGNET_TRY(as2::MessageId id, as2::MessageId::parse(message_id));
  as2::ReceiptExpectation expected{std::move(id), mic};
  expected.signers = {receiver_};
  expected.now = SystemClock().now();
  expected.spool = spool_;
  const as2::ReceiptVerdict verdict =
      as2::check_receipt(head.headers, Slice::of(answer.substr(head.octets)), expected);
  if (!verdict.proves_delivery) return fail(ErrorKind::InvalidInput, verdict.reason);
  return {};
}

Result<ReceiptWriter> ReceiptWriter::make(const Slice& payload, SpoolArea spool) {
  certstore::PrivateCertificate own =
      test::make_certificate({.common_name = "Bench receipts", .key = "ec:P-256"});
  SIGNET_TRY(const as2::As2Name name, as2::As2Name::of("Bench"));
  as2::ComposeSettings as_agreed{name, name, as2::MessageId::generate("bench.example")};
  as_agreed.content_type = "application/edi-consent";
  as_agreed.signer = own;
  as_agreed.spool = std::move(spool);
  SIGNET_TRY(as2::Composed composed, as2::compose(payload, as_agreed));
  Bytes cms;
  while (!ends_with_signature(cms)) {
    SIGNET_TRY(cms, as2::cms::sign_detached(payload, own, {.signed_attributes = false}));
  }
  return ReceiptWriter(std::move(own), std::move(composed.mic), std::move(cms));
}

Result<std::string> ReceiptWriter::answer(std::string_view head) const {
  SIGNET_TRY(const as2::mime::Headers request, fields_of(head));
  as2::MdnContent content;
  SIGNET_TRY(content.original_message_id, message_id_of(request));
  SIGNET_TRY(content.final_recipient, as2::As2Name::parse(request.value("AS2-To").value_or("")));
  content.disposition = as2::Disposition::processed();
  content.mic = mic_;
  content.human_text = "The message was received.";
  content.reporting_ua = "signet_bench";
  const Bytes report = as2::build_mdn(content, "report").entity();
  SIGNET_TRY(const Bytes signature, sign(own_.key, report));
  Bytes cms = cms_;
  std::copy(signature.begin(), signature.end(), cms.end() - static_cast<std::ptrdiff_t>(signature.size()));
  const std::string body = fmt::format(
      "--signed\r\n{}\r\n--signed\r\nContent-Type: application/pkcs7-signature\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--signed--\r\n",
      as_text(report), base64_lines(cms));
  return fmt::format(
      "HTTP/1.1 200 OK\r\nAS2-Version: 1.1\r\nAS2-From: {}\r\nAS2-To: {}\r\nMessage-ID: <receipt-{}\r\n"
      "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=\"sha-256\"; "
      "boundary=\"signed\"\r\nContent-Length: {}\r\n\r\n{}",
      request.value("AS2-To").value_or(""), request.value("AS2-From").value_or(""),
      request.value("Message-ID").value_or("").substr(1), body.size(), body);
}

Bytes edi(std::size_t size, std::size_t number) {
  std::string text = fmt::format("UNB+UNOC:3+BENCH:14+SIGNET:14+261121:0830+{}'\r\n", number);
  text.reserve(size + 64);
  for (std::size_t line = 1; text.size() < size; ++line)
    text += fmt::format("LIN+{}++{:013}:EN'\r\nQTY+21:{}'\r\n", line, line * 7919 + number, line % 97);
  return to_bytes(text);
}

Result<Slice> large_edi(std::uint64_t mib, const SpoolArea& area) {
  auto spool = std::make_shared<Spool>(area);
  for (std::uint64_t i = 0; i < mib; ++i) {
    Bytes part = edi(kMiB, i);
    part.resize(kMiB);
    SIGNET_CHECK(spool->write(part));
  }
  return Spool::finish(std::move(spool));
}

}  // namespace signet::bench
