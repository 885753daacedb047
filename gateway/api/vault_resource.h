#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/api/call.h"
#include "gateway/api/services.h"

namespace signet::gateway::api {

inline constexpr std::string_view kVaultType = "Microsoft.KeyVault/vaults";

/// A vault as a resource: what Azure's management plane says of it. What is in it, and who may do what with
/// that, the vault itself knows.
struct VaultResource {
  std::string name;
  std::string group;
  Json document;  ///< location, tags, properties, but for those that the vault itself keeps to
  Time created{};
  Time changed{};

  /// "/subscriptions/S/resourceGroups/G/providers/Microsoft.KeyVault/vaults/NAME"
  [[nodiscard]] std::string id(const Installation& installation) const;
};

/// What a vault is before anybody says otherwise.
VaultResource new_vault(const Services& services, std::string name, std::string group);

/// The vault of that name. The home's first vault is there without having been put; so is one that the
/// command line has given policies. Nothing: there is none, or it was deleted.
Result<std::optional<VaultResource>> find_vault(Services& services, const std::string& name);
/// All, by name.
Result<std::vector<VaultResource>> all_vaults(Services& services);
Result<> keep_vault(Services& services, const VaultResource& vault);
/// The text that is kept of one, deleted or not, and what it says.
std::string stored_text(const VaultResource& vault);
VaultResource read_vault(const Resource& resource);

/// When a deleted vault was deleted, and when it goes for good.
vault::Deletion deletion_of(const Resource& deleted, const vault::VaultSettings& settings);
/// What of the account has its key, or a secret, in the vault: "certificate 'x'", "agreement 'y'".
std::vector<std::string> users_of(const agreements::Account& account, std::string_view vault);

/// With its policies and settings, and its URI as seen from the call's origin. One whose keys are in a token
/// is premium, which is Azure's word for that, whatever was said.
Result<Json> vault_json(Services& services, const Call& call, const VaultResource& vault);

/// What is said of a vault goes over what was said before.
///
/// @error InvalidInput  a member of another type, or a setting that this service would not keep to: another
/// tenant, role assignments in the place of access policies, networks, deletion that is not soft.
Result<> merge_vault(const Services& services, const Json& body, VaultResource& vault);

/// What is said of how a vault treats what is deleted in it goes over how it does now.
///
/// @error InvalidInput  a retention that none can have, or a purge protection that would end.
Result<vault::VaultSettings> merge_settings(const Json& body, vault::VaultSettings now);

}  // namespace signet::gateway::api
