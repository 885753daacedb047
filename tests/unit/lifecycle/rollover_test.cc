#include "gateway/lifecycle/rollover.h"

#include <gmock/gmock.h>

#include "agreements/certificate_roles.h"

namespace signet::gateway {
namespace {

using agreements::Account;
using agreements::Agreement;
using agreements::CertificateRole;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Time at(const char* text) { return *parse_time(text); }

const Time kNow = at("2027-01-01");
const Time kAccept = at("2027-02-01");
const Time kUse = at("2027-03-01");
const Time kRetire = at("2027-04-01");

/// As most have it: one certificate of each side for everything, and two names in the agreement.
Account two_names() {
  Agreement agreement;
  agreement.name = "trade";
  agreement.receive_agreement.security_settings.signing_certificate_name = "guest";
  agreement.receive_agreement.security_settings.encryption_certificate_name = "ours";
  Account account;
  account.agreements = {agreement};
  return account;
}

RolloverPlan plan_for(const char* successor, const char* replaced) {
  return {successor, replaced, {}, {}, kAccept, kUse, kRetire};
}

std::vector<std::string> active(const Account& account, CertificateRole role, Time time) {
  return agreements::active_certificates(account.agreements.front(), role, time);
}

TEST(Rollovers, OurCertificateIsTakenThenUsedThenAloneInAllRolesThatHaveIt) {
  Account account = two_names();
  EXPECT_THAT(*plan_rollover(account, plan_for("ours-2", "ours"), kNow), ElementsAre("trade"));
  for (const CertificateRole role : {CertificateRole::SignMessage, CertificateRole::SignMdn}) {
    EXPECT_THAT(active(account, role, kAccept), ElementsAre("ours"));
    EXPECT_THAT(active(account, role, kUse - std::chrono::seconds(1)), ElementsAre("ours"));
    EXPECT_EQ(active(account, role, kUse).front(), "ours-2");
    EXPECT_THAT(active(account, role, kRetire), ElementsAre("ours-2"));
  }
  EXPECT_THAT(active(account, CertificateRole::Decrypt, kNow), ElementsAre("ours"));
  EXPECT_THAT(active(account, CertificateRole::Decrypt, kAccept), ElementsAre("ours-2", "ours"));
  EXPECT_THAT(active(account, CertificateRole::Decrypt, kRetire), ElementsAre("ours-2"));
  for (const CertificateRole role :
       {CertificateRole::VerifyMessage, CertificateRole::Encrypt, CertificateRole::VerifyMdn})
    EXPECT_THAT(active(account, role, kRetire), ElementsAre("guest"));
}

TEST(Rollovers, OneRoleAloneLeavesTheOthersAsTheyWere) {
  Account account = two_names();
  RolloverPlan plan = plan_for("guest-2", "guest");
  plan.roles = {CertificateRole::Encrypt};
  ASSERT_TRUE(plan_rollover(account, plan, kNow));
  EXPECT_THAT(active(account, CertificateRole::Encrypt, kRetire), ElementsAre("guest-2"));
  EXPECT_THAT(active(account, CertificateRole::VerifyMessage, kRetire), ElementsAre("guest"));
  EXPECT_THAT(active(account, CertificateRole::VerifyMdn, kRetire), ElementsAre("guest"));
}

TEST(Rollovers, ShowEachStepAtItsTime) {
  Account account = two_names();
  ASSERT_TRUE(plan_rollover(account, plan_for("guest-2", "guest"), kNow));
  const auto all = rollovers_of(account);
  ASSERT_THAT(all, SizeIs(1));
  const Rollover& rollover = all.front();
  EXPECT_EQ(rollover.successor, "guest-2");
  EXPECT_FALSE(rollover.ours);
  EXPECT_THAT(rollover.replaced(), ElementsAre("guest"));
  EXPECT_THAT(rollover.roles, SizeIs(3));
  EXPECT_EQ(rollover.accepted_from(), kAccept);
  EXPECT_EQ(rollover.used_from(), kUse);
  EXPECT_EQ(rollover.retired_at(), kRetire);
  EXPECT_EQ(rollover.state(kNow), RolloverState::Planned);
  EXPECT_EQ(rollover.state(kAccept), RolloverState::Accepted);
  EXPECT_EQ(rollover.state(kUse), RolloverState::InUse);
  EXPECT_EQ(rollover.state(kRetire), RolloverState::Retired);
}

TEST(Rollovers, OnesThatAreWrittenByHandAreTheSame) {
  Account account = two_names();
  account.agreements[0].receive_agreement.certificates = {
      {CertificateRole::VerifyMessage, {{"guest-2", kAccept, std::nullopt}}}};
  const auto rollover = find_rollover(account, "trade", "guest-2");
  ASSERT_TRUE(rollover);
  EXPECT_EQ(rollover->retired_at(), std::nullopt);
  EXPECT_EQ(rollover->state(kUse), RolloverState::InUse);  // encrypt takes what verifyMessage names
}

TEST(Rollovers, PlannedAgainTheyHaveTheNewDates) {
  Account account = two_names();
  ASSERT_TRUE(plan_rollover(account, plan_for("ours-2", "ours"), kNow));
  RolloverPlan later = plan_for("ours-2", "ours");
  later.use_from += std::chrono::days(5);
  ASSERT_TRUE(plan_rollover(account, later, kNow));
  Account once = two_names();
  ASSERT_TRUE(plan_rollover(once, later, kNow));
  EXPECT_EQ(account.agreements, once.agreements);
}

TEST(Rollovers, CancelledAtAnyStepTheAccountIsWhatItWas) {
  for (const char* replaced : {"ours", "guest"}) {
    Account account = two_names();
    ASSERT_TRUE(plan_rollover(account, plan_for("new", replaced), kNow));
    ASSERT_TRUE(cancel_rollover(account, "trade", "new"));
    EXPECT_EQ(account.agreements, two_names().agreements);
    EXPECT_EQ(cancel_rollover(account, "trade", "new").error().kind, ErrorKind::NotFound);
  }
}

TEST(Rollovers, CompletedTheNewOneHasTheOldOnesPlace) {
  Account account = two_names();
  ASSERT_TRUE(plan_rollover(account, plan_for("ours-2", "ours"), kNow));
  const auto early = complete_rollover(account, "trade", "ours-2", kUse);
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().kind, ErrorKind::AlreadyExists);
  EXPECT_THAT(early.error().detail, HasSubstr("2027-04-01"));
  ASSERT_TRUE(complete_rollover(account, "trade", "ours-2", kRetire));
  Account wanted = two_names();
  wanted.agreements[0].receive_agreement.security_settings.encryption_certificate_name = "ours-2";
  EXPECT_EQ(account.agreements, wanted.agreements);
}

TEST(Rollovers, AreAdvancedStepByStep) {
  Account account = two_names();
  ASSERT_TRUE(plan_rollover(account, plan_for("ours-2", "ours"), kNow));
  const auto state = [&] { return find_rollover(account, "trade", "ours-2")->state(kNow); };
  ASSERT_TRUE(advance_rollover(account, "trade", "ours-2", kNow));
  EXPECT_EQ(state(), RolloverState::Accepted);
  EXPECT_THAT(active(account, CertificateRole::SignMessage, kNow), ElementsAre("ours"));
  ASSERT_TRUE(advance_rollover(account, "trade", "ours-2", kNow));
  EXPECT_EQ(state(), RolloverState::InUse);
  EXPECT_EQ(active(account, CertificateRole::SignMessage, kNow).front(), "ours-2");
  EXPECT_THAT(active(account, CertificateRole::Decrypt, kNow), SizeIs(2));
  ASSERT_TRUE(advance_rollover(account, "trade", "ours-2", kNow));
  EXPECT_EQ(state(), RolloverState::Retired);
  EXPECT_THAT(active(account, CertificateRole::Decrypt, kNow), ElementsAre("ours-2"));
  EXPECT_EQ(advance_rollover(account, "trade", "ours-2", kNow).error().kind, ErrorKind::AlreadyExists);
}

TEST(Rollovers, OneAfterTheOtherEndWithTheLast) {
  Account account = two_names();
  ASSERT_TRUE(plan_rollover(account, plan_for("ours-2", "ours"), kNow));
  RolloverPlan second = plan_for("ours-3", "ours-2");
  for (Time* date : {&second.accept_from, &second.use_from, &second.retire_at})
    *date += std::chrono::days(365);
  ASSERT_TRUE(plan_rollover(account, second, kNow));
  EXPECT_THAT(rollovers_of(account), SizeIs(2));
  EXPECT_THAT(find_rollover(account, "trade", "ours-3")->replaced(), ElementsAre("ours-2"));
  ASSERT_TRUE(complete_rollover(account, "trade", "ours-2", kRetire));
  ASSERT_TRUE(complete_rollover(account, "trade", "ours-3", second.retire_at));
  EXPECT_THAT(active(account, CertificateRole::Decrypt, kNow), ElementsAre("ours-3"));
  EXPECT_THAT(rollovers_of(account), IsEmpty());
}

TEST(Rollovers, DatesOutOfOrderAreRefused) {
  Account account = two_names();
  RolloverPlan plan = plan_for("ours-2", "ours");
  plan.retire_at = kUse;
  EXPECT_EQ(plan_rollover(account, plan, kNow).error().kind, ErrorKind::InvalidInput);
  plan = plan_for("ours-2", "ours");
  plan.accept_from = kUse + std::chrono::seconds(1);
  EXPECT_EQ(plan_rollover(account, plan, kNow).error().kind, ErrorKind::InvalidInput);
  EXPECT_EQ(plan_rollover(account, plan_for("ours", "ours"), kNow).error().kind, ErrorKind::InvalidInput);
  EXPECT_EQ(account.agreements, two_names().agreements);
}

TEST(Rollovers, ACertificateThatIsNotActiveBeforeItsSuccessorIsNotReplaced) {
  Account account = two_names();
  ASSERT_TRUE(plan_rollover(account, plan_for("ours-2", "ours"), kNow));
  const Account planned = account;
  const auto refused = plan_rollover(account, plan_for("ours-3", "ours-2"), kNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::InvalidInput);
  EXPECT_THAT(refused.error().detail, HasSubstr("active from 2027-02-01"));
  EXPECT_EQ(account.agreements, planned.agreements);
}

TEST(Rollovers, WhatIsRetiredStaysSo) {
  Account account = two_names();
  ASSERT_TRUE(plan_rollover(account, plan_for("ours-2", "ours"), kNow));
  Account again = account;
  RolloverPlan plan{"ours-3", "ours", {}, {}, kRetire, kRetire + std::chrono::days(5), at("2027-06-01")};
  const auto refused = plan_rollover(again, plan, kRetire);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("retired"));
  plan.agreements = {"trade"};
  EXPECT_EQ(plan_rollover(again, plan, kRetire).error().kind, ErrorKind::InvalidInput);
  EXPECT_EQ(again.agreements, account.agreements);
}

