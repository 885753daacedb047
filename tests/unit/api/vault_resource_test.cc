#include <gmock/gmock.h>

#include "gateway/api/vault_resource_routes.h"
#include "tests/unit/api/services_fixture.h"

namespace signet::gateway::api {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kAppId = "11111111-1111-4111-8111-111111111111";

struct VaultResources : testing::Test, MemoryServices {
  VaultResources() {
    EXPECT_TRUE(principals.add({kAppId, "app", {}, true, {}}));
    administrator.caller.roles.add(Role::Administrator);
  }

  [[nodiscard]] static Json with(const Json& properties) { return {{"properties", properties}}; }
  [[nodiscard]] Call named(const TestCall& call, const Json& properties = Json::object(),
                           const std::string& name = "kv1", const std::string& group = "g") const {
    return call.with({{"subscription", installation.subscription}, {"group", group}, {"name", name}},
                     with(properties));
  }
  [[nodiscard]] Json policy_for_app() const {
    return Json::array({{{"tenantId", installation.tenant},
                         {"objectId", kAppId},
                         {"permissions", {{"keys", {"get", "sign"}}}}}});
  }
  bool app_may_sign(const std::string& name = "kv1") {
    return all.access.check_access({"app"}, "sign", {name, "k", {}}, vault::KeyPermission::Sign).has_value();
  }
  Json shown(const std::string& name = "kv1") {
    const auto answer = get_vault(all, named(writer, Json::object(), name));
    return answer ? answer->body->at("properties") : Json();
  }

  TestCall writer;
  TestCall administrator;
};

TEST_F(VaultResources, OneWhoseSecretsSettingsNameIsNotDeleted) {
  ASSERT_EQ(put_vault(all, named(administrator))->status, 201);
  administration.users = {"the setting 'smtp-password'"};
  const auto refused = delete_vault(all, named(administrator));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::AlreadyExists);
  EXPECT_THAT(refused.error().detail, testing::HasSubstr("the setting 'smtp-password'"));
  administration.users.clear();
  EXPECT_EQ(delete_vault(all, named(administrator))->status, 200);
}

TEST_F(VaultResources, WhatIsSaidOfDeletionTheVaultKeepsTo) {
  const Json settings = {{"softDeleteRetentionInDays", 30}, {"enablePurgeProtection", true}};
  EXPECT_EQ(put_vault(all, named(administrator, settings))->status, 201);
  EXPECT_EQ(vault->settings("kv1").value(), (vault::VaultSettings{30, true}));
  EXPECT_EQ(shown()["softDeleteRetentionInDays"], 30);
  EXPECT_EQ(shown()["enablePurgeProtection"], true);

  ASSERT_TRUE(patch_vault(all, named(writer, {{"softDeleteRetentionInDays", 60}})));
  EXPECT_EQ(vault->settings("kv1")->retention_days, 60);
  EXPECT_FALSE(patch_vault(all, named(writer, {{"softDeleteRetentionInDays", 10}})));
  EXPECT_EQ(patch_vault(all, named(writer, {{"enablePurgeProtection", false}})).error().kind,
            ErrorKind::InvalidInput);
  for (const int days : {6, 91})
    EXPECT_EQ(patch_vault(all, named(writer, {{"softDeleteRetentionInDays", days}})).error().kind,
              ErrorKind::InvalidInput);
  EXPECT_EQ(vault->settings("kv1").value(), (vault::VaultSettings{60, true}));
}

TEST_F(VaultResources, WhatTheCommandLineSaidOfDeletionIsShown) {
  ASSERT_TRUE(vault->set_settings(vault::Principal::local_operator(), "signet", {14, true}));
  const auto answer = get_vault(all, named(writer, Json::object(), "signet", std::string(kDefaultGroup)));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body->at("properties")["softDeleteRetentionInDays"], 14);
  EXPECT_EQ(answer->body->at("properties")["enablePurgeProtection"], true);
}

TEST_F(VaultResources, APurgeProtectionWhichNeverEndsTakesAnAdministrator) {
  const Json protection = {{"enablePurgeProtection", true}};
  EXPECT_EQ(put_vault(all, named(writer, protection)).error().kind, ErrorKind::PermissionDenied);
  EXPECT_FALSE(vault->settings("kv1")->purge_protection);
  EXPECT_TRUE(put_vault(all, named(administrator, protection)));
  EXPECT_TRUE(patch_vault(all, named(writer, protection)));  // as it is
}

TEST_F(VaultResources, ADeletedVaultServesNobodyUntilItIsRecovered) {
  ASSERT_TRUE(put_vault(all, named(administrator, {{"accessPolicies", policy_for_app()}})));
  EXPECT_TRUE(app_may_sign());
  EXPECT_EQ(delete_vault(all, named(administrator))->status, 200);
  EXPECT_FALSE(app_may_sign());
  EXPECT_EQ(delete_vault(all, named(administrator))->status, 204);
  EXPECT_EQ(put_vault(all, named(administrator))->status, 409);
  EXPECT_FALSE(patch_vault(all, named(administrator)));
  EXPECT_EQ(put_vault(all, named(administrator, {{"createMode", "recover"}}))->status, 200);
  EXPECT_TRUE(app_may_sign());
  EXPECT_THAT(shown()["accessPolicies"], SizeIs(1));
}

