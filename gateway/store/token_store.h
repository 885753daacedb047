#pragma once

#include <memory>
#include <utility>

#include "certstore/vault/token_store.h"
#include "gateway/store/database.h"

namespace signet::gateway {

/// In which tokens the keys of vaults are, as rows.
class SqliteTokenStore final : public vault::TokenStore {
 public:
  explicit SqliteTokenStore(std::shared_ptr<Database> database) : database_(std::move(database)) {}

  Result<std::optional<std::string>> token(std::string_view vault) override;
  Result<> put_token(std::string_view vault, std::string_view uri) override;
  Result<std::vector<vault::KeyAtRest>> keys_at_rest(std::string_view vault) override;
  Result<> note_objects(std::string_view vault, const std::vector<Bytes>& ids, Time now) override;
  Result<std::vector<vault::NotedObject>> noted_objects(Time before) override;
  Result<> forget_objects(std::string_view vault, const std::vector<Bytes>& ids) override;

 private:
  const std::shared_ptr<Database> database_;
};

}  // namespace signet::gateway
