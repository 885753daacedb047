#include "as2/compose.h"

#include "as2/cms/describe.h"
#include "as2/mime/content_type.h"
#include "tests/unit/as2/round_trip_fixture.h"

namespace signet::as2 {
namespace {

class Compose : public RoundTrip {
 protected:
  Composed composed(const ComposeSettings& settings) const {
    return compose_or_die(Slice::of(payload_), settings);
  }
  ComposeSettings signed_only() const {
    ComposeSettings settings = compose_settings();
    settings.recipients.clear();
    return settings;
  }
  ComposeSettings plain() const {
    ComposeSettings settings = signed_only();
    settings.signer.reset();
    return settings;
  }
  static std::string field(const Composed& message, std::string_view name) {
    return std::string(message.headers.value(name).value_or("(none)"));
  }
  static mime::ContentType type_of(const Composed& message) {
    return mime::content_type(message.headers).value().value();
  }
};

// [RFC4130 6, 7.3], checklist 15-18, 25, 27, 53
TEST_F(Compose, WritesEachFieldOnceAndNeverFolded) {
  ComposeSettings settings = plain();
  settings.from = As2Name::of("Acme \"West\" Ltd").value();
  settings.subject =
      "Order 7, as agreed in a subject that is longer than the line of 78 octets of which mail speaks";
  EXPECT_EQ(
      composed(settings).headers.serialise(),
      "AS2-Version: 1.1\r\n"
      "AS2-From: \"Acme \\\"West\\\" Ltd\"\r\n"
      "AS2-To: Globex\r\n"
      "Message-ID: <1@acme.example>\r\n"
      "Date: Sat, 21 Nov 2026 08:30:00 +0000\r\n"
      "Subject: Order 7, as agreed in a subject that is longer than the line of 78 octets of which mail "
      "speaks\r\n"
      "MIME-Version: 1.0\r\n"
      "Content-Type: application/EDIFACT\r\n"
      "Content-Transfer-Encoding: binary\r\n"
      "Content-Disposition: attachment; filename=orders.edi\r\n"
      "Disposition-Notification-To: Acme\r\n"
      "Disposition-Notification-Options: signed-receipt-protocol=optional, pkcs7-signature; "
      "signed-receipt-micalg=optional, sha-256\r\n");
}

TEST_F(Compose, AsksForNoMoreOfAReceiptThanIsAgreed) {
  ComposeSettings settings = plain();
  settings.receipt.signed_wanted = false;
  EXPECT_EQ(field(composed(settings), "Disposition-Notification-To"), "Acme");
  EXPECT_EQ(field(composed(settings), "Disposition-Notification-Options"), "(none)");
  settings.receipt.wanted = false;
  EXPECT_EQ(field(composed(settings), "Disposition-Notification-To"), "(none)");
}

// [RFC1847 2.1], [RFC5652 5], checklist 3, 30, 32, 111
TEST_F(Compose, SignsAWholeEntityWithADetachedSignatureAndEndsWithItsBoundary) {
  const Composed message = composed(signed_only());
  const mime::ContentType type = type_of(message);
  EXPECT_TRUE(type.is("multipart/signed"));
  EXPECT_EQ(type.parameter("protocol"), "application/pkcs7-signature");
  EXPECT_EQ(type.parameter("micalg"), "sha-256");
  const std::string boundary(type.parameter("boundary").value());
  EXPECT_TRUE(text_of(message.body).ends_with("\r\n--" + boundary + "--\r\n"));

  const auto parts = mime::split_signed(message.body, boundary);
  ASSERT_TRUE(parts);
  EXPECT_EQ(text_of(parts->content),
            "Content-Type: application/EDIFACT\r\nContent-Transfer-Encoding: binary\r\n"
            "Content-Disposition: attachment; filename=orders.edi\r\n\r\n" +
                payload_);
  EXPECT_EQ(parts->signature.headers.value("Content-Type"),
            "application/pkcs7-signature; name=\"smime.p7s\"");
  const auto signature = cms::describe(mime::decoded(parts->signature, {}).value());
  ASSERT_TRUE(signature) << signature.error().detail;
  EXPECT_TRUE(signature->detached);
  ASSERT_EQ(signature->signers.size(), 1U);
  EXPECT_TRUE(signature->signers[0].has_signed_attributes);
  EXPECT_EQ(message.mic.value, digest(Hash::Sha256, parts->content).value());
}

// [RFC8551 3.2.2], checklist 34
TEST_F(Compose, SaysInSmimeTypeWhatItHolds) {
  ComposeSettings settings = compose_settings();
  EXPECT_EQ(type_of(composed(settings)).parameter("smime-type"), "enveloped-data");
  settings.encrypt.cipher = cms::ContentCipher::Aes256Gcm;
  EXPECT_EQ(type_of(composed(settings)).parameter("smime-type"), "authEnveloped-data");
  settings = plain();
  settings.compress = true;
  EXPECT_EQ(type_of(composed(settings)).parameter("smime-type"), "compressed-data");
}

// [RFC5402 2], checklist 47
TEST_F(Compose, CompressesOnceBeforeOrAfterSigningAndEncryptsLast) {
  using Kinds = std::vector<LayerKind>;
  ComposeSettings settings = compose_settings();
  settings.compress = true;
  const auto kinds = [&](CompressionOrder order) {
    settings.compression_order = order;
    Kinds met;
    for (const Layer& layer : composed(settings).layers) met.push_back(layer.kind);
    return met;
  };
  EXPECT_EQ(kinds(CompressionOrder::BeforeSigning),
            (Kinds{LayerKind::Encrypted, LayerKind::Signed, LayerKind::Compressed}));
  EXPECT_EQ(kinds(CompressionOrder::AfterSigning),
            (Kinds{LayerKind::Encrypted, LayerKind::Compressed, LayerKind::Signed}));
}

// [RFC8551 3.1.1], checklist 31
TEST_F(Compose, TurnsTheLineEndsOfTextIntoCrlfWhereAgreedAndTouchesNothingElse) {
  const std::string lines = "one\ntwo\r\nthree\rfour\n";
  const auto sent = [&](std::string_view type, bool canonicalise) {
    ComposeSettings settings = plain();
    settings.content_type = type;
    settings.canonicalise_text = canonicalise;
    return text_of(compose_or_die(Slice::of(lines), settings).body);
  };
  EXPECT_EQ(sent("text/plain", true), "one\r\ntwo\r\nthree\r\nfour\r\n");
  EXPECT_EQ(sent("Text/XML; charset=utf-8", true), "one\r\ntwo\r\nthree\r\nfour\r\n");
  EXPECT_EQ(sent("text/plain", false), lines);
  EXPECT_EQ(sent("application/EDI-X12", true), lines);
}

}  // namespace
}  // namespace signet::as2
