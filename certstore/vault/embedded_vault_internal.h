#pragma once

#include <fmt/format.h>

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "base/random.h"
#include "certstore/vault/embedded_objects_internal.h"
#include "certstore/vault/embedded_tokens_internal.h"
#include "certstore/vault/embedded_vault.h"
#include "certstore/vault/private_key_internal.h"

/// Internal to the embedded vault: what its operations are made of. Keys are in embedded_vault.cc, secrets in
/// embedded_secrets.cc, certificates in embedded_certificates.cc, and what is alike with all in the files
/// beside them.

namespace signet::vault {

/// One of the vault's operations with a key, and what it needs.
struct KeyOperation {
  std::string_view name;
  KeyPermission permission;
  KeyOp op;
  bool makes_something_new;  ///< Key Vault stops these outside of not_before and expires, and only these
  bool is_private;           ///< needs the private half
};

struct OpenKey {
  KeyInfo info;
  std::unique_ptr<const PrivateKey> key;
  std::shared_ptr<const void> in_use;  ///< State::key_in_use()
};

/// @error Disabled          the key is.
/// @error PermissionDenied  its dates or key_ops say no.
Result<> check_usable(const KeyInfo& info, const KeyOperation& operation, Time now);
/// @error InvalidInput  an operation that the kind of key does not have, dates that leave it no time, or tags
/// that break their rules.
Result<> check_settings(const KeyInfo& info);
/// What a key is sealed for, and what a secret is.
Bytes context_of(const KeyId& id, KeyKind kind);
Bytes context_of_secret(const SecretId& id);
/// @error PermissionDenied  somebody else than the local operator wants to see or change what a vault allows.
Result<> check_is_operator(const Principal& principal, std::string_view vault);

/// A name as it was first written: all versions bear the same.
template <class Store>
Result<> adopt_spelling(Store& store, KeyId& id) {
  const auto known = store.load({id.vault, id.name, {}});
  if (!known && known.error().kind != ErrorKind::NotFound) return fail(known.error());
  if (known) id = {known->info.id.vault, known->info.id.name, id.version};
  return {};
}

/// What the operations are made of. Every public function of the vault is one call of use() or change(), or a
/// look at the store behind authorise().
class EmbeddedVault::State {
 public:
  State(KeyStore& store, SecretStore& secrets, VaultCertificateStore& certificates, AuditLog& audit,
        const Clock& clock, EmbeddedVaultOptions options)
      : store_(store),
        secrets_(secrets),
        certificates_(certificates),
        audit_(audit),
        clock_(clock),
        holders_(options.tokens, clock, [this] { return master_key(); }) {}

  /// The first master key becomes the store's.
  Result<> confirm(const MasterKey& master_key) {
    SIGNET_TRY(const auto known, store_.master_key_check());
    const Bytes ours = master_key.check_value();
    if (!known) return store_.put_master_key_check(ours);
    if (equal_in_constant_time(*known, ours)) return {};
    return fail(ErrorKind::CryptoFailure,
                "wrong master key: the keys in this store are sealed under another one; put back the master "
                "key file (or "
                "passphrase) that belongs to this store");
  }

  AuditRecord new_record(const Principal& principal, std::string_view operation, const KeyId& id,
                         std::string detail = {}) {
    return {clock_.now(), principal.name,    std::string(operation), AuditObject::Key,
            id,           audited_message(), AuditResult::Failed,    std::move(detail)};
  }
  AuditRecord new_secret_record(const Principal& principal, std::string_view operation, const SecretId& id,
                                std::string detail = {}) {
    AuditRecord record = new_record(principal, operation, id, std::move(detail));
    record.object = AuditObject::Secret;
    return record;
  }

  AuditRecord new_certificate_record(const Principal& principal, std::string_view operation,
                                     const CertificateId& id, std::string detail = {}) {
    AuditRecord record = new_record(principal, operation, id, std::move(detail));
    record.object = AuditObject::Certificate;
    return record;
  }

  /// Work whose result is withheld when its record cannot be written. It may complete the record.
  template <class Work>
  auto audited(AuditRecord record, Work work) -> std::invoke_result_t<Work, AuditRecord&> {
    auto outcome = work(record);
    SIGNET_CHECK(append(record, outcome ? nullptr : &outcome.error()));
    return outcome;
  }