TEST(Rollovers, OfWhatNobodyHasAreRefused) {
  Account account = two_names();
  EXPECT_EQ(plan_rollover(account, plan_for("new", "nobody"), kNow).error().kind, ErrorKind::NotFound);
  RolloverPlan plan = plan_for("new", "ours");
  plan.agreements = {"other"};
  EXPECT_EQ(plan_rollover(account, plan, kNow).error().kind, ErrorKind::NotFound);
  plan.agreements = {"trade"};
  plan.roles = {CertificateRole::Encrypt};
  EXPECT_EQ(plan_rollover(account, plan, kNow).error().kind, ErrorKind::NotFound);
}

class Gaps : public testing::Test {
 protected:
  Gaps() { EXPECT_TRUE(plan_rollover(account_, plan_for("ours-2", "ours"), kNow)); }

  std::vector<agreements::Problem> gaps(Validity replaced, Validity successor) {
    return gaps_of(
        account_.agreements.front(),
        [=](const std::string& name) -> Result<Validity> { return name == "ours" ? replaced : successor; },
        kNow);
  }
  const Validity long_{at("2020-01-01"), at("2040-01-01")};
  Account account_ = two_names();
};

TEST_F(Gaps, NoneIsLeftWhereOneTakesOverBeforeTheOtherEnds) {
  EXPECT_THAT(gaps(long_, long_), IsEmpty());
  EXPECT_THAT(gaps({at("2020-01-01"), kUse}, {kUse, at("2040-01-01")}), IsEmpty());
}

