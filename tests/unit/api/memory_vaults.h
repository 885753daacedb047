#pragma once

#include <map>
#include <string>

#include "base/bytes.h"
#include "certstore/vault/embedded_vault.h"
#include "gateway/api/resource_store.h"
#include "gateway/api/vault_services.h"

namespace signet::gateway::api {

/// A vault's management plane, whose policies and settings are the vault's own.
class MemoryVaultAdministration final : public VaultAdministration {
 public:
  MemoryVaultAdministration(vault::EmbeddedVault& vault, ResourceStore& resources)
      : vault_(vault), resources_(resources) {}

  Result<std::vector<vault::AccessPolicy>> policies(std::string_view vault) override {
    return vault_.policies(kOperator, vault);
  }
  Result<> set_policy(const vault::AccessPolicy& policy) override {
    return vault_.set_policy(kOperator, policy);
  }
  Result<vault::VaultSettings> settings(std::string_view vault) override { return vault_.settings(vault); }
  Result<> set_settings(std::string_view vault, const vault::VaultSettings& settings) override {
    return vault_.set_settings(kOperator, vault, settings);
  }
  Result<bool> has_token(std::string_view vault) override {
    SIGNET_TRY(const auto token, vault_.token(vault));
    return token.has_value();
  }
  Result<std::vector<std::string>> other_users(std::string_view) override { return users; }
  Result<> delete_vault(std::string_view vault, std::string_view json, Time now) override {
    if (failure) return fail(*failure);
    SIGNET_TRY(set_aside_[to_lower(vault)], policies(vault));
    for (const vault::AccessPolicy& policy : set_aside_[to_lower(vault)])
      SIGNET_CHECK(set_policy({policy.vault, policy.principal}));
    SIGNET_CHECK(resources_.put(ResourceKind::DeletedVault, vault, json, now));
    SIGNET_CHECK(resources_.remove(ResourceKind::Vault, vault));
    return {};
  }
  Result<> recover_vault(std::string_view vault, std::string_view json, Time now) override {
    for (const vault::AccessPolicy& policy : set_aside_[to_lower(vault)]) SIGNET_CHECK(set_policy(policy));
    SIGNET_CHECK(resources_.put(ResourceKind::Vault, vault, json, now));
    SIGNET_CHECK(resources_.remove(ResourceKind::DeletedVault, vault));
    return {};
  }

  Result<> purge_vault(std::string_view vault) override {
    if (failure) return fail(*failure);
    SIGNET_TRY(const bool was_there, resources_.remove(ResourceKind::DeletedVault, vault));
    if (!was_there) return fail(ErrorKind::NotFound, "it is not deleted");
    set_aside_.erase(to_lower(vault));
    purged.emplace_back(vault);
    return {};
  }

  std::vector<std::string> users;   ///< that other_users() names
  std::vector<std::string> purged;  ///< vaults, in their order
  std::optional<Error> failure;     ///< of deletions and purges

 private:
  static inline const vault::Principal kOperator = vault::Principal::local_operator();
  vault::EmbeddedVault& vault_;
  ResourceStore& resources_;
  std::map<std::string, std::vector<vault::AccessPolicy>> set_aside_;
};

}  // namespace signet::gateway::api
