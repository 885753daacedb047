#include "gateway/api/account_edit.h"

#include <gmock/gmock.h>

#include "tests/unit/api/account_services_fixture.h"

namespace signet::gateway::api {
namespace {

using agreements::Account;
using agreements::EntryKind;
using agreements::PartnerType;
using testing::IsEmpty;
using testing::SizeIs;

struct AccountEdit : AccountFixture {
  /// Adds a partner of that name.
  auto add(const std::string& name) {
    const Target target;
    const Principal caller{"id", "writer", {Role::Writer}, true, {}};
    const Call call{caller, {}, "https://h", "/", "2019-05-01", target, {}, {}};
    return edit_account(services, call, kNow, {EntryKind::Partner, name}, [&](Account& account) -> Result<> {
      account.partners.push_back({name, PartnerType::B2B, {}, {}});
      return {};
    });
  }
  [[nodiscard]] std::size_t partners() const { return accounts.stored.account.partners.size(); }
};

TEST_F(AccountEdit, AChangeIsRecordedAndStored) {
  EXPECT_THAT(add("acme").value(), IsEmpty());
  EXPECT_EQ(partners(), 1U);
  ASSERT_THAT(audit.records, SizeIs(1));
  EXPECT_EQ(audit.records[0].principal, "writer");
  EXPECT_EQ(audit.records[0].key.name, "partners/acme");
}

TEST_F(AccountEdit, WhatTheJudgeObjectsToIsToldAndChangesNothing) {
  const auto errors = add("bad");
  ASSERT_TRUE(errors);
  ASSERT_THAT(*errors, SizeIs(1));
  EXPECT_EQ(errors->front().path, "partner[bad]/partnerType");
  EXPECT_EQ(partners(), 0U);
  EXPECT_THAT(audit.records, IsEmpty());
}

TEST_F(AccountEdit, WhatWasWrongElsewhereIsNotInTheWay) {
  accounts.stored.account.partners = {{"bad-before", PartnerType::B2B, {}, {}}};
  EXPECT_THAT(add("acme").value(), IsEmpty());
  EXPECT_THAT(add("bad-before").value(), SizeIs(2));  // but in the entry itself it is
}

TEST_F(AccountEdit, WithoutARecordNothingIsChanged) {
  audit.full = true;
  EXPECT_EQ(add("acme").error().kind, ErrorKind::IoFailure);
  EXPECT_EQ(partners(), 0U);
}

TEST_F(AccountEdit, WhatAListenerShowsStays) {
  judge.refuses = true;
  EXPECT_EQ(add("acme").error().kind, ErrorKind::AlreadyExists);
  EXPECT_EQ(partners(), 0U);
}

TEST_F(AccountEdit, IsDoneAgainWhereSomebodyElseWasFaster) {
  accounts.others_changes = 2;
  EXPECT_THAT(add("acme").value(), IsEmpty());
  EXPECT_EQ(partners(), 1U);
  EXPECT_THAT(audit.records, SizeIs(5));
  EXPECT_EQ(audit.records[1].result, vault::AuditResult::Failed);
  EXPECT_EQ(audit.records[4].result, vault::AuditResult::Success);
  accounts.others_changes = 100;
  EXPECT_EQ(add("globex").error().kind, ErrorKind::AlreadyExists);
  EXPECT_EQ(partners(), 1U);
}

}  // namespace
}  // namespace signet::gateway::api
