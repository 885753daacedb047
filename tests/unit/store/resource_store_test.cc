#include "gateway/store/resource_store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include "gateway/store/key_store.h"
#include "gateway/store/principal_store.h"
#include "tests/unit/store/store_fixture.h"

namespace signet::gateway {
namespace {

using api::ResourceKind;
using testing::IsEmpty;
using testing::SizeIs;

class ResourceStoreTest : public StoreTest {
 protected:
  /// Of whom there is a policy that counts.
  std::vector<std::string> holders() {
    std::vector<std::string> names;
    const auto policies = policies_.policies("kv1").value();
    for (const vault::AccessPolicy& policy : policies) names.push_back(policy.principal.name);
    return names;
  }

  std::vector<std::string> events(std::optional<Time> since = std::nullopt) {
    std::vector<std::string> texts;
    EXPECT_TRUE(store_.visit_logged_events(since, [&](const api::LoggedEvent& event) -> Result<> {
      texts.push_back(event.json);
      return {};
    }));
    return texts;
  }

  const std::shared_ptr<Database> database_ = open()->database();
  SqliteResourceStore store_{database_};
  SqliteKeyStore policies_{database_};
  SqlitePrincipalStore principals_{database_};
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

TEST_F(ResourceStoreTest, ADeletedVaultsPoliciesCountNoMoreUntilItIsRecovered) {
  for (const char* name : {"app", "other"}) {
    ASSERT_TRUE(principals_.add({std::string("id of ") + name, name, {}, true, kNoon}));
    ASSERT_TRUE(policies_.put_policy({"kv1", {name}, {vault::KeyPermission::Sign}}));
  }
  ASSERT_TRUE(store_.put(ResourceKind::Vault, "kv1", "1", kNoon));
  const std::uint64_t before = policies_.generation().value();
  ASSERT_TRUE(store_.delete_vault("KV1", "2", kNoon));
  EXPECT_NE(policies_.generation().value(), before);
  EXPECT_THAT(holders(), IsEmpty());
  EXPECT_FALSE(store_.find(ResourceKind::Vault, "kv1").value());
  EXPECT_EQ(store_.find(ResourceKind::DeletedVault, "kv1").value()->json, "2");

  // Who has that name by then is somebody else.
  ASSERT_TRUE(principals_.remove("app"));
  ASSERT_TRUE(principals_.add({"another id", "app", {}, true, kNoon}));
  ASSERT_TRUE(store_.recover_vault("kv1", "3", kNoon));
  EXPECT_THAT(holders(), testing::ElementsAre("other"));
  EXPECT_FALSE(store_.find(ResourceKind::DeletedVault, "kv1").value());
  EXPECT_EQ(store_.find(ResourceKind::Vault, "kv1").value()->json, "3");
}

TEST_F(ResourceStoreTest, ADeletedVaultTakesNothingNew) {
  ASSERT_TRUE(store_.delete_vault("kv1", "{}", kNoon));
  EXPECT_EQ(policies_.put_policy({"KV1", {"app"}, {vault::KeyPermission::Sign}}).error().kind,
            ErrorKind::DeletedButRecoverable);
  EXPECT_EQ(policies_.put_settings("kv1", {}).error().kind, ErrorKind::DeletedButRecoverable);
  vault::StoredKey key;
  key.info.id = {"kv1", "key", std::string(32, 'a')};
  EXPECT_EQ(policies_.put_version(key).error().kind, ErrorKind::DeletedButRecoverable);
  key.info.id.vault = "kv2";
  EXPECT_TRUE(policies_.put_version(key));
  ASSERT_TRUE(store_.recover_vault("kv1", "{}", kNoon));
  EXPECT_TRUE(policies_.put_policy({"kv1", {"app"}, {vault::KeyPermission::Sign}}));
}

TEST_F(ResourceStoreTest, APurgedVaultLeavesNothingAndOthersStay) {
  for (const char* vault : {"kv1", "kv2"}) {
    vault::StoredKey key;
    key.info.id = {vault, "key", std::string(32, 'a')};
    ASSERT_TRUE(policies_.put_version(key));
    ASSERT_TRUE(policies_.put_policy({vault, {"app"}, {vault::KeyPermission::Sign}}));
    ASSERT_TRUE(policies_.put_settings(vault, {7, false}));
  }
  EXPECT_EQ(store_.purge_vault("kv1").error().kind, ErrorKind::NotFound);
  ASSERT_TRUE(store_.delete_vault("kv1", "{}", kNoon));
  const std::uint64_t before = policies_.generation().value();
  ASSERT_TRUE(store_.purge_vault("KV1"));
  EXPECT_NE(policies_.generation().value(), before);
  EXPECT_FALSE(store_.find(ResourceKind::DeletedVault, "kv1").value());
  EXPECT_EQ(store_.purge_vault("kv1").error().kind, ErrorKind::NotFound);
  EXPECT_THAT(policies_.list("kv1").value(), IsEmpty());
  EXPECT_EQ(policies_.settings("kv1").value(), vault::VaultSettings());
  EXPECT_THAT(policies_.list("kv2").value(), SizeIs(1));
  EXPECT_EQ(policies_.settings("kv2")->retention_days, 7);

  // No table that says whose vault a row is has been forgotten.
  const SQLite::Database database(directory_.path() / "store/signet.db");
  SQLite::Statement tables(
      database,
      "SELECT DISTINCT t.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c "
      "WHERE t.type = 'table' AND c.name = 'vault'");
  int looked_at = 0;
  while (tables.executeStep()) {
    const std::string name = tables.getColumn(0).getString();
    SQLite::Statement left(database, "SELECT count(*) FROM " + name + " WHERE vault = 'kv1' COLLATE NOCASE");
    left.executeStep();
    EXPECT_EQ(left.getColumn(0).getInt(), 0) << name;
    ++looked_at;
  }
  EXPECT_EQ(looked_at, 13) << "a table is new: does purge_vault() empty it?";
}

TEST_F(ResourceStoreTest, KeepsEventsInTheirOrder) {
  ASSERT_TRUE(store_.log_events({{kNoon, "app", "1"}, {kNoon + std::chrono::hours(1), "app", "2"}}, kNoon));
  EXPECT_THAT(events(), testing::ElementsAre("1", "2"));
  EXPECT_THAT(events(kNoon + std::chrono::hours(1)), testing::ElementsAre("2"));
}

TEST_F(ResourceStoreTest, ForgetsOldEventsAndThoseThereIsNoRoomFor) {
  const Time later = kNoon + api::kLoggedEventLife + std::chrono::hours(1);
  ASSERT_TRUE(store_.log_events({{kNoon, "app", "old"}}, kNoon));
  ASSERT_TRUE(store_.log_events({{later, "app", "new"}}, later));
  EXPECT_THAT(events(), testing::ElementsAre("new"));
  {
    SQLite::Database database(directory_.path() / "store/signet.db", SQLite::OPEN_READWRITE);
    database.exec(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
        std::to_string(api::kMostLoggedEvents) +
        ") INSERT INTO logged_events (received, principal, json) SELECT received, 'app', 'many' FROM n, "
        "logged_events WHERE json = 'new'");
  }
  ASSERT_TRUE(store_.log_events({{later, "app", "newest"}}, later));
  const std::vector<std::string> kept = events();
  EXPECT_EQ(kept.size(), static_cast<std::size_t>(api::kMostLoggedEvents));
  EXPECT_EQ(kept.front(), "many");
  EXPECT_EQ(kept.back(), "newest");
}

}  // namespace
}  // namespace signet::gateway
