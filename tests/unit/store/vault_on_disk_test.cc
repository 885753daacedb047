#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <utility>

#include "certstore/vault/embedded_vault.h"
#include "gateway/store/key_store.h"
#include "gateway/store/secret_store.h"
#include "gateway/store/token_store.h"
#include "gateway/store/vault_certificate_store.h"
#include "tests/support/soft_token.h"
#include "tests/unit/store/store_fixture.h"

namespace signet::gateway {
namespace {

using vault::CertificateId;
using vault::CertificatePolicy;
using vault::KeyKind;

const vault::Principal kOperator = vault::Principal::local_operator();
constexpr std::chrono::days kRetention{vault::kLongestRetention};

template <class T>
testing::AssertionResult fails_with(const Result<T>& result, ErrorKind kind, std::string_view text = "") {
  if (result) return testing::AssertionFailure() << "succeeded";
  if (result.error().kind == kind && result.error().detail.find(text) != std::string::npos)
    return testing::AssertionSuccess();
  return testing::AssertionFailure() << to_string(result.error().kind) << ": " << result.error().detail;
}

/// Between a change's look at the store and its writing there: when its record is written.
class Meanwhile final : public vault::AuditLog {
 public:
  Result<> append(const vault::AuditRecord&) override {
    if (const auto work = std::exchange(once, {})) work();
    return {};
  }
  std::function<void()> once;
};

/// The embedded vault on the stores that it has in a gateway, where keys, secrets and certificates share
/// their tables.
class VaultOnDisk : public StoreTest {
 protected:
  static CertificatePolicy policy(std::string_view issuer = vault::kSelfIssuer) {
    CertificatePolicy wanted;
    wanted.kind = KeyKind::EcP256;
    wanted.subject = "CN=as2.acme.example";
    wanted.issuer = issuer;
    return wanted;
  }
  auto create_certificate(std::string_view issuer = vault::kSelfIssuer, std::string_view name = "x") {
    return vault_->create_certificate(kOperator, "kv1", name, policy(issuer), {});
  }
  auto create_key(std::string_view name = "x") {
    return vault_->create_key(kOperator, "kv1", name, KeyKind::EcP256, {});
  }
  auto set_secret(std::string_view name = "x") {
    return vault_->set_secret(kOperator, "kv1", name, SecretBytes::copy_of("value"), {});
  }
  void pass(std::chrono::microseconds time) { clock_.set(clock_.now() + time); }

