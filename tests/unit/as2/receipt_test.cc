#include "as2/receipt.h"

#include "tests/unit/as2/round_trip_fixture.h"

namespace signet::as2 {
namespace {

class Receipts : public RoundTrip {
 protected:
  const MessageId id_ = MessageId::parse("<1@acme.example>").value();
  const Mic mic_{Hash::Sha256, digest(Hash::Sha256, as_bytes("content"))};

  MdnContent content() const {
    MdnContent content;
    content.original_message_id = id_;
    content.final_recipient = As2Name::of("Globex").value();
    content.disposition = Disposition::processed();
    content.mic = mic_;
    content.human_text = "fine";
    content.reporting_ua = "test";
    return content;
  }

  ReceiptSettings signing(const certstore::PrivateCertificate& signer) const {
    ReceiptSettings settings;
    settings.signer = signer;
    return settings;
  }

  ReceiptExpectation expectation() const {
    ReceiptExpectation expected{id_, mic_};
    expected.signers = {globex_.certificate};
    expected.now = parse_time("2026-11-21T08:30:00Z").value();
    return expected;
  }

  ReceiptVerdict check(const Receipt& receipt, const ReceiptExpectation& expected) const {
    return check_receipt(receipt.headers, Slice::of(receipt.body), expected);
  }
};

TEST_F(Receipts, ASignedReceiptForThisMessageWithItsMicProvesDelivery) {
  const ReceiptVerdict verdict = check(make_receipt(content(), signing(globex_)).value(), expectation());
  EXPECT_TRUE(verdict.proves_delivery) << verdict.reason;
  EXPECT_EQ(verdict.mic_status, MicStatus::Matched);
  ASSERT_TRUE(verdict.signer);
  EXPECT_EQ(verdict.signer->certificate(), globex_.certificate);
}

TEST_F(Receipts, ASignatureOfAStrangerProvesNothing) {
  const ReceiptVerdict verdict = check(make_receipt(content(), signing(stranger_)).value(), expectation());
  EXPECT_FALSE(verdict.proves_delivery);
  EXPECT_FALSE(verdict.signer);
  EXPECT_FALSE(verdict.names_partner);
}

TEST_F(Receipts, AnUnsignedReceiptProvesNothingWhereASignedOneIsAgreed) {
  const Receipt receipt = make_receipt(content(), {}).value();
  EXPECT_FALSE(check(receipt, expectation()).proves_delivery);
  EXPECT_FALSE(check(receipt, expectation()).names_partner);
  ReceiptExpectation lenient = expectation();
  lenient.must_be_signed = false;
  EXPECT_TRUE(check(receipt, lenient).proves_delivery);
  EXPECT_TRUE(check(receipt, lenient).names_partner);
}

TEST_F(Receipts, ABadSignatureCountsEvenWhereNoneIsDemanded) {
  ReceiptExpectation lenient = expectation();
  lenient.must_be_signed = false;
  EXPECT_FALSE(check(make_receipt(content(), signing(stranger_)).value(), lenient).proves_delivery);
}

TEST_F(Receipts, AnotherMicProvesThatSomethingElseArrived) {
  MdnContent other = content();
  other.mic->value = digest(Hash::Sha256, as_bytes("other content"));
  const ReceiptVerdict verdict = check(make_receipt(other, signing(globex_)).value(), expectation());
  EXPECT_FALSE(verdict.proves_delivery);
  EXPECT_EQ(verdict.mic_status, MicStatus::Mismatched);
  EXPECT_TRUE(verdict.names_partner);
}

TEST_F(Receipts, ASignedReceiptWithoutMicProvesNothing) {
  MdnContent without = content();
  without.mic.reset();
  const ReceiptVerdict verdict = check(make_receipt(without, signing(globex_)).value(), expectation());
  EXPECT_FALSE(verdict.proves_delivery);
  EXPECT_EQ(verdict.mic_status, MicStatus::Missing);
}

TEST_F(Receipts, AReceiptForAnotherMessageSettlesNothing) {
  MdnContent other = content();
  other.original_message_id = MessageId::parse("<2@acme.example>").value();
  EXPECT_FALSE(check(make_receipt(other, signing(globex_)).value(), expectation()).proves_delivery);
  other.original_message_id.reset();
  EXPECT_FALSE(check(make_receipt(other, signing(globex_)).value(), expectation()).proves_delivery);
}

TEST_F(Receipts, TheMessageIdMatchesWithoutItsBrackets) {
  MdnContent bare = content();
  bare.original_message_id = MessageId::parse("1@acme.example").value();
  EXPECT_TRUE(check(make_receipt(bare, signing(globex_)).value(), expectation()).proves_delivery);
}

TEST_F(Receipts, AnExpiredCertificateProvesNothing) {
  ReceiptExpectation later = expectation();
  later.now = parse_time("2050-01-01").value();
  const ReceiptVerdict verdict = check(make_receipt(content(), signing(globex_)).value(), later);
  EXPECT_FALSE(verdict.proves_delivery);
  EXPECT_NE(verdict.reason.find("valid from"), std::string::npos) << verdict.reason;
}

TEST_F(Receipts, AnErrorIsANo) {
  MdnContent error = content();
  error.disposition = Disposition::of(Fault::DecryptionFailed);
  const ReceiptVerdict verdict = check(make_receipt(error, signing(globex_)).value(), expectation());
  EXPECT_FALSE(verdict.proves_delivery);
  EXPECT_NE(verdict.reason.find("decryption-failed"), std::string::npos) << verdict.reason;
}

TEST_F(Receipts, AChangedWordBreaksTheSignature) {
  Receipt receipt = make_receipt(content(), signing(globex_)).value();
  std::string text(as_text(receipt.body));
  text.replace(text.find("; processed"), 11, "; failed   ");
  receipt.body = to_bytes(text);
  EXPECT_FALSE(check(receipt, expectation()).proves_delivery);
  EXPECT_TRUE(check(receipt, expectation()).names_partner);
}

TEST_F(Receipts, NoiseInThePlaceOfASignatureNamesNobody) {
  Receipt receipt = make_receipt(content(), signing(globex_)).value();
  std::string text(as_text(receipt.body));
  const std::size_t signature = text.find("\r\n\r\n", text.find("application/pkcs7-signature")) + 4;
  text.replace(signature, 8, "AAAAAAAA");
  receipt.body = to_bytes(text);
  EXPECT_FALSE(check(receipt, expectation()).proves_delivery);
  EXPECT_FALSE(check(receipt, expectation()).names_partner);
}

TEST_F(Receipts, ASignedReceiptIsCutInTwoForOthersToVerify) {
  const Receipt receipt = make_receipt(content(), signing(globex_)).value();
  const auto parts = split_receipt(receipt.headers, Slice::of(receipt.body), {}).value();
  ASSERT_TRUE(parts);
  EXPECT_NE(text_of(parts->content).find("Original-Message-ID: <1@acme.example>"), std::string::npos);
  const auto signed_by = [&](const certstore::PrivateCertificate& signer) {
    return cms::verify_detached(parts->signature, parts->content, std::span(&signer.certificate, 1), {});
  };
  EXPECT_TRUE(signed_by(globex_));
  EXPECT_FALSE(signed_by(stranger_));

  const Receipt bare = make_receipt(content(), {}).value();
  EXPECT_FALSE(split_receipt(bare.headers, Slice::of(bare.body), {}).value());
  const Bytes half(receipt.body.begin(),
                   receipt.body.begin() + static_cast<std::ptrdiff_t>(receipt.body.size() / 2));
  EXPECT_FALSE(split_receipt(receipt.headers, Slice::of(half), {}));
}

TEST_F(Receipts, APageOfAWebServerIsNoReceipt) {
  mime::Headers headers;
  headers.add("Content-Type", "text/html");
  const ReceiptVerdict verdict = check_receipt(headers, Slice::of("<html>OK</html>"), expectation());
  EXPECT_FALSE(verdict.proves_delivery);
  EXPECT_NE(verdict.reason.find("not a receipt"), std::string::npos) << verdict.reason;
}

}  // namespace
}  // namespace signet::as2
