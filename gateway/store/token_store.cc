#include "gateway/store/token_store.h"

#include <fmt/format.h>

#include "gateway/store/sql_internal.h"
#include "gateway/store/vault_rows_internal.h"

namespace signet::gateway {
namespace {

using vault::KeyAtRest;
using vault::NotedObject;

std::optional<std::string> token_row(SqlConnection& connection, std::string_view vault) {
  Query query(connection, "SELECT uri FROM vault_tokens WHERE vault = ?");
  return query.bind(vault).next() ? std::optional(query.text(0)) : std::nullopt;
}

/// @error AlreadyExists
Result<> check_holds_nothing(SqlConnection& connection, std::string_view vault) {
  Query query(connection,
              "SELECT 1 FROM key_versions WHERE vault = ?1 UNION ALL SELECT 1 FROM "
              "vault_certificate_operations WHERE vault = ?1 AND sealed <> x'' LIMIT 1");
  if (!query.bind(vault).next()) return {};
  return fail(ErrorKind::AlreadyExists,
              fmt::format("key vault '{}' holds keys already, and all keys of a vault are in one place: name "
                          "a new vault for the token",
                          printable(vault)));
}

}  // namespace

Result<std::optional<std::string>> SqliteTokenStore::token(std::string_view vault) {
  using Uri = std::optional<std::string>;
  return read_value<Uri>(
      *database_, [&](SqlConnection& connection) -> Result<Uri> { return token_row(connection, vault); });
}

Result<> SqliteTokenStore::put_token(std::string_view vault, std::string_view uri) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_CHECK(check_not_linked(connection, vault));
    SIGNET_CHECK(check_vault_in_use(connection, vault));
    if (!token_row(connection, vault)) SIGNET_CHECK(check_holds_nothing(connection, vault));
    Query(connection,
          "INSERT INTO vault_tokens (vault, uri) VALUES (?, ?) ON CONFLICT (vault) DO UPDATE SET uri = "
          "excluded.uri")
        .bind(vault, uri)
        .run();
    count_key_change(connection);
    return {};
  });
}

Result<std::vector<KeyAtRest>> SqliteTokenStore::keys_at_rest(std::string_view vault) {
  using Rows = std::vector<KeyAtRest>;
  return read_value<Rows>(*database_, [&](SqlConnection& connection) -> Result<Rows> {
    Query query(
        connection,
        "SELECT vault, name, version, public_key, sealed FROM key_versions WHERE vault = ?1 UNION ALL "
        "SELECT vault, name, version, public_key, sealed FROM vault_certificate_operations WHERE "
        "vault = ?1 AND sealed <> x''");
    query.bind(vault);
    Rows rows;
    while (query.next())
      rows.push_back({{query.text(0), query.text(1), query.text(2)}, query.bytes(3), query.bytes(4)});
    return rows;
  });
}

Result<> SqliteTokenStore::note_objects(std::string_view vault, const std::vector<Bytes>& ids, Time now) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    for (const Bytes& id : ids)
      Query(connection, "INSERT OR REPLACE INTO token_objects (vault, object, noted) VALUES (?, ?, ?)")
          .bind(vault, id, now)
          .run();
    return {};
  });
}

Result<std::vector<NotedObject>> SqliteTokenStore::noted_objects(Time before) {
  using Objects = std::vector<NotedObject>;
  return read_value<Objects>(*database_, [&](SqlConnection& connection) -> Result<Objects> {
    Query query(connection, "SELECT vault, object FROM token_objects WHERE noted <= ? ORDER BY noted");
    query.bind(before);
    Objects objects;
    while (query.next()) objects.push_back({query.text(0), query.bytes(1)});
    return objects;
  });
}

Result<> SqliteTokenStore::forget_objects(std::string_view vault, const std::vector<Bytes>& ids) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    for (const Bytes& id : ids)
      Query(connection, "DELETE FROM token_objects WHERE vault = ? AND object = ?").bind(vault, id).run();
    return {};
  });
}

}  // namespace signet::gateway
