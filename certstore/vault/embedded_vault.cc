#include "certstore/vault/embedded_vault.h"

#include <fmt/format.h>

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "base/random.h"
#include "certstore/vault/private_key_internal.h"

namespace signet::vault {
namespace {

using Steady = std::chrono::steady_clock;

/// One of the vault's operations with a key, and what it needs.
struct Operation {
  std::string_view name;
  KeyPermission permission;
  KeyOp op;
  bool makes_something_new;  ///< Key Vault stops these outside of not_before and expires, and only these
};
constexpr Operation kSign{"sign", KeyPermission::Sign, KeyOp::Sign, true};
constexpr Operation kVerify{"verify", KeyPermission::Verify, KeyOp::Verify, false};
constexpr Operation kEncrypt{"encrypt", KeyPermission::Encrypt, KeyOp::Encrypt, true};
constexpr Operation kDecrypt{"decrypt", KeyPermission::Decrypt, KeyOp::Decrypt, false};
constexpr Operation kWrapKey{"wrapKey", KeyPermission::WrapKey, KeyOp::WrapKey, true};
constexpr Operation kUnwrapKey{"unwrapKey", KeyPermission::UnwrapKey, KeyOp::UnwrapKey, false};
constexpr Operation kDerive{"derive", KeyPermission::Decrypt, KeyOp::Decrypt, false};

struct OpenKey {
  KeyInfo info;
  std::unique_ptr<const PrivateKey> key;
};

Result<> check_usable(const KeyInfo& info, const Operation& operation, Time now) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorKind::PermissionDenied, fmt::format("operation {} is not allowed on key '{}': {}",
                                                         operation.name, to_string(info.id), why));
  };
  if (!info.attributes.enabled) return refuse("the key is disabled; enable it, or name another version");
  if (!info.ops.has(operation.op))
    return refuse(
        fmt::format("its key_ops are '{}', without '{}'", to_string(info.ops), to_string(operation.op)));
  if (!operation.makes_something_new) return {};
  if (info.attributes.not_before && now < *info.attributes.not_before)
    return refuse("it is not valid before " + to_rfc3339(*info.attributes.not_before));
  if (info.attributes.expires && now >= *info.attributes.expires)
    return refuse(fmt::format("it expired at {}; make a new version", to_rfc3339(*info.attributes.expires)));
  return {};
}

Result<> check_settings(KeyKind kind, KeyOps ops, const KeyAttributes& attributes) {
  for (const KeyOp op : {KeyOp::Encrypt, KeyOp::WrapKey, KeyOp::UnwrapKey})
    if (!is_rsa(kind) && ops.has(op))
      return fail(
          ErrorKind::InvalidInput,
          fmt::format(
              "an EC key cannot have the key operation '{}': it has sign, verify and decrypt (key agreement)",
              to_string(op)));
  if (attributes.not_before && attributes.expires && *attributes.expires <= *attributes.not_before)
    return fail(ErrorKind::InvalidInput,
                fmt::format("the key would expire at {}, which is not after it becomes valid at {}",
                            to_rfc3339(*attributes.expires), to_rfc3339(*attributes.not_before)));
  return {};
}

Bytes context_of(const KeyId& id, KeyKind kind) {
  return sealing_context(
      {"signet vault key 1", to_lower(id.vault), to_lower(id.name), id.version, to_string(kind)});
}

AuditResult audit_result(const Error& error) {
  return error.kind == ErrorKind::PermissionDenied ? AuditResult::Denied : AuditResult::Failed;
}

}  // namespace

/// What the operations are made of. Every public function of the vault is one call of use() or change(), or a
/// look at the store behind authorise().
class EmbeddedVault::State {
 public:
  State(KeyStore& store, AuditLog& audit, MasterKey master_key, const Clock& clock,
        EmbeddedVaultOptions options)
      : store_(store), audit_(audit), master_key_(std::move(master_key)), clock_(clock), options_(options) {}

  Result<> confirm_master_key() {
    SIGNET_TRY(const auto known, store_.master_key_check());
    const Bytes ours = master_key_.check_value();
    if (!known) return store_.put_master_key_check(ours);
    if (equal_in_constant_time(*known, ours)) return {};
    return fail(ErrorKind::CryptoFailure,
                "wrong master key: the keys in this store are sealed under another one; put back the master "
                "key file (or "
                "passphrase) that belongs to this store");
  }

