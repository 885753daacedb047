#include "gateway/revocation/revocation_fetcher.h"

#include <condition_variable>
#include <thread>

#include "tests/unit/revocation/revocation_fixture.h"

namespace signet::gateway {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

RevocationSource tried(std::uint32_t failures) { return {"authority", "url", kToday, failures, ""}; }

TEST(NextFetch, IsAtOnceForWhatWasNeverAskedFor) {
  EXPECT_LE(next_fetch({}, std::nullopt, std::nullopt, 0), kToday);
}

TEST(NextFetch, ComesBeforeTheListEndsAndSoonerTheNearerThatIs) {
  const FetchTimes times;
  EXPECT_EQ(next_fetch(times, tried(0), kToday + hours(24 * 7), 0), kToday + times.longest_wait);
  EXPECT_EQ(next_fetch(times, tried(0), kToday + hours(2), 0), kToday + hours(1));
  EXPECT_EQ(next_fetch(times, tried(0), kToday + hours(2), 1), kToday + minutes(48)) << "a fifth sooner";
  EXPECT_EQ(next_fetch(times, tried(0), kToday + seconds(1), 0), kToday + times.shortest_wait);
  EXPECT_EQ(next_fetch(times, tried(0), kToday - hours(1), 0), kToday + times.shortest_wait);
}

TEST(NextFetch, FailuresAreFollowedByGrowingWaits) {
  const FetchTimes times;
  EXPECT_EQ(next_fetch(times, tried(1), std::nullopt, 0), kToday + times.first_retry);
  EXPECT_EQ(next_fetch(times, tried(3), std::nullopt, 0), kToday + 4 * times.first_retry);
  EXPECT_EQ(next_fetch(times, tried(1'000'000), kToday + hours(1), 0), kToday + times.longest_retry);
}

/// A fetcher whose server is a function.
class RevocationFetcherTest : public RevocationTest {
 protected:
  std::unique_ptr<RevocationFetcher> start(AllowedUrls allowed = {{"http://crl.example/"}, {}}) {
    auto fetcher = std::make_unique<RevocationFetcher>(
        RevocationFetcher::Ports{[this] { return Result<std::shared_ptr<const AccountSnapshot>>(account_); },
                                 lists_,
                                 {[this](const HttpGet& get) { return answer(get); }, store_, clock_}},
        std::move(allowed), FetchTimes{.first_retry = milliseconds(1), .shortest_wait = hours(1)});
    fetcher->start();
    return fetcher;
  }
  Result<HttpAnswer> answer(const HttpGet& /*get*/) {
    const std::lock_guard lock(mutex_);
    ++asked_;
    changed_.notify_all();
    if (!served_) return fail(ErrorKind::Unavailable, "nobody is there");
    HttpAnswer answer;
    answer.status = 200;
    answer.body = Slice::of(served_->der());
    return answer;
  }
  void serve(std::optional<certstore::Crl> list) {
    const std::lock_guard lock(mutex_);
    served_ = std::move(list);
  }
  void wait_asked(int times) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, seconds(30), [&] { return asked_ >= times; }));
  }
  RevocationFinding wait_for(RevocationStatus status) {
    RevocationFinding found;
    for (int i = 0; i < 30'000; ++i, std::this_thread::sleep_for(milliseconds(1)))
      if ((found = lists_.look_up(globex_, account_, clock_.now())).status == status) return found;
    ADD_FAILURE() << "waited in vain; last: " << found.reason;
    return found;
  }
  int asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

  const std::shared_ptr<const AccountSnapshot> account_ = account_of(globex_, {authority_.certificate});
  FixedClock clock_{kToday};
  RevocationLists lists_{store_};
  std::mutex mutex_;
  std::condition_variable changed_;
  int asked_ = 0;
  std::optional<certstore::Crl> served_;
};

TEST_F(RevocationFetcherTest, FetchesWhatIsNeededAndARestartAsksForNothingThatIsNotDue) {
  serve(test::make_list(authority_));
  auto fetcher = start();
  wait_for(RevocationStatus::NotRevoked);
  fetcher.reset();
  EXPECT_EQ(asked(), 1);
  fetcher = start();
  EXPECT_EQ(lists_.look_up(globex_, account_, kToday).status, RevocationStatus::NotRevoked);
  fetcher.reset();
  EXPECT_EQ(asked(), 1);
}

TEST_F(RevocationFetcherTest, TriesAgainUntilItComes) {
  auto fetcher = start();
  wait_asked(3);
  EXPECT_THAT(wait_for(RevocationStatus::Unknown).reason, HasSubstr("nobody is there"));
  serve(test::make_list(authority_, {.revoked = {globex_}}));
  wait_for(RevocationStatus::Revoked);
}

TEST_F(RevocationFetcherTest, WithoutAPlaceThatIsAllowedNobodyIsAskedUntilOneIs) {
  serve(test::make_list(authority_));
  auto fetcher = start({});
  const RevocationFinding found = lists_.look_up(globex_, account_, kToday);
  EXPECT_EQ(found.status, RevocationStatus::Unknown);
  EXPECT_THAT(found.reason, HasSubstr("crl-allow-url"));
  EXPECT_EQ(asked(), 0);
  fetcher->allow({{"http://crl.example/authority.crl"}, {}});
  wait_for(RevocationStatus::NotRevoked);
}

TEST_F(RevocationFetcherTest, AClockThatWasSetBackKeepsNoListFromComing) {
  put(authority_);
  const std::string authority = certstore::key_thumbprint(authority_.certificate.public_key());
  ASSERT_TRUE(
      store_.put_source({authority, "http://crl.example/authority.crl", moment("2027-11-21"), 0, ""}));
  serve(test::make_list(authority_, {.number = 2, .revoked = {globex_}}));
  auto fetcher = start();
  wait_for(RevocationStatus::Revoked);
}

TEST_F(RevocationFetcherTest, AfterALongStopNothingIsRefusedBeforeAnybodyWasAsked) {
  put(authority_);
  const std::string authority = certstore::key_thumbprint(authority_.certificate.public_key());
  ASSERT_TRUE(store_.put_source({authority, "http://crl.example/authority.crl", kToday, 0, ""}));
  clock_.set(moment("2027-11-21"));
  auto fetcher = start();
  wait_asked(2);
  EXPECT_EQ(lists_.look_up(globex_, account_, clock_.now()).status, RevocationStatus::Pending)
      << "nor in the first minutes, while a network comes up";
  EXPECT_EQ(lists_.look_up(globex_, account_, clock_.now() + kGrace).status, RevocationStatus::Unknown);
}

TEST_F(RevocationFetcherTest, TakesUpWhatAnotherProcessHasImported) {
  auto fetcher = start({});
  put(authority_);
  wait_for(RevocationStatus::NotRevoked);
  EXPECT_EQ(asked(), 0);
}

}  // namespace
}  // namespace signet::gateway
