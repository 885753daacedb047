#include "gateway/store/resource_store.h"

#include <fmt/format.h>

#include "gateway/store/sql_internal.h"
#include "gateway/store/vault_rows_internal.h"

namespace signet::gateway {
namespace {

using api::LoggedEvent;
using api::Resource;
using api::ResourceKind;

std::string_view word(ResourceKind kind) {
  switch (kind) {
    case ResourceKind::IntegrationAccount:
      return "integrationAccount";
    case ResourceKind::AccessKey:
      return "accessKey";
    case ResourceKind::OtherAgreement:
      return "agreement";
    case ResourceKind::Envelope:
      return "envelope";
    case ResourceKind::Vault:
      return "vault";
    case ResourceKind::DeletedVault:
      return "deletedVault";
  }
  return "?";
}

Resource read_resource(const Query& row) { return {row.text(0), row.text(1), row.time(2), row.time(3)}; }

/// @return whether it was made
bool put_row(SqlConnection& connection, ResourceKind kind, std::string_view name, std::string_view json,
             Time now) {
  Query update(connection, "UPDATE resources SET json = ?, changed = ? WHERE kind = ? AND name = ?");
  if (update.bind(json, now, word(kind), name).run() != 0) return false;
  Query(connection, "INSERT INTO resources (kind, name, json, created, changed) VALUES (?, ?, ?, ?, ?)")
      .bind(word(kind), name, json, now, now)
      .run();
  return true;
}

/// @return whether it was there
bool remove_row(SqlConnection& connection, ResourceKind kind, std::string_view name) {
  Query remove(connection, "DELETE FROM resources WHERE kind = ? AND name = ?");
  return remove.bind(word(kind), name).run() > 0;
}

void set_policies_aside(SqlConnection& connection, std::string_view vault, bool aside) {
  Query(connection, "UPDATE access_policies SET set_aside = ? WHERE vault = ?")
      .bind(std::int64_t{aside}, vault)
      .run();
  count_key_change(connection);
}

/// @param sql  removes rows of a vault
template <std::size_t N>
void remove_of(SqlConnection& connection, std::string_view vault, const char (&sql)[N]) {
  Query(connection, sql).bind(vault).run();
}

/// No API ends a certificate authority.
///
/// @error AlreadyExists  keys of issuers are in the vault.
Result<> check_has_no_issuers(SqlConnection& connection, std::string_view vault) {
  Query query(connection,
              "SELECT group_name FROM authority_issuers WHERE key_vault = ?1 UNION SELECT group_name FROM "
              "authority_issuer_requests WHERE key_vault = ?1");
  if (!query.bind(vault).next()) return {};
  return fail(
      ErrorKind::AlreadyExists,
      fmt::format("vault {} has the key of the issuer of certificate group '{}', without which nobody "
                  "could say any more what of its certificates is revoked: it stays",
                  printable(vault), printable(query.text(0))));
}

/// The keys of a vault that are in a token go by a purge of each, which removes them there as well.
Result<> check_token_is_empty(SqlConnection& connection, std::string_view vault) {
  Query left(connection,
             "SELECT 1 FROM token_objects WHERE vault = ?1 UNION ALL "
             "SELECT 1 FROM key_versions WHERE vault = ?1 AND in_token = 1 UNION ALL "
             "SELECT 1 FROM vault_certificate_operations WHERE vault = ?1 AND length(sealed) > 0 AND "
             "EXISTS (SELECT 1 FROM vault_tokens WHERE vault = ?1)");
  if (!left.bind(vault).next()) return {};
  return fail(
      ErrorKind::AlreadyExists,
      fmt::format("the token of vault {} still has keys of it, which would stay there for ever: recover "
                  "the vault, delete and purge its keys and certificates, and delete it again",
                  printable(vault)));
}

}  // namespace

Result<std::optional<Resource>> SqliteResourceStore::find(ResourceKind kind, std::string_view name) {
  using Found = std::optional<Resource>;
  return read_value<Found>(*database_, [&](SqlConnection& connection) -> Result<Found> {
    Query query(connection, "SELECT name, json, created, changed FROM resources WHERE kind = ? AND name = ?");
    if (!query.bind(word(kind), name).next()) return Found();
    return Found(read_resource(query));
  });
}

Result<std::vector<Resource>> SqliteResourceStore::list(ResourceKind kind) {
  using All = std::vector<Resource>;
  return read_value<All>(*database_, [&](SqlConnection& connection) -> Result<All> {
    Query query(connection,
                "SELECT name, json, created, changed FROM resources WHERE kind = ? ORDER BY name");
    query.bind(word(kind));
    All all;
    while (query.next()) all.push_back(read_resource(query));
    return all;
  });
}

Result<bool> SqliteResourceStore::put(ResourceKind kind, std::string_view name, std::string_view json,
                                      Time now) {
  bool made = false;
  const auto put = [&](SqlConnection& connection) -> Result<> {
    if (kind == ResourceKind::Vault) SIGNET_CHECK(check_not_linked(connection, name));
    made = put_row(connection, kind, name, json, now);
    return {};
  };
  SIGNET_CHECK(database_->write(put));
  return made;
}

Result<bool> SqliteResourceStore::remove(ResourceKind kind, std::string_view name) {
  bool was_there = false;
  SIGNET_CHECK(database_->write([&](SqlConnection& connection) -> Result<> {
    was_there = remove_row(connection, kind, name);
    return {};
  }));
  return was_there;
}

Result<> SqliteResourceStore::delete_vault(std::string_view vault, std::string_view json, Time now) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_CHECK(check_has_no_issuers(connection, vault));
    put_row(connection, ResourceKind::DeletedVault, vault, json, now);
    remove_row(connection, ResourceKind::Vault, vault);
    set_policies_aside(connection, vault, true);
    return {};
  });
}

