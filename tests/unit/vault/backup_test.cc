#include <algorithm>

#include "certstore/vault/backup_internal.h"
#include "tests/unit/vault/vault_fixture.h"

namespace signet::vault {
namespace {

constexpr std::string_view kValue = "correct horse battery staple";

/// A key and a secret, both named "one" and of two versions, in "kv1", and a blob of each.
class BackupTest : public VaultFixture {
 protected:
  BackupTest() {
    allow("kv1");
    allow("kv2");
    KeySettings settings;
    settings.ops = KeyOps{KeyOp::Sign, KeyOp::Verify};
    settings.attributes.expires = clock_.now() + std::chrono::hours(1);
    settings.tags = {{"owner", "\u00FC"}};
    first_key_ = vault_->create_key(kOperator, "kv1", "one", KeyKind::EcP256, settings).value();
    key_ = vault_->create_key(kOperator, "kv1", "one", KeyKind::Rsa2048, {}).value();
    first_secret_ = vault_
                        ->set_secret(kOperator, "kv1", "one", SecretBytes::copy_of(kValue),
                                     {"password", {}, {{"owner", "edi"}}})
                        .value();
    secret_ = vault_->set_secret(kOperator, "kv1", "one", SecretBytes::copy_of("newer"), {}).value();
    key_blob_ = vault_->backup_key(kOperator, "kv1", "ONE").value();
    secret_blob_ = vault_->backup_secret(kOperator, "kv1", "ONE").value();
  }

  void allow(std::string_view vault) {
    AccessPolicy policy{std::string(vault), kGateway};
    policy.keys = parse_key_permissions("sign,verify,get,list").value();
    policy.secrets = parse_secret_permissions("get,list").value();
    EXPECT_TRUE(vault_->set_policy(kOperator, policy).has_value());
  }

  void delete_both() {
    ASSERT_TRUE(vault_->delete_key(kOperator, "kv1", "one").has_value());
    ASSERT_TRUE(vault_->delete_secret(kOperator, "kv1", "one").has_value());
  }

  Result<KeyInfo> restore_key(ByteView blob) { return vault_->restore_key(kOperator, "kv2", blob); }
  Result<SecretInfo> restore_secret(ByteView blob) { return vault_->restore_secret(kOperator, "kv2", blob); }

