#include <algorithm>

#include "gateway/store/service_binding_rows_internal.h"
#include "gateway/store/sql_internal.h"
#include "gateway/store/vault_certificate_rows_internal.h"
#include "gateway/store/vault_certificate_store.h"
#include "gateway/store/vault_rows_internal.h"

/// Certificates that are deleted, recovered, purged and restored: with their keys and secrets, in one
/// transaction.

namespace signet::gateway {
namespace {

using vault::CertificateInfo;
using vault::Deletion;
using vault::StoredName;
using vault::WholeCertificate;
using DeletedInfo = vault::Deleted<CertificateInfo>;

Error not_deleted(std::string_view vault, std::string_view name) {
  return Error{ErrorKind::NotFound,
               "there is no deleted certificate " + printable(vault) + "/" + printable(name)};
}

#define SIGNET_NEWEST_DELETED_CERTIFICATE                                                              \
  "SELECT version.vault, version.name, version.version, version.chain, version.exportable, "           \
  "version.enabled, version.tags, version.created, version.updated, own.deleted, own.purge_due FROM "  \
  "vault_certificate_versions AS version JOIN vault_certificates AS own ON own.vault = version.vault " \
  "AND own.name = version.name WHERE own.deleted IS NOT NULL AND version.sequence = (SELECT "          \
  "max(sequence) FROM vault_certificate_versions AS other WHERE other.vault = version.vault AND "      \
  "other.name = version.name)"

Result<DeletedInfo> read_deleted(const Query& row) {
  SIGNET_TRY(vault::StoredCertificate stored, read_certificate_version(row));
  return DeletedInfo{std::move(stored.info), {row.time(9), row.time(10)}};
}

Result<std::vector<DeletedInfo>> read_all_deleted(Query& query) {
  std::vector<DeletedInfo> all;
  while (query.next()) {
    SIGNET_TRY(DeletedInfo deleted, read_deleted(query));
    all.push_back(std::move(deleted));
  }
  return all;
}

Result<std::vector<vault::StoredCertificate>> load_certificate_versions(SqlConnection& connection,
                                                                        std::string_view vault,
                                                                        std::string_view name) {
  Query query(connection, "SELECT " SIGNET_CERTIFICATE_VERSION_COLUMNS
                          " FROM live_certificate_versions WHERE vault = ? AND name = ? ORDER BY sequence");
  query.bind(vault, name);
  std::vector<vault::StoredCertificate> versions;
  while (query.next()) {
    SIGNET_TRY(vault::StoredCertificate version, read_certificate_version(query));
    versions.push_back(std::move(version));
  }
  return versions;
}

/// @error IoFailure  a version lacks its key or its secret.
Result<> check_complete(const WholeCertificate& whole) {
  const auto same_version = [](const auto& one, const auto& other) {
    return one.info.id.version == other.info.id.version;
  };
  const auto& versions = whole.versions;
  if (std::equal(versions.begin(), versions.end(), whole.keys.begin(), whole.keys.end(), same_version) &&
      std::equal(versions.begin(), versions.end(), whole.secrets.begin(), whole.secrets.end(), same_version))
    return {};
  return fail(ErrorKind::IoFailure, "the database lacks a key or a secret of certificate " +
                                        printable(vault::to_string(whole.name.id)) +
                                        ": restore it from a backup");
}

}  // namespace

Result<> SqliteVaultCertificateStore::soft_delete(std::string_view vault, std::string_view name,
                                                  const Deletion& deletion) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_CHECK(check_not_bound(connection, vault, name));
    const auto set = [&](Query&& update) {
      return update.bind(deletion.deleted, deletion.scheduled_purge, vault, name).run();
    };
    if (set(Query(connection,
                  "UPDATE vault_certificates SET deleted = ?1, purge_due = ?2 WHERE vault = ?3 AND "
                  "name = ?4 AND deleted IS NULL AND EXISTS (SELECT 1 FROM "
                  "vault_certificate_versions WHERE vault = ?3 AND name = ?4)")) == 0)
      return fail(ErrorKind::NotFound, "there is no certificate " + printable(vault) + "/" + printable(name));
    set(Query(
        connection,
        "UPDATE key_versions SET deleted = ?, purge_due = ? WHERE vault = ? AND name = ? AND managed = 1"));
    set(Query(connection,
              "UPDATE secret_versions SET deleted = ?, purge_due = ? WHERE vault = ? AND name = ? AND "
              "managed = 1"));
    Query(connection, "DELETE FROM vault_certificate_operations WHERE vault = ? AND name = ?")
        .bind(vault, name)
        .run();
    count_key_change(connection);
    return {};
  });
}

Result<std::vector<DeletedInfo>> SqliteVaultCertificateStore::list_deleted(std::string_view vault) {
  return read_value<std::vector<DeletedInfo>>(*database_, [&](SqlConnection& connection) {
    Query query(connection, SIGNET_NEWEST_DELETED_CERTIFICATE " AND own.vault = ? ORDER BY own.name");
    query.bind(vault);
    return read_all_deleted(query);
  });
}

