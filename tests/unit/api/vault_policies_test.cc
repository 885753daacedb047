#include "gateway/api/vault_policies.h"

#include <gmock/gmock.h>

#include "tests/unit/api/services_fixture.h"

namespace signet::gateway::api {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kAppId = "11111111-1111-4111-8111-111111111111";
constexpr const char* kStrangerId = "22222222-2222-4222-8222-222222222222";

struct VaultPolicies : testing::Test, MemoryServices {
  VaultPolicies() {
    EXPECT_TRUE(principals.add({kAppId, "app", {}, true, {}}));
    EXPECT_TRUE(
        administration.set_policy({"vault", vault::Principal::gateway(), {vault::KeyPermission::Sign}}));
  }

  static Json entry(const std::string& object_id, const Json& keys, const std::string& tenant = "t") {
    return {{"tenantId", tenant}, {"objectId", object_id}, {"permissions", {{"keys", keys}}}};
  }
  Result<std::vector<vault::AccessPolicy>> read(const Json& entries) {
    return read_policies(all, {{"accessPolicies", entries}}, "vault");
  }
  /// The permissions for keys that are shown of an object id after a change.
  Json after(PolicyChange change, const Json& entries, const char* object_id = kAppId) {
    EXPECT_TRUE(change_policies(all, "vault", change, read(entries).value()));
    const Json policies = policies_json(all, "vault").value();
    for (const Json& shown : policies)
      if (shown["objectId"] == object_id) return shown["permissions"]["keys"];
    return {};
  }
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
  EXPECT_THAT(policies_json(all, "vault").value(), IsEmpty());
  EXPECT_EQ(after(PolicyChange::Replace, Json::array()), Json());
  EXPECT_THAT(administration.policies("vault").value(), SizeIs(1));
}

TEST_F(VaultPolicies, StandUnderThePrincipalsName) {
  after(PolicyChange::Add, Json::array({entry(kAppId, Json::array({"get"}))}));
  std::vector<std::string> names;
  const auto policies = administration.policies("vault").value();
  for (const vault::AccessPolicy& policy : policies) names.push_back(policy.principal.name);
  EXPECT_THAT(names, Contains("app"));
}

TEST_F(VaultPolicies, WrittenInAnotherCaseAtTheCommandLineAreThePrincipals) {
  ASSERT_TRUE(administration.set_policy({"vault", {"App"}, {vault::KeyPermission::Sign}}));
  EXPECT_TRUE(vault->check_access({"app"}, "sign", {"vault", "k", {}}, vault::KeyPermission::Sign));
  EXPECT_EQ(after(PolicyChange::Remove, Json::array({entry(kAppId, Json::array({"sign"}))})), Json());
  EXPECT_FALSE(vault->check_access({"app"}, "sign", {"vault", "k", {}}, vault::KeyPermission::Sign));
  EXPECT_THAT(administration.policies("vault").value(), SizeIs(1));  // the gateway's
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
  Json through_a_program = entry(kAppId, Json::array({"get"}));
  through_a_program["applicationId"] = kStrangerId;
  EXPECT_FALSE(read(Json::array({through_a_program})));
}

}  // namespace
}  // namespace signet::gateway::api