  const std::shared_ptr<Database> database_ = open()->database();
  SqliteKeyStore keys_{database_};
  SqliteSecretStore secrets_{database_};
  SqliteVaultCertificateStore certificates_{database_};
  Meanwhile meanwhile_;
  FixedClock clock_{kNoon};
  std::unique_ptr<vault::EmbeddedVault> vault_ =
      vault::EmbeddedVault::open(keys_, secrets_, certificates_, meanwhile_,
                                 vault::MasterKey::create_file(directory_.path() / "master.key").value(),
                                 clock_)
          .value();
};

TEST_F(VaultOnDisk, ACertificatesPurgeLeavesAKeyAndASecretAloneThatTookTheNameLater) {
  ASSERT_TRUE(create_certificate());
  ASSERT_TRUE(vault_->delete_certificate(kOperator, "kv1", "x"));
  pass(kRetention + std::chrono::hours(2));
  const auto key = create_key();
  ASSERT_TRUE(key) << key.error().detail;
  ASSERT_TRUE(set_secret());
  ASSERT_TRUE(vault_->purge_overdue());
  EXPECT_EQ(vault_->get(kOperator, {"kv1", "x", {}})->id, key->id);
  EXPECT_EQ(vault_->list_secrets(kOperator, "kv1")->size(), 1U);
  EXPECT_TRUE(vault_->list_deleted_certificates(kOperator, "kv1")->empty());
}

TEST_F(VaultOnDisk, ACertificatesPurgeLeavesADeletedKeyItsOwnTime) {
  ASSERT_TRUE(create_certificate());
  ASSERT_TRUE(vault_->delete_certificate(kOperator, "kv1", "x"));
  pass(kRetention);
  ASSERT_TRUE(create_key());
  ASSERT_TRUE(vault_->delete_key(kOperator, "kv1", "x"));
  ASSERT_TRUE(vault_->purge_overdue());
  EXPECT_TRUE(vault_->recover_key(kOperator, "kv1", "x"));
}

TEST_F(VaultOnDisk, ACertificatesNameIsFreeForAnotherOnceItsTimeIsOver) {
  ASSERT_TRUE(create_certificate());
  ASSERT_TRUE(vault_->delete_certificate(kOperator, "kv1", "x"));
  EXPECT_TRUE(fails_with(create_certificate(), ErrorKind::DeletedButRecoverable));
  EXPECT_TRUE(
      fails_with(create_key(), ErrorKind::DeletedButRecoverable, "signet vault certificate recover x"));
  pass(kRetention);
  const auto again = create_certificate();
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(vault_->versions(kOperator, "kv1", "x")->size(), 1U);
  EXPECT_EQ(vault_->certificate_versions(kOperator, "kv1", "x")->size(), 1U);
}

TEST_F(VaultOnDisk, ACertificatesKeyTakesNoRotationPolicy) {
  ASSERT_TRUE(create_certificate());
  const auto refused = vault_->set_rotation_policy(kOperator, "kv1", "x", vault::default_rotation_policy());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, testing::HasSubstr("belongs to the certificate"));
  ASSERT_TRUE(vault_->delete_certificate(kOperator, "kv1", "x"));
  pass(kRetention);
  ASSERT_TRUE(create_key());
  EXPECT_FALSE(keys_.rotation_policy("kv1", "x").value());
}

TEST_F(VaultOnDisk, APolicysDefaultsFollowItsOtherMembers) {
  CertificatePolicy rsa = policy();
  rsa.kind = KeyKind::Rsa2048;
  ASSERT_TRUE(vault_->create_certificate(kOperator, "kv1", "x", rsa, {}));
  const auto change = [](CertificatePolicy before) -> Result<CertificatePolicy> {
    before.issuer = vault::kUnknownIssuer;
    before.kind = KeyKind::EcP256;
    return before;
  };
  const auto changed = vault_->update_certificate_policy(kOperator, "kv1", "x", change);
  ASSERT_TRUE(changed) << changed.error().detail;
  const CertificatePolicy now = vault_->certificate_policy(kOperator, "kv1", "x").value();
  EXPECT_EQ(key_uses_of(now), certstore::KeyUses{certstore::KeyUse::DigitalSignature});
  EXPECT_EQ(lifetime_actions_of(now).front().type, vault::LifetimeActionType::EmailContacts);
}

TEST_F(VaultOnDisk, NothingIsRestoredUnderTheNameOfACertificateThatIsPending) {
  ASSERT_TRUE(create_key());
  ASSERT_TRUE(set_secret());
  const Bytes key = vault_->backup_key(kOperator, "kv1", "x").value();
  const Bytes secret = vault_->backup_secret(kOperator, "kv1", "x").value();
  ASSERT_TRUE(vault_->delete_key(kOperator, "kv1", "x"));
  ASSERT_TRUE(vault_->delete_secret(kOperator, "kv1", "x"));
  pass(kRetention);
  ASSERT_TRUE(create_certificate(vault::kUnknownIssuer));
  EXPECT_THAT(vault_->restore_key(kOperator, "kv1", key).error().detail, testing::HasSubstr("certificate"));
  EXPECT_THAT(vault_->restore_secret(kOperator, "kv1", secret).error().detail,
              testing::HasSubstr("certificate"));
}

TEST_F(VaultOnDisk, AKeyThatIsMadeWhileACertificateIsKeepsItsName) {
  for (const std::string_view issuer : {vault::kSelfIssuer, vault::kUnknownIssuer}) {
    const std::string name = "x" + std::string(issuer);
    meanwhile_.once = [&] { ASSERT_TRUE(create_key(name)); };
    EXPECT_TRUE(fails_with(create_certificate(issuer, name), ErrorKind::AlreadyExists, "a key or a secret"));
    EXPECT_FALSE(vault_->get(kOperator, {"kv1", name, {}})->managed);
    EXPECT_TRUE(fails_with(vault_->get_certificate(kOperator, {"kv1", name, {}}), ErrorKind::NotFound));
  }
}

TEST_F(VaultOnDisk, TwoChangesAtOnceAreBothKept) {
  const vault::Tags tags{{"a", "b"}};
  const vault::KeyId key = create_key("key")->id;
  meanwhile_.once = [&] { ASSERT_TRUE(vault_->update(kOperator, key, {{false, {}, {}}, {}, {}})); };
  EXPECT_EQ(vault_->update(kOperator, key, {{}, {}, tags})->tags, tags);
  EXPECT_FALSE(vault_->get(kOperator, key)->attributes.enabled);
  EXPECT_EQ(vault_->get(kOperator, key)->tags, tags);

  const vault::SecretId secret = set_secret("secret")->id;
  meanwhile_.once = [&] { ASSERT_TRUE(vault_->update_secret(kOperator, secret, {"text", {}, {}})); };
  const auto changed = vault_->update_secret(kOperator, secret, {{}, {}, tags});
  EXPECT_EQ(changed->settings.content_type, "text");
  EXPECT_EQ(changed->settings.tags, tags);

  ASSERT_TRUE(create_certificate());
  const CertificateId id = vault_->get_certificate(kOperator, {"kv1", "x", {}})->info.id;
  meanwhile_.once = [&] { ASSERT_TRUE(vault_->update_certificate(kOperator, id, {false, {}})); };
  const auto updated = vault_->update_certificate(kOperator, id, {{}, tags});
  EXPECT_FALSE(updated->info.settings.enabled);
  EXPECT_EQ(updated->info.settings.tags, tags);
}

/// A vault whose keys are in a token, opened and closed like a process's.
class VaultInToken : public StoreTest {
 protected:
  struct Opened {
    std::shared_ptr<Database> database;
    SqliteKeyStore keys{database};
    SqliteSecretStore secrets{database};
    SqliteVaultCertificateStore certificates{database};
    SqliteTokenStore tokens{database};
    Meanwhile meanwhile;
    FixedClock clock{kNoon};
    std::unique_ptr<vault::EmbeddedVault> vault;
  };
  std::unique_ptr<Opened> open_vault(std::chrono::hours later = {}) {
    const auto file = directory_.path() / "master.key";
    auto master_key = std::filesystem::exists(file) ? vault::MasterKey::load_file(file)
                                                    : vault::MasterKey::create_file(file);
    std::unique_ptr<Opened> opened(new Opened{open()->database()});
    opened->clock.set(kNoon + later);
    vault::EmbeddedVaultOptions options;
    options.tokens = &opened->tokens;
    opened->vault =
        vault::EmbeddedVault::open(opened->keys, opened->secrets, opened->certificates, opened->meanwhile,
                                   *std::move(master_key), opened->clock, options)
            .value();
    return opened;
  }
  static Result<vault::KeyInfo> create_key(Opened& opened, std::string_view name) {
    return opened.vault->create_key(kOperator, "hsm", name, KeyKind::EcP256, {});
  }
  /// What happens in a process that dies when its record is written: after the token, before the store.
  void die_in_between(const std::function<void(Opened&)>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
      const auto opened = open_vault();
      opened->meanwhile.once = [] { ::_exit(9); };
      work(*opened);
      ::_exit(1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 9) << status;
  }

