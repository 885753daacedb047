#include "gateway/operations/certificate_expiry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_certificates.h"

namespace signet::gateway {
namespace {

using testing::Contains;
using testing::DoubleEq;
using testing::IsEmpty;
using testing::Not;

agreements::CertificateEntry entry(const std::string& name, const std::string& not_after, bool ours) {
  agreements::CertificateEntry made;
  made.name = name;
  made.public_certificate =
      test::make_certificate({.common_name = name, .key = "ec:P-256", .not_after = not_after})
          .certificate.der();
  if (ours) made.key = agreements::KeyReference{"signet", name, ""};
  return made;
}

/// Us and Globex, with one certificate each for everything, one to come, one for TLS, and one that nobody
/// needs.
std::shared_ptr<const AccountSnapshot> account() {
  agreements::Account account;
  account.partners = {{.name = "us", .business_identities = {{.value = "us"}}},
                      {.name = "globex", .business_identities = {{.value = "globex"}}}};
  account.certificates = {entry("ours", "2027-11-21", true), entry("theirs", "2026-12-01", false),
                          entry("theirs-next", "2028-12-01", false), entry("tls", "2026-11-01", false),
                          entry("unused", "2030-01-01", false)};
  agreements::Agreement trade;
  trade.name = "trade";
  trade.host_partner = "us";
  trade.guest_partner = "globex";
  trade.receive_agreement.security_settings.signing_certificate_name = "theirs";
  trade.receive_agreement.security_settings.encryption_certificate_name = "ours";
  trade.receive_agreement.certificates = {
      {agreements::CertificateRole::VerifyMessage, {{"theirs-next", *parse_time("2026-11-25"), {}}}}};
  trade.connection.tls_trust.certificates = {"tls"};
  account.agreements = {trade};
  auto snapshot = AccountSnapshot::build(
      account,
      [](const auto&, const auto&) -> Result<certstore::KeyHandle> {
        return fail(ErrorKind::Internal, "no key is opened for a look at the dates");
      },
      [](const auto&, const auto&) -> Result<SecretBytes> {
        return fail(ErrorKind::Internal, "nor is a secret asked for");
      });
  EXPECT_TRUE(snapshot) << snapshot.error().detail;
  return *snapshot;
}

const CertificateExpiry& find(const std::vector<CertificateExpiry>& all, const std::string& name) {
  for (const CertificateExpiry& one : all)
    if (one.name == name) return one;
  throw std::runtime_error(name);
}

TEST(CertificateExpiry, IsToldOfEveryCertificateTheFirstToEndInFront) {
  const auto all = certificate_expiries(*account(), {});
  ASSERT_TRUE(all);
  std::vector<std::string> names;
  for (const CertificateExpiry& one : *all) names.push_back(one.name);
  EXPECT_EQ(names, (std::vector<std::string>{"tls", "theirs", "ours", "theirs-next", "unused"}));
  const Time now = *parse_time("2026-11-21");
  EXPECT_THAT(find(*all, "theirs").days_left(now), DoubleEq(10));
  EXPECT_THAT(find(*all, "tls").days_left(now), DoubleEq(-20));
  EXPECT_TRUE(find(*all, "ours").has_key);
  EXPECT_FALSE(find(*all, "theirs").has_key);
}

TEST(CertificateExpiry, NamesEveryRoleAlsoThoseThatFollowFromAnother) {
  const auto all = *certificate_expiries(*account(), {});
  for (const std::string role : {"decrypt", "signMdn", "signMessage"})
    EXPECT_THAT(find(all, "ours").uses, Contains(CertificateUse{"trade", role}));
  for (const std::string role : {"verifyMessage", "encrypt", "verifyMdn"})
    EXPECT_THAT(find(all, "theirs").uses, Contains(CertificateUse{"trade", role}));
  EXPECT_THAT(find(all, "theirs-next").uses, Contains(CertificateUse{"trade", "verifyMessage"}))
      << "from some day on";
  EXPECT_THAT(find(all, "theirs-next").uses, Not(Contains(CertificateUse{"trade", "decrypt"})));
  EXPECT_THAT(find(all, "tls").uses, Contains(CertificateUse{"trade", "tlsTrust"}));
  EXPECT_THAT(find(all, "unused").uses, IsEmpty());
}

TEST(CertificateExpiry, KnowsTheOneThatHttpsListenersShow) {
  const auto all = *certificate_expiries(*account(), {"unused"});
  EXPECT_THAT(find(all, "unused").uses, Contains(CertificateUse{"", "tlsServer"}));
  EXPECT_THAT(find(all, "ours").uses, Not(Contains(CertificateUse{"", "tlsServer"})));
  EXPECT_EQ(
      to_string({{"trade", "encrypt"}, {"other", "encrypt"}, {"trade", "verifyMdn"}, {"", "tlsServer"}}),
      "tlsServer, other (encrypt), trade (encrypt, verifyMdn)");
  EXPECT_EQ(to_string(std::vector<CertificateUse>{}), "");
}

TEST(CertificateExpiry, IsReadInDays) {
  const Reading reading = reading_of(*certificate_expiries(*account(), {}), *parse_time("2026-11-21"));
  EXPECT_EQ(reading.name, "signet_certificate_expiry_days");
  ASSERT_EQ(reading.values.size(), 5);
  EXPECT_EQ(reading.values[1].labels,
            (std::map<std::string, std::string>{
                {"certificate", "theirs"}, {"owner", "partner"}, {"used", "true"}}));
  EXPECT_THAT(reading.values[1].value, DoubleEq(10));
  EXPECT_EQ(reading.values[4].labels.at("used"), "false");
}

}  // namespace
}  // namespace signet::gateway
