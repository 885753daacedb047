#include "as2/receipt_request.h"

#include <gtest/gtest.h>

namespace signet::as2 {
namespace {

ReceiptRequest with_options(std::string_view options) {
  mime::Headers headers;
  headers.add("Disposition-Notification-To", "as2@partner.test");
  headers.add("disposition-notification-options", options);
  return parse_receipt_request(headers);
}

std::string hashes_of(const ReceiptRequest& request) {
  std::string text;
  for (const RequestedHash& hash : request.hashes) text += (text.empty() ? "" : " ") + hash.spelling;
  for (const std::string& unknown : request.unknown_hashes) text += " ?" + unknown;
  return text;
}

// Checklist 51-57
TEST(ReceiptRequest, IsForASyncSignedReceiptInTheUsualForm) {
  const auto request = with_options(
      "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, sha-256, sha1");
  EXPECT_TRUE(request.wanted);
  EXPECT_TRUE(request.signed_wanted);
  EXPECT_TRUE(request.protocol_supported);
  EXPECT_FALSE(request.async_url);
  EXPECT_EQ(request.hashes, (std::vector<RequestedHash>{{Hash::Sha256, "sha-256"}, {Hash::Sha1, "sha1"}}));
}

TEST(ReceiptRequest, IsReadInEveryFormThatWasSeen) {
  for (const std::string_view options : {
           "signed-receipt-protocol=required,pkcs7-signature; signed-receipt-micalg=required,sha-384,SHA1",
           "Signed-Receipt-Protocol = optional ,\tPKCS7-Signature ;\tSigned-Receipt-Micalg\t=\toptional "
           ",\tsha-384\t, SHA1 ;",
           "signed-receipt-protocol=\"optional\", \"pkcs7-signature\"; signed-receipt-micalg=\"optional\", "
           "\"sha-384\", \"SHA1\"",
           "signed-receipt-protocol=\"optional, pkcs7-signature\";signed-receipt-micalg=\"optional, sha-384, "
           "SHA1\"",
           "signed-receipt-micalg=sha-384,SHA1; signed-receipt-protocol=pkcs7-signature",
           "signed-receipt-micalg=optional, pkcs7-signature, sha-384, SHA1",
           "signed-receipt-protocol=optional, application/pkcs7-signature;; x=y; junk; "
           "signed-receipt-micalg=,,sha-384,,SHA1,",
       }) {
    const auto request = with_options(options);
    EXPECT_TRUE(request.signed_wanted) << options;
    EXPECT_TRUE(request.protocol_supported) << options;
    EXPECT_EQ(hashes_of(request), "sha-384 SHA1") << options;
  }
}

TEST(ReceiptRequest, EchoesNoSpellingThatCannotBeWritten) {
  const auto request = with_options("signed-receipt-micalg=optional, S\tHA1");
  EXPECT_EQ(request.hashes, (std::vector<RequestedHash>{{Hash::Sha1, "sha1"}}));
}

TEST(ReceiptRequest, WithoutOptionsIsForAnUnsignedReceipt) {
  mime::Headers headers;
  EXPECT_FALSE(parse_receipt_request(headers).wanted);
  headers.add("Disposition-Notification-To", "");
  const auto request = parse_receipt_request(headers);
  EXPECT_TRUE(request.wanted);
  EXPECT_FALSE(request.signed_wanted);
  EXPECT_FALSE(with_options("").signed_wanted);
  EXPECT_FALSE(with_options("nonsense").signed_wanted);
}

TEST(ReceiptRequest, OfAnUnknownProtocolOrUnknownHashesSaysSo) {
  EXPECT_FALSE(with_options("signed-receipt-protocol=required, pgp-signature").protocol_supported);
  EXPECT_TRUE(
      with_options("signed-receipt-protocol=required, pgp-signature, pkcs7-signature").protocol_supported);
  const auto unknown = with_options(
      "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, sha-999");
  EXPECT_TRUE(unknown.only_unknown_hashes());
  EXPECT_EQ(hashes_of(unknown), " ?sha-999");
  EXPECT_FALSE(with_options("signed-receipt-micalg=optional, sha-999, sha1").only_unknown_hashes());
  EXPECT_FALSE(with_options("signed-receipt-protocol=optional, pkcs7-signature").only_unknown_hashes());
}

TEST(ReceiptRequest, MayNameAUrl) {
  mime::Headers headers;
  headers.add("Receipt-Delivery-Option", " http://partner.test:8080/mdn?id=1;x=2 ");
  EXPECT_EQ(parse_receipt_request(headers).async_url, "http://partner.test:8080/mdn?id=1;x=2");
  headers.set("Receipt-Delivery-Option", "  ");
  EXPECT_FALSE(parse_receipt_request(headers).async_url);
}

TEST(ReceiptRequest, KeepsNoMoreThanAllowed) {
  std::string options = "signed-receipt-protocol=";
  for (int i = 0; i < 5000; ++i) options += "optional,";
  options += "; signed-receipt-micalg=optional";
  for (int i = 0; i < 5000; ++i) options += ", x\x01" + std::string(100, 'y');
  const auto request = with_options(options);
  EXPECT_EQ(request.unknown_hashes.size(), 32U);
  EXPECT_LE(request.unknown_hashes.front().size(), 80U);
}

TEST(ReceiptRequest, ComesBackFromWhatItWrote) {
  ReceiptRequest request;
  request.wanted = true;
  request.signed_wanted = true;
  request.hashes = {{Hash::Sha512, "sha-512"}, {Hash::Sha1, "sha1"}};
  request.async_url = "https://us.test/mdn";
  request.notify_to = "as2@us.test";
  mime::Headers headers;
  headers.add("Receipt-Delivery-Option", "old");
  write_receipt_request(request, headers);
  EXPECT_EQ(
      headers.value("Disposition-Notification-Options"),
      "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, sha-512, sha1");
  const auto again = parse_receipt_request(headers);
  EXPECT_TRUE(again.wanted && again.signed_wanted && again.protocol_supported);
  EXPECT_EQ(again.hashes, request.hashes);
  EXPECT_EQ(again.async_url, request.async_url);
  EXPECT_EQ(again.notify_to, request.notify_to);

  write_receipt_request(ReceiptRequest{}, headers);
  EXPECT_TRUE(headers.empty());
}

}  // namespace
}  // namespace signet::as2
