#pragma once

#include "gateway/api/vault_services.h"
#include "gateway/cli/home.h"

namespace signet::gateway {

/// The home's vaults for its REST services, in the operator's name.
class HomeVaultAdministration final : public api::VaultAdministration {
 public:
  /// The home outlives this.
  explicit HomeVaultAdministration(Home& home) : home_(home) {}

  Result<std::vector<vault::AccessPolicy>> policies(std::string_view vault) override {
    return home_.vault().policies(vault::Principal::local_operator(), vault);
  }
  Result<> set_policy(const vault::AccessPolicy& policy) override {
    return home_.vault().set_policy(vault::Principal::local_operator(), policy);
  }
  Result<vault::VaultSettings> settings(std::string_view vault) override {
    return home_.vault().settings(vault);
  }

 private:
  Home& home_;
};

}  // namespace signet::gateway
