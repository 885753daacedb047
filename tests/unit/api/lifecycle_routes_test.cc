#include "gateway/api/lifecycle_routes.h"

#include <gmock/gmock.h>

#include "tests/unit/api/services_fixture.h"

namespace signet::gateway::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LifecycleRoutes : public testing::Test, protected MemoryServices {
 protected:
  const PathParameters which_{{"agreement", "trade"}, {"certificate", "new"}};
  const Json plan_ = {{"certificate", "new"},
                      {"replaces", "old"},
                      {"roles", {"signMessage"}},
                      {"useFrom", "2027-03-01"},
                      {"retireAt", "2027-04-01T06:00:00.500Z"}};
  TestCall call_;
};

TEST_F(LifecycleRoutes, APlanIsReadToTheSecondAndBeginsAtOnceUnlessItSaysWhen) {
  const auto answer = plan_rollovers(all, call_.with({}, plan_));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ((*answer->body)["changed"], true);
  EXPECT_THAT(rollovers.taken, ElementsAre("plan writer"));
  EXPECT_EQ(rollovers.asked.accept_from, std::chrono::floor<std::chrono::seconds>(kNow));
  EXPECT_EQ(rollovers.asked.use_from, *parse_time("2027-03-01"));
  EXPECT_EQ(rollovers.asked.retire_at, *parse_time("2027-04-01T06:00:00Z"));
  EXPECT_THAT(rollovers.asked.roles, ElementsAre(agreements::CertificateRole::SignMessage));
}

TEST_F(LifecycleRoutes, APlanThatLacksADateOrHasAnotherRoleIsRefused) {
  for (const char* member : {"certificate", "replaces", "useFrom", "retireAt"}) {
    Json plan = plan_;
    plan.erase(member);
    const auto answer = plan_rollovers(all, call_.with({}, plan));
    ASSERT_FALSE(answer) << member;
    EXPECT_EQ(answer.error().kind, ErrorKind::InvalidInput);
    EXPECT_THAT(answer.error().detail, HasSubstr(member));
  }
  Json plan = plan_;
  plan["roles"] = {"encryptMessage"};
  EXPECT_THAT(plan_rollovers(all, call_.with({}, plan)).error().detail, HasSubstr("encryptMessage"));
  EXPECT_TRUE(rollovers.taken.empty());
}

TEST_F(LifecycleRoutes, WhatStandsAgainstAPlanIsOneAnswerWithAllReasons) {
  agreements::Problem gap;
  gap.path = "agreement[trade]/signMessage";
  gap.expected = "a certificate";
  gap.found = "none";
  rollovers.outcome.errors = {gap, gap};
  const auto answer = plan_rollovers(all, call_.with({}, plan_));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 400);
  EXPECT_EQ((*answer->body)["error"]["code"], "RolloverRefused");
  EXPECT_EQ((*answer->body)["error"]["details"].size(), 2U);
}

TEST_F(LifecycleRoutes, StepsGoToTheRolloverThatThePathNames) {
  EXPECT_EQ(advance_rollover(all, call_.with(which_)).error().kind, ErrorKind::NotFound);
  rollovers.rollovers = {
      {"trade", "new", true, {{agreements::CertificateRole::Decrypt, "old", kNow, std::nullopt}}}};
  EXPECT_TRUE(advance_rollover(all, call_.with(which_, {{"dryRun", true}})));
  EXPECT_TRUE(complete_rollover(all, call_.with(which_)));
  EXPECT_TRUE(cancel_rollover(all, call_.with(which_)));
  EXPECT_THAT(rollovers.taken, ElementsAre("advance writer", "complete writer", "cancel writer"));
  const Json shown = *get_rollover(all, call_.with(which_)).value().body;
  EXPECT_EQ(shown["state"], "accepted");
  EXPECT_EQ(shown["owner"], "us");
  EXPECT_EQ(shown["useFrom"], nullptr);
  EXPECT_EQ((*list_rollovers(all, call_.with({})).value().body)["value"].size(), 1U);
}

TEST_F(LifecycleRoutes, TheInventorySaysWhereACertificateIsAndWhatItStops) {
  InventoryEntry entry;
  entry.certificate.thumbprint_sha256 = "AB";
  entry.certificate.not_after = kNow + std::chrono::hours(36);
  entry.places = {{CertificatePlace::Kind::Account, "acme"}};
  entry.tasks = {{"agreement 'trade'", "signMessage", std::nullopt, kNow + std::chrono::hours(12)}};
  inventory.entries = {entry};
  const Json value = (*list_inventory(all, call_.with({})).value().body)["value"][0];
  EXPECT_EQ(value["daysLeft"], 1);
  EXPECT_EQ(value["used"], true);
  EXPECT_EQ(value["successorNeeded"], false);
  EXPECT_EQ(value["places"][0]["kind"], "account");
  EXPECT_EQ(value["uses"][0]["role"], "signMessage");
}

}  // namespace
}  // namespace signet::gateway::api
