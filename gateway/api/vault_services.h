#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "certstore/vault/access_policy.h"
#include "certstore/vault/deletion.h"
#include "gateway/api/principal.h"

namespace signet::gateway::api {

/// A home's vaults as a whole: in the operator's name, for who calls has shown a role, or a permission.
class VaultAdministration {
 public:
  virtual ~VaultAdministration() = default;
  /// The policies of a vault; none where there is no such vault.
  virtual Result<std::vector<vault::AccessPolicy>> policies(std::string_view vault) = 0;
  /// Replaces one principal's; one without permissions removes it.
  virtual Result<> set_policy(const vault::AccessPolicy& policy) = 0;
  /// How the vault treats what is deleted in it.
  virtual Result<vault::VaultSettings> settings(std::string_view vault) = 0;
  /// @error AlreadyExists  the vault has purge protection, and this would weaken it.
  virtual Result<> set_settings(std::string_view vault, const vault::VaultSettings& settings) = 0;

  /// Whether the vault's keys are in a token, and not in the vault itself.
  virtual Result<bool> has_token(std::string_view vault) = 0;

  /// Who has keys or secrets of the vault in use, beside the account: settings of this installation, in
  /// words.
  virtual Result<std::vector<std::string>> other_users(std::string_view vault) = 0;

  /// A vault's resource becomes a deleted one's and its policies count no more, or nothing has changed. They
  /// stay with the vault, each until its principal is removed.
  ///
  /// @param json  what is kept of the resource
  virtual Result<> delete_vault(std::string_view vault, std::string_view json, Time now) = 0;
  /// The reverse: the policies that are left count again.
  virtual Result<> recover_vault(std::string_view vault, std::string_view json, Time now) = 0;
  /// A deleted vault's keys, secrets and certificates, its policies, its settings and its resource are gone
  /// for good, or nothing has changed. @error NotFound  no vault of that name is deleted.
  virtual Result<> purge_vault(std::string_view vault) = 0;
};

/// What the handlers of vaults as resources work with. Everything outlives them, and is thread-safe.
struct VaultServices {
  VaultAdministration& administration;
  PrincipalStore& principals;
};

/// The vault that every home begins with.
inline constexpr std::string_view kFirstVault = "signet";

}  // namespace signet::gateway::api