  /// An operation with a key: permission, attributes, work, audit record. The result is withheld when the
  /// record cannot be written.
  template <class Work>
  auto use(const Principal& principal, const KeyId& id, const Operation& operation, std::string detail,
           Work work) -> std::invoke_result_t<Work, const PrivateKey&> {
    using Outcome = std::invoke_result_t<Work, const PrivateKey&>;
    AuditRecord record = new_record(principal, operation.name, id, std::move(detail));
    Outcome outcome = [&]() -> Outcome {
      SIGNET_CHECK(check_key_id(id));
      SIGNET_CHECK(authorise(principal, id.vault, operation.permission));
      SIGNET_TRY(const std::shared_ptr<const OpenKey> opened, open(id));
      record.key = opened->info.id;
      SIGNET_CHECK(check_usable(opened->info, operation, record.time));
      return work(*opened->key);
    }();
    SIGNET_CHECK(append(record, outcome ? nullptr : &outcome.error()));
    return outcome;
  }

  /// A change of keys or policies. Its record is written first, so that nothing changes without one; a
  /// failure behind it leaves a second record. `key` may be completed by `prepare`, which comes before
  /// everything that changes anything.
  template <class Prepare, class Commit>
  Result<> change(const Principal& principal, std::string_view operation, KeyId& key, std::string detail,
                  Prepare prepare, Commit commit) {
    AuditRecord record = new_record(principal, operation, key, std::move(detail));
    const Result<> prepared = prepare();
    record.key = key;
    SIGNET_CHECK(append(record, prepared ? nullptr : &prepared.error()));
    SIGNET_CHECK(prepared);
    Result<> committed = commit();
    forget();
    if (!committed) static_cast<void>(append(record, &committed.error()));
    return committed;
  }

  Result<> authorise(const Principal& principal, std::string_view vault, KeyPermission needed) {
    SIGNET_TRY(const KeyPermissions granted, this->granted(principal, vault));
    return check_permission(principal, vault, granted, needed);
  }

  /// authorise() for a look that leaves a record only when it is denied.
  Result<> authorise_look(const Principal& principal, std::string_view operation, const KeyId& id,
                          KeyPermission needed) {
    SIGNET_CHECK(check_vault_name(id.vault));
    const Result<> allowed = authorise(principal, id.vault, needed);
    if (!allowed) SIGNET_CHECK(append(new_record(principal, operation, id, {}), &allowed.error()));
    return allowed;
  }

  /// A name as it was first written: a key's versions all bear the same.
  Result<> adopt_spelling(KeyId& id) {
    const Result<StoredKey> known = store_.load({id.vault, id.name, {}});
    if (!known && known.error().kind != ErrorKind::NotFound) return fail(known.error());
    if (known) id = {known->info.id.vault, known->info.id.name, id.version};
    return {};
  }

  /// The way of every new version into the store.
  template <class Obtain>
  Result<KeyInfo> add(const Principal& principal, std::string_view operation, KeyPermission permission,
                      KeyId id, KeyKind kind, const KeySettings& settings, Obtain obtain) {
    StoredKey stored;
    const auto prepare = [&]() -> Result<> {
      SIGNET_CHECK(check_key_id(id));
      SIGNET_CHECK(authorise(principal, id.vault, permission));
      const KeyOps ops = settings.ops.value_or(default_key_ops(kind));
      SIGNET_CHECK(check_settings(kind, ops, settings.attributes));
      SIGNET_CHECK(adopt_spelling(id));
      id.version = random_id();
      SIGNET_TRY(const std::unique_ptr<PrivateKey> key, obtain());
      SIGNET_TRY(const SecretBytes pkcs8, key->to_pkcs8());
      const Time now = clock_.now();
      stored.info = {id, key->kind(), ops, settings.attributes, now, now, key->public_key()};
      stored.sealed = master_key_.seal(pkcs8.view(), context_of(id, key->kind()));
      return {};
    };
    SIGNET_CHECK(change(principal, operation, id, std::string(to_string(kind)), prepare,
                        [&] { return store_.put_version(stored); }));
    return stored.info;
  }