  /// An operation with a key: permission, attributes, work, audit record.
  template <class Work>
  auto use(const Principal& principal, const KeyId& id, const KeyOperation& operation, std::string detail,
           Work work) -> std::invoke_result_t<Work, const PrivateKey&> {
    using Outcome = std::invoke_result_t<Work, const PrivateKey&>;
    return audited(new_record(principal, operation.name, id, std::move(detail)),
                   [&](AuditRecord& record) -> Outcome {
                     SIGNET_CHECK(check_key_id(id));
                     SIGNET_CHECK(authorise(principal, id.vault, operation.permission));
                     if (operation.is_private) SIGNET_CHECK(check_is_no_issuers(principal, id));
                     SIGNET_TRY(const std::shared_ptr<const OpenKey> opened, open(id));
                     record.key = opened->info.id;
                     SIGNET_CHECK(check_usable(opened->info, operation, record.time));
                     return work(*opened->key);
                   });
  }

  /// A change of what the vault keeps. Its record is written first, so that nothing changes without one; a
  /// failure behind it leaves a second record. `id` may be completed by `prepare`, which comes before
  /// everything that changes anything.
  template <class Prepare, class Commit>
  Result<> change(AuditRecord record, KeyId& id, Prepare prepare, Commit commit) {
    const Result<> prepared = prepare();
    record.key = id;
    SIGNET_CHECK(append(record, prepared ? nullptr : &prepared.error()));
    SIGNET_CHECK(prepared);
    Result<> committed = commit();
    forget();
    if (!committed) static_cast<void>(append(record, &committed.error()));
    return committed;
  }

  /// A change by which keys may go. What tokens hold of them goes with them, or later if a token is away.
  template <class Prepare, class Commit>
  Result<> change_with_keys(AuditRecord record, KeyId& id, Prepare prepare, Commit commit) {
    std::vector<Bytes> objects;
    const auto noting = [&]() -> Result<> {
      SIGNET_CHECK(prepare());
      SIGNET_TRY(objects, holders_.note({id.vault, id.name, {}}));
      return {};
    };
    Result<> changed = change(std::move(record), id, noting, commit);
    static_cast<void>(holders_.settle(id.vault, objects));  // it stays noted
    return changed;
  }

  /// What a change came to, after which the key that was made for it is a row's, or gone from its token.
  template <class Outcome>
  Outcome settled(std::string_view vault, const PrivateKey* made, Outcome outcome) {
    if (made != nullptr && made->in_token())
      static_cast<void>(holders_.settle(vault, {made->token_object()}));  // it stays noted
    return outcome;
  }

  Result<> authorise(const Principal& principal, std::string_view vault, KeyPermission needed) {
    SIGNET_TRY(const AccessPolicy granted, this->granted(principal, vault));
    return check_permission(principal, vault, granted.keys, needed);
  }
  Result<> authorise(const Principal& principal, std::string_view vault, SecretPermission needed) {
    SIGNET_TRY(const AccessPolicy granted, this->granted(principal, vault));
    return check_permission(principal, vault, granted.secrets, needed);
  }

  /// authorise() as a function of the vault.
  template <class Permission>
  auto permit(const Principal& principal, Permission needed) {
    return [this, &principal, needed](std::string_view vault) { return authorise(principal, vault, needed); };
  }

  Result<> authorise(const Principal& principal, std::string_view vault, CertificatePermission needed) {
    SIGNET_TRY(const AccessPolicy granted, this->granted(principal, vault));
    return check_permission(principal, vault, granted.certificates, needed);
  }

  /// Whether a key or a secret (`what`) may be changed, or get a version, on its own.
  ///
  /// @error PermissionDenied  its name is a certificate's, with which alone it changes.
  Result<> check_is_no_certificates(const KeyId& id, std::string_view what) {
    const auto certificate = certificates_.load_name(id.vault, id.name);
    if (certificate)
      return fail(
          ErrorKind::PermissionDenied,
          fmt::format("the {} '{}' belongs to the certificate of that name and changes with it alone: use "
                      "signet vault certificate, or choose another name",
                      what, to_string(KeyId{id.vault, id.name, {}})));
    if (certificate.error().kind != ErrorKind::NotFound) return fail(certificate.error());
    return {};
  }

  /// Whether a principal may have something done with a private key. The store is asked about such names
  /// alone as the certificate service gives: keys of messages cost nothing.
  ///
  /// @error PermissionDenied  it is an issuer's, which the certificate service alone uses.
  Result<> check_is_no_issuers(const Principal& principal, const KeyId& id) {
    if (principal == Principal::authority() || !may_be_issuers(id.name)) return {};
    SIGNET_TRY(const bool is_issuers, store_.is_issuers(id.vault, id.name));
    if (!is_issuers) return {};
    return fail(
        ErrorKind::PermissionDenied,
        fmt::format("key '{}' is that of an issuer: only the certificate service uses it, whatever the "
                    "vault's policies allow; take another key",
                    to_string(KeyId{id.vault, id.name, {}})));
  }

