#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "certstore/vault/secret_store.h"
#include "gateway/store/database.h"

namespace signet::gateway {

/// The vault's secrets as rows; their values arrive sealed.
class SqliteSecretStore final : public vault::SecretStore {
 public:
  explicit SqliteSecretStore(std::shared_ptr<Database> database) : database_(std::move(database)) {}

  Result<> put_version(const vault::StoredSecret& secret) override;
  Result<vault::StoredSecret> load(const vault::SecretId& id) override;
  Result<std::vector<vault::SecretInfo>> list(std::string_view vault) override;
  Result<std::vector<vault::SecretInfo>> versions(std::string_view vault, std::string_view name) override;
  Result<vault::SecretInfo> update(const vault::SecretId& id, const vault::SecretChange& change) override;
  Result<> soft_delete(std::string_view vault, std::string_view name,
                       const vault::Deletion& deletion) override;
  Result<std::vector<vault::DeletedSecret>> list_deleted(std::string_view vault) override;
  Result<vault::DeletedSecret> load_deleted(std::string_view vault, std::string_view name) override;
  Result<std::vector<vault::DeletedSecret>> overdue(Time now) override;
  Result<> recover(std::string_view vault, std::string_view name) override;
  Result<> purge(std::string_view vault, std::string_view name, const vault::Deletion& deletion) override;
  Result<std::vector<vault::StoredSecret>> load_all(std::string_view vault, std::string_view name) override;
  Result<> put_all(const std::vector<vault::StoredSecret>& versions) override;

 private:
  const std::shared_ptr<Database> database_;
};

}  // namespace signet::gateway