  KeyStore& store() { return store_; }
  [[nodiscard]] Time now() const { return clock_.now(); }

 private:
  AuditRecord new_record(const Principal& principal, std::string_view operation, const KeyId& id,
                         std::string detail) {
    return {clock_.now(),      principal.name,      std::string(operation), id,
            audited_message(), AuditResult::Failed, std::move(detail)};
  }

  Result<> append(AuditRecord record, const Error* error) {
    record.result = error == nullptr ? AuditResult::Success : audit_result(*error);
    if (error != nullptr) record.detail.append(record.detail.empty() ? "" : ": ").append(error->detail);
    Result<> written = audit_.append(record);
    if (written) return {};
    return fail(
        std::move(written.error())
            .within(fmt::format("{} with key '{}' was not done, because its audit record cannot be written",
                                record.operation, to_string(record.key))));
  }

  Result<KeyPermissions> granted(const Principal& principal, std::string_view vault) {
    SIGNET_CHECK(refresh());
    const std::string name = to_lower(vault);
    {
      const std::shared_lock lock(mutex_);
      if (const auto known = policies_.find(name); known != policies_.end())
        return granted_by(known->second, principal);
    }
    const std::uint64_t epoch = epoch_;
    SIGNET_TRY(std::vector<AccessPolicy> loaded, store_.policies(vault));
    const KeyPermissions granted = granted_by(loaded, principal);
    const std::unique_lock lock(mutex_);
    if (epoch == epoch_) policies_.insert_or_assign(name, std::move(loaded));
    return granted;
  }

  static KeyPermissions granted_by(const std::vector<AccessPolicy>& policies, const Principal& principal) {
    for (const AccessPolicy& policy : policies)
      if (policy.principal == principal) return policy.keys;
    return {};
  }

  /// A key, unsealed and parsed once and then shared until something changes.
  Result<std::shared_ptr<const OpenKey>> open(const KeyId& id) {
    const std::string name = to_lower(to_string(id));
    {
      const std::shared_lock lock(mutex_);
      if (const auto known = keys_.find(name); known != keys_.end()) return known->second;
    }
    const std::uint64_t epoch = epoch_;
    SIGNET_TRY(StoredKey stored, store_.load(id));
    SIGNET_TRY(std::shared_ptr<const OpenKey> opened, unseal(std::move(stored)));
    const std::unique_lock lock(mutex_);
    if (epoch == epoch_) keys_.insert_or_assign(name, opened);
    return opened;
  }

  Result<std::shared_ptr<const OpenKey>> unseal(StoredKey stored) {
    const std::string what = fmt::format("key '{}'", to_string(stored.info.id));
    auto pkcs8 = master_key_.unseal(stored.sealed, context_of(stored.info.id, stored.info.kind));
    if (!pkcs8) return fail(ErrorKind::Unavailable, fmt::format("{} {}", what, pkcs8.error().detail));
    auto key = PrivateKey::from_pkcs8(pkcs8->view());
    if (!key) return fail(ErrorKind::Unavailable, fmt::format("{}: {}", what, key.error().detail));
    if ((*key)->public_key() != stored.info.public_key || (*key)->kind() != stored.info.kind)
      return fail(
          ErrorKind::Unavailable,
          fmt::format("{} is stored with a public key that is not its own: restore the store from a backup",
                      what));
    return std::make_shared<const OpenKey>(OpenKey{std::move(stored.info), *std::move(key)});
  }

  /// Drops what is held in memory when another process changed the store.
  Result<> refresh() {
    const Steady::rep now = Steady::now().time_since_epoch().count();
    Steady::rep due = refresh_due_.load(std::memory_order_relaxed);
    if (now < due) return {};
    const Steady::rep next =
        now + std::chrono::duration_cast<Steady::duration>(options_.refresh_interval).count();
    if (!refresh_due_.compare_exchange_strong(due, next)) return {};  // another thread is at it
    const Result<std::uint64_t> generation = store_.generation();
    if (!generation) {
      refresh_due_ = 0;
      return fail(generation.error());
    }
    if (generation_.exchange(*generation) != *generation) forget();
    return {};
  }

  void forget() {
    const std::unique_lock lock(mutex_);
    ++epoch_;
    keys_.clear();
    policies_.clear();
  }

