#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/remote_vault/vault_link.h"
#include "gateway/store/database.h"

namespace signet::gateway {

/// The links to vaults elsewhere, in SQLite. A name is that of a link or of a vault of this home, never of
/// both: whatever is written into a vault looks for a link in its transaction.
class SqliteVaultLinkStore final : public VaultLinkStore {
 public:
  explicit SqliteVaultLinkStore(std::shared_ptr<Database> database) : database_(std::move(database)) {}

  Result<> put_link(const VaultLink& link) override;
  Result<> remove_link(std::string_view name) override;
  Result<std::vector<VaultLink>> links() override;
  Result<std::uint64_t> link_generation() override;

  /// The vaults of this home: those that hold something, or have policies or settings. By name, in lower
  /// case.
  Result<std::vector<std::string>> own_vaults();

 private:
  std::shared_ptr<Database> database_;
};

}  // namespace signet::gateway
