#include "gateway/exchange/lanes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <set>

namespace signet::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Lanes::Moment kStart{seconds(1000)};
constexpr LaneSettings kSettings{.threads = 4,
                                 .window = 2,
                                 .failures_until_broken = 2,
                                 .first_pause = seconds(1),
                                 .longest_pause = seconds(8)};

Lanes::Job job(std::string id, std::string lane, Lanes::Moment due = kStart,
               Lanes::Moment expires = Lanes::Moment::max()) {
  return {std::move(id), std::move(lane), due, expires};
}

/// The ids that may start at once.
std::vector<std::string> take_all(Lanes& lanes, Lanes::Moment now) {
  std::vector<std::string> ids;
  while (const auto turn = lanes.take(now)) ids.push_back(turn->job.id);
  return ids;
}

/// Lets a lane's job of its own work, so that it is proven.
void prove(Lanes& lanes, const std::string& lane) {
  lanes.add(job("proof of " + lane, lane));
  const auto turn = lanes.take(kStart);
  lanes.finished(turn->job, Lanes::Outcome::Worked, kStart, std::nullopt);
}

void fail_once(Lanes& lanes, const std::string& lane, Lanes::Moment now) {
  lanes.add(job("failure of " + lane, lane, now));
  const auto turn = lanes.take(now);
  ASSERT_TRUE(turn);
  lanes.finished(turn->job, Lanes::Outcome::Failed, now, std::nullopt);
}

TEST(Lanes, AJobWaitsForItsMoment) {
  Lanes lanes(kSettings);
  lanes.add(job("a", "acme", kStart + seconds(1)));
  EXPECT_FALSE(lanes.take(kStart));
  EXPECT_EQ(lanes.next(), kStart + seconds(1));
  EXPECT_EQ(lanes.take(kStart + seconds(1))->job.id, "a");
  EXPECT_FALSE(lanes.next());
  EXPECT_EQ(lanes.running(), 1U);
}

TEST(Lanes, AJobThatIsNotedTwiceIsDoneOnceAtTheEarlierMoment) {
  Lanes lanes(kSettings);
  lanes.add(job("a", "acme", kStart + seconds(5)));
  lanes.add(job("a", "acme", kStart + seconds(1)));
  lanes.add(job("a", "acme", kStart + seconds(9)));
  EXPECT_EQ(lanes.waiting(), 1U);
  ASSERT_TRUE(lanes.take(kStart + seconds(1)));
  lanes.add(job("a", "acme"));  // it is being done
  EXPECT_FALSE(lanes.take(kStart + seconds(20)));
}

TEST(Lanes, ALaneIsWidenedOnceItHasWorked) {
  Lanes lanes(kSettings);
  for (const char* id : {"1", "2", "3"}) lanes.add(job(id, "acme"));
  const auto first = lanes.take(kStart);
  ASSERT_TRUE(first);
  EXPECT_FALSE(lanes.take(kStart));
  lanes.finished(first->job, Lanes::Outcome::Worked, kStart, std::nullopt);
  EXPECT_THAT(take_all(lanes, kStart), ElementsAre("2", "3"));
}

TEST(Lanes, TheLongestWithoutATurnComesFirst) {
  Lanes lanes(kSettings);
  prove(lanes, "acme");
  prove(lanes, "globex");
  for (const char* id : {"a1", "a2", "a3"}) lanes.add(job(id, "acme", kStart + seconds(1)));
  lanes.add(job("g1", "globex", kStart + seconds(2)));
  const Lanes::Moment now = kStart + seconds(3);
  EXPECT_EQ(lanes.take(now)->job.id, "a1");
  EXPECT_EQ(lanes.take(now)->job.id, "g1");  // though Acme's second has waited longer
  EXPECT_EQ(lanes.take(now)->job.id, "a2");
}

TEST(Lanes, LanesThatHaveFailedLeaveHalfOfTheThreadsToTheOthers) {
  Lanes lanes(kSettings);
  for (int i = 0; i < 50; ++i) fail_once(lanes, "dead " + std::to_string(i), kStart);
  for (int i = 0; i < 50; ++i) lanes.add(job("dead " + std::to_string(i), "dead " + std::to_string(i)));
  EXPECT_EQ(take_all(lanes, kStart).size(), 2U);
  EXPECT_FALSE(lanes.next());
  lanes.add(job("new", "new"));
  EXPECT_EQ(lanes.take(kStart)->job.id, "new");
}

TEST(Lanes, ABrokenLaneIsProbedAtGrowingIntervals) {
  Lanes lanes(kSettings);
  fail_once(lanes, "dead", kStart);
  EXPECT_THAT(lanes.broken(), IsEmpty());
  fail_once(lanes, "dead", kStart);
  EXPECT_THAT(lanes.broken(), ElementsAre("dead"));
  lanes.add(job("x", "dead"));
  Lanes::Moment now = kStart;
  for (const seconds pause : {seconds(1), seconds(2), seconds(4), seconds(8), seconds(8)}) {
    EXPECT_FALSE(lanes.take(now + pause - milliseconds(1)));
    now += pause;
    const auto turn = lanes.take(now);
    ASSERT_TRUE(turn);
    lanes.finished(turn->job, Lanes::Outcome::Failed, now, now);
  }
}

