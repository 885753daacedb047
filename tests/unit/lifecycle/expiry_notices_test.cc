#include "gateway/lifecycle/expiry_notices.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace signet::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const Time kNewYear = *parse_time("2027-01-01");
constexpr std::chrono::days kDay{1};

class MemoryNotices final : public ExpiryNoticeStore {
 public:
  Result<std::vector<ExpiryNotice>> notices() override { return all; }
  Result<> queue(const std::vector<ExpiryNotice>& notices) override {
    all.insert(all.end(), notices.begin(), notices.end());
    return {};
  }
  Result<> put(const ExpiryNotice& notice) override {
    for (ExpiryNotice& known : all)
      if (known.thumbprint == notice.thumbprint && known.days == notice.days) known = notice;
    return {};
  }
  std::vector<ExpiryNotice> all;
};

/// One certificate of a year, with 90 days left, that an agreement goes by.
class ExpiryNoticesTest : public testing::Test {
 protected:
  ExpiryNoticesTest() {
    InventoryEntry entry;
    entry.certificate.thumbprint_sha256 = "AB";
    entry.certificate.subject = "CN=Acme";
    entry.certificate.not_after = kNewYear + 90 * kDay;
    entry.certificate.not_before = entry.certificate.not_after - 365 * kDay;
    entry.places = {{CertificatePlace::Kind::Account, "acme"}};
    entry.tasks = {{"agreement 'trade'", "signMessage", {}, {}}};
    inventory_ = {entry};
  }

  ExpiryNotices notices() {
    return ExpiryNotices(
        {[this]() -> Result<std::vector<InventoryEntry>> { return inventory_; },
         store_,
         clock_,
         {[this](const Mail& mail) -> Result<> {
            ++asked_;
            if (failure_) return fail(*failure_);
            mails_.push_back(mail);
            return {};
          },
          [] {
            return Result<NoticeWebhook>(
                NoticeWebhook{"https://acme.example/events", "hook", SecretBytes::copy_of("shared secret")});
          },
          [this](const HttpPost& post) -> Result<HttpAnswer> {
            posts_.push_back(std::string(as_text(post.body.to_bytes(SIZE_MAX).value())));
            HttpAnswer answer;
            answer.status = status_;
            return answer;
          }}},
        {{7, 60, 1, 30, 14}, {"edi@acme.example"}});
  }

  /// A gateway that is started anew every day.
  std::vector<int> days_told(int days) {
    std::vector<int> told;
    for (int day = 0; day < days; ++day) {
      const std::size_t before = mails_.size();
      notices().work();
      if (mails_.size() > before) told.push_back(90 - day);
      clock_.set(clock_.now() + kDay);
    }
    return told;
  }

  FixedClock clock_{kNewYear};
  std::vector<InventoryEntry> inventory_;
  MemoryNotices store_;
  int asked_ = 0;  ///< times that a mail was to be handed over
  std::vector<Mail> mails_;
  std::vector<std::string> posts_;
  std::optional<Error> failure_;
  int status_ = 204;
};

TEST_F(ExpiryNoticesTest, AreToldOnceOnEachOfTheirDaysAlsoByAGatewayThatIsRestarted) {
  EXPECT_THAT(days_told(100), ElementsAre(60, 30, 14, 7, 1));
  EXPECT_THAT(posts_, SizeIs(5));
  EXPECT_EQ(mails_[0].subject, "Certificate acme expires on 2027-04-01");
  EXPECT_THAT(mails_[0].to, ElementsAre("edi@acme.example"));
  EXPECT_THAT(mails_[0].text, HasSubstr("agreement 'trade': signMessage"));
  const auto event = nlohmann::json::parse(posts_[4]);
  EXPECT_EQ(event["type"], "Signet.CertificateNearExpiry");
  EXPECT_EQ(event["data"]["notice"], 1);
  EXPECT_EQ(event["data"]["daysLeft"], 1);
  EXPECT_EQ(event["data"]["places"][0]["name"], "acme");
}

TEST_F(ExpiryNoticesTest, WhoeverIsToldFirstShortlyBeforeTheEndIsToldOfThatAlone) {
  clock_.set(kNewYear + 85 * kDay);
  notices().work();
  ASSERT_THAT(store_.all, SizeIs(1));
  EXPECT_EQ(store_.all[0].days, 7U);
}

TEST_F(ExpiryNoticesTest, OfWhatIsReplacedDeletedOrRetiredBeforeAreNotTold) {
  inventory_[0].tasks[0].until = kNewYear + 80 * kDay;
  EXPECT_THAT(days_told(100), IsEmpty());
  clock_.set(kNewYear);
  inventory_[0].tasks.clear();
  EXPECT_THAT(days_told(100), IsEmpty());
  inventory_.clear();
  clock_.set(kNewYear);
  EXPECT_THAT(days_told(100), IsEmpty());
}

