#pragma once

#include <memory>

#include "gateway/api/resource_store.h"
#include "gateway/store/database.h"

namespace signet::gateway {

/// What only the management plane knows, in SQLite.
class SqliteResourceStore final : public api::ResourceStore {
 public:
  explicit SqliteResourceStore(std::shared_ptr<Database> database) : database_(std::move(database)) {}

  Result<std::optional<api::Resource>> find(api::ResourceKind kind, std::string_view name) override;
  Result<std::vector<api::Resource>> list(api::ResourceKind kind) override;
  Result<bool> put(api::ResourceKind kind, std::string_view name, std::string_view json, Time now) override;
  Result<bool> remove(api::ResourceKind kind, std::string_view name) override;
  Result<> log_events(const std::vector<api::LoggedEvent>& events, Time now) override;
  Result<> visit_logged_events(std::optional<Time> since,
                               const std::function<Result<>(const api::LoggedEvent&)>& visitor) override;

  /// As api::VaultAdministration, each in one transaction.
  Result<> delete_vault(std::string_view vault, std::string_view json, Time now);
  Result<> recover_vault(std::string_view vault, std::string_view json, Time now);
  Result<> purge_vault(std::string_view vault);

 private:
  std::shared_ptr<Database> database_;
};

}  // namespace signet::gateway
