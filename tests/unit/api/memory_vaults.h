#pragma once

#include <map>
#include <utility>

#include "gateway/api/vault_services.h"

namespace signet::gateway::api {

/// Access policies that nobody keeps.
class MemoryVaultAdministration final : public VaultAdministration {
 public:
  Result<std::vector<vault::AccessPolicy>> policies(std::string_view vault) override {
    std::vector<vault::AccessPolicy> all;
    for (const auto& [key, policy] : policies_)
      if (key.first == vault) all.push_back(policy);
    return all;
  }
  Result<> set_policy(const vault::AccessPolicy& policy) override {
    policies_.erase({policy.vault, policy.principal.name});
    if (!policy.grants_nothing()) policies_.emplace(std::pair(policy.vault, policy.principal.name), policy);
    return {};
  }
  Result<vault::VaultSettings> settings(std::string_view vault) override {
    static_cast<void>(vault);
    return vault::VaultSettings();
  }

 private:
  std::map<std::pair<std::string, std::string>, vault::AccessPolicy> policies_;
};

}  // namespace signet::gateway::api