  KeyStore& store_;
  AuditLog& audit_;
  const MasterKey master_key_;
  const Clock& clock_;
  const EmbeddedVaultOptions options_;

  std::atomic<Steady::rep> refresh_due_{0};
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<std::uint64_t> epoch_{
      0};                    ///< counts forget(), so that nothing read before one is kept after it
  std::shared_mutex mutex_;  ///< guards the two below
  std::unordered_map<std::string, std::shared_ptr<const OpenKey>> keys_;
  std::unordered_map<std::string, std::vector<AccessPolicy>> policies_;
};

EmbeddedVault::EmbeddedVault(std::unique_ptr<State> state) : state_(std::move(state)) {}
EmbeddedVault::~EmbeddedVault() = default;

Result<std::unique_ptr<EmbeddedVault>> EmbeddedVault::open(KeyStore& store, AuditLog& audit,
                                                           MasterKey master_key, const Clock& clock,
                                                           EmbeddedVaultOptions options) {
  auto state = std::make_unique<State>(store, audit, std::move(master_key), clock, options);
  SIGNET_CHECK(state->confirm_master_key());
  return std::unique_ptr<EmbeddedVault>(new EmbeddedVault(std::move(state)));
}

namespace {

Result<> check_is_operator(const Principal& principal, std::string_view vault) {
  if (principal == Principal::local_operator()) return {};
  return fail(
      ErrorKind::PermissionDenied,
      fmt::format(
          "principal '{}' may not see or set the access policies of key vault '{}': that is for the local "
          "administrator at the command line (signet vault policy ...)",
          printable(principal.name), vault));
}

std::string to_text(const std::optional<Time>& time) { return time ? to_rfc3339(*time) : "none"; }

Result<> check_principal_name(const Principal& principal) {
  if (!principal.name.empty() && principal.name.size() <= 200 && printable(principal.name) == principal.name)
    return {};
  return fail(ErrorKind::InvalidInput,
              fmt::format("'{}' cannot name a principal: 1 to 200 printable ASCII characters are needed",
                          printable(principal.name)));
}

}  // namespace

Result<> EmbeddedVault::set_policy(const Principal& principal, const AccessPolicy& policy) {
  KeyId vault{policy.vault, {}, {}};
  return state_->change(
      principal, "setPolicy", vault,
      fmt::format("principal '{}': '{}'", printable(policy.principal.name), to_string(policy.keys)),
      [&]() -> Result<> {
        SIGNET_CHECK(check_vault_name(policy.vault));
        SIGNET_CHECK(check_principal_name(policy.principal));
        return check_is_operator(principal, policy.vault);
      },
      [&] { return state_->store().put_policy(policy); });
}

Result<std::vector<AccessPolicy>> EmbeddedVault::policies(const Principal& principal,
                                                          std::string_view vault) {
  SIGNET_CHECK(check_vault_name(vault));
  SIGNET_CHECK(check_is_operator(principal, vault));
  return state_->store().policies(vault);
}

Result<KeyInfo> EmbeddedVault::create_key(const Principal& principal, std::string_view vault,
                                          std::string_view name, KeyKind kind, const KeySettings& settings) {
  return state_->add(principal, "create", KeyPermission::Create, {std::string(vault), std::string(name), {}},
                     kind, settings, [kind] { return PrivateKey::generate(kind); });
}

Result<KeyInfo> EmbeddedVault::import_key(const Principal& principal, std::string_view vault,
                                          std::string_view name, const KeyMaterial& key,
                                          const KeySettings& settings) {
  return state_->add(principal, "import", KeyPermission::Import, {std::string(vault), std::string(name), {}},
                     key.kind, settings, [&key] { return PrivateKey::from_pkcs8(key.pkcs8.view()); });
}

Result<KeyInfo> EmbeddedVault::get(const Principal& principal, const KeyId& id) {
  SIGNET_CHECK(check_key_id(id));
  SIGNET_CHECK(state_->authorise_look(principal, "get", id, KeyPermission::Get));
  SIGNET_TRY(StoredKey stored, state_->store().load(id));
  return std::move(stored.info);
}

