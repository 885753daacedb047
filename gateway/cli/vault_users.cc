#include "gateway/cli/vault_users.h"

#include <fmt/format.h>

#include "gateway/api/vault_resource.h"

namespace signet::gateway {

Result<std::vector<std::string>> users_in_settings(Home& home, const GivenOptions& given,
                                                   std::string_view vault) {
  SIGNET_TRY(const ServeSettings settings, read_serve_settings(given, home.directory() / "serve.toml"));
  std::vector<std::string> users;
  for (const std::string& setting : settings_with_secrets_of(settings, vault))
    users.push_back(fmt::format("the setting '{}'", setting));
  return users;
}

Result<std::vector<std::string>> users_of_vault(Home& home, const GivenOptions& given,
                                                std::string_view vault) {
  SIGNET_TRY(const agreements::StoredAccount stored, home.accounts().load());
  std::vector<std::string> users = api::users_of(stored.account, vault);
  SIGNET_TRY(const std::vector<std::string> settings, users_in_settings(home, given, vault));
  users.insert(users.end(), settings.begin(), settings.end());
  return users;
}

}  // namespace signet::gateway
