#include <SQLiteCpp/SQLiteCpp.h>

#include "gateway/store/key_store.h"
#include "gateway/store/secret_store.h"
#include "tests/unit/store/store_fixture.h"

namespace signet::gateway {
namespace {

/// What keys and secrets have in common at rest: each test runs with both.
struct KeysOnDisk {
  using Store = SqliteKeyStore;
  static vault::StoredKey version(std::string_view name, char digit) {
    vault::StoredKey key;
    key.info.id = {"Vault-1", std::string(name), std::string(32, digit)};
    key.info.tags = {{"a", "b"}};
    key.info.created = key.info.updated = kNoon;
    key.sealed = {0, 1, static_cast<std::uint8_t>(digit)};
    return key;
  }
};

struct SecretsOnDisk {
  using Store = SqliteSecretStore;
  static vault::StoredSecret version(std::string_view name, char digit) {
    vault::StoredSecret secret;
    secret.info.id = {"Vault-1", std::string(name), std::string(32, digit)};
    secret.info.settings.content_type = "password";
    secret.info.created = secret.info.updated = kNoon;
    secret.sealed = {0, 1, static_cast<std::uint8_t>(digit)};
    return secret;
  }
};

template <class Kind>
class RecoverableTest : public StoreTest {
 protected:
  RecoverableTest() {
    for (const char digit : {'b', 'a'}) EXPECT_TRUE(store_.put_version(Kind::version("One", digit)));
    EXPECT_TRUE(store_.put_version(Kind::version("two", 'c')));
  }

