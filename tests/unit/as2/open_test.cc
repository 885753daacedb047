#include "as2/open.h"

#include <fmt/format.h>

#include "as2/cms/encrypt.h"
#include "as2/multipart_signed.h"
#include "tests/unit/as2/round_trip_fixture.h"

namespace signet::as2 {
namespace {

using cms::ContentCipher;

struct Closing {
  bool sign;
  std::optional<ContentCipher> cipher;
  std::optional<CompressionOrder> compression;
};

class EveryClosing : public RoundTrip, public testing::WithParamInterface<Closing> {};

TEST_P(EveryClosing, OpensToTheSamePayloadWithTheMicThatTheSenderKept) {
  const Closing closing = GetParam();
  ComposeSettings settings = compose_settings();
  if (!closing.sign) settings.signer.reset();
  if (closing.cipher)
    settings.encrypt.cipher = *closing.cipher;
  else
    settings.recipients.clear();
  settings.compress = closing.compression.has_value();
  settings.compression_order = closing.compression.value_or(CompressionOrder::BeforeSigning);
  const Composed message = compose_or_die(Slice::of(payload_), settings);

  OpenSettings opening = open_settings();
  opening.bare_content_allowed = !closing.sign;
  const auto opened = open_message(message, opening);
  ASSERT_TRUE(opened) << opened.error().cause.detail;
  EXPECT_EQ(opened->signer.has_value(), closing.sign);
  EXPECT_EQ(opened->layers.size(), message.layers.size());
  const Hash hash = mic_hash(*opened, settings.receipt, {Hash::Sha256}, Hash::Sha256);
  EXPECT_EQ(compute_mic(*opened, hash, CompressedMic::WithHeaders).value(), message.mic);
  EXPECT_EQ(text_of(mic_content(*opened, CompressedMic::WithHeaders)), text_of(message.mic_content));
  EXPECT_EQ(digest(hash, message.mic_content).value(), message.mic.value);

  const auto content = judge(*opened, {closing.sign, closing.cipher.has_value(), settings.compress}, {});
  ASSERT_TRUE(content) << content.error().cause.detail;
  EXPECT_EQ(text_of(content->payload()), payload_);
  EXPECT_EQ(content->file_name(), "orders.edi");
  EXPECT_EQ(content->content_type(), "application/EDIFACT");
}

std::vector<Closing> all_closings() {
  std::vector<Closing> all;
  for (const bool sign : {false, true})
    for (const std::optional<ContentCipher> cipher :
         {std::optional<ContentCipher>(), std::optional(ContentCipher::Aes128Cbc),
          std::optional(ContentCipher::Aes256Gcm)})
      for (const std::optional<CompressionOrder> order :
           {std::optional<CompressionOrder>(), std::optional(CompressionOrder::BeforeSigning),
            std::optional(CompressionOrder::AfterSigning)})
        all.push_back({sign, cipher, order});
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, EveryClosing, testing::ValuesIn(all_closings()));

using Open = RoundTrip;

TEST_F(Open, RefusesAStrangersSignatureThoughItsCertificateTravelsWithIt) {
  ComposeSettings settings = compose_settings();
  settings.signer = stranger_;
  settings.recipients.clear();
  const auto opened = open_message(compose_or_die(Slice::of(payload_), settings), open_settings());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().fault, Fault::AuthenticationFailed);
}

TEST_F(Open, TellsAStrangerInsideCbcThatHeIsOneButNotWhoProbesPaddings) {
  ComposeSettings settings = compose_settings();
  settings.signer = stranger_;
  const auto by_stranger = open_message(compose_or_die(Slice::of(payload_), settings), open_settings());
  ASSERT_FALSE(by_stranger);
  EXPECT_EQ(by_stranger.error().fault, Fault::AuthenticationFailed);

  Composed message = compose_or_die(Slice::of(payload_), compose_settings());
  Bytes octets = message.body.to_bytes(1 << 20).value();
  for (const std::size_t from_end : {1U, 15U, 16U, 17U, 31U, 33U, 48U, 200U, 700U}) {
    Bytes tampered = octets;
    tampered[tampered.size() - from_end] ^= 1;
    message.body = Slice::of(tampered);
    const auto opened = open_message(message, open_settings());
    ASSERT_FALSE(opened) << from_end;
    EXPECT_EQ(opened.error().fault, Fault::DecryptionFailed)
        << from_end << ": " << opened.error().cause.detail;
  }
}

TEST_F(Open, SeesNoDifferenceBetweenAWrongPaddingAndOctetsAppendedToProbeIt) {
  // A signed message and then something behind it, encrypted by anybody who has our certificate.
  ComposeSettings settings = compose_settings();
  settings.recipients.clear();
  const Composed signed_message = compose_or_die(Slice::of(payload_), settings);
  const Bytes inner = signed_message.body.to_bytes(1 << 20).value();
  Bytes with_tail =
      to_bytes(fmt::format("Content-Type: {}\r\n\r\n", *signed_message.headers.value("Content-Type")));
  with_tail.insert(with_tail.end(), inner.begin(), inner.end());
  for (int i = 0; i < 32; ++i) with_tail.push_back('x');
  MemorySource source(with_tail);
  MemorySink sink;
  const std::vector<certstore::Certificate> recipients = {globex_.certificate};
  ASSERT_TRUE(cms::encrypt(source, recipients, {}, sink));
  Composed message = signed_message;
  message.headers.set("Content-Type", "application/pkcs7-mime; smime-type=enveloped-data");
  message.body = Slice::of(sink.take());
  const auto opened = open_message(message, open_settings());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().fault, Fault::DecryptionFailed);
}

