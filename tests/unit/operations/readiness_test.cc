#include "gateway/operations/readiness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace signet::gateway {
namespace {

using testing::HasSubstr;

Result<> full() { return fail(ErrorKind::IoFailure, "the disk is full"); }

TEST(Readiness, IsGivenWhenEveryCheckPasses) {
  Readiness readiness;
  readiness.add("store", [] { return Result<>(); });
  readiness.add("disk", [] { return Result<>(); });
  const auto findings = readiness.examine();
  ASSERT_EQ(findings.size(), 2);
  EXPECT_EQ(findings[0].name, "store");
  EXPECT_TRUE(all_well(findings));
}

TEST(Readiness, IsNotGivenWhenOneFailsAndTheOthersAreStillMade) {
  Readiness readiness;
  readiness.add("disk", full);
  readiness.add("store", [] { return Result<>(); });
  const auto findings = readiness.examine();
  EXPECT_FALSE(all_well(findings));
  EXPECT_EQ(findings[0].outcome.error().detail, "the disk is full");
  EXPECT_TRUE(findings[1].outcome);
}

TEST(Readiness, IsNotGivenWhenACheckThrows) {
  Readiness readiness;
  readiness.add("vault", []() -> Result<> { throw std::runtime_error("out of memory"); });
  const auto findings = readiness.examine();
  ASSERT_FALSE(all_well(findings));
  EXPECT_THAT(findings[0].outcome.error().detail, HasSubstr("out of memory"));
}

TEST(Readiness, ComesBackByItself) {
  Readiness readiness(std::chrono::milliseconds(0));
  bool is_full = true;
  readiness.add("disk", [&] { return is_full ? full() : Result<>(); });
  EXPECT_FALSE(all_well(readiness.examine()));
  is_full = false;
  EXPECT_TRUE(all_well(readiness.examine()));
}

TEST(Readiness, AsksNoOftenerThanItMust) {
  Readiness readiness(std::chrono::hours(1));
  int asked = 0;
  readiness.add("store", [&] {
    ++asked;
    return full();
  });
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(all_well(readiness.examine()));
  EXPECT_EQ(asked, 1);
}

/// What the log says while `work` runs.
template <class Work>
std::string logged(Work work) {
  testing::internal::CaptureStderr();
  work();
  return testing::internal::GetCapturedStderr();
}

TEST(Readiness, TellsTheLogOfChangesOnly) {
  Readiness readiness(std::chrono::milliseconds(0));
  Result<> outcome;
  readiness.add("disk", [&] { return outcome; });
  EXPECT_EQ(logged([&] { readiness.examine(); }), "");
  outcome = full();
  EXPECT_THAT(logged([&] { readiness.examine(); }), HasSubstr("\"event\":\"not-ready\",\"check\":\"disk\""));
  EXPECT_EQ(logged([&] { readiness.examine(); }), "");
  outcome = {};
  EXPECT_THAT(logged([&] { readiness.examine(); }),
              HasSubstr("\"event\":\"ready-again\",\"check\":\"disk\""));
}

}  // namespace
}  // namespace signet::gateway