  const vault::Deletion deletion_{kNoon, kNoon + std::chrono::days(7)};
  typename Kind::Store store_{open()->database()};
};

using Kinds = testing::Types<KeysOnDisk, SecretsOnDisk>;
TYPED_TEST_SUITE(RecoverableTest, Kinds);

TYPED_TEST(RecoverableTest, WhatIsDeletedIsFoundAsDeletedAndNowhereElse) {
  auto& store = this->store_;
  ASSERT_TRUE(store.soft_delete("vault-1", "ONE", this->deletion_));
  EXPECT_EQ(store.load({"Vault-1", "One", ""}).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(store.load({"Vault-1", "One", std::string(32, 'b')}).error().kind, ErrorKind::NotFound);
  const auto info = TypeParam::version("One", 'a').info;
  EXPECT_EQ(store.update(info.id, change_to(info)).error().kind, ErrorKind::NotFound);
  EXPECT_TRUE(store.versions("Vault-1", "One")->empty());
  EXPECT_TRUE(store.load_all("Vault-1", "One")->empty());
  ASSERT_EQ(store.list("Vault-1")->size(), 1U);
  EXPECT_EQ(store.list("Vault-1")->front().id.name, "two");
  EXPECT_EQ(store.soft_delete("Vault-1", "One", this->deletion_).error().kind, ErrorKind::NotFound);

  const auto deleted = store.load_deleted("VAULT-1", "one");
  ASSERT_TRUE(deleted) << deleted.error().detail;
  EXPECT_EQ(deleted->info.id.version, std::string(32, 'a')) << "the newest";
  EXPECT_EQ(deleted->deletion.deleted, kNoon);
  EXPECT_EQ(deleted->deletion.scheduled_purge, this->deletion_.scheduled_purge);
  EXPECT_EQ(store.list_deleted("vault-1")->size(), 1U);
  EXPECT_TRUE(store.list_deleted("vault-2")->empty());
  EXPECT_EQ(store.load_deleted("Vault-1", "two").error().kind, ErrorKind::NotFound);
}

TYPED_TEST(RecoverableTest, IsOverdueFromTheScheduledMomentOn) {
  auto& store = this->store_;
  ASSERT_TRUE(store.soft_delete("Vault-1", "One", this->deletion_));
  EXPECT_TRUE(store.overdue(this->deletion_.scheduled_purge - std::chrono::microseconds(1))->empty());
  const auto overdue = store.overdue(this->deletion_.scheduled_purge);
  ASSERT_EQ(overdue->size(), 1U) << "one for all versions";
  EXPECT_EQ(overdue->front().info.id.name, "One");
}

TYPED_TEST(RecoverableTest, IsRecoveredWithAllItsVersions) {
  auto& store = this->store_;
  EXPECT_EQ(store.recover("Vault-1", "One").error().kind, ErrorKind::NotFound);
  ASSERT_TRUE(store.soft_delete("Vault-1", "One", this->deletion_));
  ASSERT_TRUE(store.recover("Vault-1", "one"));
  EXPECT_EQ(store.load({"Vault-1", "One", ""})->info.id.version, std::string(32, 'a'));
  EXPECT_EQ(store.versions("Vault-1", "One")->size(), 2U);
  EXPECT_TRUE(store.list_deleted("Vault-1")->empty());
  EXPECT_TRUE(store.overdue(this->deletion_.scheduled_purge)->empty());
}

TYPED_TEST(RecoverableTest, IsPurgedOnlyWhenDeleted) {
  auto& store = this->store_;
  EXPECT_EQ(store.purge("Vault-1", "One", this->deletion_).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(store.versions("Vault-1", "One")->size(), 2U);
  ASSERT_TRUE(store.soft_delete("Vault-1", "One", this->deletion_));
  ASSERT_TRUE(store.purge("Vault-1", "ONE", this->deletion_));
  EXPECT_EQ(store.load_deleted("Vault-1", "One").error().kind, ErrorKind::NotFound);
  EXPECT_EQ(store.recover("Vault-1", "One").error().kind, ErrorKind::NotFound);
  EXPECT_TRUE(store.put_version(TypeParam::version("One", 'a'))) << "its name is free";
}

TYPED_TEST(RecoverableTest, APurgeRemovesNothingThatWasDeletedLater) {
  auto& store = this->store_;
  ASSERT_TRUE(store.soft_delete("Vault-1", "One", this->deletion_));
  ASSERT_TRUE(store.recover("Vault-1", "One"));
  const vault::Deletion later{kNoon + std::chrono::hours(1), this->deletion_.scheduled_purge};
  ASSERT_TRUE(store.soft_delete("Vault-1", "One", later));
  EXPECT_EQ(store.purge("Vault-1", "One", this->deletion_).error().kind, ErrorKind::NotFound);
  EXPECT_TRUE(store.load_deleted("Vault-1", "One"));
  EXPECT_TRUE(store.purge("Vault-1", "One", later));
}

TYPED_TEST(RecoverableTest, WhatBelongsToACertificateIsNotOverdueOnItsOwn) {
  auto managed = TypeParam::version("three", 'd');
  managed.info.managed = true;
  ASSERT_TRUE(this->store_.put_version(managed));
  ASSERT_TRUE(this->store_.soft_delete("Vault-1", "three", this->deletion_));
  EXPECT_TRUE(this->store_.overdue(this->deletion_.scheduled_purge)->empty());
  EXPECT_EQ(this->store_.list_deleted("Vault-1")->size(), 1U);
}

TYPED_TEST(RecoverableTest, ADeletedNameTakesNoVersion) {
  auto& store = this->store_;
  ASSERT_TRUE(store.soft_delete("Vault-1", "One", this->deletion_));
  const auto refused = store.put_version(TypeParam::version("ONE", 'd'));
  EXPECT_EQ(refused.error().kind, ErrorKind::DeletedButRecoverable);
  EXPECT_NE(refused.error().detail.find("2026"), std::string::npos) << refused.error().detail;
  EXPECT_EQ(store.put_all({TypeParam::version("ONE", 'd')}).error().kind, ErrorKind::DeletedButRecoverable);
}

TYPED_TEST(RecoverableTest, AllVersionsAreReadAndPutInTheirOrder) {
  auto& store = this->store_;
  const auto all = store.load_all("vault-1", "ONE");
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ(all->front().info.id.version, std::string(32, 'b')) << "the oldest first";
  EXPECT_EQ(all->front().sealed, TypeParam::version("One", 'b').sealed);
  EXPECT_EQ(store.put_all(*all).error().kind, ErrorKind::AlreadyExists);

  ASSERT_TRUE(store.put_all({TypeParam::version("three", 'x'), TypeParam::version("three", 'd')}));
  EXPECT_EQ(store.load({"Vault-1", "three", ""})->info.id.version, std::string(32, 'd'));
  EXPECT_EQ(store.put_all({TypeParam::version("four", 'd'), TypeParam::version("four", 'd')}).error().kind,
            ErrorKind::AlreadyExists);
  EXPECT_TRUE(store.versions("Vault-1", "four")->empty()) << "all of them or none";
}

TYPED_TEST(RecoverableTest, ADeletionIsKept) {
  ASSERT_TRUE(this->store_.soft_delete("Vault-1", "One", this->deletion_));
  typename TypeParam::Store again(this->open()->database());
  EXPECT_EQ(again.list_deleted("Vault-1")->size(), 1U);
}

class VaultSettingsTest : public StoreTest {
 protected:
  SqliteKeyStore keys_{open()->database()};
};

TEST_F(VaultSettingsTest, AreThoseOfEveryVaultUntilTheyAreSet) {
  EXPECT_EQ(*keys_.settings("Vault-1"), vault::VaultSettings());
  ASSERT_TRUE(keys_.put_settings("Vault-1", {7, false}));
  ASSERT_TRUE(keys_.put_settings("VAULT-1", {30, true}));
  EXPECT_EQ(*keys_.settings("vault-1"), (vault::VaultSettings{30, true}));
  EXPECT_EQ(*keys_.settings("Vault-2"), vault::VaultSettings());
}

TEST_F(VaultSettingsTest, EveryDeletionMovesTheKeysGeneration) {
  ASSERT_TRUE(keys_.put_version(KeysOnDisk::version("One", 'a')));
  std::uint64_t before = keys_.generation().value();
  const auto moved = [&] {
    const std::uint64_t now = keys_.generation().value();
    return std::exchange(before, now) != now;
  };
  ASSERT_TRUE(keys_.soft_delete("Vault-1", "One", {}));
  EXPECT_TRUE(moved());
  ASSERT_TRUE(keys_.recover("Vault-1", "One"));
  EXPECT_TRUE(moved());
  ASSERT_TRUE(keys_.soft_delete("Vault-1", "One", {}));
  EXPECT_TRUE(moved());
  ASSERT_TRUE(keys_.purge("Vault-1", "One", {}));
  EXPECT_TRUE(moved());
  ASSERT_TRUE(keys_.put_all({KeysOnDisk::version("One", 'a')}));
  EXPECT_TRUE(moved());
}

TEST_F(VaultSettingsTest, AKeysRotationPolicyIsKeptUntilTheKeyIsPurged) {
  EXPECT_FALSE(keys_.rotation_policy("Vault-1", "One").value());
  ASSERT_TRUE(keys_.put_version(KeysOnDisk::version("One", 'a')));
  ASSERT_TRUE(keys_.put_version(KeysOnDisk::version("One", 'b')));
  EXPECT_TRUE(keys_.rotation_candidates()->empty());
  vault::RotationPolicy policy = vault::default_rotation_policy();
  policy.created = kNoon;
  policy.updated = kNoon + std::chrono::hours(1);
  ASSERT_TRUE(keys_.put_rotation_policy("Vault-1", "One", vault::RotationPolicy()));
  ASSERT_TRUE(keys_.put_rotation_policy("vault-1", "ONE", policy));
  const auto kept = keys_.rotation_policy("VAULT-1", "one").value();
  ASSERT_TRUE(kept);
  EXPECT_FALSE(kept->expiry_time || kept->rotate);
  EXPECT_EQ(kept->notify, policy.notify);
  EXPECT_EQ(kept->created, policy.created);
  EXPECT_EQ(kept->updated, policy.updated);
  ASSERT_EQ(keys_.rotation_candidates()->size(), 1U);
  EXPECT_EQ(keys_.rotation_candidates()->front().id.version, std::string(32, 'b')) << "the current version";

  ASSERT_TRUE(keys_.soft_delete("Vault-1", "One", {}));
  EXPECT_TRUE(keys_.rotation_candidates()->empty());
  EXPECT_TRUE(keys_.rotation_policy("Vault-1", "One").value()) << "it comes back with the key";
  ASSERT_TRUE(keys_.purge("Vault-1", "One", {}));
  EXPECT_FALSE(keys_.rotation_policy("Vault-1", "One").value());
}

TEST_F(VaultSettingsTest, RotationPoliciesAreForKeysOfTheirOwn) {
  const vault::RotationPolicy policy = vault::default_rotation_policy();
  EXPECT_EQ(keys_.put_rotation_policy("Vault-1", "One", policy).error().kind, ErrorKind::NotFound);
  vault::StoredKey managed = KeysOnDisk::version("Two", 'b');
  managed.info.managed = true;
  managed.info.attributes.expires = kNoon;
  ASSERT_TRUE(keys_.put_version(managed));
  EXPECT_EQ(keys_.put_rotation_policy("Vault-1", "Two", policy).error().kind, ErrorKind::NotFound);
  EXPECT_FALSE(keys_.rotation_policy("Vault-1", "Two").value());
  EXPECT_TRUE(keys_.rotation_candidates()->empty());
}

TEST_F(VaultSettingsTest, KeysThatExpireAreCandidatesForANotice) {
  vault::StoredKey key = KeysOnDisk::version("One", 'a');
  key.info.attributes.expires = kNoon;
  ASSERT_TRUE(keys_.put_version(key));
  ASSERT_EQ(keys_.rotation_candidates()->size(), 1U);
  ASSERT_TRUE(keys_.put_version(KeysOnDisk::version("One", 'b')));
  EXPECT_TRUE(keys_.rotation_candidates()->empty()) << "the current version does not";
}

TEST_F(VaultSettingsTest, CertificatesThatLinkToAKeyAreItsUsers) {
  SQLite::Database(directory_.path() / "store/signet.db", SQLite::OPEN_READWRITE)
      .exec(
          "INSERT INTO certificates (name, der, key_vault, key_name, created, changed, metadata) VALUES "
          "('acme', x'00', 'vault-1', 'ONE', 0, 0, ''), ('globex', x'00', NULL, NULL, 0, 0, '')");
  EXPECT_EQ(*keys_.users_of("Vault-1", "One"), std::vector<std::string>{"certificate 'acme'"});
  EXPECT_TRUE(keys_.users_of("Vault-1", "Two")->empty());
  EXPECT_TRUE(keys_.users_of("Vault-2", "One")->empty());
}

}  // namespace
}  // namespace signet::gateway
