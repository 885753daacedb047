#include <fmt/format.h>

#include "certstore/vault/certificate_policy_json.h"
#include "certstore/vault/master_key.h"
#include "gateway/store/key_store.h"
#include "gateway/store/sql_internal.h"
#include "gateway/store/vault_certificate_rows_internal.h"
#include "gateway/store/vault_rows_internal.h"

/// From one master key to the next: every row that has something sealed in it.

namespace signet::gateway {
namespace {

using vault::KeyId;
using vault::MasterKeyChange;
using vault::Resealer;

struct ResealedRow {
  std::int64_t row;
  Bytes sealed;
};

/// Everything is read before anything is written, since a table that is being gone through must not change.
///
/// @param reseal  of a row, whose first column is its number: what is to be in it
template <class Reseal>
Result<std::vector<ResealedRow>> reseal_rows(Query& rows, Reseal reseal) {
  std::vector<ResealedRow> resealed;
  while (rows.next()) {
    SIGNET_TRY(Bytes sealed, reseal(rows));
    resealed.push_back({rows.integer(0), std::move(sealed)});
  }
  return resealed;
}

template <std::size_t N>
void write_rows(SqlConnection& connection, const char (&update)[N], const std::vector<ResealedRow>& rows) {
  for (const ResealedRow& row : rows) Query(connection, update).bind(row.sealed, row.row).run();
}

Result<> reseal_keys(SqlConnection& connection, Resealer& reseal) {
  std::vector<ResealedRow> rows;
  {
    Query query(connection, "SELECT sequence, vault, name, version, kind, sealed FROM key_versions");
    SIGNET_TRY(rows, reseal_rows(query, [&](const Query& row) -> Result<Bytes> {
                 SIGNET_TRY(const vault::KeyKind kind, vault::parse_key_kind(row.text(4)));
                 return reseal.key({row.text(1), row.text(2), row.text(3)}, kind, row.bytes(5));
               }));
  }
  write_rows(connection, "UPDATE key_versions SET sealed = ? WHERE sequence = ?", rows);
  return {};
}

Result<> reseal_secrets(SqlConnection& connection, Resealer& reseal) {
  std::vector<ResealedRow> rows;
  {
    Query query(connection, "SELECT sequence, vault, name, version, sealed FROM secret_versions");
    SIGNET_TRY(rows, reseal_rows(query, [&](const Query& row) {
                 return reseal.secret({row.text(1), row.text(2), row.text(3)}, row.bytes(4));
               }));
  }
  write_rows(connection, "UPDATE secret_versions SET sealed = ? WHERE sequence = ?", rows);
  return {};
}

/// Keys of requests that wait for their certificates.
Result<> reseal_operations(SqlConnection& connection, Resealer& reseal) {
  std::vector<ResealedRow> rows;
  {
    Query query(connection,
                "SELECT rowid, vault, name, version, policy, sealed FROM vault_certificate_operations WHERE "
                "length(sealed) > 0");
    SIGNET_TRY(rows, reseal_rows(query, [&](const Query& row) -> Result<Bytes> {
                 SIGNET_TRY(const vault::CertificatePolicy policy, read_policy_column(row.text(4)));
                 return reseal.key({row.text(1), row.text(2), row.text(3)}, policy.kind, row.bytes(5));
               }));
  }
  write_rows(connection, "UPDATE vault_certificate_operations SET sealed = ? WHERE rowid = ?", rows);
  return {};
}

Result<> reseal_issuers(SqlConnection& connection, Resealer& reseal) {
  std::vector<ResealedRow> passwords;
  std::vector<ResealedRow> keys;
  {
    Query query(connection,
                "SELECT rowid, vault, name, sealed_password FROM vault_certificate_issuers WHERE "
                "length(sealed_password) > 0");
    SIGNET_TRY(passwords, reseal_rows(query, [&](const Query& row) {
                 return reseal.issuer_password({row.text(1), row.text(2), {}}, row.bytes(3));
               }));
  }
  {
    Query query(connection,
                "SELECT rowid, vault, name, sealed_account_key FROM vault_certificate_issuers WHERE "
                "length(sealed_account_key) > 0");
    SIGNET_TRY(keys, reseal_rows(query, [&](const Query& row) {
                 return reseal.issuer_account_key({row.text(1), row.text(2), {}}, row.bytes(3));
               }));
  }
  write_rows(connection, "UPDATE vault_certificate_issuers SET sealed_password = ? WHERE rowid = ?",
             passwords);
  write_rows(connection, "UPDATE vault_certificate_issuers SET sealed_account_key = ? WHERE rowid = ?", keys);
  return {};
}

Result<> reseal_retired(SqlConnection& connection, Resealer& reseal) {
  std::vector<ResealedRow> rows;
  {
    Query query(connection, "SELECT sequence, sealed FROM retired_master_keys");
    SIGNET_TRY(rows,
               reseal_rows(query, [&](const Query& row) { return reseal.retired_master_key(row.bytes(1)); }));
  }
  write_rows(connection, "UPDATE retired_master_keys SET sealed = ? WHERE sequence = ?", rows);
  return {};
}

std::optional<Bytes> check_value(SqlConnection& connection) {
  Query query(connection, "SELECT check_value FROM master_key");
  return query.next() ? std::optional(query.bytes(0)) : std::nullopt;
}

bool has_retired(SqlConnection& connection) {
  return Query(connection, "SELECT 1 FROM retired_master_keys LIMIT 1").next();
}

Result<> change(SqlConnection& connection, const MasterKeyChange& change, Resealer& reseal) {
  if (check_value(connection) != change.check_before)
    return fail(ErrorKind::AlreadyExists, "the master key was changed in the meantime: try again");
  SIGNET_CHECK(reseal_keys(connection, reseal));
  SIGNET_CHECK(reseal_secrets(connection, reseal));
  SIGNET_CHECK(reseal_operations(connection, reseal));
  SIGNET_CHECK(reseal_issuers(connection, reseal));
  SIGNET_CHECK(reseal_retired(connection, reseal));
  Query(connection, "INSERT INTO retired_master_keys (retired, sealed) VALUES (?, ?)")
      .bind(change.now, change.retired)
      .run();
  Query(connection, "UPDATE master_key SET check_value = ?").bind(change.check).run();
  count_key_change(connection);
  return {};
}

}  // namespace

Result<> check_seal(SqlConnection& connection, ByteView sealed) {
  const ByteView id = vault::sealed_under(sealed);
  bool is_of_now = true;
  if (!id.empty()) {
    const std::optional<Bytes> check = check_value(connection);
    is_of_now = !check || std::equal(id.begin(), id.end(), check->begin());
  } else if (vault::is_sealed_without_id(sealed)) {
    is_of_now = !has_retired(connection);
  }
  if (is_of_now) return {};
  return fail(ErrorKind::Unavailable,
              "the vault's master key was changed in the meantime; nothing was written: try again");
}

Result<> SqliteKeyStore::change_master_key(const MasterKeyChange& wanted, Resealer& reseal) {
  return database_->write([&](SqlConnection& connection) { return change(connection, wanted, reseal); });
}

Result<std::vector<Bytes>> SqliteKeyStore::retired_master_keys() {
  return read_value<std::vector<Bytes>>(*database_,
                                        [](SqlConnection& connection) -> Result<std::vector<Bytes>> {
                                          Query query(connection,
                                                      "SELECT sealed FROM retired_master_keys ORDER BY "
                                                      "sequence DESC");
                                          std::vector<Bytes> keys;
                                          while (query.next()) keys.push_back(query.bytes(0));
                                          return keys;
                                        });
}

}  // namespace signet::gateway
