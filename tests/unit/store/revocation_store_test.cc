#include "gateway/store/revocation_store.h"

#include <gmock/gmock.h>

#include "tests/support/test_crl.h"
#include "tests/unit/store/store_fixture.h"

namespace signet::gateway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RevocationStoreTest : public StoreTest {
 protected:
  StoredRevocationList list(std::uint64_t number, const std::string& scope = "") const {
    return {"AUTHORITY", scope, test::make_list(authority_, {.number = number}), "http://crl.example/a",
            kNoon};
  }
  const certstore::PrivateCertificate authority_ = test::make_authority("Authority");
  SqliteRevocationStore store_{open()->database()};
};

TEST_F(RevocationStoreTest, KeepsTheNewestListOfEachPart) {
  const auto before = store_.generation().value();
  ASSERT_EQ(store_.put(list(2)).value(), RevocationStore::Change::Taken);
  ASSERT_EQ(store_.put(list(1, "part")).value(), RevocationStore::Change::Taken);
  EXPECT_NE(store_.generation().value(), before);
  EXPECT_EQ(store_.put(list(1)).error().kind, ErrorKind::AlreadyExists);
  ASSERT_TRUE(store_.put(list(3)));
  const auto lists = store_.lists().value();
  ASSERT_EQ(lists.size(), 2U);
  EXPECT_EQ(lists[0].list.number(), "03");
  EXPECT_EQ(lists[0].source, "http://crl.example/a");
  EXPECT_EQ(lists[0].taken, kNoon);
  EXPECT_EQ(lists[1].scope, "part");
}

TEST_F(RevocationStoreTest, TheSameListAgainChangesNothing) {
  const StoredRevocationList one = list(1);
  ASSERT_TRUE(store_.put(one));
  const auto generation = store_.generation().value();
  EXPECT_EQ(store_.put(one).value(), RevocationStore::Change::Unchanged);
  EXPECT_EQ(store_.generation().value(), generation);
}

TEST_F(RevocationStoreTest, OnceAListIsRemovedAnOlderOneIsTaken) {
  ASSERT_TRUE(store_.put(list(2)));
  const auto generation = store_.generation().value();
  ASSERT_TRUE(store_.remove("AUTHORITY"));
  EXPECT_NE(store_.generation().value(), generation);
  EXPECT_THAT(store_.lists().value(), IsEmpty());
  EXPECT_EQ(store_.remove("AUTHORITY").error().kind, ErrorKind::NotFound);
  EXPECT_TRUE(store_.put(list(1)));
}

TEST_F(RevocationStoreTest, AnAuthorityFillsNoDiskWithListsForParts) {
  const StoredRevocationList one = list(1);
  const auto put = [&](std::size_t part, Time taken) {
    return store_.put({one.authority, std::to_string(part), one.list, one.source, taken});
  };
  const Time in_time = one.list.this_update();
  for (std::size_t i = 0; i < kMostScopes; ++i) ASSERT_TRUE(put(i, in_time)) << i;
  EXPECT_EQ(put(kMostScopes, in_time).error().kind, ErrorKind::LimitExceeded);
  EXPECT_TRUE(put(0, in_time)) << "one that is kept has its place";
  const Time later = one.list.next_update() + std::chrono::seconds(1);
  EXPECT_TRUE(put(kMostScopes, later)) << "those that have ended make room";
  EXPECT_EQ(store_.lists().value().size(), 1U);
}

TEST_F(RevocationStoreTest, KeepsWhatBecameOfFetching) {
  const RevocationSource failed{"A", "http://a http://b", kNoon, 3, "nobody is there"};
  const RevocationSource worked{"B", "http://c", kNoon, 0, ""};
  const auto generation = store_.generation().value();
  ASSERT_TRUE(store_.put_source({"A", "http://a http://b", kNoon, 2, "before"}));
  ASSERT_TRUE(store_.put_source(failed));
  ASSERT_TRUE(store_.put_source(worked));
  EXPECT_THAT(store_.sources().value(), ElementsAre(failed, worked));
  ASSERT_TRUE(store_.remove_source("A", "http://a http://b"));
  EXPECT_THAT(store_.sources().value(), ElementsAre(worked));
  EXPECT_EQ(store_.generation().value(), generation) << "no list has changed";
}

}  // namespace
}  // namespace signet::gateway
