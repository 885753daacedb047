#pragma once

#include <fmt/format.h>

#include "certstore/vault/recoverable_store.h"
#include "gateway/store/sql_internal.h"
#include "gateway/store/vault_rows_internal.h"

/// Internal to gateway/store: rows of keys and of secrets that are deleted, recovered, purged and restored by
/// name. A table is told by a struct, `Rows` below, with SIGNET_RECOVERABLE_SQL and:
///
///     using Stored, Info;                                 what its rows are read as
///     static constexpr int kColumns;                      how many columns read() looks at
///     static constexpr std::string_view kWhat;            "key", in errors
///     static Result<Info> read(const Query& row);
///     static Result<> insert(SqlConnection&, const Stored&);
///     static void changed(SqlConnection&);                part of every change
///     static void purged(SqlConnection&, vault, name);    what else goes with a name

namespace signet::gateway {

#define SIGNET_NEWEST_DELETED(table, columns)                                             \
  "SELECT " columns ", deleted, purge_due FROM " table                                    \
  " AS object WHERE deleted IS NOT NULL AND sequence = (SELECT max(sequence) FROM " table \
  " AS other WHERE other.vault = object.vault AND other.name = object.name)"

#define SIGNET_RECOVERABLE_SQL(table, columns)                                                            \
  static constexpr char kSoftDelete[] =                                                                   \
      "UPDATE " table " SET deleted = ?, purge_due = ? WHERE vault = ? AND name = ? AND deleted IS NULL"; \
  static constexpr char kRecover[] =                                                                      \
      "UPDATE " table                                                                                     \
      " SET deleted = NULL, purge_due = NULL WHERE vault = ? AND name = ? AND deleted IS NOT NULL";       \
  static constexpr char kPurge[] =                                                                        \
      "DELETE FROM " table " WHERE vault = ? AND name = ? AND deleted = ? AND purge_due = ?";             \
  static constexpr char kFind[] = "SELECT purge_due FROM " table " WHERE vault = ? AND name = ? LIMIT 1"; \
  static constexpr char kListDeleted[] =                                                                  \
      SIGNET_NEWEST_DELETED(table, columns) " AND vault = ? ORDER BY name";                               \
  static constexpr char kLoadDeleted[] =                                                                  \
      SIGNET_NEWEST_DELETED(table, columns) " AND vault = ? AND name = ?";                                \
  static constexpr char kOverdue[] =                                                                      \
      SIGNET_NEWEST_DELETED(table, columns) " AND managed = 0 AND purge_due <= ? ORDER BY purge_due";     \
  static constexpr char kLoadAll[] = "SELECT " columns ", sealed FROM " table                             \
                                     " WHERE vault = ? AND name = ? AND deleted IS NULL ORDER BY sequence"

template <class Rows>
Error not_deleted(std::string_view vault, std::string_view name) {
  return Error{ErrorKind::NotFound,
               fmt::format("there is no deleted {} {}/{}", Rows::kWhat, printable(vault), printable(name))};
}

template <class Rows>
using DeletedRow = vault::Deleted<typename Rows::Info>;

template <class Rows>
Result<DeletedRow<Rows>> read_deleted(const Query& row) {
  SIGNET_TRY(auto info, Rows::read(row));
  return DeletedRow<Rows>{std::move(info), {row.time(Rows::kColumns), row.time(Rows::kColumns + 1)}};
}

template <class Rows>
Result<std::vector<DeletedRow<Rows>>> read_all_deleted(Query& query) {
  std::vector<DeletedRow<Rows>> all;
  while (query.next()) {
    SIGNET_TRY(auto deleted, read_deleted<Rows>(query));
    all.push_back(std::move(deleted));
  }
  return all;
}

/// Whether a name can get a version. One that is a certificate's gets those alone that belong to it.
///
/// @error DeletedButRecoverable, AlreadyExists
template <class Rows>
Result<> check_takes_version(SqlConnection& connection, const typename Rows::Info& info) {
  const vault::KeyId& id = info.id;
  SIGNET_CHECK(check_not_linked(connection, id.vault));
  SIGNET_CHECK(check_vault_in_use(connection, id.vault));
  Query own(connection, Rows::kFind);
  if (own.bind(id.vault, id.name).next() && !own.is_null(0))
    return fail(ErrorKind::DeletedButRecoverable,
                fmt::format("{} {}/{} was deleted and can be recovered until {}: recover or purge it",
                            Rows::kWhat, printable(id.vault), printable(id.name), to_rfc3339(own.time(0))));
  Query certificate(connection, "SELECT 1 FROM vault_certificates WHERE vault = ? AND name = ?");
  if (info.managed || !certificate.bind(id.vault, id.name).next()) return {};
  return fail(ErrorKind::AlreadyExists,
              fmt::format("the {} {}/{} belongs to the certificate of that name: choose another name",
                          Rows::kWhat, printable(id.vault), printable(id.name)));
}

template <class Rows>
Result<> soft_delete_rows(Database& database, std::string_view vault, std::string_view name,
                          const vault::Deletion& deletion) {
  return database.write([&](SqlConnection& connection) -> Result<> {
    Query update(connection, Rows::kSoftDelete);
    if (update.bind(deletion.deleted, deletion.scheduled_purge, vault, name).run() == 0)
      return fail(ErrorKind::NotFound,
                  fmt::format("there is no {} {}/{}", Rows::kWhat, printable(vault), printable(name)));
    Rows::changed(connection);
    return {};
  });
}

template <class Rows>
Result<> recover_rows(Database& database, std::string_view vault, std::string_view name) {
  return database.write([&](SqlConnection& connection) -> Result<> {
    Query update(connection, Rows::kRecover);
    if (update.bind(vault, name).run() == 0) return fail(not_deleted<Rows>(vault, name));
    Rows::changed(connection);
    return {};
  });
}

template <class Rows>
Result<> purge_rows(Database& database, std::string_view vault, std::string_view name,
                    const vault::Deletion& deletion) {
  return database.write([&](SqlConnection& connection) -> Result<> {
    Query purge(connection, Rows::kPurge);
    if (purge.bind(vault, name, deletion.deleted, deletion.scheduled_purge).run() == 0)
      return fail(not_deleted<Rows>(vault, name));
    Rows::purged(connection, vault, name);
    Rows::changed(connection);
    return {};
  });
}

template <class Rows>
Result<std::vector<DeletedRow<Rows>>> list_deleted_rows(Database& database, std::string_view vault) {
  return read_value<std::vector<DeletedRow<Rows>>>(database, [&](SqlConnection& connection) {
    Query query(connection, Rows::kListDeleted);
    query.bind(vault);
    return read_all_deleted<Rows>(query);
  });
}

template <class Rows>
Result<DeletedRow<Rows>> load_deleted_row(Database& database, std::string_view vault, std::string_view name) {
  return read_value<DeletedRow<Rows>>(database, [&](SqlConnection& connection) -> Result<DeletedRow<Rows>> {
    Query query(connection, Rows::kLoadDeleted);
    if (!query.bind(vault, name).next()) return fail(not_deleted<Rows>(vault, name));
    return read_deleted<Rows>(query);
  });
}

template <class Rows>
Result<std::vector<DeletedRow<Rows>>> overdue_rows(Database& database, Time now) {
  return read_value<std::vector<DeletedRow<Rows>>>(database, [&](SqlConnection& connection) {
    Query query(connection, Rows::kOverdue);
    query.bind(now);
    return read_all_deleted<Rows>(query);
  });
}

template <class Rows>
Result<std::vector<typename Rows::Stored>> load_all_rows(SqlConnection& connection, std::string_view vault,
                                                         std::string_view name) {
  Query query(connection, Rows::kLoadAll);
  query.bind(vault, name);
  std::vector<typename Rows::Stored> all;
  while (query.next()) {
    SIGNET_TRY(auto info, Rows::read(query));
    all.push_back({std::move(info), query.bytes(Rows::kColumns)});
  }
  return all;
}

template <class Rows>
Result<> put_all_rows(Database& database, const std::vector<typename Rows::Stored>& versions) {
  return database.write([&](SqlConnection& connection) -> Result<> {
    for (const auto& version : versions) {
      const vault::KeyId& id = version.info.id;
      if (&version == &versions.front()) {
        SIGNET_CHECK(check_takes_version<Rows>(connection, version.info));
        if (Query(connection, Rows::kFind).bind(id.vault, id.name).next())
          return fail(ErrorKind::AlreadyExists, fmt::format("there is a {} {}/{} already", Rows::kWhat,
                                                            printable(id.vault), printable(id.name)));
      }
      SIGNET_CHECK(Rows::insert(connection, version));
    }
    Rows::changed(connection);
    return {};
  });
}

}  // namespace signet::gateway