TEST(Lanes, AProbeThatWorksOpensTheLaneForAllThatWaits) {
  Lanes lanes(kSettings);
  fail_once(lanes, "acme", kStart);
  fail_once(lanes, "acme", kStart);
  for (const char* id : {"1", "2", "3"}) lanes.add(job(id, "acme"));
  const auto probe = lanes.take(kStart + seconds(1));
  ASSERT_TRUE(probe);
  EXPECT_FALSE(lanes.take(kStart + seconds(100)));  // one at a time until it has worked
  lanes.finished(probe->job, Lanes::Outcome::Worked, kStart + seconds(1), std::nullopt);
  EXPECT_THAT(lanes.broken(), IsEmpty());
  EXPECT_THAT(take_all(lanes, kStart + seconds(1)), ElementsAre("2", "3"));
}

TEST(Lanes, AJobWhoseTimeIsOverIsGivenOutOfABrokenLaneToBeEnded) {
  Lanes lanes(kSettings);
  fail_once(lanes, "dead", kStart);
  fail_once(lanes, "dead", kStart);
  fail_once(lanes, "dead", kStart + seconds(1));
  lanes.add(job("a", "dead", kStart, kStart + milliseconds(1500)));
  lanes.add(job("b", "dead", kStart, kStart + seconds(9)));
  EXPECT_EQ(lanes.next(), kStart + milliseconds(1500));
  const auto turn = lanes.take(kStart + milliseconds(1500));
  ASSERT_TRUE(turn);
  EXPECT_TRUE(turn->expired);
  EXPECT_EQ(turn->job.id, "a");
  lanes.finished(turn->job, Lanes::Outcome::NotTried, kStart + milliseconds(1500), std::nullopt);
  EXPECT_EQ(lanes.waiting(), 1U);
}

TEST(Lanes, AJobWhoseTimeIsOverAndThatWaitsOnIsNotGivenOutBeforeItIsDueAgain) {
  Lanes lanes(kSettings);
  for (const int second : {0, 0, 1}) fail_once(lanes, "dead", kStart + seconds(second));
  lanes.add(job("a", "dead", kStart, kStart + milliseconds(1500)));
  const auto turn = lanes.take(kStart + seconds(2));
  ASSERT_TRUE(turn && turn->expired);
  lanes.finished(turn->job, Lanes::Outcome::NotTried, kStart + seconds(2), kStart + seconds(7));
  EXPECT_FALSE(lanes.take(kStart + seconds(2)));
  EXPECT_TRUE(lanes.take(kStart + seconds(7)));
}

TEST(Lanes, AJobWhoseTimeIsOverIsStillTriedInALaneThatWorks) {
  Lanes lanes(kSettings);
  lanes.add(job("a", "acme", kStart, kStart - seconds(10)));
  const auto turn = lanes.take(kStart);
  ASSERT_TRUE(turn);
  EXPECT_FALSE(turn->expired);
}

TEST(Lanes, WhatWasNotTriedSaysNothingAboutTheLane) {
  Lanes lanes(kSettings);
  for (int i = 0; i < 5; ++i) {
    lanes.add(job("a", "acme"));
    const auto turn = lanes.take(kStart);
    ASSERT_TRUE(turn);
    lanes.finished(turn->job, Lanes::Outcome::NotTried, kStart, std::nullopt);
  }
  EXPECT_THAT(lanes.broken(), IsEmpty());
}

TEST(Lanes, ABatchIsWhatIsDueInALaneThatHasWorked) {
  Lanes lanes({.threads = 4, .window = 1, .batch = 3});
  const auto batch_at = [&lanes](Lanes::Moment now) {
    std::vector<std::string> ids;
    for (const Lanes::Turn& turn : lanes.take_batch(now)) ids.push_back(turn.job.id);
    return ids;
  };
  lanes.add(job("z", "acme", kStart));
  lanes.add(job("y", "acme", kStart + milliseconds(1)));
  const Lanes::Moment now = kStart + milliseconds(4);
  EXPECT_THAT(batch_at(now), ElementsAre("z")) << "nobody knows yet whether the lane works";
  lanes.finished(job("z", "acme"), Lanes::Outcome::Worked, now, std::nullopt);
  lanes.add(job("x", "acme", kStart + milliseconds(2)));
  lanes.add(job("w", "acme", kStart + milliseconds(5)));
  EXPECT_THAT(batch_at(now), ElementsAre("y", "x")) << "one is not due";
  EXPECT_EQ(lanes.running(), 2U);
  for (const char* id : {"a", "b", "c"}) lanes.add(job(id, "acme", kStart + milliseconds(6)));
  EXPECT_THAT(batch_at(kStart + seconds(1)), IsEmpty()) << "the lane is at work";
  lanes.finished(job("y", "acme"), Lanes::Outcome::Worked, now, std::nullopt);
  EXPECT_THAT(batch_at(kStart + seconds(1)), IsEmpty()) << "the lane is at work still";
  lanes.finished(job("x", "acme"), Lanes::Outcome::NotTried, now, std::nullopt);
  EXPECT_THAT(batch_at(kStart + seconds(1)), ElementsAre("w", "a", "b")) << "no more than three";
  for (const char* id : {"w", "a", "b"})
    lanes.finished(job(id, "acme"), Lanes::Outcome::Failed, now, std::nullopt);
  lanes.add(job("d", "acme", kStart));
  EXPECT_EQ(batch_at(kStart + std::chrono::hours(1)).size(), 1U) << "a lane that failed is probed by one";
}