TEST_F(ExpiryNoticesTest, OneThatWaitsIsForgottenWhenItsCertificateIsGone) {
  failure_ = Error{ErrorKind::Unavailable, "nobody is there"};
  clock_.set(kNewYear + 40 * kDay);
  notices().work();
  ASSERT_THAT(store_.all, SizeIs(1));
  EXPECT_FALSE(store_.all[0].settled);
  failure_.reset();
  inventory_.clear();
  notices().work();
  EXPECT_TRUE(store_.all[0].settled);
  EXPECT_THAT(mails_, IsEmpty());
}

TEST_F(ExpiryNoticesTest, AWebhookThatFailsIsPostedToAgainWithoutAnotherMail) {
  clock_.set(kNewYear + 40 * kDay);
  status_ = 503;
  ExpiryNotices one = notices();
  one.work();
  one.work();
  EXPECT_THAT(posts_, SizeIs(1));
  status_ = 204;
  clock_.set(clock_.now() + std::chrono::seconds(60));
  one.work();
  EXPECT_THAT(posts_, SizeIs(2));
  EXPECT_THAT(mails_, SizeIs(1));
  EXPECT_TRUE(store_.all[0].settled);
}

TEST_F(ExpiryNoticesTest, AreGivenUpAfterThreeDays) {
  failure_ = Error{ErrorKind::Unavailable, "nobody is there"};
  clock_.set(kNewYear + 31 * kDay);
  ExpiryNotices one = notices();
  for (int hour = 0; hour <= 73; ++hour) {
    one.work();
    clock_.set(clock_.now() + std::chrono::hours(1));
  }
  EXPECT_TRUE(store_.all[0].settled);
  EXPECT_FALSE(store_.all[0].mailed);
}

TEST_F(ExpiryNoticesTest, AServerThatDoesNotAnswerIsWaitedForOnceInARound) {
  for (const char* thumbprint : {"CD", "EF"}) {
    inventory_.push_back(inventory_.front());
    inventory_.back().certificate.thumbprint_sha256 = thumbprint;
  }
  failure_ = Error{ErrorKind::Unavailable, "nobody is there"};
  clock_.set(kNewYear + 40 * kDay);
  ExpiryNotices one = notices();
  for (int round = 1; round <= 3; ++round) {
    one.work();
    one.work();
    EXPECT_EQ(asked_, round);
    clock_.set(clock_.now() + std::chrono::seconds(60));
  }
  failure_.reset();
  clock_.set(clock_.now() + std::chrono::hours(1));
  one.work();
  EXPECT_THAT(mails_, SizeIs(3));
}

TEST_F(ExpiryNoticesTest, ATimeInWhichNobodyTriedGivesUpNothing) {
  failure_ = Error{ErrorKind::Unavailable, "nobody is there"};
  clock_.set(kNewYear + 31 * kDay);
  notices().work();
  clock_.set(clock_.now() + 5 * kDay);
  ExpiryNotices one = notices();
  one.work();
  EXPECT_FALSE(store_.all[0].settled);
  failure_.reset();
  clock_.set(clock_.now() + std::chrono::hours(1));
  one.work();
  EXPECT_TRUE(store_.all[0].mailed);
}

TEST_F(ExpiryNoticesTest, AClockThatJumpsBackDoesNotSilenceThem) {
  ExpiryNotices one = notices();
  clock_.set(kNewYear + 3650 * kDay);
  inventory_[0].tasks.clear();
  one.work();
  clock_.set(kNewYear + 40 * kDay);
  inventory_[0].tasks = {{"agreement 'trade'", "signMessage", {}, {}}};
  one.work();
  EXPECT_THAT(mails_, SizeIs(1));
}

TEST(DueNotices, LieInTheSecondHalfOfALife) {
  CertificateSummary fortnight;
  fortnight.not_before = kNewYear;
  fortnight.not_after = kNewYear + 14 * kDay;
  EXPECT_EQ(due_notice(fortnight, {60, 30, 14, 7, 1}, kNewYear + 6 * kDay), std::nullopt);
  EXPECT_EQ(due_notice(fortnight, {60, 30, 14, 7, 1}, kNewYear + 8 * kDay), 7U);
  EXPECT_EQ(due_notice(fortnight, {60, 30, 14, 7, 1}, kNewYear + 20 * kDay), 1U);
  EXPECT_EQ(due_notice(fortnight, {}, kNewYear + 20 * kDay), std::nullopt);
}

}  // namespace
}  // namespace signet::gateway
