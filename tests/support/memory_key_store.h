#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "certstore/vault/audit_log.h"
#include "certstore/vault/key_store.h"
#include "certstore/vault/secret_store.h"

/// The key vault's stores and audit log, in memory; they fail on demand.

namespace signet::test {

class MemoryKeyStore final : public vault::KeyStore {
 public:
  Result<> put_version(const vault::StoredKey& key) override;
  Result<vault::StoredKey> load(const vault::KeyId& id) override;
  Result<std::vector<vault::KeyInfo>> list(std::string_view vault) override;
  Result<std::vector<vault::KeyInfo>> versions(std::string_view vault, std::string_view name) override;
  Result<> update(const vault::KeyInfo& info) override;
  Result<std::vector<vault::AccessPolicy>> policies(std::string_view vault) override;
  Result<> put_policy(const vault::AccessPolicy& policy) override;
  Result<std::optional<Bytes>> master_key_check() override;
  Result<> put_master_key_check(ByteView check) override;
  Result<std::uint64_t> generation() override;

  /// The sealed half of a version, to be looked at or damaged.
  Bytes& sealed(const vault::KeyId& id);
  /// From now on every call fails with this, until it is reset.
  std::optional<Error> failure;
  /// How often load() was called.
  int loads = 0;

 private:
  vault::StoredKey* find(const vault::KeyId& id);

  std::mutex mutex_;
  std::vector<vault::StoredKey> keys_;  ///< oldest first
  std::vector<vault::AccessPolicy> policies_;
  std::optional<Bytes> check_;
  std::uint64_t generation_ = 1;
};

class MemorySecretStore final : public vault::SecretStore {
 public:
  Result<> put_version(const vault::StoredSecret& secret) override;
  Result<vault::StoredSecret> load(const vault::SecretId& id) override;
  Result<std::vector<vault::SecretInfo>> list(std::string_view vault) override;
  Result<std::vector<vault::SecretInfo>> versions(std::string_view vault, std::string_view name) override;
  Result<> update(const vault::SecretInfo& info) override;
  Result<> remove(std::string_view vault, std::string_view name) override;

  /// The sealed value of a version, to be looked at or damaged.
  Bytes& sealed(const vault::SecretId& id);
  /// From now on every call fails with this, until it is reset.
  std::optional<Error> failure;

 private:
  vault::StoredSecret* find(const vault::SecretId& id);

  std::mutex mutex_;
  std::vector<vault::StoredSecret> secrets_;  ///< oldest first
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