TEST_F(Open, TakesNoiseOutOfCbcForADecryptionFailureWhereASignatureIsDemanded) {
  const Bytes noise = to_bytes("\x01\x02\x03 not MIME at all");
  MemorySource source(noise);
  MemorySink sink;
  const std::vector<certstore::Certificate> recipients = {globex_.certificate};
  ASSERT_TRUE(cms::encrypt(source, recipients, {}, sink));
  mime::Headers headers;
  headers.add("Content-Type", "application/pkcs7-mime");
  const Slice body = Slice::of(sink.take());
  OpenSettings settings = open_settings();
  std::vector<Layer> layers;
  const auto strict = open(headers, body, settings, layers);
  ASSERT_FALSE(strict);
  EXPECT_EQ(strict.error().fault, Fault::DecryptionFailed);

  settings.bare_content_allowed = true;
  layers.clear();
  const auto bare = open(headers, body, settings, layers);
  ASSERT_TRUE(bare) << bare.error().cause.detail;
  EXPECT_EQ(bare->payload.body.size(), noise.size());
}

TEST_F(Open, RefusesAChangedPayload) {
  ComposeSettings settings = compose_settings();
  settings.recipients.clear();
  Composed message = compose_or_die(Slice::of(payload_), settings);
  std::string text = text_of(message.body);
  text.replace(text.find("ACME"), 4, "ACNE");
  message.body = Slice::of(text);
  const auto opened = open_message(message, open_settings());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().fault, Fault::IntegrityCheckFailed);
}

TEST_F(Open, AcceptsLineFeedsOfAContentThatWasSignedWithCrlfAndHandsOnWhatWasSigned) {
  ComposeSettings settings = compose_settings();
  settings.recipients.clear();
  Composed message = compose_or_die(Slice::of(payload_), settings);
  std::string text = text_of(message.body);
  const std::size_t begin = text.find("UNB+");
  const std::size_t end = text.find("\r\n--signet-", begin);
  std::string content = text.substr(begin, end - begin);
  std::erase(content, '\r');
  text.replace(begin, end - begin, content);
  ASSERT_LT(text.size(), message.body.size());
  message.body = Slice::of(text);
  const auto opened = open_message(message, open_settings());
  ASSERT_TRUE(opened) << opened.error().cause.detail;
  EXPECT_EQ(text_of(opened->payload.body), payload_);
}

TEST_F(Open, RefusesEncryptionThatIsNotOutermost) {
  ComposeSettings inner = compose_settings();
  inner.signer.reset();
  const Composed encrypted = compose_or_die(Slice::of(payload_), inner);
  Bytes entity = to_bytes("Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\n");
  const Bytes body = encrypted.body.to_bytes(1 << 20).value();
  entity.insert(entity.end(), body.begin(), body.end());
  const auto made = sign_multipart(Slice::of(entity), acme_, {}, Sha2Format::ShaHyphenHashSize,
                                   mime::TransferEncoding::Base64, {});
  std::vector<Layer> layers;
  const auto opened = open(made->headers, made->body, open_settings(), layers);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().fault, Fault::UnexpectedProcessingError);
}

TEST_F(Open, RefusesTwoSignatures) {
  ComposeSettings settings = compose_settings();
  settings.recipients.clear();
  const Composed once = compose_or_die(Slice::of(payload_), settings);
  const std::string entity =
      fmt::format("Content-Type: {}\r\n\r\n{}", *once.headers.value("Content-Type"), text_of(once.body));
  const auto twice = sign_multipart(Slice::of(entity), acme_, {}, Sha2Format::ShaHyphenHashSize,
                                    mime::TransferEncoding::Base64, {});
  std::vector<Layer> layers;
  const auto opened = open(twice->headers, twice->body, open_settings(), layers);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().fault, Fault::AuthenticationFailed);
}

