#include "gateway/store/resource_store.h"

#include <gmock/gmock.h>

#include "tests/unit/store/store_fixture.h"

namespace signet::gateway {
namespace {

using api::ResourceKind;
using testing::IsEmpty;
using testing::SizeIs;

class ResourceStoreTest : public StoreTest {
 protected:
  SqliteResourceStore store_{open()->database()};
};

TEST_F(ResourceStoreTest, KeepsTextUnderANameOfItsKind) {
  EXPECT_TRUE(store_.put(ResourceKind::OtherAgreement, "X-1", "{}", kNoon).value());
  EXPECT_FALSE(store_.put(ResourceKind::OtherAgreement, "x-1", "[]", kNoon + std::chrono::hours(1)).value());
  const auto found = store_.find(ResourceKind::OtherAgreement, "X-1").value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "X-1");
  EXPECT_EQ(found->json, "[]");
  EXPECT_EQ(found->created, kNoon);
  EXPECT_EQ(found->changed, kNoon + std::chrono::hours(1));
  EXPECT_FALSE(store_.find(ResourceKind::Envelope, "X-1").value());
  EXPECT_THAT(store_.list(ResourceKind::OtherAgreement).value(), SizeIs(1));
  EXPECT_THAT(store_.list(ResourceKind::Envelope).value(), IsEmpty());
  EXPECT_TRUE(store_.remove(ResourceKind::OtherAgreement, "x-1").value());
  EXPECT_FALSE(store_.remove(ResourceKind::OtherAgreement, "x-1").value());
}

TEST_F(ResourceStoreTest, KeepsEventsInTheirOrder) {
  ASSERT_TRUE(store_.log_events({{kNoon, "app", "1"}, {kNoon + std::chrono::hours(1), "app", "2"}}));
  EXPECT_THAT(store_.logged_events(std::nullopt).value(), SizeIs(2));
  const auto later = store_.logged_events(kNoon + std::chrono::hours(1)).value();
  ASSERT_THAT(later, SizeIs(1));
  EXPECT_EQ(later[0].json, "2");
}

}  // namespace
}  // namespace signet::gateway
