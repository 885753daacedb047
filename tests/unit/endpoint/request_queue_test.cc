#include "gateway/endpoint/request_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <new>
#include <vector>

namespace signet::gateway {
namespace {

TEST(SideThread, DoesJobsInTheirOrderAndAllBeforeItStops) {
  std::vector<int> done;
  SideThread side;
  for (int i = 0; i < 100; ++i) side.post([&done, i] { done.push_back(i); });
  side.stop();
  ASSERT_EQ(done.size(), 100U);
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
  side.post([&done] { done.clear(); });
  EXPECT_EQ(done.size(), 100U) << "later jobs are dropped";
}

TEST(SideThread, OutlivesAJobThatThrows) {
  bool next = false;
  SideThread side;
  side.post([] { throw std::bad_alloc(); });
  side.post([&next] { next = true; });
  side.stop();
  EXPECT_TRUE(next);
}

}  // namespace
}  // namespace signet::gateway
