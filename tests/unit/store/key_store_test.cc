#include "gateway/store/key_store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/wait.h>

#include "gateway/store/secret_store.h"
#include "tests/unit/store/store_fixture.h"

namespace signet::gateway {
namespace {

using vault::AccessPolicy;
using vault::KeyPermission;
using vault::StoredKey;

StoredKey key_version(std::string_view name, char digit) {
  StoredKey key;
  key.info.id = {"Vault-1", std::string(name), std::string(32, digit)};
  key.info.kind = vault::KeyKind::EcP384;
  key.info.ops = {vault::KeyOp::Sign, vault::KeyOp::Decrypt};
  key.info.attributes.enabled = false;
  key.info.attributes.expires = kNoon + std::chrono::hours(1);
  key.info.tags = {{"owner", "edi \"team\""}, {"\u00FC", ""}};
  key.info.created = kNoon;
  key.info.updated = kNoon;
  key.info.public_key = to_bytes("public");
  key.sealed = {0, 1, 2, 0, 255};
  return key;
}

class KeyStoreTest : public StoreTest {
 protected:
  SqliteKeyStore keys_{open()->database()};
};

TEST_F(KeyStoreTest, KeepsEveryFieldOfAVersion) {
  const StoredKey key = key_version("signing", 'a');
  ASSERT_TRUE(keys_.put_version(key));
  SqliteKeyStore again(open()->database());
  const auto loaded = again.load(key.info.id);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(loaded->info.id, key.info.id);
  EXPECT_EQ(loaded->info.kind, key.info.kind);
  EXPECT_EQ(loaded->info.ops, key.info.ops);
  EXPECT_EQ(loaded->info.attributes, key.info.attributes);
  EXPECT_EQ(loaded->info.tags, key.info.tags);
  EXPECT_EQ(loaded->info.created, key.info.created);
  EXPECT_EQ(loaded->info.updated, key.info.updated);
  EXPECT_EQ(loaded->info.public_key, key.info.public_key);
  EXPECT_EQ(loaded->sealed, key.sealed);
}

TEST_F(KeyStoreTest, TheVersionPutLastIsTheCurrentOne) {
  for (const char digit : {'b', 'a', 'c'}) ASSERT_TRUE(keys_.put_version(key_version("signing", digit)));
  ASSERT_TRUE(keys_.put_version(key_version("another", 'd')));
  EXPECT_EQ(keys_.load({"Vault-1", "signing", ""})->info.id.version, std::string(32, 'c'));
  EXPECT_EQ(keys_.load({"Vault-1", "signing", std::string(32, 'a')})->info.id.version, std::string(32, 'a'));
  const auto versions = keys_.versions("Vault-1", "signing");
  ASSERT_EQ(versions->size(), 3U);
  EXPECT_EQ((*versions)[0].id.version, std::string(32, 'c'));
  EXPECT_EQ((*versions)[2].id.version, std::string(32, 'b'));
  const auto list = keys_.list("Vault-1");
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ((*list)[0].id.name, "another");
  EXPECT_EQ((*list)[1].id.version, std::string(32, 'c'));
}

TEST_F(KeyStoreTest, MatchesNamesWithoutRegardToCase) {
  ASSERT_TRUE(keys_.put_version(key_version("Signing", 'a')));
  EXPECT_EQ(keys_.load({"vault-1", "SIGNING", ""})->info.id.name, "Signing");
  EXPECT_EQ(keys_.list("VAULT-1")->size(), 1U);
  EXPECT_EQ(keys_.versions("vault-1", "signing")->size(), 1U);
  EXPECT_EQ(keys_.put_version(key_version("sIGNING", 'A')).error().kind, ErrorKind::AlreadyExists);
}

TEST_F(KeyStoreTest, FindsNothingUnderOtherNames) {
  ASSERT_TRUE(keys_.put_version(key_version("signing", 'a')));
  EXPECT_EQ(keys_.load({"Vault-2", "signing", ""}).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(keys_.load({"Vault-1", "signing", std::string(32, 'f')}).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(keys_.load({"Vault-1", "' OR 1=1 --", ""}).error().kind, ErrorKind::NotFound);
  EXPECT_TRUE(keys_.versions("Vault-1", "%")->empty());
  EXPECT_TRUE(keys_.list("")->empty());
}

TEST_F(KeyStoreTest, PutsAVersionOnceAndLeavesTheFirstAlone) {
  StoredKey key = key_version("signing", 'a');
  ASSERT_TRUE(keys_.put_version(key));
  key.sealed = to_bytes("another private half");
  EXPECT_EQ(keys_.put_version(key).error().kind, ErrorKind::AlreadyExists);
  EXPECT_EQ(keys_.load(key.info.id)->sealed, key_version("signing", 'a').sealed);
}

TEST_F(KeyStoreTest, UpdatesWhatMayChangeAndNothingElse) {
  ASSERT_TRUE(keys_.put_version(key_version("signing", 'a')));
  vault::KeyInfo info = key_version("signing", 'a').info;
  info.ops = {vault::KeyOp::Verify};
  info.attributes = {true, kNoon, std::nullopt};
  info.tags = {};
  info.updated = kNoon + std::chrono::hours(2);
  info.public_key = to_bytes("not to be stored");
  info.created = Time();
  ASSERT_TRUE(keys_.update(info.id, change_to(info)));
  const auto loaded = keys_.load(info.id);
  EXPECT_EQ(loaded->info.ops, info.ops);
  EXPECT_EQ(loaded->info.attributes, info.attributes);
  EXPECT_TRUE(loaded->info.tags.empty());
  EXPECT_EQ(loaded->info.updated, info.updated);
  EXPECT_EQ(loaded->info.public_key, to_bytes("public"));
  EXPECT_EQ(loaded->info.created, kNoon);
  info.id.version = std::string(32, 'f');
  EXPECT_EQ(keys_.update(info.id, change_to(info)).error().kind, ErrorKind::NotFound);
}

TEST_F(KeyStoreTest, TagsThatAreDamagedAreNotTakenForNone) {
  ASSERT_TRUE(keys_.put_version(key_version("signing", 'a')));
  for (const char* damage : {"'{'", "'[]'", "'{\"a\":1}'", "''"}) {
    SQLite::Database database(directory_.path() / "store/signet.db", SQLite::OPEN_READWRITE);
    database.exec(std::string("UPDATE key_versions SET tags = ") + damage);
    EXPECT_EQ(keys_.list("Vault-1").error().kind, ErrorKind::IoFailure) << damage;
  }
}

TEST_F(KeyStoreTest, AHomeOfBeforeVaultOperationsOpensWithItsKeysAndSecrets) {
  vault::StoredSecret secret;
  secret.info.id = {"Vault-1", "password", std::string(32, 'b')};
  secret.sealed = {1, 2, 3};
  StoredKey key = key_version("signing", 'a');
  {
    const auto database = open()->database();
    ASSERT_TRUE(SqliteKeyStore(database).put_version(key));
    ASSERT_TRUE(SqliteSecretStore(database).put_version(secret));
  }
  {
    SQLite::Database database(directory_.path() / "store/signet.db", SQLite::OPEN_READWRITE);
    database.exec(std::string(kUndoSinceIssuance) + std::string(kUndoIssuance) +
                  std::string(kUndoReceiptsGivenUp) + std::string(kUndoManagement) +
                  std::string(kUndoVaultCertificates) + std::string(kUndoPrincipals) +
                  std::string(kUndoVaultOperations) + "PRAGMA user_version = 5");
  }
  const auto database = open()->database();
  SqliteKeyStore keys(database);
  const auto loaded = keys.load(key.info.id);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(loaded->sealed, key.sealed);
  EXPECT_TRUE(loaded->info.tags.empty());
  EXPECT_EQ(SqliteSecretStore(database).load(secret.info.id)->sealed, secret.sealed);
  key.info.tags = {{"a", "b"}};
  ASSERT_TRUE(keys.update(key.info.id, change_to(key.info)));
  EXPECT_EQ(keys.load(key.info.id)->info.tags, key.info.tags);
}

TEST_F(KeyStoreTest, KeepsOnePolicyPerPrincipalAndVault) {
  ASSERT_TRUE(keys_.put_policy({"Vault-1", {"gateway"}, {KeyPermission::Sign}}));
  ASSERT_TRUE(keys_.put_policy({"Vault-1", {"Gateway"}, {KeyPermission::Get}}));
  ASSERT_TRUE(keys_.put_policy({"vault-1", {"gateway"}, {KeyPermission::Sign, KeyPermission::Decrypt}}));
  ASSERT_TRUE(keys_.put_policy({"Vault-1", {"app"}, {KeyPermission::Get}}));
  ASSERT_TRUE(keys_.put_policy({"Vault-2", {"gateway"}, {KeyPermission::Get}}));
  const auto policies = keys_.policies("VAULT-1");
  ASSERT_EQ(policies->size(), 2U);
  EXPECT_EQ((*policies)[1].principal.name, "gateway");
  EXPECT_TRUE((*policies)[1].keys.has(KeyPermission::Decrypt));
  EXPECT_FALSE((*policies)[1].keys.has(KeyPermission::Get));

  ASSERT_TRUE(keys_.put_policy({"Vault-1", {"gateway"}, {}}));
  EXPECT_EQ(keys_.policies("Vault-1")->size(), 1U);
  EXPECT_EQ(keys_.policies("Vault-2")->size(), 1U);
}

TEST_F(KeyStoreTest, KeepsWhatAPolicySaysOfSecretsBesideWhatItSaysOfKeys) {
  AccessPolicy policy{"Vault-1", {"gateway"}};
  policy.secrets = {vault::SecretPermission::Get, vault::SecretPermission::List};
  ASSERT_TRUE(keys_.put_policy(policy));
  const auto kept = keys_.policies("Vault-1");
  ASSERT_EQ(kept->size(), 1U) << "a policy for secrets alone is one";
  EXPECT_EQ(kept->front().secrets, policy.secrets);
  EXPECT_TRUE(kept->front().keys.empty());
}

TEST_F(KeyStoreTest, KeepsTheMasterKeysCheckValue) {
  EXPECT_FALSE(keys_.master_key_check().value());
  ASSERT_TRUE(keys_.put_master_key_check(to_bytes("0123456789abcdef")));
  EXPECT_EQ(keys_.master_key_check().value(), to_bytes("0123456789abcdef"));
}

TEST_F(KeyStoreTest, ItsGenerationMovesWithKeysAndPoliciesAndNotWithMessages) {
  const auto store = open();
  std::uint64_t before = keys_.generation().value();
  const auto moved = [&] {
    const std::uint64_t now = keys_.generation().value();
    return std::exchange(before, now) != now;
  };
  ASSERT_TRUE(store->commit_inbound(accepted_record("a"), Slice::of("x"), receipt_saying("r"), true));
  EXPECT_FALSE(moved());
  ASSERT_TRUE(keys_.put_version(key_version("signing", 'a')));
  EXPECT_TRUE(moved());
  EXPECT_FALSE(keys_.put_version(key_version("signing", 'a')));
  EXPECT_FALSE(moved());
  ASSERT_TRUE(keys_.update(key_version("signing", 'a').info.id, change_to(key_version("signing", 'a').info)));
  EXPECT_TRUE(moved());
  const pid_t child = ::fork();
  if (child == 0) {
    SqliteKeyStore other((*SqliteStore::open(directory_.path()))->database());
    ::_exit(other.put_policy({"Vault-1", {"gateway"}, {KeyPermission::Sign}}) ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_TRUE(moved());
  EXPECT_FALSE(moved());
}

}  // namespace
}  // namespace signet::gateway