TEST_F(Gaps, AnOldOneThatExpiresTooEarlyLeavesSomeToUse) {
  const auto problems = gaps({at("2020-01-01"), at("2027-02-10")}, long_);
  ASSERT_THAT(problems, SizeIs(2));  // signMessage and signMdn; decrypt has the other one by then
  EXPECT_THAT(problems[0].expected, HasSubstr("2027-02-10T00:00:01"));
  EXPECT_THAT(problems[0].found, HasSubstr("'ours'"));
}

TEST_F(Gaps, ANewOneThatIsNotValidWhenItIsUsedLeavesOne) {
  const auto problems = gaps(long_, {kUse + std::chrono::hours(1), at("2040-01-01")});
  ASSERT_THAT(problems, SizeIs(2));
  EXPECT_THAT(problems[0].found, HasSubstr("'ours-2'"));
  EXPECT_THAT(gaps(long_, {at("2020-01-01"), kRetire - std::chrono::hours(1)}), SizeIs(3));
}

TEST_F(Gaps, ACertificateThatCannotBeReadIsOneToo) {
  const auto problems = gaps_of(
      account_.agreements.front(),
      [&](const std::string& name) -> Result<Validity> {
        if (name == "ours") return long_;
        return fail(ErrorKind::NotFound, "no such certificate");
      },
      kNow);
  EXPECT_THAT(problems, SizeIs(3));
}

