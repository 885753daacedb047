#include "base/backoff.h"

#include <gtest/gtest.h>

#include <limits>

namespace signet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Doubled, DoublesWithEachFailureUpToTheLongest) {
  EXPECT_EQ(doubled(seconds(5), seconds(60), 1), seconds(5));
  EXPECT_EQ(doubled(seconds(5), seconds(60), 2), seconds(10));
  EXPECT_EQ(doubled(seconds(5), seconds(60), 4), seconds(40));
  EXPECT_EQ(doubled(seconds(5), seconds(60), 5), seconds(60));
  EXPECT_EQ(doubled(seconds(5), seconds(60), std::numeric_limits<unsigned>::max()), seconds(60));
}

TEST(Doubled, WaitsForTheFirstTimeAlsoWithoutAFailure) {
  EXPECT_EQ(doubled(seconds(5), seconds(60), 0), seconds(5));
}

TEST(Doubled, IsNeverLongerThanTheLongest) {
  EXPECT_EQ(doubled(seconds(90), seconds(60), 1), seconds(60));
  EXPECT_EQ(doubled(milliseconds(3), milliseconds::max(), 200), milliseconds::max());
}

}  // namespace
}  // namespace signet