TEST(Lanes, TenThousandWaitingForTheDeadDoNotDelayTheLiving) {
  Lanes lanes(kSettings);
  prove(lanes, "good");
  for (int i = 0; i < 100; ++i) fail_once(lanes, "dead " + std::to_string(i), kStart);
  for (int i = 0; i < 10'000; ++i) lanes.add(job(std::to_string(i), "dead " + std::to_string(i % 100)));
  lanes.add(job("good", "good"));
  std::set<std::string> taken;
  for (const std::string& id : take_all(lanes, kStart)) taken.insert(id);
  EXPECT_TRUE(taken.contains("good"));
}

TEST(LaneRunner, DoesWhatIsDueAndDoesItAgainWhenToldTo) {
  std::promise<void> twice;
  std::atomic<int> runs{0};
  LaneRunner runner("test", {.threads = 2}, [&](const Lanes::Turn& turn) -> LaneRunner::Finish {
    EXPECT_EQ(turn.job.id, "a");
    if (++runs == 1) return {Lanes::Outcome::Failed, milliseconds(1)};
    twice.set_value();
    return {};
  });
  runner.add("a", "acme");
  twice.get_future().wait();
}

TEST(LaneRunner, DoesABatchAndLeavesWhatItDoesNotAnswerForInItsOrder) {
  std::vector<std::vector<std::string>> batches;
  std::promise<void> all_waiting;
  std::promise<void> all_done;
  LaneRunner runner("test", {.threads = 1, .window = 1, .batch = 4},
                    [&](const std::vector<Lanes::Turn>& turns) -> std::vector<LaneRunner::Finish> {
                      if (batches.empty()) all_waiting.get_future().wait();
                      std::vector<std::string> ids;
                      for (const Lanes::Turn& turn : turns) ids.push_back(turn.job.id);
                      batches.push_back(ids);
                      if (ids.back() == "f") all_done.set_value();
                      return std::vector<LaneRunner::Finish>(std::min<std::size_t>(turns.size(), 3));
                    });
  for (const char* id : {"first", "c", "a", "b", "e", "d", "f"}) runner.add(id, "acme");
  all_waiting.set_value();
  all_done.get_future().wait();
  EXPECT_THAT(batches,
              ElementsAre(ElementsAre("first"), ElementsAre("c", "a", "b", "e"), ElementsAre("e", "d", "f")));
}

TEST(LaneRunner, ABatchThatFailsIsOneFailureOfItsLane) {
  std::promise<void> all_waiting;
  std::promise<void> failed;
  std::size_t turn_number = 0;
  LaneRunner runner("test", {.threads = 1, .window = 1, .batch = 4, .failures_until_broken = 2},
                    [&](const std::vector<Lanes::Turn>& turns) -> std::vector<LaneRunner::Finish> {
                      if (++turn_number == 1) {
                        all_waiting.get_future().wait();
                        return {LaneRunner::Finish{}};
                      }
                      EXPECT_EQ(turns.size(), 4U);
                      failed.set_value();
                      return std::vector<LaneRunner::Finish>(
                          4, LaneRunner::Finish{Lanes::Outcome::Failed, std::chrono::hours(1)});
                    });
  for (const char* id : {"first", "a", "b", "c", "d"}) runner.add(id, "acme");
  all_waiting.set_value();
  failed.get_future().wait();
  runner.wait_until_idle(std::chrono::minutes(1));
  EXPECT_EQ(runner.waiting(), 4U) << "each is tried again";
  EXPECT_THAT(runner.broken(), IsEmpty());
}

TEST(LaneRunner, LetsNothingBeginOnceItIsStopped) {
  LaneRunner runner("test", {.threads = 1}, [](const Lanes::Turn&) -> LaneRunner::Finish {
    ADD_FAILURE() << "something began";
    return {};
  });
  runner.stop();
  runner.add("a", "acme");
  runner.join();
  EXPECT_EQ(runner.waiting(), 1U);
}

}  // namespace
}  // namespace signet::gateway
