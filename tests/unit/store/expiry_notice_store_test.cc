#include "gateway/store/expiry_notice_store.h"

#include <gmock/gmock.h>

#include "tests/unit/store/store_fixture.h"

namespace signet::gateway {
namespace {

using testing::ElementsAre;

class ExpiryNoticeStoreTest : public StoreTest {};

TEST_F(ExpiryNoticeStoreTest, KeepsWhoWasToldAndQueuesNothingTwice) {
  const ExpiryNotice first{"AA", 30, kNoon, false, false};
  const ExpiryNotice second{"AA", 14, kNoon + std::chrono::hours(1), false, false};
  {
    SqliteExpiryNoticeStore store(open()->database());
    ASSERT_TRUE(store.queue({first, second}));
    ExpiryNotice told = first;
    told.mailed = told.settled = true;
    ASSERT_TRUE(store.put(told));
    ASSERT_TRUE(store.queue({first}));  // stays as it is
  }
  ExpiryNotice told = first;
  told.mailed = told.settled = true;
  EXPECT_THAT(*SqliteExpiryNoticeStore(open()->database()).notices(), ElementsAre(told, second));
}

}  // namespace
}  // namespace signet::gateway
