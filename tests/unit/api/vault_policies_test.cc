#include "gateway/api/vault_policies.h"

#include <gmock/gmock.h>

#include "certstore/vault/embedded_vault.h"
#include "tests/support/memory_key_store.h"
#include "tests/support/memory_vault_certificate_store.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/api/account_services_fixture.h"
#include "tests/unit/api/memory_principal_store.h"
#include "tests/unit/api/memory_vaults.h"

namespace signet::gateway::api {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kAppId = "11111111-1111-4111-8111-111111111111";
constexpr const char* kStrangerId = "22222222-2222-4222-8222-222222222222";

/// The vault itself is no part of this: only its policies are.
struct VaultPolicies : AccountFixture {
  VaultPolicies() {
    EXPECT_TRUE(principals.add({kAppId, "app", {}, true, {}}));
    EXPECT_TRUE(vaults.set_policy({"v", vault::Principal::gateway(), {vault::KeyPermission::Sign}}));
  }

  static Json entry(const std::string& object_id, const Json& keys, const std::string& tenant = "t") {
    return {{"tenantId", tenant}, {"objectId", object_id}, {"permissions", {{"keys", keys}}}};
  }
  Result<std::vector<vault::AccessPolicy>> read(const Json& entries) {
    return read_policies(services_, {{"accessPolicies", entries}}, "v");
  }
  /// The permissions for keys that are shown of an object id after a change.
  Json after(PolicyChange change, const Json& entries, const char* object_id = kAppId) {
    EXPECT_TRUE(change_policies(services_, "v", change, read(entries).value()));
    const Json all = policies_json(services_, "v").value();
    for (const Json& shown : all)
      if (shown["objectId"] == object_id) return shown["permissions"]["keys"];
    return {};
  }

  MemoryPrincipalStore principals;
  MemoryVaultAdministration vaults;
  test::MemoryKeyStore keys_;
  test::MemorySecretStore secrets_;
  test::MemoryVaultCertificateStore certificates_{keys_, secrets_};
  FixedClock clock_{kNow};
  test::TemporaryFolder folder_;
  std::unique_ptr<vault::EmbeddedVault> vault_ =
      vault::EmbeddedVault::open(keys_, secrets_, certificates_, audit,
                                 vault::MasterKey::create_file(folder_.path() / "master.key").value(), clock_)
          .value();
  Services services_{*vault_, *vault_, *vault_, clock_, services, {vaults, principals}};
};

TEST_F(VaultPolicies, AreAddedReplacedAndRemoved) {
  EXPECT_EQ(after(PolicyChange::Add, Json::array({entry(kAppId, Json::array({"get", "List"}))})),
            Json::array({"get", "list"}));
  EXPECT_EQ(after(PolicyChange::Add, Json::array({entry(kAppId, Json::array({"sign"}))})),
            Json::array({"sign", "get", "list"}));
  EXPECT_EQ(after(PolicyChange::Remove, Json::array({entry(kAppId, Json::array({"get", "sign"}))})),
            Json::array({"list"}));
  EXPECT_EQ(after(PolicyChange::Replace, Json::array({entry(kAppId, Json::array({"verify"}))})),
            Json::array({"verify"}));
  EXPECT_EQ(after(PolicyChange::Replace, Json::array()), Json());
}

TEST_F(VaultPolicies, OfTheGatewayAreNeitherShownNorChanged) {
  EXPECT_THAT(policies_json(services_, "v").value(), IsEmpty());
  EXPECT_EQ(after(PolicyChange::Replace, Json::array()), Json());
  EXPECT_THAT(vaults.policies("v").value(), SizeIs(1));
}

TEST_F(VaultPolicies, StandUnderThePrincipalsName) {
  after(PolicyChange::Add, Json::array({entry(kAppId, Json::array({"get"}))}));
  EXPECT_EQ(vaults.policies("v").value().front().principal.name, "app");
}

TEST_F(VaultPolicies, OfAnIdThatNobodyHasAreKept) {
  EXPECT_EQ(after(PolicyChange::Add, Json::array({entry(kStrangerId, Json::array({"get"}))}), kStrangerId),
            Json::array({"get"}));
}

TEST_F(VaultPolicies, WhatIsNoPolicyIsRefused) {
  EXPECT_TRUE(read(Json::array()));
  for (const Json& wrong : {entry(kAppId, Json::array({"fly"})), entry(kAppId, "get"),
                            entry(kAppId, Json::array({5})), entry("app", Json::array({"get"})),
                            entry(kAppId, Json::array({"get"}), "another tenant"), Json(5), Json::object()})
    EXPECT_EQ(read(Json::array({wrong})).error().kind, ErrorKind::InvalidInput) << wrong;
  EXPECT_FALSE(
      read(Json::array({entry(kAppId, Json::array({"get"})), entry(kAppId, Json::array({"list"}))})));
}

}  // namespace
}  // namespace signet::gateway::api
