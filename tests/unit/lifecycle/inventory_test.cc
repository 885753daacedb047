#include "gateway/lifecycle/inventory.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace signet::gateway {
namespace {

using testing::SizeIs;

const Time kToday = *parse_time("2027-01-01");

CertificateSummary certificate(const char* thumbprint, int days) {
  CertificateSummary summary;
  summary.thumbprint_sha256 = thumbprint;
  summary.not_after = kToday + std::chrono::days(days);
  return summary;
}

TEST(Inventories, HaveACertificateOnceWithAllItsPlacesAndUses) {
  InventoryBuilder builder;
  builder.add(certificate("AA", 90), {CertificatePlace::Kind::Account, "acme"}, false);
  builder.add(certificate("BB", 10), {CertificatePlace::Kind::Principal, "app"}, false);
  builder.add(certificate("AA", 90), {CertificatePlace::Kind::KeyVault, "signet/acme/1"}, true);
  builder.use("AA", {"agreement 'a'", "decrypt", {}, {}});
  builder.use("AA", {"agreement 'a'", "signMessage", {}, {}});
  builder.use("AA", {"tls-certificate", "tlsServer", {}, {}});
  builder.use("AA", {"tls-certificate", "tlsServer", {}, {}});
  builder.use("CC", {"tls-certificate", "tlsServer", {}, {}});
  const auto entries = std::move(builder).finish();
  ASSERT_THAT(entries, SizeIs(2));
  EXPECT_EQ(entries[0].name(), "principal app");
  EXPECT_FALSE(entries[0].is_used(kToday));
  EXPECT_EQ(entries[1].name(), "account acme");
  EXPECT_TRUE(entries[1].has_key);
  EXPECT_EQ(to_string(entries[1].tasks), "agreement 'a' (decrypt, signMessage), tls-certificate (tlsServer)");
  EXPECT_DOUBLE_EQ(entries[1].days_left(kToday), 90);
}

TEST(Inventories, MissACertificateOnlyWhereSomethingGoesByItWhenItEnds) {
  InventoryEntry entry;
  entry.certificate = certificate("AA", 30);
  EXPECT_FALSE(entry.is_missed(kToday));
  entry.tasks = {{"agreement 'a'", "decrypt", {}, kToday + std::chrono::days(20)}};
  EXPECT_TRUE(entry.is_used(kToday));
  EXPECT_FALSE(entry.is_missed(kToday));  // it is retired before
  entry.tasks[0].until = kToday + std::chrono::days(40);
  EXPECT_TRUE(entry.is_missed(kToday));
  entry.tasks[0].until.reset();
  EXPECT_TRUE(entry.is_missed(kToday));
  entry.tasks[0].until = kToday;
  EXPECT_FALSE(entry.is_used(kToday));
  EXPECT_FALSE(entry.is_missed(kToday));
}

TEST(Inventories, AnAgreementsTasksAreItsRolesAndItsTls) {
  agreements::Agreement agreement;
  agreement.name = "trade";
  agreement.receive_agreement.security_settings.encryption_certificate_name = "ours";
  agreement.connection.client_certificate_name = "client";
  agreement.connection.tls_trust.certificates = {"server"};
  agreement.receive_agreement.required_client_certificate = agreements::RequiredClientCertificate{{"poster"}};
  const auto tasks = tasks_of(agreement);
  const auto has = [&](const char* name, const char* role) {
    return std::any_of(tasks.begin(), tasks.end(), [&](const NamedTask& one) {
      return one.certificate == name && one.task.role == role && one.task.by == "agreement 'trade'";
    });
  };
  EXPECT_TRUE(has("ours", "decrypt"));
  EXPECT_TRUE(has("ours", "signMessage"));
  EXPECT_TRUE(has("client", "tlsClient"));
  EXPECT_TRUE(has("server", "tlsTrust"));
  EXPECT_TRUE(has("poster", "requiredClientCertificate"));
}

}  // namespace
}  // namespace signet::gateway
