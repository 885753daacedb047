#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include "certstore/vault/certificate_provider.h"
#include "certstore/vault/embedded_vault.h"
#include "gateway/store/key_store.h"
#include "gateway/store/secret_store.h"
#include "gateway/store/vault_certificate_store.h"
#include "tests/support/memory_key_store.h"
#include "tests/unit/store/store_fixture.h"

namespace signet::gateway {
namespace {

using vault::KeyKind;
using vault::MasterKey;

const vault::Principal kOperator = vault::Principal::local_operator();
const vault::Principal kGateway = vault::Principal::gateway();

template <class T>
testing::AssertionResult fails_with(const Result<T>& result, ErrorKind kind, std::string_view text = "") {
  if (result) return testing::AssertionFailure() << "succeeded";
  if (result.error().kind == kind && result.error().detail.find(text) != std::string::npos)
    return testing::AssertionSuccess();
  return testing::AssertionFailure() << to_string(result.error().kind) << ": " << result.error().detail;
}

/// A vault on disk with one of each thing that rests under the master key.
class MasterKeyChanges : public StoreTest {
 protected:
  MasterKeyChanges() {
    vault_ = open_vault("first.key").value();
    const auto all = [](auto parse) { return parse("all").value(); };
    EXPECT_TRUE(vault_->set_policy(
        kOperator, {"kv1", kGateway, all(vault::parse_key_permissions), all(vault::parse_secret_permissions),
                    all(vault::parse_certificate_permissions)}));
    key_ = vault_->create_key(kOperator, "kv1", "key", KeyKind::EcP256, {}).value().id;
    EXPECT_TRUE(vault_->create_key(kOperator, "kv1", "gone", KeyKind::EcP256, {}));
    EXPECT_TRUE(vault_->delete_key(kOperator, "kv1", "gone"));
    EXPECT_TRUE(vault_->set_secret(kOperator, "kv1", "secret", SecretBytes::copy_of("value"), {}));
    vault::CertificatePolicy policy;
    policy.kind = KeyKind::EcP256;
    policy.subject = "CN=as2.acme.example";
    policy.issuer = vault::kUnknownIssuer;
    EXPECT_TRUE(vault_->create_certificate(kOperator, "kv1", "asked-for", policy, {}));
    vault::IssuerUpdate issuer;
    issuer.provider = "Test";
    issuer.account = "4711";
    issuer.password = SecretBytes::copy_of("open sesame");
    EXPECT_TRUE(vault_->set_certificate_issuer(kOperator, "kv1", "ca", issuer));
    EXPECT_TRUE(vault_->open_issuer_account("kv1", "ca"));
  }

  MasterKey key_in(const char* file) {
    if (auto made = MasterKey::create_file(directory_.path() / file)) return *std::move(made);
    return MasterKey::load_file(directory_.path() / file).value();
  }
  Result<std::unique_ptr<vault::EmbeddedVault>> open_vault(const char* master_key) {
    return vault::EmbeddedVault::open(keys_, secrets_, certificates_, audit_, key_in(master_key), clock_);
  }
  static auto sign(vault::EmbeddedVault& vault, const vault::KeyId& key) {
    return vault.sign(kGateway, key, vault::SignatureAlgorithm::ES256, Bytes(32, 7));
  }
  /// Whether each thing opens.
  void expect_all_open(vault::EmbeddedVault& vault) {
    vault.forget();
    EXPECT_TRUE(sign(vault, key_));
    EXPECT_EQ(as_text(vault.get_secret(kGateway, {"kv1", "secret", {}})->value.view()), "value");
    EXPECT_EQ(as_text(vault.open_issuer_account("kv1", "ca").value()->password().view()), "open sesame");
    EXPECT_TRUE(vault.open_issuer_account("kv1", "ca").value()->sign(Bytes(32, 7)));
  }

