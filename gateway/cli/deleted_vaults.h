#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "certstore/vault/access_policy.h"
#include "certstore/vault/deletion.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/serve_settings.h"

/// Vaults that were deleted as a whole, by way of the management plane.

namespace signet::gateway {

struct DeletedVault {
  std::string name;
  vault::Deletion deletion;
  bool purge_protection = false;
};

/// By name.
Result<std::vector<DeletedVault>> deleted_vaults(Home& home);

/// Purges those whose time is over, each behind a record in the gateway's name; but for one that the account,
/// or a setting of serve.toml or of `given`, has keys or secrets in, which the log tells of.
Result<> purge_overdue_vaults(Home& home, const GivenOptions& given);

/// `vault deleted`, `vault recover`, `vault purge`.
void add_deleted_vault_commands(CLI::App& vault, CommandContext& context);

}  // namespace signet::gateway