TEST_F(Open, RefusesAMessageThatIsNotForUs) {
  ComposeSettings settings = compose_settings();
  settings.recipients = {stranger_.certificate};
  const Composed message = compose_or_die(Slice::of(payload_), settings);
  std::vector<Layer> layers;
  const auto opened = open(message.headers, message.body, open_settings(), layers);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().fault, Fault::DecryptionFailed);
  EXPECT_EQ(to_string(layers), "encrypted (not decrypted)");
}

TEST_F(Open, AcceptsAnyOfSeveralActiveCertificates) {
  OpenSettings settings = open_settings();
  settings.decryption = {stranger_, globex_};
  settings.signers = {stranger_.certificate, acme_.certificate};
  EXPECT_TRUE(open_message(compose_or_die(Slice::of(payload_), compose_settings()), settings));
}

TEST_F(Open, LooksAtTheCmsAndNotAtSmimeType) {
  Composed message = compose_or_die(Slice::of(payload_), compose_settings());
  for (const char* type : {"application/pkcs7-mime", "application/x-pkcs7-mime; smime-type=signed-data"}) {
    message.headers.set("Content-Type", type);
    EXPECT_TRUE(open_message(message, open_settings())) << type;
  }
}

// Checklist 28: names from before RFC 2311
TEST_F(Open, TakesTheOlderNamesOfItsTypes) {
  ComposeSettings settings = compose_settings();
  settings.recipients.clear();
  Composed message = compose_or_die(Slice::of(payload_), settings);
  std::string type(message.headers.value("Content-Type").value());
  type.replace(type.find("application/pkcs7-signature"), 27, "application/x-pkcs7-signature");
  message.headers.set("Content-Type", type);
  std::string body = text_of(message.body);
  body.replace(body.find("application/pkcs7-signature"), 27, "Application/X-PKCS7-Signature");
  message.body = Slice::of(body);
  const auto opened = open_message(message, open_settings());
  ASSERT_TRUE(opened) << opened.error().cause.detail;
  EXPECT_TRUE(opened->signer);
}

// Checklist 49
TEST_F(Open, UndoesBase64AtEveryLayer) {
  const auto in_base64 = [](Composed message) {
    message.headers.set("Content-Transfer-Encoding", "base64");
    message.body = Slice::of(base64_lines(message.body.to_bytes(1 << 20).value()));
    return message;
  };
  const auto as_payload = [](const Composed& message, ComposeSettings settings) {
    settings.content_type = message.headers.value("Content-Type").value();
    settings.payload_encoding = mime::TransferEncoding::Base64;
    settings.file_name.clear();
    return compose_or_die(message.body, settings);
  };
  ComposeSettings compressing = compose_settings();
  compressing.signer.reset();
  compressing.recipients.clear();
  compressing.compress = true;
  compressing.payload_encoding = mime::TransferEncoding::Base64;
  const Composed compressed = compose_or_die(Slice::of(payload_), compressing);
  const auto opened = open_message(in_base64(as_payload(compressed, compose_settings())), open_settings());
  ASSERT_TRUE(opened) << opened.error().cause.detail;
  EXPECT_EQ(opened->layers.size(), 3U);
  EXPECT_EQ(text_of(judge(*opened, {true, true, true}, {})->payload()), payload_);

  Composed broken = in_base64(compose_or_die(Slice::of(payload_), compose_settings()));
  broken.body = Slice::of("*" + text_of(broken.body));
  EXPECT_FALSE(open_message(broken, open_settings()));
}

// [RFC5402 2], checklist 47
TEST_F(Open, RefusesTwoCompressions) {
  ComposeSettings settings = compose_settings();
  settings.signer.reset();
  settings.recipients.clear();
  settings.compress = true;
  const Composed once = compose_or_die(Slice::of(payload_), settings);
  settings.content_type = once.headers.value("Content-Type").value();
  const auto opened = open_message(compose_or_die(once.body, settings), open_settings());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().fault, Fault::DecompressionFailed);
}