TEST(Rollovers, WhatThePartnerHasNotAcceptedIsNotUsedAndNothingEnds) {
  Account account = two_names();
  ASSERT_TRUE(plan_rollover(account, plan_for("ours-2", "ours"), kNow));
  ASSERT_TRUE(hold_rollover(account, "trade", "ours-2", kNow));
  ASSERT_TRUE(hold_rollover(account, "trade", "ours-2", kNow));
  for (const Time time : {kAccept, kUse, kRetire, kRetire + std::chrono::hours(1000)}) {
    EXPECT_EQ(active(account, CertificateRole::SignMessage, time).front(), "ours");
    EXPECT_EQ(active(account, CertificateRole::SignMdn, time).front(), "ours");
    EXPECT_THAT(active(account, CertificateRole::Decrypt, time), ElementsAre("ours-2", "ours"));
  }
  const auto rollover = find_rollover(account, "trade", "ours-2");
  ASSERT_TRUE(rollover);
  EXPECT_TRUE(rollover->awaits_acceptance());
  EXPECT_EQ(rollover->state(kNow), RolloverState::Planned);
  EXPECT_EQ(rollover->state(kRetire), RolloverState::Accepted);
}

TEST(Rollovers, ItGoesOnAsPlannedWhereThePartnerAcceptsInTime) {
  Account account = two_names();
  ASSERT_TRUE(plan_rollover(account, plan_for("ours-2", "ours"), kNow));
  const Account planned = account;
  ASSERT_TRUE(hold_rollover(account, "trade", "ours-2", kNow));
  ASSERT_TRUE(release_rollover(account, "trade", "ours-2", kAccept));
  EXPECT_EQ(account, planned);
  ASSERT_TRUE(release_rollover(account, "trade", "ours-2", kAccept));
  EXPECT_EQ(account, planned);
}

TEST(Rollovers, WhereThePartnerAcceptsLateTheOldOneStaysAsMuchLonger) {
  Account account = two_names();
  ASSERT_TRUE(plan_rollover(account, plan_for("ours-2", "ours"), kNow));
  ASSERT_TRUE(hold_rollover(account, "trade", "ours-2", kNow));
  const Time late = kRetire + std::chrono::hours(24);
  ASSERT_TRUE(release_rollover(account, "trade", "ours-2", late));
  EXPECT_EQ(active(account, CertificateRole::SignMessage, late).front(), "ours-2");
  const Time end = late + (kRetire - kUse);
  EXPECT_THAT(active(account, CertificateRole::Decrypt, end - std::chrono::seconds(1)),
              ElementsAre("ours-2", "ours"));
  EXPECT_THAT(active(account, CertificateRole::Decrypt, end), ElementsAre("ours-2"));
}

TEST(Rollovers, AnOperatorNeedNotWaitForThePartner) {
  Account account = two_names();
  ASSERT_TRUE(plan_rollover(account, plan_for("ours-2", "ours"), kNow));
  ASSERT_TRUE(hold_rollover(account, "trade", "ours-2", kNow));
  ASSERT_TRUE(advance_rollover(account, "trade", "ours-2", kAccept));
  EXPECT_EQ(active(account, CertificateRole::SignMessage, kAccept).front(), "ours-2");
  EXPECT_FALSE(find_rollover(account, "trade", "ours-2")->awaits_acceptance());
  EXPECT_EQ(hold_rollover(account, "trade", "ours-2", kAccept).error().kind, ErrorKind::AlreadyExists);
}

TEST(Rollovers, WhatThePartnerRejectedGoesWithoutATrace) {
  Account account = two_names();
  const Account before = account;
  ASSERT_TRUE(plan_rollover(account, plan_for("ours-2", "ours"), kNow));
  ASSERT_TRUE(hold_rollover(account, "trade", "ours-2", kNow));
  ASSERT_TRUE(cancel_rollover(account, "trade", "ours-2"));
  EXPECT_EQ(account, before);
}

TEST(Rollovers, ThePartnersOwnIsNotForHimToAccept) {
  Account account = two_names();
  ASSERT_TRUE(plan_rollover(account, plan_for("guest-2", "guest"), kNow));
  EXPECT_EQ(hold_rollover(account, "trade", "guest-2", kNow).error().kind, ErrorKind::InvalidInput);
}

}  // namespace
}  // namespace signet::gateway
