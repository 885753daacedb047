#include "gateway/evidence/retention.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace signet::gateway {
namespace {

using std::chrono::hours;

constexpr Time kNoon = Time(std::chrono::microseconds(1'795'000'000'000'000));

/// Has so many messages to let go of.
class Store final : public EvidenceStore {
 public:
  explicit Store(std::uint64_t left) : left_(left) {}
  Result<std::vector<EvidenceRecord>> records(std::string_view) override { return unasked(); }
  Result<Proof> proof(std::string_view) override { return unasked(); }
  Result<Bytes> certificate(std::string_view) override { return unasked(); }
  Result<std::vector<LateReceipt>> late_receipts(std::string_view) override { return unasked(); }
  Result<ChainReport> verify(const std::vector<std::string>&) override { return unasked(); }
  Result<ChainHead> head() override { return unasked(); }
  Result<std::optional<AuditMention>> find_missing_audit_line(
      const std::function<Result<bool>(const AuditLine&)>&) override {
    return unasked();
  }
  Result<Expiry> expirable(const ExpiryRule&) override { return unasked(); }
  Result<Expiry> expire(const ExpiryRule&, std::size_t most, Time) override {
    if (fails) return fail(ErrorKind::IoFailure, "the disk");
    const std::uint64_t gone = std::min<std::uint64_t>(left_, most);
    left_ -= gone;
    return Expiry{gone, 10 * gone, gone > 0 ? std::optional(kNoon + hours(batches_++)) : std::nullopt};
  }
  [[nodiscard]] std::uint64_t left() const { return left_; }
  bool fails = false;

 private:
  static tl::unexpected<Error> unasked() { return fail(ErrorKind::Internal, "not asked for"); }
  std::uint64_t left_;
  int batches_ = 0;
};

agreements::Account account_with(std::uint32_t days, bool checks_duplicates) {
  agreements::Account account;
  agreements::Agreement agreement;
  agreement.name = "trade";
  agreement.retention.days = days;
  auto& validation = agreement.receive_agreement.validation_settings;
  validation.check_duplicate_message = checks_duplicates;
  validation.interchange_duplicates_validity_days = 30;
  account.agreements.push_back(agreement);
  return account;
}

TEST(ExpiryRules, WithoutRetentionNothingGoesForItsAge) {
  const auto rules = expiry_rules(account_with(0, true), kNoon);
  ASSERT_EQ(rules.size(), 1U);
  EXPECT_EQ(rules[0].agreement, "trade");
  EXPECT_FALSE(rules[0].settled_before);
}

TEST(ExpiryRules, CopiesGoAfterTheAgreementsDaysAndReceiptsNotBeforeRepeatsAreOver) {
  const auto rules = expiry_rules(account_with(10, true), kNoon);
  EXPECT_EQ(rules[0].settled_before, kNoon - hours(240));
  EXPECT_EQ(rules[0].repeats_since, kNoon - hours(24 * 30));
}

TEST(ExpiryRules, WhereRepeatsAreNotLookedForNoReceiptWaitsForOne) {
  EXPECT_EQ(expiry_rules(account_with(10, false), kNoon)[0].repeats_since, kNoon);
}

TEST(ExpireAll, GoesOnUntilThereIsNoMore) {
  Store store(2500);
  const auto gone =
      expire_all(store, expiry_rules(account_with(10, true), kNoon), kNoon, [] { return false; });
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->front().messages, 2500U);
  EXPECT_EQ(gone->front().octets, 25'000U);
  EXPECT_EQ(gone->front().oldest, kNoon);
  EXPECT_EQ(store.left(), 0U);
}

TEST(ExpireAll, StopsWhenItIsToldTo) {
  Store store(2500);
  ASSERT_TRUE(expire_all(store, expiry_rules(account_with(10, true), kNoon), kNoon, [] { return true; }));
  EXPECT_EQ(store.left(), 2500U);
}

TEST(ExpireAll, TellsWhyItCouldNot) {
  Store store(1);
  store.fails = true;
  EXPECT_EQ(expire_all(store, expiry_rules(account_with(10, true), kNoon), kNoon, [] { return false; })
                .error()
                .kind,
            ErrorKind::IoFailure);
}

}  // namespace
}  // namespace signet::gateway
