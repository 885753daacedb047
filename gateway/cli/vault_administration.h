#pragma once

#include <utility>

#include "gateway/api/vault_services.h"
#include "gateway/cli/home.h"
#include "gateway/cli/vault_users.h"
#include "gateway/store/resource_store.h"

namespace signet::gateway {

/// The home's vaults for its REST services, in the operator's name.
class HomeVaultAdministration final : public api::VaultAdministration {
 public:
  /// The home outlives this. `given`: the settings of the process's command line.
  explicit HomeVaultAdministration(Home& home, GivenOptions given = {})
      : home_(home), given_(std::move(given)) {}

  Result<std::vector<vault::AccessPolicy>> policies(std::string_view vault) override {
    return home_.vault().policies(vault::Principal::local_operator(), vault);
  }
  Result<> set_policy(const vault::AccessPolicy& policy) override {
    return home_.vault().set_policy(vault::Principal::local_operator(), policy);
  }
  Result<vault::VaultSettings> settings(std::string_view vault) override {
    return home_.vault().settings(vault);
  }
  Result<> set_settings(std::string_view vault, const vault::VaultSettings& settings) override {
    return home_.vault().set_settings(vault::Principal::local_operator(), vault, settings);
  }
  Result<bool> has_token(std::string_view vault) override {
    SIGNET_TRY(const auto token, home_.vault().token(vault));
    return token.has_value();
  }
  Result<std::vector<std::string>> other_users(std::string_view vault) override {
    return users_in_settings(home_, given_, vault);
  }
  Result<> delete_vault(std::string_view vault, std::string_view json, Time now) override {
    SIGNET_CHECK(home_.resources().delete_vault(vault, json, now));
    home_.vault().forget();
    return {};
  }
  Result<> recover_vault(std::string_view vault, std::string_view json, Time now) override {
    SIGNET_CHECK(home_.resources().recover_vault(vault, json, now));
    home_.vault().forget();
    return {};
  }
  Result<> purge_vault(std::string_view vault) override {
    SIGNET_CHECK(home_.resources().purge_vault(vault));
    home_.vault().forget();
    return {};
  }

 private:
  Home& home_;
  const GivenOptions given_;
};

}  // namespace signet::gateway
