#include "gateway/exchange/decryption_throttle.h"

#include <gtest/gtest.h>

namespace signet::gateway {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const DecryptionThrottle::Moment kBegin{};

TEST(DecryptionThrottle, HoldsBackAfterAsManyFailuresAsAnHourMayHave) {
  DecryptionThrottle throttle(3);
  EXPECT_EQ(throttle.wait("192.0.2.1", "trade", kBegin), std::nullopt);
  EXPECT_EQ(throttle.failed("192.0.2.1", "trade", kBegin), std::nullopt);
  EXPECT_EQ(throttle.failed("192.0.2.1", "trade", kBegin), std::nullopt);
  EXPECT_EQ(throttle.failed("192.0.2.1", "trade", kBegin), seconds(1200)) << "the last one tells";
  EXPECT_EQ(throttle.failed("192.0.2.1", "trade", kBegin), std::nullopt) << "and once";
  EXPECT_EQ(throttle.wait("192.0.2.1", "trade", kBegin), seconds(1200));
}

TEST(DecryptionThrottle, LetsOneMoreThroughWhenItsShareOfTheHourIsOver) {
  DecryptionThrottle throttle(3);
  for (int i = 0; i < 3; ++i) static_cast<void>(throttle.failed("192.0.2.1", "trade", kBegin));
  EXPECT_EQ(throttle.wait("192.0.2.1", "trade", kBegin + minutes(19)), seconds(60));
  EXPECT_EQ(throttle.wait("192.0.2.1", "trade", kBegin + minutes(20)), std::nullopt);
  EXPECT_EQ(throttle.failed("192.0.2.1", "trade", kBegin + minutes(20)), seconds(1200));
}

TEST(DecryptionThrottle, AskingCountsNothing) {
  DecryptionThrottle throttle(1);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(throttle.wait("192.0.2.1", "trade", kBegin), std::nullopt);
}

TEST(DecryptionThrottle, HoldsBackNobodyElse) {
  DecryptionThrottle throttle(1);
  static_cast<void>(throttle.failed("192.0.2.1", "trade", kBegin));
  EXPECT_EQ(throttle.wait("192.0.2.2", "trade", kBegin), std::nullopt) << "the agreement's real partner";
  EXPECT_EQ(throttle.wait("192.0.2.1", "other", kBegin), std::nullopt) << "another partner of that network";
}

TEST(DecryptionThrottle, CountsTheAddressesOfAnIpv6SubscriberTogether) {
  DecryptionThrottle throttle(1);
  static_cast<void>(throttle.failed("2001:db8:1:2::1", "trade", kBegin));
  EXPECT_NE(throttle.wait("2001:db8:1:2:ffff::2", "trade", kBegin), std::nullopt);
  EXPECT_EQ(throttle.wait("2001:db8:1:3::1", "trade", kBegin), std::nullopt);
}

TEST(DecryptionThrottle, HoldsBackNobodyWhereThereIsNoLimit) {
  DecryptionThrottle throttle(0);
  for (int i = 0; i < 100'000; ++i) EXPECT_EQ(throttle.failed("192.0.2.1", "trade", kBegin), std::nullopt);
  EXPECT_EQ(throttle.wait("192.0.2.1", "trade", kBegin), std::nullopt);
}

// What strangers from everywhere have used up is not charged to a partner who has done nothing.
TEST(DecryptionThrottle, HoldsBackNoPartnerBecauseOfManyStrangers) {
  DecryptionThrottle throttle(1);
  for (int i = 0; i < 20'000; ++i)
    static_cast<void>(
        throttle.failed("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250), "trade", kBegin));
  EXPECT_EQ(throttle.wait("192.0.2.1", "trade", kBegin), std::nullopt);
}

}  // namespace
}  // namespace signet::gateway
