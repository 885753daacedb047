#include <nlohmann/json.hpp>

#include "gateway/store/sql_internal.h"
#include "gateway/store/vault_rows_internal.h"

namespace signet::gateway {

std::string to_column(const vault::Tags& tags) { return nlohmann::json(tags).dump(); }

Result<vault::Tags> tags_of(std::string_view column) {
  const auto json = nlohmann::json::parse(column, nullptr, false);
  vault::Tags tags;
  bool good = json.is_object();
  for (const auto& [name, value] : json.items()) {
    good = good && value.is_string();
    if (good) tags.emplace(name, value.get<std::string>());
  }
  if (good) return tags;
  return fail(
      ErrorKind::IoFailure,
      "the database holds tags of a key or a secret that are no JSON object of texts: restore it from "
      "a backup");
}

Result<> check_vault_in_use(SqlConnection& connection, std::string_view vault) {
  Query deleted(connection, "SELECT 1 FROM resources WHERE kind = 'deletedVault' AND name = ?");
  if (!deleted.bind(vault).next()) return {};
  return fail(ErrorKind::DeletedButRecoverable,
              "key vault '" + printable(vault) +
                  "' was deleted: recover it first (signet vault recover), or purge it (signet vault purge)");
}

}  // namespace signet::gateway