TEST_F(VaultResources, ThatOnlyHasPoliciesIsDeletedAndRecoveredLikeTheOthers) {
  ASSERT_TRUE(administration.set_policy({"signet", {"app"}, {vault::KeyPermission::Sign}}));
  const auto first = [&](const TestCall& call, const Json& properties = Json::object()) {
    return named(call, properties, "signet", std::string(kDefaultGroup));
  };
  administration.failure = Error{ErrorKind::IoFailure, "full"};
  EXPECT_FALSE(delete_vault(all, first(administrator)));
  EXPECT_TRUE(app_may_sign("signet"));
  administration.failure.reset();
  EXPECT_EQ(delete_vault(all, first(administrator))->status, 200);
  EXPECT_FALSE(app_may_sign("signet"));
  EXPECT_TRUE(put_vault(all, first(administrator, {{"createMode", "recover"}})));
  EXPECT_TRUE(app_may_sign("signet"));
}

TEST_F(VaultResources, ARecoveryTakesAnAdministratorAndTheVaultsGroup) {
  ASSERT_TRUE(put_vault(all, named(administrator, {{"accessPolicies", policy_for_app()}})));
  ASSERT_TRUE(delete_vault(all, named(administrator)));
  const Json recover = {{"createMode", "recover"}};
  EXPECT_EQ(put_vault(all, named(writer, recover)).error().kind, ErrorKind::PermissionDenied);
  EXPECT_EQ(put_vault(all, named(administrator, recover, "kv1", "another"))->status, 409);
  EXPECT_FALSE(app_may_sign());
}

TEST_F(VaultResources, DeletedOnesComeInThePagesOrderAndSayWhenTheyGo) {
  for (const char* name : {"kvB", "kva", "kvC"}) {
    ASSERT_TRUE(put_vault(all, named(administrator, Json::object(), name)));
    ASSERT_TRUE(delete_vault(all, named(administrator, Json::object(), name)));
  }
  TestCall paged = writer;
  paged.target.query = {{"$top", "2"}};
  std::vector<std::string> names;
  while (names.size() < 3) {
    const auto page = list_deleted_vaults(all, named(paged));
    ASSERT_TRUE(page);
    for (const Json& item : page->body->at("value")) {
      names.push_back(item["name"]);
      const Time deleted = *parse_time(item["properties"]["deletionDate"].get<std::string>());
      EXPECT_EQ(item["properties"]["scheduledPurgeDate"], to_rfc3339(deleted + std::chrono::days(90)));
    }
    if (!page->body->contains("nextLink")) break;
    const std::string link = page->body->at("nextLink");
    paged.target = parse_target(link.substr(std::string("https://h").size()));
  }
  EXPECT_THAT(names, ElementsAre("kvB", "kvC", "kva"));
}

TEST_F(VaultResources, ADeletedOneIsPurgedForGood) {
  EXPECT_EQ(purge_deleted_vault(all, named(administrator)).error().kind, ErrorKind::NotFound);
  ASSERT_TRUE(put_vault(all, named(administrator, {{"accessPolicies", policy_for_app()}})));
  EXPECT_EQ(purge_deleted_vault(all, named(administrator)).error().kind, ErrorKind::NotFound);
  ASSERT_TRUE(delete_vault(all, named(administrator)));
  audit.full = true;
  EXPECT_FALSE(purge_deleted_vault(all, named(administrator)));
  audit.full = false;
  EXPECT_THAT(administration.purged, testing::IsEmpty());
  EXPECT_EQ(purge_deleted_vault(all, named(administrator))->status, 200);
  EXPECT_THAT(administration.purged, ElementsAre("kv1"));
  EXPECT_EQ(purge_deleted_vault(all, named(administrator)).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(put_vault(all, named(administrator, {{"createMode", "recover"}}))->status, 201);  // another one
  EXPECT_FALSE(app_may_sign());
}

TEST_F(VaultResources, ThatHasPurgeProtectionIsPurgedByNobody) {
  ASSERT_TRUE(put_vault(all, named(administrator, {{"enablePurgeProtection", true}})));
  ASSERT_TRUE(delete_vault(all, named(administrator)));
  const auto refused = purge_deleted_vault(all, named(administrator));
  EXPECT_EQ(refused->status, 405);
  EXPECT_EQ(refused->body->at("error")["code"], "MethodNotAllowed");
  EXPECT_THAT(administration.purged, testing::IsEmpty());
}

TEST_F(VaultResources, TheFirstOneLetsTheGatewayInAgainAfterItsPurge) {
  const auto first = [&](const TestCall& call) {
    return named(call, Json::object(), "signet", std::string(kDefaultGroup));
  };
  ASSERT_TRUE(administration.set_policy({"signet", {"app"}, {vault::KeyPermission::Sign}}));
  ASSERT_TRUE(delete_vault(all, first(administrator)));
  ASSERT_TRUE(purge_deleted_vault(all, first(administrator)));
  ASSERT_TRUE(put_vault(all, first(administrator)));
  const auto policies = *administration.policies("signet");
  ASSERT_THAT(policies, SizeIs(1));
  EXPECT_EQ(policies.front().principal, vault::Principal::gateway());
}

TEST_F(VaultResources, WithoutARecordNothingIsChanged) {
  ASSERT_TRUE(put_vault(all, named(administrator, {{"accessPolicies", policy_for_app()}})));
  const Json before = shown();
  audit.full = true;
  EXPECT_FALSE(put_vault(all, named(administrator, Json::object(), "kv2")));
  EXPECT_FALSE(patch_vault(
      all, named(administrator, {{"accessPolicies", Json::array()}, {"softDeleteRetentionInDays", 8}})));
  EXPECT_FALSE(delete_vault(all, named(administrator)));
  audit.full = false;
  EXPECT_EQ(shown(), before);
  EXPECT_THAT(shown("kv2"), IsEmpty());
}

}  // namespace
}  // namespace signet::gateway::api