  KeyInfo first_key_, key_;
  SecretInfo first_secret_, secret_;
  Bytes key_blob_, secret_blob_;
};

TEST_F(BackupTest, BringsAKeyBackWithAllItsVersionsAfterAPurge) {
  const Bytes hash = digest(Hash::Sha256, as_bytes("text"));
  const Bytes signature = vault_->sign(kGateway, key_.id, SignatureAlgorithm::RS256, hash).value();
  ASSERT_TRUE(vault_->delete_key(kOperator, "kv1", "one").has_value());
  ASSERT_TRUE(vault_->purge_key(kOperator, "kv1", "one").has_value());
  clock_.set(clock_.now() + std::chrono::minutes(1));
  EXPECT_EQ(vault_->restore_key(kOperator, "kv1", key_blob_).value().id, key_.id) << "the current version";
  const auto versions = vault_->versions(kGateway, "kv1", "one").value();
  ASSERT_EQ(versions.size(), 2U);
  EXPECT_EQ(versions[0].id, key_.id);
  EXPECT_EQ(versions[1].id, first_key_.id);
  EXPECT_EQ(versions[1].kind, KeyKind::EcP256);
  EXPECT_EQ(versions[1].ops, first_key_.ops);
  EXPECT_EQ(versions[1].attributes, first_key_.attributes);
  EXPECT_EQ(versions[1].tags, first_key_.tags);
  EXPECT_EQ(versions[1].created, first_key_.created);
  EXPECT_EQ(versions[1].public_key, first_key_.public_key);
  EXPECT_EQ(vault_->sign(kGateway, key_.id, SignatureAlgorithm::RS256, hash).value(), signature);
  EXPECT_TRUE(vault_->sign(kGateway, first_key_.id, SignatureAlgorithm::ES256, hash).has_value());
}

TEST_F(BackupTest, BringsASecretBackWithAllItsVersionsAfterAPurge) {
  ASSERT_TRUE(vault_->delete_secret(kOperator, "kv1", "one").has_value());
  ASSERT_TRUE(vault_->purge_secret(kOperator, "kv1", "one").has_value());
  EXPECT_EQ(vault_->restore_secret(kOperator, "kv1", secret_blob_).value().id, secret_.id);
  const Secret first = vault_->get_secret(kGateway, first_secret_.id).value();
  EXPECT_EQ(as_text(first.value.view()), kValue);
  EXPECT_EQ(first.info.settings.content_type, "password");
  EXPECT_EQ(first.info.settings.tags, first_secret_.settings.tags);
  EXPECT_EQ(as_text(vault_->get_secret(kGateway, {"kv1", "one", {}}).value().value.view()), "newer");
}

TEST_F(BackupTest, RestoresIntoAnotherVaultBoundToIt) {
  ASSERT_TRUE(restore_key(key_blob_).has_value());
  ASSERT_TRUE(restore_secret(secret_blob_).has_value());
  const Bytes hash = digest(Hash::Sha256, as_bytes("text"));
  EXPECT_TRUE(vault_->sign(kGateway, {"kv2", "one", {}}, SignatureAlgorithm::RS256, hash).has_value());
  EXPECT_EQ(as_text(vault_->get_secret(kGateway, {"kv2", "one", {}}).value().value.view()), "newer");
  EXPECT_TRUE(vault_->sign(kGateway, key_.id, SignatureAlgorithm::RS256, hash).has_value())
      << "the first one stays";
  EXPECT_NE(store_.sealed(key_.id), store_.sealed({"kv2", "one", key_.id.version}));
}

TEST_F(BackupTest, RefusesABlobThatWasEditedOrCut) {
  const auto edited = [](Bytes blob, std::size_t at) {
    blob[at] ^= 1U;
    return blob;
  };
  for (std::size_t at = 0; at < key_blob_.size(); at += 97)
    EXPECT_TRUE(fails_with(restore_key(edited(key_blob_, at)), ErrorKind::InvalidInput, "no backup of a key"))
        << at;
  EXPECT_TRUE(
      fails_with(restore_key(edited(key_blob_, key_blob_.size() - 1)), ErrorKind::InvalidInput, "no backup"));
  EXPECT_TRUE(
      fails_with(restore_secret(edited(secret_blob_, 40)), ErrorKind::InvalidInput, "no backup of a secret"));
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{29}, key_blob_.size() - 1})
    EXPECT_TRUE(
        fails_with(restore_key(ByteView(key_blob_).first(size)), ErrorKind::InvalidInput, "no backup"))
        << size;
  Bytes longer = key_blob_;
  longer.push_back(0);
  EXPECT_TRUE(fails_with(restore_key(longer), ErrorKind::InvalidInput, "no backup"));
  EXPECT_TRUE(vault_->list(kOperator, "kv2").value().empty());
  EXPECT_TRUE(restore_key(key_blob_).has_value());
}

TEST_F(BackupTest, RefusesWhatIsSealedForSomethingElse) {
  EXPECT_TRUE(fails_with(restore_key(secret_blob_), ErrorKind::InvalidInput, "no backup of a key"));
  EXPECT_TRUE(fails_with(restore_secret(key_blob_), ErrorKind::InvalidInput, "no backup of a secret"));
  EXPECT_TRUE(fails_with(restore_key(store_.sealed(key_.id)), ErrorKind::InvalidInput, "no backup"))
      << "a key at rest";
  const Bytes at_rest = store_.sealed(key_.id);
  store_.sealed(key_.id) = key_blob_;
  EXPECT_FALSE(vault_->sign(kGateway, key_.id, SignatureAlgorithm::RS256, Bytes(32)).has_value());
  store_.sealed(key_.id) = at_rest;
}

TEST_F(BackupTest, RefusesABlobOfAnotherInstallation) {
  test::MemoryKeyStore keys;
  test::MemorySecretStore secrets;
  test::MemoryVaultCertificateStore certificates{keys, secrets};
  const auto other = EmbeddedVault::open(keys, secrets, certificates, audit_,
                                         MasterKey::create_file(directory_ / "other.key").value(), clock_)
                         .value();
  EXPECT_TRUE(
      fails_with(other->restore_key(kOperator, "kv1", key_blob_), ErrorKind::InvalidInput, "installation"));
  EXPECT_TRUE(fails_with(other->restore_secret(kOperator, "kv1", secret_blob_), ErrorKind::InvalidInput,
                         "installation"));
}

