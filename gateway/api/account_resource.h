#pragma once

#include <string>

#include "gateway/api/account_services.h"
#include "gateway/api/call.h"

namespace signet::gateway::api {

/// The home's integration account as a resource. It has the default name until a PUT gives it another one,
/// once.
struct AccountResource {
  std::string name;
  std::string group;
  Json document;          ///< location, tags, sku, properties
  bool is_named = false;  ///< by a PUT

  /// "/subscriptions/S/resourceGroups/G/providers/Microsoft.Logic/integrationAccounts/NAME"
  [[nodiscard]] std::string id(const Installation& installation) const;
  [[nodiscard]] Json json(const Installation& installation) const;
};

Result<AccountResource> load_account_resource(const AccountServices& services);

/// The account, when it is the one that the call's path names.
///
/// @error NotFound  another subscription, group or name.
Result<AccountResource> account_of(const AccountServices& services, const Call& call);

}  // namespace signet::gateway::api
