#include "gateway/store/secret_store.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "gateway/store/key_store.h"
#include "tests/unit/store/store_fixture.h"

namespace signet::gateway {
namespace {

using vault::StoredSecret;

StoredSecret secret_version(std::string_view name, char digit) {
  StoredSecret secret;
  secret.info.id = {"Vault-1", std::string(name), std::string(32, digit)};
  secret.info.settings.content_type = "password";
  secret.info.settings.attributes.enabled = false;
  secret.info.settings.attributes.not_before = kNoon;
  secret.info.settings.attributes.expires = kNoon + std::chrono::hours(1);
  secret.info.settings.tags = {{"owner", "edi"}};
  secret.info.created = kNoon;
  secret.info.updated = kNoon + std::chrono::minutes(1);
  secret.sealed = {0, 1, 2, 0, 255};
  return secret;
}

class SecretStoreTest : public StoreTest {
 protected:
  SqliteSecretStore secrets_{open()->database()};
};

TEST_F(SecretStoreTest, KeepsEveryFieldOfAVersion) {
  const StoredSecret secret = secret_version("password", 'a');
  ASSERT_TRUE(secrets_.put_version(secret));
  SqliteSecretStore again(open()->database());
  const auto loaded = again.load(secret.info.id);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(loaded->info.id, secret.info.id);
  EXPECT_EQ(loaded->info.settings.content_type, "password");
  EXPECT_EQ(loaded->info.settings.attributes, secret.info.settings.attributes);
  EXPECT_EQ(loaded->info.settings.tags, secret.info.settings.tags);
  EXPECT_EQ(loaded->info.created, secret.info.created);
  EXPECT_EQ(loaded->info.updated, secret.info.updated);
  EXPECT_EQ(loaded->sealed, secret.sealed);
}

TEST_F(SecretStoreTest, TheVersionPutLastIsTheCurrentOne) {
  for (const char digit : {'b', 'a', 'c'})
    ASSERT_TRUE(secrets_.put_version(secret_version("password", digit)));
  ASSERT_TRUE(secrets_.put_version(secret_version("another", 'd')));
  EXPECT_EQ(secrets_.load({"vault-1", "PASSWORD", ""})->info.id.version, std::string(32, 'c'));
  EXPECT_EQ(secrets_.load({"Vault-1", "password", std::string(32, 'a')})->info.id.version,
            std::string(32, 'a'));
  const auto versions = secrets_.versions("Vault-1", "password");
  ASSERT_EQ(versions->size(), 3U);
  EXPECT_EQ((*versions)[0].id.version, std::string(32, 'c'));
  EXPECT_EQ((*versions)[2].id.version, std::string(32, 'b'));
  const auto list = secrets_.list("VAULT-1");
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ((*list)[0].id.name, "another");
  EXPECT_EQ((*list)[1].id.version, std::string(32, 'c'));
}

TEST_F(SecretStoreTest, FindsNothingUnderOtherNamesAndPutsAVersionOnce) {
  ASSERT_TRUE(secrets_.put_version(secret_version("password", 'a')));
  EXPECT_EQ(secrets_.load({"Vault-2", "password", ""}).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(secrets_.load({"Vault-1", "password", std::string(32, 'f')}).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(secrets_.load({"Vault-1", "' OR 1=1 --", ""}).error().kind, ErrorKind::NotFound);
  EXPECT_TRUE(secrets_.versions("Vault-1", "%")->empty());
  EXPECT_EQ(secrets_.put_version(secret_version("PASSWORD", 'A')).error().kind, ErrorKind::AlreadyExists);
}

TEST_F(SecretStoreTest, UpdatesWhatMayChangeAndNothingElse) {
  ASSERT_TRUE(secrets_.put_version(secret_version("password", 'a')));
  vault::SecretInfo info = secret_version("password", 'a').info;
  info.settings = {"token", {true, std::nullopt, kNoon}, {{"a", "b"}, {"c", "d"}}};
  info.updated = kNoon + std::chrono::hours(2);
  info.created = Time();
  ASSERT_TRUE(secrets_.update(info.id, change_to(info)));
  const auto loaded = secrets_.load(info.id);
  EXPECT_EQ(loaded->info.settings.content_type, "token");
  EXPECT_EQ(loaded->info.settings.attributes, info.settings.attributes);
  EXPECT_EQ(loaded->info.settings.tags, info.settings.tags);
  EXPECT_EQ(loaded->info.updated, info.updated);
  EXPECT_EQ(loaded->info.created, kNoon);
  EXPECT_EQ(loaded->sealed, secret_version("password", 'a').sealed);
  info.id.version = std::string(32, 'f');
  EXPECT_EQ(secrets_.update(info.id, change_to(info)).error().kind, ErrorKind::NotFound);
}

TEST_F(SecretStoreTest, ADatabaseOfBeforeSecretsKeepsItsPolicies) {
  {
    SqliteKeyStore keys(open()->database());
    ASSERT_TRUE(keys.put_policy({"Vault-1", {"gateway"}, {vault::KeyPermission::Sign}}));
  }
  {
    SQLite::Database database(directory_.path() / "store/signet.db", SQLite::OPEN_READWRITE);
    database.exec(
        std::string(kUndoSinceIssuance) + std::string(kUndoIssuance) + std::string(kUndoReceiptsGivenUp) +
        std::string(kUndoManagement) + std::string(kUndoVaultCertificates) + std::string(kUndoPrincipals) +
        std::string(kUndoVaultOperations) + std::string(kUndoEvidence) +
        "DROP INDEX messages_receipt_undelivered; ALTER TABLE messages DROP COLUMN hands_receipt_over; "
        "ALTER TABLE access_policies DROP COLUMN secrets; DROP TABLE secret_versions; PRAGMA user_version = "
        "1");
  }
  SqliteKeyStore keys(open()->database());
  const auto policies = keys.policies("Vault-1");
  ASSERT_EQ(policies->size(), 1U);
  EXPECT_TRUE(policies->front().keys.has(vault::KeyPermission::Sign));
  EXPECT_TRUE(policies->front().secrets.empty());
  EXPECT_TRUE(SqliteSecretStore(open()->database()).put_version(secret_version("password", 'a')));
}

}  // namespace
}  // namespace signet::gateway
