#include "tests/unit/vault/vault_fixture.h"

namespace signet::vault {
namespace {

using From = RotationTrigger::From;

CalendarPeriod days(int count) { return {0, 0, count, 0}; }
RotationTrigger after(int count) { return {From::Creation, days(count)}; }
RotationTrigger before(int count) { return {From::Expiry, days(count)}; }

RotationPolicy policy_of(std::optional<CalendarPeriod> expiry, std::optional<RotationTrigger> rotate,
                         std::optional<RotationTrigger> notify = {}) {
  RotationPolicy policy;
  policy.expiry_time = expiry;
  policy.rotate = rotate;
  policy.notify = notify;
  return policy;
}

// --- periods

TEST(CalendarPeriod, IsReadAndWrittenInItsForm) {
  for (const char* text : {"P90D", "P3M", "P1Y", "P1Y2M3D", "PT48H", "P1Y10D", "P1DT1H", "P100Y"})
    EXPECT_EQ(to_string(parse_period(text).value()), text);
  EXPECT_EQ(parse_period("P0Y90D").value(), days(90));
  EXPECT_EQ(parse_period("P0090D").value(), days(90));
}

TEST(CalendarPeriod, IsNothingElse) {
  for (const char* text : {"",        "P",
                           "PT",      "P0D",
                           "90D",     "P90",
                           "P-1D",    "P1D2M",
                           "P1W",     "P1.5D",
                           "P1DT",    "PT1D",
                           "P1H",     "p1d",
                           "P1D ",    " P1D",
                           "P12345D", "P101Y",
                           "P1201M",  "P100Y1M",
                           "PT1M",    "PT1S",
                           "P1YY",    "P+1D",
                           "P 1D",    "P99999999999999999999D"})
    EXPECT_TRUE(fails_with(parse_period(text), ErrorKind::InvalidInput, "ISO 8601")) << text;
}

TEST(CalendarPeriod, CountsByTheCalendar) {
  const auto at = [](const char* text) { return parse_time(text).value(); };
  const auto period = [](const char* text) { return parse_period(text).value(); };
  EXPECT_EQ(at("2026-11-21T08:30:00Z") + period("P3M"), at("2027-02-21T08:30:00Z"));
  EXPECT_EQ(at("2026-11-30T08:30:00Z") + period("P3M"), at("2027-02-28T08:30:00Z"))
      << "the last day of a shorter month";
  EXPECT_EQ(at("2028-02-29T00:00:00Z") + period("P1Y"), at("2029-02-28T00:00:00Z"));
  EXPECT_EQ(at("2026-12-31T23:00:00Z") + period("P1M1DT2H"), at("2027-02-02T01:00:00Z"));
  EXPECT_EQ(at("2027-03-31T00:00:00Z") - period("P1M"), at("2027-02-28T00:00:00Z"));
  EXPECT_EQ(at("2027-01-01T00:00:00Z") - period("PT1H"), at("2026-12-31T23:00:00Z"));
}

TEST(CalendarPeriod, IsLongerInSomeMonthsThanInOthers) {
  const auto between = [](const char* text, int shortest, int longest) {
    const CalendarPeriod period = parse_period(text).value();
    EXPECT_EQ(shortest_length(period), std::chrono::days(shortest)) << text;
    EXPECT_EQ(longest_length(period), std::chrono::days(longest)) << text;
  };
  between("P1M", 28, 31);
  between("P3M", 89, 92);
  between("P1Y", 365, 366);
  between("P1M2DT24H", 31, 34);
  between("P90D", 90, 90);
}

TEST(RotationTrigger, IsReadAndWrittenInKeyVaultsWords) {
  for (const char* text : {"timeAfterCreate P60D", "timeBeforeExpiry P1M"})
    EXPECT_EQ(to_string(parse_rotation_trigger(text).value()), text);
  for (const char* text :
       {"", "P60D", "timeAfterCreate", "timeAfterCreate ", "later P60D", "timeAfterCreate P60D "})
    EXPECT_FALSE(parse_rotation_trigger(text).has_value()) << text;
}

TEST(RotationPolicy, HasRules) {
  const auto refused = [](const RotationPolicy& policy, std::string_view why) {
    return fails_with(check_rotation_policy(policy), ErrorKind::InvalidInput, why);
  };
  EXPECT_TRUE(check_rotation_policy(default_rotation_policy()).has_value());
  EXPECT_TRUE(check_rotation_policy({}).has_value());
  EXPECT_TRUE(check_rotation_policy(policy_of(days(28), before(7), before(1))).has_value());
  EXPECT_TRUE(check_rotation_policy(policy_of({}, after(7))).has_value());
  EXPECT_TRUE(refused(policy_of(days(27), {}), "at least 28 days"));
  EXPECT_TRUE(refused(policy_of(days(28), before(6)), "at least 7 days"));
  EXPECT_TRUE(refused(policy_of({}, after(6)), "at least 7 days"));
  EXPECT_TRUE(refused(policy_of({}, before(30)), "needs an expiry time"));
  EXPECT_TRUE(refused(policy_of(days(90), before(90)), "within the life"));
  EXPECT_TRUE(refused(policy_of(days(90), after(90)), "within the life"));
  for (const RotationTrigger& trigger : {before(84), after(84)}) {
    EXPECT_TRUE(refused(policy_of(days(90), trigger), "7 days within the life"));
    EXPECT_TRUE(check_rotation_policy(policy_of(days(91), trigger)).has_value());
  }
  const CalendarPeriod month = parse_period("P1M").value();
  EXPECT_TRUE(refused(policy_of(month, before(30)), "in every month")) << "of 28 days, perhaps";
  EXPECT_TRUE(check_rotation_policy(policy_of(month, before(21))).has_value());
  EXPECT_TRUE(refused(policy_of(days(37), RotationTrigger{From::Expiry, month}), "in every month"));
  EXPECT_TRUE(refused(policy_of(days(90), {}, after(30)), "not after the creation"));
}

// --- the vault

class RotationTest : public EveryBackEnd {
 protected:
  RotationTest() {
    KeySettings settings;
    settings.ops = KeyOps{KeyOp::Sign};
    settings.attributes.expires = clock_.now() + std::chrono::days(60);
    settings.tags = {{"owner", "edi"}};
    first_ = vault_->create_key(kOperator, "kv1", "Key", KeyKind::EcP384, settings).value();
  }