Result<> SqliteResourceStore::recover_vault(std::string_view vault, std::string_view json, Time now) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    put_row(connection, ResourceKind::Vault, vault, json, now);
    remove_row(connection, ResourceKind::DeletedVault, vault);
    set_policies_aside(connection, vault, false);
    return {};
  });
}

Result<> SqliteResourceStore::purge_vault(std::string_view vault) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    if (!remove_row(connection, ResourceKind::DeletedVault, vault))
      return fail(ErrorKind::NotFound, "there is no deleted vault " + printable(vault));
    SIGNET_CHECK(check_token_is_empty(connection, vault));
    SIGNET_CHECK(check_has_no_issuers(connection, vault));
    remove_of(connection, vault, "DELETE FROM vault_certificate_notices WHERE vault = ? COLLATE NOCASE");
    remove_of(connection, vault, "DELETE FROM vault_certificate_operations WHERE vault = ?");
    remove_of(connection, vault, "DELETE FROM vault_certificate_versions WHERE vault = ?");
    remove_of(connection, vault, "DELETE FROM vault_certificates WHERE vault = ?");
    remove_of(connection, vault, "DELETE FROM vault_certificate_contacts WHERE vault = ?");
    remove_of(connection, vault, "DELETE FROM vault_certificate_issuers WHERE vault = ?");
    remove_of(connection, vault, "DELETE FROM rotation_policies WHERE vault = ?");
    remove_of(connection, vault, "DELETE FROM key_versions WHERE vault = ?");
    remove_of(connection, vault, "DELETE FROM vault_tokens WHERE vault = ?");
    remove_of(connection, vault, "DELETE FROM secret_versions WHERE vault = ?");
    remove_of(connection, vault, "DELETE FROM access_policies WHERE vault = ?");
    remove_of(connection, vault, "DELETE FROM vault_settings WHERE vault = ?");
    count_key_change(connection);
    return {};
  });
}

Result<> SqliteResourceStore::log_events(const std::vector<LoggedEvent>& events, Time now) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    for (const LoggedEvent& event : events)
      Query(connection, "INSERT INTO logged_events (received, principal, json) VALUES (?, ?, ?)")
          .bind(event.received, event.principal, event.json)
          .run();
    Query(connection,
          "DELETE FROM logged_events WHERE received < ? OR sequence <= (SELECT max(sequence) FROM "
          "logged_events) - ?")
        .bind(now - api::kLoggedEventLife, api::kMostLoggedEvents)
        .run();
    return {};
  });
}

Result<> SqliteResourceStore::visit_logged_events(
    std::optional<Time> since, const std::function<Result<>(const LoggedEvent&)>& visitor) {
  constexpr std::int64_t kPage = 256;
  struct Page {
    std::vector<LoggedEvent> events;
    std::int64_t last = 0;
  };
  Page page;
  do {
    SIGNET_TRY(page, read_value<Page>(*database_, [&](SqlConnection& connection) -> Result<Page> {
                 Query query(
                     connection,
                     "SELECT received, principal, json, sequence FROM logged_events WHERE received >= ? "
                     "AND sequence > ? ORDER BY sequence LIMIT ?");
                 query.bind(since.value_or(Time{}), page.last, kPage);
                 Page next;
                 while (query.next()) {
                   next.events.push_back({query.time(0), query.text(1), query.text(2)});
                   next.last = query.integer(3);
                 }
                 return next;
               }));
    for (const LoggedEvent& event : page.events) SIGNET_CHECK(visitor(event));
  } while (!page.events.empty());
  return {};
}

}  // namespace signet::gateway
