#include "gateway/store/vault_link_store.h"

#include <fmt/format.h>

#include "gateway/store/sql_internal.h"
#include "gateway/store/vault_rows_internal.h"

namespace signet::gateway {
namespace {

#define SIGNET_OWN_VAULTS                                                                                 \
  "SELECT vault FROM key_versions UNION SELECT vault FROM secret_versions UNION SELECT vault FROM "       \
  "vault_certificates UNION SELECT vault FROM access_policies UNION SELECT vault FROM vault_settings "    \
  "UNION SELECT vault FROM vault_certificate_contacts UNION SELECT vault FROM vault_certificate_issuers " \
  "UNION SELECT vault FROM vault_tokens UNION SELECT name FROM resources WHERE kind IN ('vault', "        \
  "'deletedVault')"

VaultLink read_link(const Query& row) {
  return {row.text(0), row.text(1), row.text(2), row.text(3),
          row.text(4), row.text(5), row.text(6), row.time(7)};
}

}  // namespace

Result<> check_not_linked(SqlConnection& connection, std::string_view vault) {
  Query find(connection, "SELECT url FROM vault_links WHERE name = ?");
  if (!find.bind(vault).next()) return {};
  return fail(
      ErrorKind::AlreadyExists,
      fmt::format("'{}' is linked to the key vault at {}: what is in it, and who may use it, is changed "
                  "there",
                  printable(vault), find.text(0)));
}

Result<> SqliteVaultLinkStore::put_link(const VaultLink& link) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    Query own(connection, "SELECT 1 FROM (" SIGNET_OWN_VAULTS ") WHERE vault = ? COLLATE NOCASE");
    if (own.bind(link.name).next())
      return fail(ErrorKind::AlreadyExists,
                  fmt::format("there is a vault '{}' in this home, with keys, secrets, policies or settings, "
                              "perhaps deleted ones: link the other one under another name",
                              link.name));
    Query insert(connection,
                 "INSERT INTO vault_links (name, url, token_file, client_id, client_secret_file, authority, "
                 "authorities, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
    insert.bind(link.name, link.url, link.token_file.string(), link.client_id,
                link.client_secret_file.string(), link.authority, link.authorities, link.created);
    if (insert.run() == 0)
      return fail(
          ErrorKind::AlreadyExists,
          fmt::format("'{}' is linked already: signet vault unlink {} comes first", link.name, link.name));
    count_key_change(connection);
    return {};
  });
}

Result<> SqliteVaultLinkStore::remove_link(std::string_view name) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    Query remove(connection, "DELETE FROM vault_links WHERE name = ?");
    if (remove.bind(name).run() == 0)
      return fail(ErrorKind::NotFound, fmt::format("no vault is linked as '{}'", printable(name)));
    count_key_change(connection);
    return {};
  });
}

Result<std::vector<VaultLink>> SqliteVaultLinkStore::links() {
  using Links = std::vector<VaultLink>;
  return read_value<Links>(*database_, [](SqlConnection& connection) -> Result<Links> {
    Query query(
        connection,
        "SELECT name, url, token_file, client_id, client_secret_file, authority, authorities, created "
        "FROM vault_links ORDER BY name");
    Links links;
    while (query.next()) links.push_back(read_link(query));
    return links;
  });
}

Result<std::uint64_t> SqliteVaultLinkStore::link_generation() {
  SIGNET_TRY(const Generations generations, database_->generations());
  return generations.keys;
}

Result<std::vector<std::string>> SqliteVaultLinkStore::own_vaults() {
  using Names = std::vector<std::string>;
  return read_value<Names>(*database_, [](SqlConnection& connection) -> Result<Names> {
    Query query(connection, "SELECT DISTINCT lower(vault) FROM (" SIGNET_OWN_VAULTS ") ORDER BY 1");
    Names names;
    while (query.next()) names.push_back(query.text(0));
    return names;
  });
}

}  // namespace signet::gateway