// [RFC6362 3], checklist 78, 109
TEST_F(Open, TakesAMultipartForOnePayloadAndItsMicOverTheWhole) {
  const std::string multipart =
      "--part\r\nContent-Type: application/xml\r\n\r\n<order/>\r\n"
      "--part\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: "
      "binary\r\n\r\n%PDF\r\n\n\r--part--\r\n"
      "\r\n--part--\r\n";
  ComposeSettings settings = compose_settings();
  settings.content_type = "multipart/related; boundary=part; type=\"application/xml\"";
  settings.file_name.clear();
  const std::string entity =
      "Content-Type: multipart/related; boundary=part; type=\"application/xml\"\r\n"
      "Content-Transfer-Encoding: binary\r\n\r\n" +
      multipart;
  for (const bool sign : {true, false}) {
    if (!sign) settings.signer.reset();
    const Composed message = compose_or_die(Slice::of(multipart), settings);
    const auto opened = open_message(message, open_settings());
    ASSERT_TRUE(opened) << opened.error().cause.detail;
    EXPECT_EQ(compute_mic(*opened, Hash::Sha256, CompressedMic::WithHeaders)->value,
              digest(Hash::Sha256, as_bytes(entity)));
    EXPECT_EQ(message.mic.value, digest(Hash::Sha256, as_bytes(entity)));
    const auto content = judge(*opened, {sign, true, false}, {});
    ASSERT_TRUE(content);
    EXPECT_EQ(text_of(content->payload()), multipart);
    EXPECT_EQ(content->content_type(), settings.content_type);
  }
}

TEST_F(Open, DoesNotTellThatAnUnsignedMessageOutOfCbcHadARightPadding) {
  ComposeSettings settings = compose_settings();
  settings.signer.reset();
  const auto opened = open_message(compose_or_die(Slice::of(payload_), settings), open_settings());
  ASSERT_TRUE(opened) << opened.error().cause.detail;
  const auto verdict = judge(*opened, {true, true, false}, {});
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().fault, Fault::DecryptionFailed);
  EXPECT_NE(verdict.error().cause.detail.find("signed"), std::string::npos)
      << "the operator is told the reason";
}

TEST_F(Open, JudgesByTheAgreementAndNamesWhatIsMissing) {
  ComposeSettings settings = compose_settings();
  settings.encrypt.cipher = ContentCipher::Aes256Gcm;
  settings.signer.reset();
  OpenSettings opening = open_settings();
  const auto opened = open_message(compose_or_die(Slice::of(payload_), settings), opening);
  ASSERT_TRUE(opened) << opened.error().cause.detail;
  const auto verdict = judge(*opened, {true, true, true}, {});
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().fault, Fault::InsufficientMessageSecurity);
  EXPECT_NE(verdict.error().cause.detail.find("signed and compressed"), std::string::npos)
      << verdict.error().cause.detail;
}

TEST_F(Open, TakesTheMicOfACompressedMessageByTheAgreementsRule) {
  ComposeSettings settings = compose_settings();
  settings.signer.reset();
  settings.recipients.clear();
  settings.compress = true;
  settings.compressed_mic = CompressedMic::ContentOnly;
  const Composed message = compose_or_die(Slice::of(payload_), settings);
  EXPECT_EQ(message.mic.value, digest(Hash::Sha256, as_bytes(payload_)));
  const auto opened = open_message(message, open_settings());
  ASSERT_TRUE(opened);
  EXPECT_EQ(compute_mic(*opened, Hash::Sha256, CompressedMic::ContentOnly).value(), message.mic);
  EXPECT_NE(compute_mic(*opened, Hash::Sha256, CompressedMic::WithHeaders).value(), message.mic);
}

TEST_F(Open, TakesTheMicHashFromTheSignatureElseFromTheRequestElseFromTheAgreement) {
  Opened plain;
  ReceiptRequest request;
  request.hashes = {{Hash::Md5, "md5"}, {Hash::Sha1, "sha1"}, {Hash::Sha384, "sha-384"}};
  const std::vector<Hash> allowed = {Hash::Sha256, Hash::Sha384};
  EXPECT_EQ(mic_hash(plain, request, allowed, Hash::Sha512), Hash::Sha384);
  request.hashes.clear();
  EXPECT_EQ(mic_hash(plain, request, allowed, Hash::Sha512), Hash::Sha512);

  ComposeSettings settings = compose_settings();
  settings.sign.hash = Hash::Sha512;
  request.hashes = {{Hash::Sha256, "sha-256"}, {Hash::Sha512, "sha-512"}};
  const auto opened = open_message(compose_or_die(Slice::of(payload_), settings), open_settings());
  ASSERT_TRUE(opened);
  EXPECT_EQ(mic_hash(*opened, request, {Hash::Sha256, Hash::Sha512}, Hash::Sha256), Hash::Sha512);
}

TEST_F(Open, StopsEveryTruncation) {
  Composed message = compose_or_die(Slice::of(payload_), compose_settings());
  const Slice whole = message.body;
  for (std::uint64_t size = 0; size < whole.size(); size += 7) {
    message.body = whole.sub(0, size);
    EXPECT_FALSE(open_message(message, open_settings())) << size;
  }
}

}  // namespace
}  // namespace signet::as2