Result<std::vector<KeyInfo>> EmbeddedVault::list(const Principal& principal, std::string_view vault) {
  SIGNET_CHECK(state_->authorise_look(principal, "list", {std::string(vault), {}, {}}, KeyPermission::List));
  return state_->store().list(vault);
}

Result<std::vector<KeyInfo>> EmbeddedVault::versions(const Principal& principal, std::string_view vault,
                                                     std::string_view name) {
  const KeyId id{std::string(vault), std::string(name), {}};
  SIGNET_CHECK(check_key_id(id));
  SIGNET_CHECK(state_->authorise_look(principal, "list", id, KeyPermission::List));
  SIGNET_TRY(std::vector<KeyInfo> versions, state_->store().versions(vault, name));
  if (versions.empty())
    return fail(ErrorKind::NotFound, fmt::format("there is no key '{}' in key vault '{}'", name, vault));
  return versions;
}

Result<KeyInfo> EmbeddedVault::update(const Principal& principal, const KeyId& id,
                                      const KeyAttributes& attributes, std::optional<KeyOps> ops) {
  KeyInfo info;
  KeyId key = id;
  const Result<> updated = state_->change(
      principal, "update", key,
      fmt::format("enabled={} not_before={} expires={} key_ops={}", attributes.enabled,
                  to_text(attributes.not_before), to_text(attributes.expires),
                  ops ? to_string(*ops) : "as before"),
      [&]() -> Result<> {
        SIGNET_CHECK(check_key_id(id));
        SIGNET_CHECK(state_->authorise(principal, id.vault, KeyPermission::Update));
        SIGNET_TRY(StoredKey stored, state_->store().load(id));
        info = std::move(stored.info);
        key = info.id;
        info.attributes = attributes;
        info.ops = ops.value_or(info.ops);
        info.updated = state_->now();
        return check_settings(info.kind, info.ops, attributes);
      },
      [&] { return state_->store().update(info); });
  SIGNET_CHECK(updated);
  return info;
}

Result<Bytes> EmbeddedVault::sign(const Principal& principal, const KeyId& id, SignatureAlgorithm algorithm,
                                  ByteView digest) {
  return state_->use(principal, id, kSign, std::string(to_string(algorithm)),
                     [&](const PrivateKey& key) { return key.sign(algorithm, digest); });
}

Result<bool> EmbeddedVault::verify(const Principal& principal, const KeyId& id, SignatureAlgorithm algorithm,
                                   ByteView digest, ByteView signature) {
  return state_->use(principal, id, kVerify, std::string(to_string(algorithm)),
                     [&](const PrivateKey& key) { return key.verify(algorithm, digest, signature); });
}

Result<Bytes> EmbeddedVault::encrypt(const Principal& principal, const KeyId& id,
                                     const EncryptionAlgorithm& algorithm, ByteView plaintext) {
  return state_->use(principal, id, kEncrypt, to_string(algorithm),
                     [&](const PrivateKey& key) { return key.encrypt(algorithm, plaintext); });
}

Result<SecretBytes> EmbeddedVault::decrypt(const Principal& principal, const KeyId& id,
                                           const EncryptionAlgorithm& algorithm, ByteView ciphertext) {
  return state_->use(principal, id, kDecrypt, to_string(algorithm),
                     [&](const PrivateKey& key) { return key.decrypt(algorithm, ciphertext); });
}

Result<Bytes> EmbeddedVault::wrap_key(const Principal& principal, const KeyId& id,
                                      const EncryptionAlgorithm& algorithm, ByteView key_to_wrap) {
  return state_->use(principal, id, kWrapKey, to_string(algorithm),
                     [&](const PrivateKey& key) { return key.encrypt(algorithm, key_to_wrap); });
}

Result<SecretBytes> EmbeddedVault::unwrap_key(const Principal& principal, const KeyId& id,
                                              const EncryptionAlgorithm& algorithm, ByteView wrapped) {
  return state_->use(principal, id, kUnwrapKey, to_string(algorithm),
                     [&](const PrivateKey& key) { return key.decrypt(algorithm, wrapped); });
}

Result<SecretBytes> EmbeddedVault::derive(const Principal& principal, const KeyId& id, ByteView peer_point) {
  return state_->use(principal, id, kDerive, "ECDH",
                     [&](const PrivateKey& key) { return key.derive(peer_point); });
}

}  // namespace signet::vault