  const std::shared_ptr<Database> database_ = open()->database();
  SqliteKeyStore keys_{database_};
  SqliteSecretStore secrets_{database_};
  SqliteVaultCertificateStore certificates_{database_};
  test::MemoryAuditLog audit_;
  FixedClock clock_{kNoon};
  std::unique_ptr<vault::EmbeddedVault> vault_;
  vault::KeyId key_;
};

TEST_F(MasterKeyChanges, SealsEverythingAnew) {
  ASSERT_TRUE(vault_->change_master_key(kOperator, key_in("second.key")));
  expect_all_open(*vault_);
  EXPECT_TRUE(fails_with(open_vault("first.key"), ErrorKind::CryptoFailure, "wrong master key"));
  const auto again = open_vault("second.key").value();
  expect_all_open(*again);
  ASSERT_TRUE(again->recover_key(kOperator, "kv1", "gone"));
  EXPECT_TRUE(sign(*again, {"kv1", "gone", {}}));
  // The key of the request that waits opens only when its certificate comes; that it was sealed anew shows
  // here.
  const Bytes waiting = certificates_.load_name("kv1", "asked-for")->operation->sealed;
  const ByteView id = vault::sealed_under(waiting);
  EXPECT_TRUE(std::equal(id.begin(), id.end(), key_in("second.key").id().begin()));
}

TEST_F(MasterKeyChanges, LeaveBackupsThatWereMadeBeforeThem) {
  const Bytes key = vault_->backup_key(kGateway, "kv1", "key").value();
  const Bytes secret = vault_->backup_secret(kGateway, "kv1", "secret").value();
  ASSERT_TRUE(vault_->change_master_key(kOperator, key_in("second.key")));
  ASSERT_TRUE(vault_->change_master_key(kOperator, key_in("third.key")));
  const auto restored = vault_->restore_key(kOperator, "kv2", key);
  ASSERT_TRUE(restored) << restored.error().detail;
  ASSERT_TRUE(vault_->set_policy(kOperator, {"kv2", kGateway, vault::parse_key_permissions("sign").value()}));
  EXPECT_TRUE(sign(*vault_, restored->id));
  EXPECT_TRUE(vault_->restore_secret(kOperator, "kv2", secret));
}

TEST_F(MasterKeyChanges, LetNothingInThatWasSealedBefore) {
  const vault::StoredKey before = keys_.load(key_).value();
  const auto slow = open_vault("first.key").value();  // another process, that does not know yet
  ASSERT_TRUE(vault_->change_master_key(kOperator, key_in("second.key")));
  EXPECT_TRUE(fails_with(slow->create_key(kOperator, "kv1", "late", KeyKind::EcP256, {}),
                         ErrorKind::Unavailable, "changed in the meantime"));
  EXPECT_TRUE(fails_with(slow->set_secret(kOperator, "kv1", "late", SecretBytes::copy_of("v"), {}),
                         ErrorKind::Unavailable, "changed in the meantime"));
  SQLite::Database database((directory_.path() / "store/signet.db").string(), SQLite::OPEN_READWRITE);
  SQLite::Statement put_back(database, "UPDATE key_versions SET sealed = ? WHERE name = 'key'");
  put_back.bind(1, before.sealed.data(), static_cast<int>(before.sealed.size()));
  put_back.exec();
  vault_->forget();
  EXPECT_TRUE(fails_with(sign(*vault_, key_), ErrorKind::Unavailable, "cannot be unsealed"));
}

TEST_F(MasterKeyChanges, ChangeNothingWhereSomethingDoesNotOpen) {
  SQLite::Database((directory_.path() / "store/signet.db").string(), SQLite::OPEN_READWRITE)
      .exec("UPDATE secret_versions SET sealed = x'00' WHERE name = 'secret'");
  EXPECT_TRUE(fails_with(vault_->change_master_key(kOperator, key_in("second.key")), ErrorKind::Unavailable,
                         "secret 'kv1/secret"));
  vault_->forget();
  EXPECT_TRUE(sign(*vault_, key_));
  EXPECT_TRUE(open_vault("first.key"));
  EXPECT_TRUE(keys_.retired_master_keys()->empty());
}

TEST_F(MasterKeyChanges, AreNotForASealedVault) {
  ASSERT_TRUE(vault_->seal(kOperator, std::chrono::milliseconds(0)));
  EXPECT_TRUE(fails_with(vault_->change_master_key(kOperator, key_in("second.key")), ErrorKind::Unavailable,
                         vault::kSealed));
}

}  // namespace
}  // namespace signet::gateway
