#include "certstore/x509/issuers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_certificates.h"

namespace signet::certstore {
namespace {

using test::make_certificate;
using testing::ElementsAre;
using testing::IsEmpty;

PrivateCertificate authority(const std::string& name, const PrivateCertificate* issuer = nullptr,
                             const std::string& not_after = "2040-01-01",
                             const std::string& key = "ec:P-256") {
  return make_certificate(
      {.common_name = name, .key = key, .not_after = not_after, .authority = true, .issuer = issuer});
}

class Issuers : public testing::Test {
 protected:
  const PrivateCertificate root_ = authority("Root");
  const PrivateCertificate upper_ = authority("Upper", &root_);
  const PrivateCertificate lower_ = authority("Lower", &upper_);
  const Certificate leaf_ =
      make_certificate({.common_name = "leaf", .key = "ec:P-256", .issuer = &lower_}).certificate;
};

TEST_F(Issuers, AreThoseBetweenTheCertificateAndItsRootFromBelow) {
  const Certificate other = authority("Other").certificate;
  EXPECT_THAT(issuers_of(leaf_, {root_.certificate, upper_.certificate, other, lower_.certificate, leaf_}),
              ElementsAre(lower_.certificate, upper_.certificate));
  EXPECT_THAT(issuers_of(leaf_, {upper_.certificate, lower_.certificate}),
              ElementsAre(lower_.certificate, upper_.certificate))
      << "the root needs not be known";
}

TEST_F(Issuers, EndAtTheFirstThatIsNotKnown) {
  EXPECT_THAT(issuers_of(leaf_, {root_.certificate, lower_.certificate}), ElementsAre(lower_.certificate));
  EXPECT_THAT(issuers_of(leaf_, {root_.certificate, upper_.certificate}), IsEmpty());
  EXPECT_THAT(issuers_of(leaf_, {}), IsEmpty());
}

TEST_F(Issuers, AreNoneOfWhatIssuesItself) {
  EXPECT_THAT(issuers_of(root_.certificate, {root_.certificate, upper_.certificate}), IsEmpty());
}

TEST_F(Issuers, AreNotThoseOfTheSameNameWithAnotherKey) {
  const PrivateCertificate namesake = authority("Lower", &upper_, "2050-01-01", "ec:P-384");
  EXPECT_THAT(issuers_of(leaf_, {namesake.certificate, upper_.certificate}), IsEmpty());
  EXPECT_THAT(issuers_of(leaf_, {namesake.certificate, lower_.certificate}), ElementsAre(lower_.certificate));
}

TEST_F(Issuers, AreTheOnesThatAreValidLongest) {
  const PrivateCertificate renewed = authority("Lower", &upper_, "2041-01-01");
  EXPECT_THAT(issuers_of(leaf_, {lower_.certificate, renewed.certificate, upper_.certificate}),
              ElementsAre(renewed.certificate, upper_.certificate));
  EXPECT_THAT(issuers_of(leaf_, {renewed.certificate, lower_.certificate, upper_.certificate}),
              ElementsAre(renewed.certificate, upper_.certificate));
}

TEST_F(Issuers, EndWhereTwoHaveIssuedEachOther) {
  const PrivateCertificate crossed = authority("Root", &lower_, "2050-01-01");  // on the root's key
  EXPECT_THAT(issuers_of(leaf_, {lower_.certificate, upper_.certificate, crossed.certificate}),
              ElementsAre(lower_.certificate, upper_.certificate, crossed.certificate));
}

TEST_F(Issuers, OfACertificateIsTheAuthorityThatSignedItSelfSignedOrNot) {
  EXPECT_EQ(find_issuer(leaf_, {root_.certificate, lower_.certificate}), lower_.certificate);
  EXPECT_EQ(find_issuer(upper_.certificate, {lower_.certificate, root_.certificate}), root_.certificate);
  EXPECT_EQ(find_issuer(leaf_, {root_.certificate, upper_.certificate}), std::nullopt);
  const PrivateCertificate namesake = authority("Lower", &upper_, "2050-01-01", "ec:P-384");
  EXPECT_EQ(find_issuer(leaf_, {namesake.certificate}), std::nullopt);
  const PrivateCertificate renewed = authority("Lower", &upper_, "2041-01-01");
  EXPECT_EQ(find_issuer(leaf_, {lower_.certificate, renewed.certificate}), renewed.certificate);
}

TEST_F(Issuers, OfACertificateIsNobodyWhoMayNotIssue) {
  for (const bool says_authority : {false, true}) {
    const PrivateCertificate signer = make_certificate({.common_name = "Signer",
                                                        .key = "ec:P-256",
                                                        .key_usage = says_authority ? "digitalSignature" : "",
                                                        .authority = says_authority});
    const Certificate subject =
        make_certificate({.common_name = "subject", .key = "ec:P-256", .issuer = &signer}).certificate;
    EXPECT_EQ(find_issuer(subject, {signer.certificate}), std::nullopt);
  }
}

}  // namespace
}  // namespace signet::certstore