  /// Whether a principal may make, bring along or restore a key of this name. A name that the certificate
  /// service may give is its own from the first version on, whether or not it has given it.
  ///
  /// @error PermissionDenied
  static Result<> check_may_be_named(const Principal& principal, const KeyId& id) {
    if (principal == Principal::authority() || !may_be_issuers(id.name)) return {};
    return fail(ErrorKind::PermissionDenied,
                fmt::format("'{}' cannot be made or brought along: names that begin with '{}' are for the "
                            "issuers' keys of the certificate service; choose another name",
                            printable(to_string(KeyId{id.vault, id.name, {}})), kIssuerKeyPrefix));
  }

  /// authorise() for a look that leaves its record only when it is denied.
  template <class Permission>
  Result<> authorise_look(const AuditRecord& record, Permission needed) {
    SIGNET_CHECK(check_vault_name(record.key.vault));
    Result<> allowed = authorise({record.principal}, record.key.vault, needed);
    if (!allowed) SIGNET_CHECK(append(record, &allowed.error()));
    return allowed;
  }

  /// The way of every new version into the store.
  ///
  /// @param record    names the key, without a version
  /// @param permit    says whether it may be done
  /// @param describe  completes what is to be made: kind, ops, attributes, tags
  /// @param obtain    makes or takes the key, of the kind that was described, for the version named
  template <class Permit, class Describe, class Obtain>
  Result<KeyInfo> add(AuditRecord record, Permit permit, Describe describe, Obtain obtain) {
    StoredKey stored;
    KeyInfo& info = stored.info;
    KeyId id = record.key;
    std::unique_ptr<PrivateKey> key;
    const auto prepare = [&]() -> Result<> {
      SIGNET_CHECK(check_key_id(id));
      SIGNET_CHECK(permit(id.vault));
      SIGNET_CHECK(check_is_no_certificates(id, "key"));
      SIGNET_CHECK(describe(info));
      SIGNET_CHECK(check_settings(info));
      SIGNET_CHECK(check_not_deleted<Keys>(*this, id));
      SIGNET_CHECK(adopt_spelling(store_, id));
      SIGNET_TRY(const auto master_key, this->master_key());
      id.version = random_id();
      SIGNET_TRY(key, obtain(id, info.kind));
      SIGNET_TRY(const SecretBytes at_rest, key->at_rest());
      info.id = id;
      info.kind = key->kind();
      info.created = info.updated = clock_.now();
      info.public_key = key->public_key();
      info.in_token = key->in_token();
      stored.sealed = master_key->seal(at_rest.view(), context_of(id, key->kind()));
      return {};
    };
    Result<> changed = change(std::move(record), id, prepare, [&] { return store_.put_version(stored); });
    SIGNET_CHECK(settled(id.vault, key.get(), std::move(changed)));
    return std::move(stored.info);
  }

  /// Whether nothing would be left without a key, or a secret.
  ///
  /// @error AlreadyExists  says what.
  Result<> check_unused(AuditObject object, const KeyId& id) {
    if (object == AuditObject::Secret) return {};
    SIGNET_TRY(const std::vector<std::string> users, store_.users_of(id.vault, id.name));
    if (users.empty()) return {};
    return fail(
        ErrorKind::AlreadyExists,
        fmt::format(
            "key '{}' cannot be deleted: {} links to it; delete that first, or have it link to another "
            "key",
            to_string(id), fmt::join(users, ", ")));
  }

  /// A key as it rests, opened.
  Result<std::shared_ptr<const OpenKey>> unseal(StoredKey stored) {
    const std::string what = fmt::format("key '{}'", to_string(stored.info.id));
    std::shared_ptr<const void> in_use = key_in_use();
    SIGNET_TRY(const auto master_key, this->master_key());
    auto at_rest = master_key->unseal(stored.sealed, context_of(stored.info.id, stored.info.kind));
    if (!at_rest) return fail(ErrorKind::Unavailable, fmt::format("{} {}", what, at_rest.error().detail));
    auto key = holders_.open(stored.info, at_rest->view());
    if (!key) return fail(ErrorKind::Unavailable, fmt::format("{}: {}", what, key.error().detail));
    if ((*key)->public_key() != stored.info.public_key || (*key)->kind() != stored.info.kind)
      return fail(
          ErrorKind::Unavailable,
          fmt::format("{} is stored with a public key that is not its own: restore the store from a backup",
                      what));
    return std::make_shared<const OpenKey>(
        OpenKey{std::move(stored.info), *std::move(key), std::move(in_use)});
  }

