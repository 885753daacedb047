#include "base/throttle.h"

#include <gtest/gtest.h>

namespace signet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Throttle::Moment kStart{};

TEST(Throttle, LetsABurstThroughAndThenTheRate) {
  Throttle throttle({2, 3});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(throttle.take("a", kStart), std::nullopt);
  EXPECT_EQ(throttle.take("a", kStart), seconds(1));
  EXPECT_EQ(throttle.take("a", kStart + milliseconds(400)), seconds(1));
  EXPECT_EQ(throttle.take("a", kStart + milliseconds(500)), std::nullopt);
  EXPECT_NE(throttle.take("a", kStart + milliseconds(500)), std::nullopt);
}

TEST(Throttle, SaysHowLongToWait) {
  Throttle throttle({0.1, 1});
  EXPECT_EQ(throttle.take("a", kStart), std::nullopt);
  EXPECT_EQ(throttle.take("a", kStart), seconds(10));
  EXPECT_EQ(throttle.take("a", kStart + seconds(4)), seconds(6));
}

TEST(Throttle, CountsEachApart) {
  Throttle throttle({1, 1});
  EXPECT_EQ(throttle.take("a", kStart), std::nullopt);
  EXPECT_NE(throttle.take("a", kStart), std::nullopt);
  EXPECT_EQ(throttle.take("b", kStart), std::nullopt);
}

TEST(Throttle, NobodySavesUpMoreThanABurst) {
  Throttle throttle({1, 2});
  EXPECT_EQ(throttle.take("a", kStart), std::nullopt);
  const auto later = kStart + seconds(1000);
  EXPECT_EQ(throttle.take("a", later), std::nullopt);
  EXPECT_EQ(throttle.take("a", later), std::nullopt);
  EXPECT_NE(throttle.take("a", later), std::nullopt);
}

TEST(Throttle, SaysHowLongToWaitWithoutCounting) {
  Throttle throttle({0.1, 1});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(throttle.wait("a", kStart), std::nullopt);
  EXPECT_EQ(throttle.take("a", kStart), std::nullopt);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(throttle.wait("a", kStart), seconds(10));
  EXPECT_EQ(throttle.wait("a", kStart + seconds(4)), seconds(6));
  EXPECT_EQ(throttle.wait("a", kStart + seconds(10)), std::nullopt);
  EXPECT_EQ(throttle.take("a", kStart + seconds(10)), std::nullopt);
}

TEST(Throttle, ManyStrangersTakeNoRoomFromWhoIsKnown) {
  Throttle throttle({1, 2});
  EXPECT_EQ(throttle.take("known", kStart), std::nullopt);
  for (int i = 0; i < 20'000; ++i) static_cast<void>(throttle.take(std::to_string(i), kStart));
  EXPECT_EQ(throttle.take("known", kStart), std::nullopt);
  EXPECT_NE(throttle.take("a stranger", kStart), std::nullopt);
  EXPECT_EQ(throttle.take("a stranger", kStart + seconds(10)),
            std::nullopt);  // those who are idle are forgotten
}

}  // namespace
}  // namespace signet
