#include "gateway/exchange/receipt_url.h"

#include <gtest/gtest.h>

#include "gateway/endpoint/http_client.h"

namespace signet::gateway {
namespace {

agreements::OneWayAgreement allowing(std::vector<std::string> urls, std::vector<std::string> networks = {}) {
  agreements::OneWayAgreement agreement;
  agreement.receipt_policy.allowed_urls = std::move(urls);
  agreement.receipt_policy.allowed_networks = std::move(networks);
  return agreement;
}

TEST(ReceiptUrl, NoneIsAllowedUnlessTheAgreementSaysSo) {
  EXPECT_FALSE(allows_receipt_url({}, "https://partner.example/mdn"));
}

TEST(ReceiptUrl, TheAgreedOneAndWhatLiesBelowItsPathIsAllowed) {
  const auto agreement = allowing({"https://partner.example/mdn"});
  for (const char* url : {"https://partner.example/mdn", "HTTPS://Partner.Example:443/mdn",
                          "https://partner.example/mdn?id=7", "https://partner.example/mdn/7"})
    EXPECT_TRUE(allows_receipt_url(agreement, url)) << url;
}

TEST(ReceiptUrl, NoOtherSchemeHostPortOrPathIs) {
  const auto agreement = allowing({"https://partner.example/mdn"});
  for (const char* url :
       {"http://partner.example/mdn", "https://partner.example:8443/mdn",
        "https://partner.example.evil.example/mdn", "https://evil.example/mdn",
        "https://partner.example/mdnx", "https://partner.example/", "https://partner.example/mdn/../admin",
        "https://partner.example/mdn/%2e%2e/admin", "https://user@partner.example/mdn",
        "https://partner.example@evil.example/mdn", "ftp://partner.example/mdn", "file:///mdn",
        "mailto:a@partner.example", "//partner.example/mdn", "https://partner.example/mdn\\..",
        "https://partner.example/mdn\r\nX: y", "", "https://"})
    EXPECT_FALSE(allows_receipt_url(agreement, url)) << url;
}

TEST(ReceiptUrl, EscapesAreThoseThatWereAgreed) {
  const auto agreement = allowing({"https://partner.example/a%20b/mdn", "https://partner.example/c%2fd/"});
  for (const char* url : {"https://partner.example/a%20b/mdn", "https://partner.example/a%20b/mdn/7",
                          "https://partner.example/c%2fd/", "https://partner.example/c%2fd/mdn"})
    EXPECT_TRUE(allows_receipt_url(agreement, url)) << url;
  for (const char* url :
       {"https://partner.example/a%20b/mdn%2f7", "https://partner.example/a%20b/mdn/%2e%2e/admin",
        "https://partner.example/a%20b%2fmdn", "https://partner.example/a%20b/mdn%00",
        "https://partner.example/a%20c/mdn", "https://partner.example/c/d/",
        "https://partner.example/c%2fd/%2e%2e/admin", "https://partner.example/c%2fd/..\\admin",
        "https://partner.example/c%2fd/../admin"})
    EXPECT_FALSE(allows_receipt_url(agreement, url)) << url;
  agreements::OneWayAgreement own;
  own.mdn_settings.receipt_delivery_url = "https://partner.example/a%20b/mdn";
  EXPECT_TRUE(allows_receipt_url(own, "https://partner.example/a%20b/mdn"));
}

TEST(ReceiptUrl, IsShownWithoutPasswordsAndTokens) {
  EXPECT_EQ(url_for_people("http://user:hunter2@h:1/mdn?token=hunter2#x"), "http://...@h:1/mdn");
  EXPECT_EQ(url_for_people("user:hunter2@h"), "...@h");
  EXPECT_EQ(url_for_people("https://h/mdn"), "https://h/mdn");
  EXPECT_EQ(parse_url("http://user:hunter2@h/").error().detail.find("hunter2"), std::string::npos);
}

TEST(ReceiptUrl, TheAgreementsOwnDeliveryUrlIsAllowed) {
  agreements::OneWayAgreement agreement;
  agreement.mdn_settings.receipt_delivery_url = "http://partner.example:8080/receipts";
  EXPECT_TRUE(allows_receipt_url(agreement, "http://partner.example:8080/receipts"));
  EXPECT_FALSE(allows_receipt_url(agreement, "http://partner.example/receipts"));
}

TEST(ReceiptAddress, PublicOnesAreAllowedAndAllOthersNeedToBe) {
  const auto agreement = allowing({"https://partner.example/mdn"});
  EXPECT_TRUE(allows_receipt_address(agreement, "93.184.216.34"));
  for (const char* address : {"127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "fd00::1",
                              "::ffff:127.0.0.1", "nonsense"})
    EXPECT_FALSE(allows_receipt_address(agreement, address)) << address;
}

TEST(ReceiptAddress, AnAllowedNetworkOrAnAddressInAnAllowedUrlMayBePrivate) {
  EXPECT_TRUE(allows_receipt_address(allowing({}, {"10.20.0.0/16"}), "10.20.3.4"));
  EXPECT_FALSE(allows_receipt_address(allowing({}, {"10.20.0.0/16"}), "10.21.3.4"));
  EXPECT_TRUE(allows_receipt_address(allowing({"http://127.0.0.1:9000/mdn"}), "127.0.0.1"));
  EXPECT_TRUE(allows_receipt_address(allowing({"http://[::1]/mdn"}), "::1"));
  EXPECT_FALSE(allows_receipt_address(allowing({"http://127.0.0.1:9000/mdn"}), "127.0.0.2"));
}

}  // namespace
}  // namespace signet::gateway
