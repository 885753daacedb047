#include "certstore/x509/validity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/support/test_certificates.h"

namespace signet::certstore {
namespace {

using test::make_certificate;
using testing::HasSubstr;
using testing::IsEmpty;

const Time kNow = parse_time("2026-11-21T12:00:00Z").value();

std::vector<CertificateProblem> problems(const Certificate& certificate, Purpose purpose, Time now = kNow) {
  std::vector<CertificateProblem> found;
  for (const Finding& finding : examine(certificate, purpose, now)) found.push_back(finding.problem);
  return found;
}
std::vector<CertificateProblem> only(CertificateProblem problem) { return {problem}; }
Certificate ending(const std::string& not_after) {
  return make_certificate({.common_name = "Acme", .key = "ec:P-256", .not_after = not_after}).certificate;
}

TEST(Examine, FindsNothingInAGoodCertificate) {
  for (const Purpose purpose : {Purpose::Sign, Purpose::Encrypt, Purpose::Tls})
    EXPECT_THAT(examine(make_certificate({.key = "ec:P-256"}).certificate, purpose, kNow), IsEmpty());
}

TEST(Examine, WarnsThirtyDaysBeforeTheEndAndNotEarlier) {
  EXPECT_THAT(problems(ending("2026-12-21T12:00:01Z"), Purpose::Sign), IsEmpty());
  EXPECT_EQ(problems(ending("2026-12-21T12:00:00Z"), Purpose::Sign), only(CertificateProblem::ExpiresSoon));
  EXPECT_EQ(problems(ending("2026-11-21T12:00:00Z"), Purpose::Sign), only(CertificateProblem::ExpiresSoon));
  EXPECT_EQ(problems(ending("2026-11-21T11:59:59Z"), Purpose::Sign), only(CertificateProblem::Expired));
}

TEST(Examine, SaysHowManyDaysAreLeftAndWhatToDo) {
  const auto findings = examine(ending("2026-11-23T00:00:00Z"), Purpose::Sign, kNow);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].text,
            "certificate 'CN=Acme' expires in 1 day, on 2026-11-23T00:00:00.000Z: arrange for its successor, "
            "and list "
            "both while they overlap");
}

TEST(Examine, TellsTheNotYetValidFromTheExpired) {
  const Certificate future = make_certificate({.key = "ec:P-256", .not_before = "2027-01-01"}).certificate;
  const auto findings = examine(future, Purpose::Sign, kNow);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].problem, CertificateProblem::NotYetValid);
  EXPECT_THAT(findings[0].text, HasSubstr("not valid before 2027-01-01T00:00:00.000Z"));
}

// [RFC5280 4.2.1.3] [RFC8550 4.4.2]
TEST(Examine, JudgesKeyUsageByPurposeAndKind) {
  const auto allows = [](const std::string& key, const std::string& usage, Purpose purpose) {
    return problems(make_certificate({.key = key, .key_usage = usage}).certificate, purpose).empty();
  };
  EXPECT_TRUE(allows("rsa:2048", "digitalSignature", Purpose::Sign));
  EXPECT_TRUE(allows("rsa:2048", "nonRepudiation", Purpose::Sign));
  EXPECT_FALSE(allows("rsa:2048", "keyEncipherment", Purpose::Sign));
  EXPECT_FALSE(allows("rsa:2048", "keyCertSign", Purpose::Sign));
  EXPECT_TRUE(allows("rsa:2048", "keyEncipherment", Purpose::Encrypt));
  EXPECT_FALSE(allows("rsa:2048", "digitalSignature,dataEncipherment", Purpose::Encrypt));
  EXPECT_FALSE(allows("rsa:2048", "keyAgreement", Purpose::Encrypt));
  EXPECT_TRUE(allows("ec:P-256", "keyAgreement", Purpose::Encrypt));
  EXPECT_FALSE(allows("ec:P-256", "keyEncipherment", Purpose::Encrypt));
  EXPECT_TRUE(allows("ec:P-256", "digitalSignature", Purpose::Tls));
  EXPECT_FALSE(allows("ec:P-256", "nonRepudiation", Purpose::Tls));
}

TEST(Examine, NamesTheMissingBit) {
  const auto made =
      make_certificate({.common_name = "Acme", .key = "ec:P-256", .key_usage = "digitalSignature"});
  const auto findings = examine(made.certificate, Purpose::Encrypt, kNow);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].text,
            "certificate 'CN=Acme' is not meant for encryption: its key usage lacks keyAgreement; partners "
            "may refuse "
            "it, ask for one that has it");
}

TEST(Examine, ReportsEverythingAtOnce) {
  const auto made =
      make_certificate({.key = "rsa:1024", .not_after = "2021-01-01", .key_usage = "keyEncipherment"});
  EXPECT_EQ(
      problems(made.certificate, Purpose::Sign),
      (std::vector{CertificateProblem::Expired, CertificateProblem::WeakKey, CertificateProblem::KeyUsage}));
}

TEST(Examine, NamesItsProblems) {
  EXPECT_EQ(to_string(CertificateProblem::Expired), "expired");
  EXPECT_EQ(to_string(CertificateProblem::ExpiresSoon), "expires-soon");
  EXPECT_EQ(to_string(CertificateProblem::NotYetValid), "not-yet-valid");
  EXPECT_EQ(to_string(CertificateProblem::WeakKey), "weak-key");
  EXPECT_EQ(to_string(CertificateProblem::KeyUsage), "key-usage");
}

}  // namespace
}  // namespace signet::certstore
