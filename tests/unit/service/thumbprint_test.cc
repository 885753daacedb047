#include "certstore/service/thumbprint.h"

#include <gmock/gmock.h>

#include "tests/support/test_certificates.h"

namespace signet::certstore {
namespace {

using testing::HasSubstr;

const Certificate& certificate() {
  static const Certificate kCertificate = test::make_certificate({.key = "ec:P-256"}).certificate;
  return kCertificate;
}

TEST(Thumbprint, IsReadInAnyOfTheFormsThatPeopleCopy) {
  const std::string digits = certificate().thumbprint_sha1();
  std::string windows = "\u200E";
  std::string openssl;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    windows += digits.substr(i, 2) + " ";
    openssl += (i > 0 ? ":" : "") + digits.substr(i, 2);
  }
  for (char& c : windows)
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  for (const std::string& form : {digits, windows, openssl}) {
    const auto read = parse_thumbprint(form);
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(*read, (Thumbprint{ThumbprintAlgorithm::Sha1, digits}));
    EXPECT_TRUE(read->is_of(certificate()));
  }
}

TEST(Thumbprint, IsOfOneCertificateAlone) {
  const auto read = parse_thumbprint(certificate().thumbprint_sha256());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->algorithm, ThumbprintAlgorithm::Sha256);
  EXPECT_TRUE(read->is_of(certificate()));
  EXPECT_FALSE(read->is_of(test::make_certificate({.common_name = "other", .key = "ec:P-256"}).certificate));
}

TEST(Thumbprint, HasTheDigitsOfItsAlgorithm) {
  const std::string sha1(40, 'A');
  EXPECT_TRUE(parse_thumbprint(sha1, ThumbprintAlgorithm::Sha1));
  EXPECT_THAT(parse_thumbprint(sha1, ThumbprintAlgorithm::Sha256).error().detail, HasSubstr("sha256 has 64"));
  EXPECT_THAT(parse_thumbprint("").error().detail, HasSubstr("0 hexadecimal digits"));
  EXPECT_THAT(parse_thumbprint(sha1 + "A").error().detail, HasSubstr("41 hexadecimal digits"));
  for (const char* text : {"xyz", "AB-CD", "AB\u200FCD"})
    EXPECT_THAT(parse_thumbprint(text).error().detail, HasSubstr("is no thumbprint")) << text;
}

TEST(Thumbprint, NamesItsAlgorithmAsConfigurationsDo) {
  for (const char* word : {"sha1", "SHA1", "SHA-1"})
    EXPECT_EQ(*parse_thumbprint_algorithm(word), ThumbprintAlgorithm::Sha1) << word;
  for (const char* word : {"sha256", "SHA-256"})
    EXPECT_EQ(*parse_thumbprint_algorithm(word), ThumbprintAlgorithm::Sha256) << word;
  EXPECT_FALSE(parse_thumbprint_algorithm("md5"));
}

}  // namespace
}  // namespace signet::certstore
