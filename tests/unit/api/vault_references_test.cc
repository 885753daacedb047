#include "gateway/api/vault_references.h"

#include <gtest/gtest.h>

#include "tests/unit/api/services_fixture.h"

namespace signet::gateway::api {
namespace {

using agreements::Agreement;
using agreements::BasicAuthentication;

struct VaultReferences : testing::Test, MemoryServices {
  static Agreement with_password() {
    Agreement agreement;
    agreement.connection.url = "https://guest.example/as2";
    agreement.connection.basic_authentication = BasicAuthentication{"us", "vault", "password"};
    return agreement;
  }
  bool may(const Agreement& agreement, const Agreement* before = nullptr) {
    const Call call = writer.with({});
    const auto checked = check_secrets(all, call, agreement, before);
    if (!checked) EXPECT_EQ(checked.error().kind, ErrorKind::PermissionDenied);
    return checked.has_value();
  }
  void grant(vault::KeyPermissions keys, vault::SecretPermissions secrets) {
    ASSERT_TRUE(administration.set_policy({"vault", {"writer"}, keys, secrets}));
  }

  TestCall writer;
};

TEST_F(VaultReferences, ANewOneTakesWhoMayGetTheSecret) {
  const Agreement nothing;
  EXPECT_TRUE(may(nothing));
  Agreement required;
  required.receive_agreement.required_basic_authentication = BasicAuthentication{"us", "vault", "password"};
  Agreement webhook;
  webhook.receive_agreement.delivery.webhook = {"https://here.example/", "vault", "password", {}};
  for (const Agreement& agreement : {with_password(), required, webhook}) {
    EXPECT_FALSE(may(agreement));
    EXPECT_FALSE(may(agreement, &nothing));
    EXPECT_TRUE(may(agreement, &agreement));
    EXPECT_TRUE(may(nothing, &agreement));
  }
  grant({}, {vault::SecretPermission::Get});
  for (const Agreement& agreement : {with_password(), required, webhook}) EXPECT_TRUE(may(agreement));
}

TEST_F(VaultReferences, NobodyElseSendsAPasswordElsewhere) {
  const Agreement before = with_password();
  Agreement other_secret = before;
  other_secret.connection.basic_authentication->secret_name = "another";
  Agreement other_server = before;
  other_server.connection.url = "https://mine.example/";
  Agreement other_trust = before;
  other_trust.connection.tls_trust = {agreements::TlsTrustMode::Pinned, {}, {"mine"}};
  Agreement any_name = before;
  any_name.send_agreement.message_connection_settings.ignore_certificate_name_mismatch = true;
  for (const Agreement& agreement : {other_secret, other_server, other_trust, any_name})
    EXPECT_FALSE(may(agreement, &before));
  Agreement other_time = before;
  other_time.connection.connect_timeout = std::chrono::seconds(1);
  EXPECT_TRUE(may(other_time, &before));
}

TEST_F(VaultReferences, NobodyElseReplacesTheCertificateOfAServerThatGetsAPassword) {
  agreements::Account account;
  account.agreements.push_back(with_password());
  account.agreements.front().connection.tls_trust = {agreements::TlsTrustMode::Pinned, {}, {"server"}};
  const Call call = writer.with({});
  const auto may_put = [&](const agreements::CertificateEntry& certificate,
                           const agreements::CertificateEntry* before) {
    return check_trust(all, call, account, certificate, before).has_value();
  };
  agreements::CertificateEntry before;
  before.name = "server";
  before.public_certificate = {1};
  agreements::CertificateEntry other = before;
  other.public_certificate = {2};
  EXPECT_TRUE(may_put(before, &before));
  EXPECT_FALSE(may_put(other, &before));
  EXPECT_FALSE(may_put(other, nullptr));
  agreements::CertificateEntry elsewhere = other;
  elsewhere.name = "another";
  EXPECT_TRUE(may_put(elsewhere, nullptr));
  grant({}, {vault::SecretPermission::Get});
  EXPECT_TRUE(may_put(other, &before));
  account.agreements.front().connection.basic_authentication.reset();
  grant({}, {});
  EXPECT_TRUE(may_put(other, &before));
}

TEST_F(VaultReferences, AnAdministratorMaySetThePoliciesAnyway) {
  writer.caller.roles.add(Role::Administrator);
  EXPECT_TRUE(may(with_password()));
}

TEST_F(VaultReferences, ACertificatesKeyTakesWhoMayGetIt) {
  agreements::CertificateEntry certificate;
  const Call call = writer.with({});
  EXPECT_TRUE(check_key(all, call, certificate, nullptr));
  certificate.key = agreements::KeyReference{"vault", "key", ""};
  EXPECT_EQ(check_key(all, call, certificate, nullptr).error().kind, ErrorKind::PermissionDenied);
  EXPECT_TRUE(check_key(all, call, certificate, &certificate));
  grant({vault::KeyPermission::Get}, {});
  EXPECT_TRUE(check_key(all, call, certificate, nullptr));
}

}  // namespace
}  // namespace signet::gateway::api