  KeyStore& store() { return store_; }
  SecretStore& secrets() { return secrets_; }
  VaultCertificateStore& certificates() { return certificates_; }
  KeyHolders& holders() { return holders_; }
  /// KeyHolders::generate(), as add() takes it.
  auto generate() {
    return [this](const KeyId& id, KeyKind kind) { return holders_.generate(id, kind); };
  }
  [[nodiscard]] Time now() const { return clock_.now(); }

  /// The master key, for one piece of work: whoever has it finishes that, also when the vault is sealed
  /// meanwhile.
  ///
  /// @error Unavailable  the vault is sealed.
  [[nodiscard]] Result<std::shared_ptr<const MasterKey>> master_key() const {
    const std::lock_guard lock(master_key_mutex_);
    if (master_key_) return master_key_;
    return fail(ErrorKind::Unavailable, std::string(kSealed));
  }
  /// @error Unavailable  the vault is sealed.
  [[nodiscard]] Result<> check_open() const {
    if (!is_sealed()) return {};
    return fail(ErrorKind::Unavailable, std::string(kSealed));
  }
  [[nodiscard]] bool is_sealed() const {
    const std::lock_guard lock(master_key_mutex_);
    return !master_key_;
  }
  /// Nothing seals the vault. @returns the one before
  std::shared_ptr<const MasterKey> put_master_key(std::shared_ptr<const MasterKey> master_key) {
    const std::lock_guard lock(master_key_mutex_);
    return std::exchange(master_key_, std::move(master_key));
  }
  /// One change of the master key after the other.
  std::mutex& master_key_changes() { return master_key_changes_; }

  /// Held by whoever has a private key in the clear, so that seal() sees when the last one is gone.
  [[nodiscard]] std::shared_ptr<const void> key_in_use() const { return key_in_use_; }
  [[nodiscard]] bool has_keys_in_use() const { return key_in_use_.use_count() > 1; }

  void forget() {
    const std::unique_lock lock(mutex_);
    ++epoch_;
    keys_.clear();
    policies_.clear();
  }

 private:
  Result<> append(AuditRecord record, const Error* error) {
    record.result = result_for(error);
    if (error != nullptr) record.detail.append(record.detail.empty() ? "" : ": ").append(error->detail);
    Result<> written = audit_.append(record);
    if (written) return {};
    return fail(
        std::move(written.error())
            .within(fmt::format("{} with {} '{}' was not done, because its audit record cannot be written",
                                record.operation, to_string(record.object), to_string(record.key))));
  }

  static AuditResult result_for(const Error* error) {
    if (error == nullptr) return AuditResult::Success;
    const bool denied = error->kind == ErrorKind::PermissionDenied || error->kind == ErrorKind::Disabled;
    return denied ? AuditResult::Denied : AuditResult::Failed;
  }

  Result<AccessPolicy> granted(const Principal& principal, std::string_view vault) {
    SIGNET_CHECK(refresh());
    const std::string name = to_lower(vault);
    {
      const std::shared_lock lock(mutex_);
      if (const auto known = policies_.find(name); known != policies_.end())
        return granted_by(known->second, principal);
    }
    const std::uint64_t epoch = epoch_;
    SIGNET_TRY(std::vector<AccessPolicy> loaded, store_.policies(vault));
    AccessPolicy granted = granted_by(loaded, principal);
    const std::unique_lock lock(mutex_);
    if (epoch == epoch_) policies_.insert_or_assign(name, std::move(loaded));
    return granted;
  }

  static AccessPolicy granted_by(const std::vector<AccessPolicy>& policies, const Principal& principal) {
    for (const AccessPolicy& policy : policies)
      if (policy.principal == principal) return policy;
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

  /// Drops what is held in memory when another process changed the store: before that counts as seen, or
  /// somebody else could go on by it meanwhile.
  Result<> refresh() {
    SIGNET_TRY(const std::uint64_t generation, store_.generation());
    if (generation_ == generation) return {};
    forget();
    generation_ = generation;
    return {};
  }

  KeyStore& store_;
  SecretStore& secrets_;
  VaultCertificateStore& certificates_;
  AuditLog& audit_;
  const Clock& clock_;
  KeyHolders holders_;
  const std::shared_ptr<const void> key_in_use_ = std::make_shared<const char>();

  std::mutex master_key_changes_;
  mutable std::mutex master_key_mutex_;  ///< guards the next
  std::shared_ptr<const MasterKey> master_key_;

  std::atomic<std::uint64_t> generation_{0};
  std::atomic<std::uint64_t> epoch_{
      0};                    ///< counts forget(), so that nothing read before one is kept after it
  std::shared_mutex mutex_;  ///< guards the two below
  std::unordered_map<std::string, std::shared_ptr<const OpenKey>> keys_;
  std::unordered_map<std::string, std::vector<AccessPolicy>> policies_;
};

}  // namespace signet::vault
