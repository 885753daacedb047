#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <vector>

#include "certstore/vault/audit_log.h"
#include "certstore/vault/key_store.h"
#include "certstore/vault/secret_store.h"
#include "certstore/vault/token_store.h"

/// The key vault's stores and audit log, in memory; they fail on demand.

namespace signet::test {

/// What both stores do alike.
template <class Interface, class Stored, class Info>
class MemoryStore : public Interface {
 public:
  Result<> put_version(const Stored& version) final;
  Result<Stored> load(const vault::KeyId& id) final;
  Result<std::vector<Info>> list(std::string_view vault) final;
  Result<std::vector<Info>> versions(std::string_view vault, std::string_view name) final;
  Result<> soft_delete(std::string_view vault, std::string_view name, const vault::Deletion& deletion) final;
  Result<std::vector<vault::Deleted<Info>>> list_deleted(std::string_view vault) final;
  Result<vault::Deleted<Info>> load_deleted(std::string_view vault, std::string_view name) final;
  Result<std::vector<vault::Deleted<Info>>> overdue(Time now) final;
  Result<> recover(std::string_view vault, std::string_view name) final;
  Result<> purge(std::string_view vault, std::string_view name, const vault::Deletion& deletion) final;
  Result<std::vector<Stored>> load_all(std::string_view vault, std::string_view name) final;
  Result<> put_all(const std::vector<Stored>& versions) final;

  /// The sealed half or value of a version, to be looked at or damaged.
  Bytes& sealed(const vault::KeyId& id);
  /// From now on every call fails with this, until it is reset.
  std::optional<Error> failure;
  /// How often load() was called.
  int loads = 0;

 protected:
  struct Row {
    Stored stored;
    std::optional<vault::Deletion> deletion;
  };

  /// The newest version, or the one that is named, of what is deleted or of what is not.
  Row* find(const vault::KeyId& id, bool deleted);
  /// Of every name that `wanted` accepts, the newest version.
  template <class Wanted>
  std::vector<vault::Deleted<Info>> newest_deleted(Wanted wanted);
  Result<> put_row(const Stored& version);
  /// Sets or takes away the deletion of all versions of a name that are in the other state.
  Result<> set_deletion(std::string_view vault, std::string_view name,
                        std::optional<vault::Deletion> deletion);

  std::mutex mutex_;
  std::vector<Row> rows_;  ///< oldest first
  std::uint64_t generation_ = 1;
};

class MemoryKeyStore final : public MemoryStore<vault::KeyStore, vault::StoredKey, vault::KeyInfo> {
 public:
  Result<vault::KeyInfo> update(const vault::KeyId& id, const vault::KeyChange& change) override;
  Result<std::vector<std::string>> users_of(std::string_view vault, std::string_view name) override;
  Result<bool> is_issuers(std::string_view, std::string_view) override { return false; }
  Result<std::optional<vault::RotationPolicy>> rotation_policy(std::string_view vault,
                                                               std::string_view name) override;
  Result<> put_rotation_policy(std::string_view vault, std::string_view name,
                               const vault::RotationPolicy& policy) override;
  Result<std::vector<vault::KeyInfo>> rotation_candidates() override;
  Result<vault::VaultSettings> settings(std::string_view vault) override;
  Result<> put_settings(std::string_view vault, const vault::VaultSettings& settings) override;
  Result<std::vector<vault::AccessPolicy>> policies(std::string_view vault) override;
  Result<> put_policy(const vault::AccessPolicy& policy) override;
  Result<std::optional<Bytes>> master_key_check() override;
  Result<> put_master_key_check(ByteView check) override;
  /// @error Unsupported  the secrets and certificates are elsewhere: SqliteKeyStore has them all.
  Result<> change_master_key(const vault::MasterKeyChange& change, vault::Resealer& reseal) override;
  Result<std::vector<Bytes>> retired_master_keys() override { return std::vector<Bytes>(); }
  Result<std::uint64_t> generation() override;

  /// Everything, deleted or not.
  std::vector<vault::KeyAtRest> at_rest();

  /// What users_of() answers.
  std::vector<std::string> users;

 private:
  std::map<std::string, vault::RotationPolicy> rotation_policies_;  ///< by "vault/name" in lower case
  std::map<std::string, vault::VaultSettings> settings_;            ///< by the vault's name in lower case
  std::vector<vault::AccessPolicy> policies_;
  std::optional<Bytes> check_;
};

class MemorySecretStore final
    : public MemoryStore<vault::SecretStore, vault::StoredSecret, vault::SecretInfo> {
 public:
  Result<vault::SecretInfo> update(const vault::SecretId& id, const vault::SecretChange& change) override;
};

class MemoryAuditLog final : public vault::AuditLog {
 public:
  Result<> append(const vault::AuditRecord& record) override;
  [[nodiscard]] std::vector<vault::AuditRecord> records() const;
  [[nodiscard]] vault::AuditRecord last() const;

  /// From now on every append() fails with this, until it is reset.
  std::optional<Error> failure;

 private:
  mutable std::mutex mutex_;
  std::vector<vault::AuditRecord> records_;
};

}  // namespace signet::test