Result<DeletedInfo> SqliteVaultCertificateStore::load_deleted(std::string_view vault, std::string_view name) {
  return read_value<DeletedInfo>(*database_, [&](SqlConnection& connection) -> Result<DeletedInfo> {
    Query query(connection, SIGNET_NEWEST_DELETED_CERTIFICATE " AND own.vault = ? AND own.name = ?");
    if (!query.bind(vault, name).next()) return fail(not_deleted(vault, name));
    return read_deleted(query);
  });
}

Result<StoredName> SqliteVaultCertificateStore::load_deleted_name(std::string_view vault,
                                                                  std::string_view name) {
  return read_value<StoredName>(*database_, [&](SqlConnection& connection) -> Result<StoredName> {
    Query query(connection, "SELECT " SIGNET_CERTIFICATE_NAME_COLUMNS
                            " FROM vault_certificates WHERE "
                            "vault = ? AND name = ? AND deleted IS NOT NULL");
    if (!query.bind(vault, name).next()) return fail(not_deleted(vault, name));
    return read_certificate_name(connection, query);
  });
}

Result<std::vector<DeletedInfo>> SqliteVaultCertificateStore::overdue(Time now) {
  return read_value<std::vector<DeletedInfo>>(*database_, [&](SqlConnection& connection) {
    Query query(connection,
                SIGNET_NEWEST_DELETED_CERTIFICATE " AND own.purge_due <= ? ORDER BY own.purge_due");
    query.bind(now);
    return read_all_deleted(query);
  });
}

Result<> SqliteVaultCertificateStore::recover(std::string_view vault, std::string_view name) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    const auto set = [&](Query&& update) { return update.bind(vault, name).run(); };
    if (set(Query(connection,
                  "UPDATE vault_certificates SET deleted = NULL, purge_due = NULL WHERE vault = ? "
                  "AND name = ? AND deleted IS NOT NULL")) == 0)
      return fail(not_deleted(vault, name));
    set(Query(connection,
              "UPDATE key_versions SET deleted = NULL, purge_due = NULL WHERE vault = ? AND name = ? AND "
              "managed = 1"));
    set(Query(connection,
              "UPDATE secret_versions SET deleted = NULL, purge_due = NULL WHERE vault = ? AND name = ? AND "
              "managed = 1"));
    count_key_change(connection);
    return {};
  });
}

Result<> SqliteVaultCertificateStore::purge(std::string_view vault, std::string_view name,
                                            const Deletion& deletion) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    const auto remove = [&](Query&& query) { return query.bind(vault, name).run(); };
    Query purge(
        connection,
        "DELETE FROM vault_certificates WHERE vault = ? AND name = ? AND deleted = ? AND purge_due = ?");
    if (purge.bind(vault, name, deletion.deleted, deletion.scheduled_purge).run() == 0)
      return fail(not_deleted(vault, name));
    remove(Query(connection, "DELETE FROM vault_certificate_versions WHERE vault = ? AND name = ?"));
    remove(Query(connection, "DELETE FROM key_versions WHERE vault = ? AND name = ? AND managed = 1"));
    remove(Query(connection, "DELETE FROM secret_versions WHERE vault = ? AND name = ? AND managed = 1"));
    count_key_change(connection);
    return {};
  });
}

Result<WholeCertificate> SqliteVaultCertificateStore::load_all(std::string_view vault,
                                                               std::string_view name) {
  return read_value<WholeCertificate>(*database_, [&](SqlConnection& connection) -> Result<WholeCertificate> {
    WholeCertificate whole;
    SIGNET_TRY(whole.name, load_certificate_name(connection, vault, name));
    whole.name.operation.reset();
    SIGNET_TRY(whole.versions, load_certificate_versions(connection, vault, name));
    if (whole.versions.empty())
      return fail(ErrorKind::NotFound,
                  "certificate " + printable(vault) + "/" + printable(name) + " has no version yet");
    SIGNET_TRY(whole.keys, load_key_versions(connection, vault, name));
    SIGNET_TRY(whole.secrets, load_secret_versions(connection, vault, name));
    SIGNET_CHECK(check_complete(whole));
    return whole;
  });
}

Result<> SqliteVaultCertificateStore::put_all(const WholeCertificate& certificate) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    const vault::CertificateId& id = certificate.name.id;
    Query taken(connection,
                "SELECT 1 FROM vault_certificates WHERE vault = ? AND name = ? AND deleted IS NULL");
    if (taken.bind(id.vault, id.name).next())
      return fail(ErrorKind::AlreadyExists,
                  "there is a certificate " + printable(vault::to_string(id)) + " already");
    SIGNET_CHECK(write_certificate_name(connection, certificate.name));
    for (const vault::StoredCertificate& version : certificate.versions)
      SIGNET_CHECK(write_certificate_version(connection, version));
    for (const vault::StoredKey& key : certificate.keys) SIGNET_CHECK(put_key_version(connection, key));
    for (const vault::StoredSecret& secret : certificate.secrets)
      SIGNET_CHECK(put_secret_version(connection, secret));
    return {};
  });
}

}  // namespace signet::gateway
