#include "gateway/exchange/even_answers.h"

#include <gtest/gtest.h>

namespace signet::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

nanoseconds outcome_after(nanoseconds took, std::uint64_t size) { return took + until_even(took, size); }

TEST(EvenAnswers, ComeAtTheSameMomentHoweverMuchOfTheWorkWasDone) {
  for (const auto took : {nanoseconds(1), nanoseconds(milliseconds(3)), nanoseconds(milliseconds(99))})
    EXPECT_EQ(outcome_after(took, 0), milliseconds(100));
}

TEST(EvenAnswers, ComeLaterOfLargeMessagesForWhichMoreIsToBeDone) {
  EXPECT_EQ(outcome_after(milliseconds(3), 10'000'000), milliseconds(600));
  EXPECT_EQ(outcome_after(milliseconds(450), 10'000'000), milliseconds(600));
}

TEST(EvenAnswers, WaitForTheNextMomentWhereTheWorkTookLonger) {
  EXPECT_EQ(outcome_after(milliseconds(101), 0), milliseconds(200));
  EXPECT_EQ(outcome_after(milliseconds(199), 0), milliseconds(200));
  EXPECT_EQ(outcome_after(milliseconds(601), 10'000'000), milliseconds(1200));
}

TEST(EvenAnswers, AreDecidedForTheLargestMessagesToo) {
  EXPECT_EQ(outcome_after(milliseconds(1), 10'000'000'000), std::chrono::seconds(500) + milliseconds(100));
}

}  // namespace
}  // namespace signet::gateway
