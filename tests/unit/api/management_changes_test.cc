#include <gmock/gmock.h>

#include "gateway/api/account_routes.h"
#include "gateway/api/entry_routes.h"
#include "tests/unit/api/services_fixture.h"

/// What the handlers of the account change, and what they do first.

namespace signet::gateway::api {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

Json x12_between(const char* host, const char* guest) {
  const Json identity = {{"qualifier", "ZZ"}, {"value", "1"}};
  return {{"properties",
           {{"agreementType", "X12"},
            {"hostPartner", host},
            {"guestPartner", guest},
            {"hostIdentity", identity},
            {"guestIdentity", identity},
            {"content", {{"x12", {{"a", 1}}}}}}}};
}

struct ManagementChanges : testing::Test, MemoryServices {
  [[nodiscard]] Call named(const std::string& name, Json body = Json::object()) const {
    return writer.with({{"subscription", installation.subscription},
                        {"group", std::string(kDefaultGroup)},
                        {"account", std::string(kDefaultAccount)},
                        {"name", name}},
                       std::move(body));
  }
  static Json partner(const Json& tags = Json::object()) {
    return {{"tags", tags},
            {"properties",
             {{"partnerType", "B2B"},
              {"content",
               {{"b2b", {{"businessIdentities", {{{"qualifier", "AS2Identity"}, {"value", "A"}}}}}}}}}}};
  }
  std::size_t resources_of(ResourceKind kind) { return resources.list(kind)->size(); }

  TestCall writer;
};

TEST_F(ManagementChanges, WithoutARecordNothingIsChanged) {
  ASSERT_TRUE(put_partner(all, named("host", partner({{"a", "b"}}))));
  ASSERT_TRUE(put_partner(all, named("guest", partner())));
  ASSERT_TRUE(put_agreement(all, named("x", x12_between("host", "guest"))));
  const std::string envelope = resources.find(ResourceKind::Envelope, "partners/host").value()->json;
  audit.full = true;
  EXPECT_FALSE(put_account(all, named({}, {{"tags", {{"a", "b"}}}})));
  EXPECT_FALSE(patch_account(all, named({}, {{"tags", {{"a", "b"}}}})));
  EXPECT_FALSE(regenerate_access_key(all, named({}, {{"keyType", "Primary"}})));
  EXPECT_FALSE(log_tracking_events(all, named({}, {{"sourceType", "s"},
                                                   {"events",
                                                    {{{"eventLevel", "Error"},
                                                      {"eventTime", "2026-11-28T08:00:00Z"},
                                                      {"recordType", "Custom"}}}}})));
  EXPECT_FALSE(put_partner(all, named("host", partner({{"c", "d"}}))));  // its tags alone
  EXPECT_FALSE(delete_agreement(all, named("x")));
  EXPECT_EQ(resources_of(ResourceKind::IntegrationAccount), 0U);
  EXPECT_EQ(resources_of(ResourceKind::AccessKey), 0U);
  EXPECT_EQ(resources_of(ResourceKind::OtherAgreement), 1U);
  EXPECT_THAT(resources.logged(), IsEmpty());
  EXPECT_EQ(resources.find(ResourceKind::Envelope, "partners/host").value()->json, envelope);
}

TEST_F(ManagementChanges, AnAccountIsDeletedWithARecord) {
  ASSERT_TRUE(put_account(all, named({})));
  audit.full = true;
  EXPECT_FALSE(delete_account(all, named({})));
  EXPECT_EQ(resources_of(ResourceKind::IntegrationAccount), 1U);
  audit.full = false;
  EXPECT_EQ(delete_account(all, named({}))->status, 200);
  EXPECT_EQ(audit.records.back().operation, "deleteAccount");
}

TEST_F(ManagementChanges, NamesThatDifferInCaseAreOneResourceAsItWasFirstWritten) {
  ASSERT_EQ(put_partner(all, named("acme", partner({{"a", "b"}})))->status, 201);
  EXPECT_EQ(get_partner(all, named("ACME"))->body->at("name"), "acme");
  EXPECT_EQ(put_partner(all, named("Acme", partner({{"c", "d"}})))->status, 200);
  ASSERT_THAT(accounts.stored.account.partners, SizeIs(1));
  EXPECT_EQ(accounts.stored.account.partners[0].name, "acme");
  EXPECT_EQ(get_partner(all, named("acme"))->body->at("tags"), (Json{{"c", "d"}}));
  EXPECT_EQ(delete_partner(all, named("ACME"))->status, 200);
  EXPECT_THAT(accounts.stored.account.partners, IsEmpty());
  EXPECT_EQ(resources_of(ResourceKind::Envelope), 0U);
}

TEST_F(ManagementChanges, AnAgreementOfAnotherKindHasPartnersAndANameOfItsOwn) {
  ASSERT_TRUE(put_partner(all, named("host", partner())));
  EXPECT_EQ(put_agreement(all, named("x", x12_between("host", "guest"))).error().kind,
            ErrorKind::InvalidInput);
  ASSERT_TRUE(put_partner(all, named("guest", partner())));
  agreements::Agreement as2;
  as2.name = "hg";
  accounts.stored.account.agreements = {as2};
  EXPECT_EQ(put_agreement(all, named("HG", x12_between("host", "guest"))).error().kind,
            ErrorKind::AlreadyExists);
  EXPECT_EQ(put_agreement(all, named("x", x12_between("host", "guest")))->status, 201);
  EXPECT_EQ(put_agreement(all, named("X", x12_between("host", "guest")))->body->at("name"), "x");
  EXPECT_EQ(delete_agreement(all, named("X"))->status, 200);
  EXPECT_EQ(delete_agreement(all, named("X"))->status, 204);
}

}  // namespace
}  // namespace signet::gateway::api