  Result<RotationPolicy> set(const RotationPolicy& policy) {
    return vault_->set_rotation_policy(kOperator, "kv1", "key", policy);
  }
  Result<KeyInfo> rotate() { return vault_->rotate_key(kOperator, "kv1", "key"); }
  std::vector<RotationEvent> run() { return vault_->rotate_due().value(); }
  void pass(int count) { clock_.set(clock_.now() + std::chrono::days(count)); }

  KeyInfo first_;
};

TEST_P(RotationTest, MakesTheLikeOfTheCurrentVersion) {
  const KeyInfo next = rotate().value();
  EXPECT_EQ(next.id.name, "Key");
  EXPECT_NE(next.id.version, first_.id.version);
  EXPECT_NE(next.public_key, first_.public_key);
  EXPECT_EQ(next.kind, KeyKind::EcP384);
  EXPECT_EQ(next.ops, first_.ops);
  EXPECT_EQ(next.tags, first_.tags);
  EXPECT_EQ(next.attributes, KeyAttributes()) << "without a policy it never expires";
  EXPECT_EQ(vault_->get(kGateway, {"kv1", "key", {}}).value().id, next.id);
  EXPECT_EQ(vault_->get(kGateway, first_.id).value().attributes, first_.attributes)
      << "the old version stays";
  EXPECT_EQ(audit_.last().operation, "rotate");
}

TEST_P(RotationTest, ANewVersionLastsAsLongAsThePolicySays) {
  ASSERT_TRUE(set(policy_of(parse_period("P3M").value(), {})).has_value());
  EXPECT_EQ(rotate().value().attributes.expires, parse_time("2027-02-21").value());
}

TEST_P(RotationTest, RotatesNothingThatIsNotThere) {
  EXPECT_TRUE(fails_with(vault_->rotate_key(kOperator, "kv1", "none"), ErrorKind::NotFound, "none"));
  EXPECT_TRUE(fails_with(vault_->rotate_key(kOperator, "kv1", "../x"), ErrorKind::InvalidInput, "a key"));
  EXPECT_TRUE(fails_with(vault_->rotation_policy(kOperator, "kv1", "none"), ErrorKind::NotFound, "none"));
  EXPECT_TRUE(
      fails_with(vault_->set_rotation_policy(kOperator, "kv1", "none", {}), ErrorKind::NotFound, "none"));
  ASSERT_TRUE(vault_->delete_key(kOperator, "kv1", "key").has_value());
  EXPECT_TRUE(fails_with(rotate(), ErrorKind::NotFound, "key"));
}

TEST_P(RotationTest, HasAPolicyThatNobodySet) {
  const RotationPolicy policy = vault_->rotation_policy(kOperator, "kv1", "key").value();
  EXPECT_FALSE(policy.expiry_time || policy.rotate);
  EXPECT_EQ(policy.notify, before(30));
}

TEST_P(RotationTest, KeepsThePolicyThatWasSet) {
  const Time created = clock_.now();
  ASSERT_TRUE(set(policy_of(days(90), before(30))).has_value());
  pass(1);
  const RotationPolicy changed = set(policy_of(days(28), after(7), before(10))).value();
  EXPECT_EQ(changed.created, created);
  EXPECT_EQ(changed.updated, clock_.now());
  const RotationPolicy policy = vault_->rotation_policy(kOperator, "KV1", "KEY").value();
  EXPECT_EQ(policy.expiry_time, days(28));
  EXPECT_EQ(policy.rotate, after(7));
  EXPECT_EQ(policy.notify, before(10));
  EXPECT_TRUE(fails_with(set(policy_of(days(1), {})), ErrorKind::InvalidInput, "at least 28 days"));
  EXPECT_EQ(vault_->rotation_policy(kOperator, "kv1", "key").value().expiry_time, days(28));
}

TEST_P(RotationTest, DeniesWhatNoPolicyGrants) {
  const Principal stranger{"stranger"};
  const auto denied = [](const auto& result, std::string_view permission) {
    return fails_with(result, ErrorKind::PermissionDenied, "permission '" + std::string(permission) + "'");
  };
  for (const char* name : {"key", "none"}) {
    EXPECT_TRUE(denied(vault_->rotate_key(stranger, "kv1", name), "rotate"));
    EXPECT_TRUE(denied(vault_->rotation_policy(stranger, "kv1", name), "getrotationpolicy"));
    EXPECT_TRUE(denied(vault_->set_rotation_policy(stranger, "kv1", name, {}), "setrotationpolicy"));
  }
}

TEST_P(RotationTest, RotatesByItselfWhenThePolicySaysSo) {
  ASSERT_TRUE(set(policy_of(days(90), before(30))).has_value());
  pass(29);
  EXPECT_TRUE(run().empty()) << "30 days before the end of the first version, and not earlier";
  pass(1);
  const auto events = run();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events.front().what, RotationEvent::What::Rotated);
  EXPECT_EQ(events.front().key.attributes.expires, clock_.now() + std::chrono::days(90));
  const AuditRecord record = audit_.last();
  EXPECT_EQ(record.principal, "gateway");
  EXPECT_EQ(record.operation, "rotate");
  EXPECT_THAT(record.detail, testing::StartsWith("by its rotation policy: expiry P90D"));
  EXPECT_TRUE(run().empty()) << "once";
  pass(60);
  EXPECT_EQ(run().size(), 1U);
}

TEST_P(RotationTest, RotatesMonthlyOncePerMonthInShortMonthsToo) {
  clock_.set(parse_time("2027-02-01").value());
  ASSERT_TRUE(set(policy_of(parse_period("P1M").value(), before(21))).has_value());
  EXPECT_EQ(run().size(), 1U) << "the first version's end is near";
  EXPECT_TRUE(run().empty());
  pass(6);
  EXPECT_TRUE(run().empty());
  pass(1);
  EXPECT_EQ(run().size(), 1U);
}

TEST_P(RotationTest, CountsFromTheCreationWhereThePolicyDoes) {
  ASSERT_TRUE(set(policy_of({}, after(7))).has_value());
  pass(6);
  EXPECT_TRUE(run().empty());
  pass(1);
  EXPECT_EQ(run().size(), 1U);
  EXPECT_TRUE(run().empty());
}

TEST_P(RotationTest, TellsOfAnEndThatIsNear) {
  ASSERT_TRUE(set(policy_of({}, {}, before(10))).has_value());
  pass(49);
  EXPECT_TRUE(run().empty());
  pass(1);
  const auto events = run();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events.front().what, RotationEvent::What::NearExpiry);
  EXPECT_EQ(events.front().key.id, first_.id);
}

