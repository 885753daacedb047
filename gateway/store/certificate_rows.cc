#include "gateway/store/certificate_rows_internal.h"

namespace signet::gateway {
namespace {

#define SIGNET_CERTIFICATE_COLUMNS "name, der, key_vault, key_name, key_version, created, changed, metadata"

CertificateRow read_row(const Query& query) {
  CertificateRow row;
  row.name = query.text(0);
  row.der = query.bytes(1);
  if (!query.is_null(2)) row.key = certstore::KeyReference{query.text(2), query.text(3), query.text(4)};
  row.created = query.time(5);
  row.changed = query.time(6);
  row.metadata = query.text(7);
  return row;
}

}  // namespace

std::vector<CertificateRow> read_certificates(SqlConnection& connection) {
  Query query(connection, "SELECT " SIGNET_CERTIFICATE_COLUMNS " FROM certificates ORDER BY position");
  std::vector<CertificateRow> rows;
  while (query.next()) rows.push_back(read_row(query));
  return rows;
}

std::optional<CertificateRow> read_certificate(SqlConnection& connection, std::string_view name) {
  Query query(connection, "SELECT " SIGNET_CERTIFICATE_COLUMNS " FROM certificates WHERE name = ?");
  if (!query.bind(name).next()) return std::nullopt;
  return read_row(query);
}

void write_certificate(SqlConnection& connection, const CertificateRow& row) {
  std::optional<std::string_view> vault;
  std::optional<std::string_view> key;
  std::optional<std::string_view> version;
  if (row.key) {
    vault = row.key->key_vault;
    key = row.key->key_name;
    version = row.key->key_version;
  }
  Query(connection,
        "INSERT INTO certificates (" SIGNET_CERTIFICATE_COLUMNS
        ") VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET der = excluded.der, "
        "key_vault = excluded.key_vault, key_name = excluded.key_name, key_version = excluded.key_version, "
        "created = excluded.created, changed = excluded.changed, metadata = excluded.metadata")
      .bind(row.name, row.der, vault, key, version, row.created, row.changed, row.metadata)
      .run();
}

bool remove_certificate(SqlConnection& connection, std::string_view name) {
  return Query(connection, "DELETE FROM certificates WHERE name = ?").bind(name).run() > 0;
}

void remove_all_certificates(SqlConnection& connection) {
  Query(connection, "DELETE FROM certificates").run();
}

}  // namespace signet::gateway