  test::SoftToken token_{"disk"};
};

TEST_F(VaultInToken, KeepsItsKeysOverARestart) {
  {
    const auto opened = open_vault();
    ASSERT_TRUE(opened->vault->set_token(kOperator, "hsm", token_.uri()));
    ASSERT_TRUE(create_key(*opened, "key"));
  }
  const auto opened = open_vault();
  ASSERT_TRUE(opened->vault->set_policy(
      kOperator, {"hsm", vault::Principal::gateway(), vault::gateway_key_permissions()}));
  const auto shown = opened->vault->get(kOperator, {"HSM", "KEY", {}});
  ASSERT_TRUE(shown);
  EXPECT_TRUE(shown->in_token);
  const auto made = opened->vault->sign(vault::Principal::gateway(), shown->id,
                                        vault::SignatureAlgorithm::ES256, Bytes(32));
  EXPECT_TRUE(made) << made.error().detail;
  EXPECT_TRUE(fails_with(opened->vault->set_token(kOperator, "hsm", test::SoftToken("other").uri()),
                         ErrorKind::AlreadyExists, "stay there"));
}

TEST_F(VaultInToken, IsRidOfAKeyWhoseMakerDiedBeforeItsRowWasWritten) {
  const std::size_t before = token_.keys();
  // Nothing of SoftHSM is open in this process yet, so that the child may open it.
  const pid_t first = ::fork();
  if (first == 0) {
    const auto opened = open_vault();
    ::_exit(opened->vault->set_token(kOperator, "hsm", token_.uri()) && create_key(*opened, "kept") ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(first, &status, 0), first);
  ASSERT_EQ(status, 0);
  die_in_between([](Opened& opened) { static_cast<void>(create_key(opened, "lost")); });
  EXPECT_EQ(token_.keys(), before + 2);
  {
    const auto opened = open_vault();
    ASSERT_TRUE(opened->vault->settle_tokens());
    EXPECT_EQ(token_.keys(), before + 2) << "somebody may be at it still";
  }
  const auto opened = open_vault(std::chrono::hours(2));
  ASSERT_TRUE(opened->vault->settle_tokens());
  EXPECT_EQ(token_.keys(), before + 1);
  EXPECT_EQ(opened->vault->list(kOperator, "hsm").value().size(), 1U);
  EXPECT_TRUE(opened->tokens.noted_objects(opened->clock.now()).value().empty());
}

}  // namespace
}  // namespace signet::gateway