TEST_P(RotationTest, TellsOfAnEndThatIsNearWithoutAPolicyToo) {
  pass(29);
  EXPECT_TRUE(run().empty());
  pass(1);
  const auto events = run();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events.front().what, RotationEvent::What::NearExpiry);
  ASSERT_TRUE(vault_->update(kOperator, first_.id, {{false, {}, {}}, {}, {}}).has_value());
  EXPECT_TRUE(run().empty()) << "nobody uses it";
}

TEST_P(RotationTest, EndsEarlyWhenItIsAskedTo) {
  ASSERT_TRUE(set(policy_of({}, after(7))).has_value());
  pass(7);
  std::stop_source ending;
  ending.request_stop();
  EXPECT_TRUE(vault_->rotate_due(ending.get_token()).value().empty());
  EXPECT_EQ(run().size(), 1U);
}

TEST_P(RotationTest, LeavesDisabledAndDeletedKeysAlone) {
  ASSERT_TRUE(set(policy_of({}, after(7))).has_value());
  pass(7);
  ASSERT_TRUE(vault_->update(kOperator, first_.id, {{false, {}, {}}, {}, {}}).has_value());
  EXPECT_TRUE(run().empty());
  ASSERT_TRUE(vault_->update(kOperator, first_.id, {{true, {}, {}}, {}, {}}).has_value());
  ASSERT_TRUE(vault_->delete_key(kOperator, "kv1", "key").has_value());
  EXPECT_TRUE(run().empty());
}

TEST_P(RotationTest, DoesNothingThatItCannotRecordAndSaysSo) {
  ASSERT_TRUE(set(policy_of({}, after(7))).has_value());
  pass(7);
  audit_.failure = Error{ErrorKind::IoFailure, "no space left"};
  EXPECT_TRUE(fails_with(rotate(), ErrorKind::IoFailure, "no space left"));
  EXPECT_TRUE(fails_with(set({}), ErrorKind::IoFailure, "no space left"));
  const auto events = run();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events.front().what, RotationEvent::What::Failed);
  EXPECT_THAT(events.front().reason, testing::HasSubstr("no space left"));
  audit_.failure.reset();
  EXPECT_EQ(vault_->versions(kGateway, "kv1", "key").value().size(), 1U);
}

SIGNET_EVERY_BACK_END(RotationTest);

}  // namespace
}  // namespace signet::vault
