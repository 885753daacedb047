#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "certstore/vault/key_store.h"
#include "gateway/store/database.h"

namespace signet::gateway {

/// The vault's keys and access policies as rows; the private halves arrive sealed.
class SqliteKeyStore final : public vault::KeyStore {
 public:
  explicit SqliteKeyStore(std::shared_ptr<Database> database) : database_(std::move(database)) {}

  Result<> put_version(const vault::StoredKey& key) override;
  Result<vault::StoredKey> load(const vault::KeyId& id) override;
  Result<std::vector<vault::KeyInfo>> list(std::string_view vault) override;
  Result<std::vector<vault::KeyInfo>> versions(std::string_view vault, std::string_view name) override;
  Result<vault::KeyInfo> update(const vault::KeyId& id, const vault::KeyChange& change) override;
  Result<> soft_delete(std::string_view vault, std::string_view name,
                       const vault::Deletion& deletion) override;
  Result<std::vector<vault::DeletedKey>> list_deleted(std::string_view vault) override;
  Result<vault::DeletedKey> load_deleted(std::string_view vault, std::string_view name) override;
  Result<std::vector<vault::DeletedKey>> overdue(Time now) override;
  Result<> recover(std::string_view vault, std::string_view name) override;
  Result<> purge(std::string_view vault, std::string_view name, const vault::Deletion& deletion) override;
  Result<std::vector<vault::StoredKey>> load_all(std::string_view vault, std::string_view name) override;
  Result<> put_all(const std::vector<vault::StoredKey>& versions) override;
  Result<std::vector<std::string>> users_of(std::string_view vault, std::string_view name) override;
  Result<bool> is_issuers(std::string_view vault, std::string_view name) override;
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
  Result<> change_master_key(const vault::MasterKeyChange& change, vault::Resealer& reseal) override;
  Result<std::vector<Bytes>> retired_master_keys() override;
  Result<std::uint64_t> generation() override;

 private:
  const std::shared_ptr<Database> database_;
};

}  // namespace signet::gateway