TEST_F(BackupTest, TakesNoNameThatIsInUseOrDeleted) {
  EXPECT_TRUE(fails_with(vault_->restore_key(kOperator, "KV1", key_blob_), ErrorKind::AlreadyExists,
                         "a key 'KV1/one'"));
  EXPECT_TRUE(fails_with(vault_->restore_secret(kOperator, "kv1", secret_blob_), ErrorKind::AlreadyExists,
                         "a secret"));
  delete_both();
  EXPECT_TRUE(fails_with(vault_->restore_key(kOperator, "kv1", key_blob_), ErrorKind::DeletedButRecoverable,
                         "recover"));
  EXPECT_TRUE(fails_with(vault_->restore_secret(kOperator, "kv1", secret_blob_),
                         ErrorKind::DeletedButRecoverable, "recover"));
  EXPECT_TRUE(fails_with(vault_->backup_key(kOperator, "kv1", "one"), ErrorKind::NotFound, "one"));
  EXPECT_TRUE(fails_with(vault_->backup_secret(kOperator, "kv1", "one"), ErrorKind::NotFound, "one"));
}

TEST_F(BackupTest, BacksUpNothingThatWouldNotOpenAgain) {
  store_.sealed(first_key_.id).back() ^= 1U;
  EXPECT_TRUE(
      fails_with(vault_->backup_key(kOperator, "kv1", "one"), ErrorKind::Unavailable, first_key_.id.version));
  secrets_.sealed(secret_.id).back() ^= 1U;
  EXPECT_TRUE(
      fails_with(vault_->backup_secret(kOperator, "kv1", "one"), ErrorKind::Unavailable, secret_.id.version));
}

TEST_F(BackupTest, MakesNoneThatIsTooLargeToBeTakenBack) {
  const MasterKey key = MasterKey::create_file(directory_ / "other.key").value();
  StoredSecret version;
  version.sealed.resize(kMaxBackupSize / 4 * 3 - 1000);  // grows by a third
  EXPECT_TRUE(write_backup(key, std::vector<StoredSecret>{version}).has_value());
  version.sealed.resize(kMaxBackupSize / 4 * 3);
  EXPECT_TRUE(fails_with(write_backup(key, std::vector<StoredSecret>{version}), ErrorKind::LimitExceeded,
                         "the most that can be restored"));
}

TEST_F(BackupTest, NothingLiesOpenInABlob) {
  const std::string blob(as_text(secret_blob_));
  for (const std::string_view word :
       {std::string_view("horse"), std::string_view("one"), std::string_view("password")})
    EXPECT_EQ(blob.find(word), std::string::npos) << word;
  EXPECT_NE(vault_->backup_secret(kOperator, "kv1", "one").value(), secret_blob_) << "a nonce of its own";
  const Bytes& der = key_.public_key;
  EXPECT_EQ(std::search(key_blob_.begin(), key_blob_.end(), der.begin(), der.begin() + 32), key_blob_.end());
}

TEST_F(BackupTest, DeniesWhatNoPolicyGrants) {
  const Principal stranger{"stranger"};
  const auto denied = [](const auto& result, std::string_view permission) {
    return fails_with(result, ErrorKind::PermissionDenied, "permission '" + std::string(permission) + "'");
  };
  for (const char* name : {"one", "none"}) {
    EXPECT_TRUE(denied(vault_->backup_key(stranger, "kv1", name), "backup"));
    EXPECT_TRUE(denied(vault_->backup_secret(stranger, "kv1", name), "backup"));
  }
  for (const ByteView blob : {ByteView(key_blob_), as_bytes("no blob")}) {
    EXPECT_TRUE(denied(vault_->restore_key(stranger, "kv1", blob), "restore"));
    EXPECT_TRUE(denied(vault_->restore_secret(stranger, "kv1", blob), "restore"));
  }
}

TEST_F(BackupTest, RecordsBothAndDoesNeitherWithoutARecord) {
  const AuditRecord secret = audit_.last();
  EXPECT_EQ(secret.operation, "backupSecret");
  EXPECT_EQ(secret.detail, "versions=2");
  ASSERT_TRUE(restore_key(key_blob_).has_value());
  EXPECT_EQ(audit_.last().operation, "restore");
  EXPECT_EQ(to_string(audit_.last().key), "kv2/one");
  audit_.failure = Error{ErrorKind::IoFailure, "no space left"};
  EXPECT_TRUE(fails_with(vault_->backup_key(kOperator, "kv1", "one"), ErrorKind::IoFailure, "no space left"));
  EXPECT_TRUE(fails_with(restore_secret(secret_blob_), ErrorKind::IoFailure, "no space left"));
  audit_.failure.reset();
  EXPECT_TRUE(vault_->list_secrets(kOperator, "kv2").value().empty());
}

}  // namespace
}  // namespace signet::vault
