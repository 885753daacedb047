#include "gateway/store/vault_certificate_store.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "certstore/vault/certificate_policy_json.h"
#include "gateway/store/sql_internal.h"
#include "gateway/store/vault_certificate_rows_internal.h"
#include "gateway/store/vault_rows_internal.h"

namespace signet::gateway {
namespace {

using vault::CertificateId;
using vault::CertificateInfo;
using vault::CertificatePolicy;
using vault::NewVersion;
using vault::StoredCertificate;
using vault::StoredName;
using vault::StoredOperation;

Error damaged(std::string_view what) {
  return Error{ErrorKind::IoFailure,
               "the database holds " + std::string(what) + " that cannot be read: restore it from a backup"};
}

Error no_certificate(const CertificateId& id) {
  return Error{ErrorKind::NotFound, "there is no certificate " + printable(vault::to_string(id))};
}

std::string policy_column(const CertificatePolicy& policy) { return vault::to_stored_json(policy).dump(); }

Result<std::vector<CertificateInfo>> read_versions(Query& query) {
  std::vector<CertificateInfo> infos;
  while (query.next()) {
    SIGNET_TRY(StoredCertificate stored, read_certificate_version(query));
    infos.push_back(std::move(stored.info));
  }
  return infos;
}

#define SIGNET_OPERATION_COLUMNS                                                                  \
  "status, issuer, request, cancellation_requested, request_id, policy, enabled, tags, version, " \
  "public_key, sealed, details, error_code, error_message, order_id, renewal, begun, begun_by"

Result<std::optional<StoredOperation>> read_operation(SqlConnection& connection, const CertificateId& id) {
  Query row(connection, "SELECT " SIGNET_OPERATION_COLUMNS
                        " FROM vault_certificate_operations WHERE vault = ? AND name = ?");
  if (!row.bind(id.vault, id.name).next()) return std::optional<StoredOperation>();
  StoredOperation stored;
  stored.operation.id = id;
  SIGNET_TRY(stored.operation.status, vault::parse_operation_status(row.text(0)));
  stored.operation.issuer = row.text(1);
  stored.operation.request = row.bytes(2);
  stored.operation.cancellation_requested = row.integer(3) != 0;
  stored.operation.request_id = row.text(4);
  SIGNET_TRY(stored.policy, read_policy_column(row.text(5)));
  stored.settings.enabled = row.integer(6) != 0;
  SIGNET_TRY(stored.settings.tags, tags_of(row.text(7)));
  stored.version = row.text(8);
  stored.public_key = row.bytes(9);
  stored.sealed = row.bytes(10);
  stored.operation.details = row.text(11);
  if (!row.text(12).empty()) stored.operation.failure = vault::OperationFailure{row.text(12), row.text(13)};
  stored.order = row.text(14);
  stored.renewal = row.integer(15) != 0;
  stored.begun = row.time(16);
  stored.begun_by = row.text(17);
  return std::optional(std::move(stored));
}

Result<> write_operation(SqlConnection& connection, const CertificateId& id, const StoredOperation& stored) {
  const vault::CertificateOperation& operation = stored.operation;
  SIGNET_CHECK(check_seal(connection, stored.sealed));
  if (!stored.sealed.empty()) SIGNET_CHECK(check_place_of_key(connection, id.vault, stored.policy.in_token));
  const vault::OperationFailure failure = operation.failure.value_or(vault::OperationFailure());
  Query write(connection,
              "INSERT OR REPLACE INTO vault_certificate_operations (vault, name, " SIGNET_OPERATION_COLUMNS
              ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  write
      .bind(id.vault, id.name, to_string(operation.status), operation.issuer, operation.request,
            flag(operation.cancellation_requested), operation.request_id, policy_column(stored.policy),
            flag(stored.settings.enabled), to_column(stored.settings.tags), stored.version, stored.public_key,
            stored.sealed, operation.details, failure.code, failure.message, stored.order,
            flag(stored.renewal), stored.begun, stored.begun_by)
      .run();
  return {};
}

/// @error AlreadyExists  another operation is in progress; or this one is completed.
Result<> check_operation(SqlConnection& connection, const StoredName& name) {
  Query conflict(
      connection,
      "SELECT status FROM vault_certificate_operations WHERE vault = ?1 AND name = ?2 AND ((status "
      "= 'inProgress' AND request_id <> ?3) OR (status = 'completed' AND request_id = ?3))");
  const std::string ours = name.operation ? name.operation->operation.request_id : std::string();
  if (!conflict.bind(name.id.vault, name.id.name, ours).next()) return {};
  const std::string_view what = conflict.text(0) == "completed" ? "completed this operation in the meantime"
                                                                : "has an operation in progress";
  return fail(ErrorKind::AlreadyExists,
              fmt::format("certificate {} {}", printable(vault::to_string(name.id)), what));
}

/// @error NotFound
Result<> check_is_there(SqlConnection& connection, const CertificateId& id) {
  Query name(connection, "SELECT 1 FROM vault_certificates WHERE vault = ? AND name = ? AND deleted IS NULL");
  if (name.bind(id.vault, id.name).next()) return {};
  return fail(no_certificate(id));
}

/// Whether a certificate can have the name, or has it.
///
/// @error DeletedButRecoverable, AlreadyExists
Result<> check_name(SqlConnection& connection, const CertificateId& id) {
  SIGNET_CHECK(check_vault_in_use(connection, id.vault));
  const std::string what = printable(vault::to_string(id));
  Query deleted(connection,
                "SELECT 1 FROM vault_certificates WHERE vault = ? AND name = ? AND deleted IS NOT NULL");
  if (deleted.bind(id.vault, id.name).next())
    return fail(ErrorKind::DeletedButRecoverable,
                fmt::format("certificate {} was deleted: recover or purge it", what));
  Query other(connection,
              "SELECT 1 FROM key_versions WHERE vault = ?1 AND name = ?2 AND managed = 0 UNION ALL SELECT 1 "
              "FROM secret_versions WHERE vault = ?1 AND name = ?2 AND managed = 0");
  if (other.bind(id.vault, id.name).next())
    return fail(ErrorKind::AlreadyExists,
                fmt::format("there is a key or a secret {}, in use or deleted, which the certificate would "
                            "need for its own: choose another name",
                            what));
  return {};
}

}  // namespace

Result<CertificatePolicy> read_policy_column(std::string_view column) {
  const auto json = nlohmann::json::parse(column, nullptr, false);
  if (json.is_discarded()) return fail(damaged("a certificate policy"));
  auto policy = vault::apply_json({}, json);
  if (!policy) return fail(std::move(policy).error().within(damaged("a certificate policy").detail));
  return policy;
}

Result<StoredCertificate> read_certificate_version(const Query& row) {
  StoredCertificate stored;
  CertificateInfo& info = stored.info;
  info.id = CertificateId{row.text(0), row.text(1), row.text(2)};
  SIGNET_TRY(info.chain, certstore::parse_certificates(as_bytes(row.text(3))));
  stored.exportable = row.integer(4) != 0;
  info.settings.enabled = row.integer(5) != 0;
  SIGNET_TRY(info.settings.tags, tags_of(row.text(6)));
  info.created = row.time(7);
  info.updated = row.time(8);
  return stored;
}

Result<StoredName> read_certificate_name(SqlConnection& connection, const Query& row) {
  StoredName name;
  name.id = CertificateId{row.text(0), row.text(1), {}};
  SIGNET_TRY(name.policy, read_policy_column(row.text(2)));
  name.policy.created = row.time(3);
  name.policy.updated = row.time(4);
  name.renewal = {row.text(5), row.integer(6) != 0, static_cast<unsigned>(row.integer(7)), row.time(8)};
  name.policy_by = row.text(9);
  SIGNET_TRY(name.operation, read_operation(connection, name.id));
  return name;
}

Result<StoredName> load_certificate_name(SqlConnection& connection, std::string_view vault,
                                         std::string_view name) {
  Query query(connection, "SELECT " SIGNET_CERTIFICATE_NAME_COLUMNS
                          " FROM vault_certificates WHERE vault = ? AND name = ? AND deleted IS NULL");
  if (!query.bind(vault, name).next())
    return fail(no_certificate({std::string(vault), std::string(name), {}}));
  return read_certificate_name(connection, query);
}

Result<> write_certificate_name(SqlConnection& connection, const StoredName& name) {
  SIGNET_CHECK(check_not_linked(connection, name.id.vault));
  SIGNET_CHECK(check_name(connection, name.id));
  Query(connection,
        "INSERT INTO vault_certificates (" SIGNET_CERTIFICATE_NAME_COLUMNS
        ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (vault, name) DO UPDATE SET policy = "
        "excluded.policy, policy_by = excluded.policy_by, "
        "policy_updated = excluded.policy_updated, renewal_version = excluded.renewal_version, "
        "renewal_noticed = "
        "excluded.renewal_noticed, renewal_failures = excluded.renewal_failures, renewal_next = "
        "excluded.renewal_next")
      .bind(name.id.vault, name.id.name, policy_column(name.policy), name.policy.created, name.policy.updated,
            name.renewal.version, flag(name.renewal.noticed),
            static_cast<std::int64_t>(name.renewal.failures), name.renewal.next, name.policy_by)
      .run();
  for (const vault::CertificateNotice& notice : name.notices) write_certificate_notice(connection, notice);
  if (!name.operation) return {};
  return write_operation(connection, name.id, *name.operation);
}

Result<> write_certificate_version(SqlConnection& connection, const StoredCertificate& stored) {
  const CertificateInfo& info = stored.info;
  Query insert(connection, "INSERT INTO vault_certificate_versions (" SIGNET_CERTIFICATE_VERSION_COLUMNS
                           ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
  insert.bind(info.id.vault, info.id.name, info.id.version, to_pem(info.chain), flag(stored.exportable),
              flag(info.settings.enabled), to_column(info.settings.tags), info.created, info.updated);
  if (insert.run() == 0)
    return fail(ErrorKind::AlreadyExists,
                "there is a certificate " + printable(vault::to_string(info.id)) + " already");
  return {};
}

Result<> SqliteVaultCertificateStore::put_version(const NewVersion& version) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_CHECK(check_operation(connection, version.name));
    SIGNET_CHECK(write_certificate_name(connection, version.name));
    SIGNET_CHECK(write_certificate_version(connection, version.certificate));
    SIGNET_CHECK(put_key_version(connection, version.key));
    return put_secret_version(connection, version.secret);
  });
}

Result<> SqliteVaultCertificateStore::put_name(const StoredName& name) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_CHECK(name.operation ? check_operation(connection, name) : check_is_there(connection, name.id));
    return write_certificate_name(connection, name);
  });
}

Result<StoredName> SqliteVaultCertificateStore::load_name(std::string_view vault, std::string_view name) {
  return read_value<StoredName>(
      *database_, [&](SqlConnection& connection) { return load_certificate_name(connection, vault, name); });
}

Result<StoredCertificate> SqliteVaultCertificateStore::load(const CertificateId& id) {
  return read_value<StoredCertificate>(
      *database_, [&](SqlConnection& connection) -> Result<StoredCertificate> {
        Query query(connection,
                    "SELECT " SIGNET_CERTIFICATE_VERSION_COLUMNS
                    " FROM live_certificate_versions WHERE vault = ?1 AND name = ?2 AND (?3 = '' OR "
                    "version = ?3) ORDER BY sequence DESC LIMIT 1");
        if (!query.bind(id.vault, id.name, id.version).next()) return fail(no_certificate(id));
        return read_certificate_version(query);
      });
}

Result<std::vector<CertificateInfo>> SqliteVaultCertificateStore::list(std::string_view vault) {
  return read_value<std::vector<CertificateInfo>>(*database_, [&](SqlConnection& connection) {
    Query query(connection,
                "SELECT " SIGNET_CERTIFICATE_VERSION_COLUMNS
                " FROM live_certificate_versions AS own WHERE vault = ? AND sequence = (SELECT max(sequence) "
                "FROM vault_certificate_versions AS other WHERE other.vault = own.vault AND other.name = "
                "own.name) ORDER BY name");
    query.bind(vault);
    return read_versions(query);
  });
}

Result<std::vector<StoredName>> SqliteVaultCertificateStore::list_without_version(std::string_view vault) {
  using Names = std::vector<StoredName>;
  return read_value<Names>(*database_, [&](SqlConnection& connection) -> Result<Names> {
    Query query(connection,
                "SELECT " SIGNET_CERTIFICATE_NAME_COLUMNS
                " FROM vault_certificates AS own "
                "WHERE vault = ? AND NOT EXISTS (SELECT 1 FROM vault_certificate_versions AS version WHERE "
                "version.vault = own.vault AND version.name = own.name) ORDER BY name");
    query.bind(vault);
    Names names;
    while (query.next()) {
      SIGNET_TRY(StoredName name, read_certificate_name(connection, query));
      names.push_back(std::move(name));
    }
    return names;
  });
}

Result<std::vector<CertificateInfo>> SqliteVaultCertificateStore::versions(std::string_view vault,
                                                                           std::string_view name) {
  return read_value<std::vector<CertificateInfo>>(*database_, [&](SqlConnection& connection) {
    Query query(connection,
                "SELECT " SIGNET_CERTIFICATE_VERSION_COLUMNS
                " FROM live_certificate_versions WHERE vault = ? AND name = ? ORDER BY sequence DESC");
    query.bind(vault, name);
    return read_versions(query);
  });
}

Result<CertificateInfo> SqliteVaultCertificateStore::update(const CertificateId& id,
                                                            const vault::CertificateChange& change) {
  CertificateInfo info;
  const auto change_rows = [&](SqlConnection& connection) -> Result<> {
    Query find(connection, "SELECT " SIGNET_CERTIFICATE_VERSION_COLUMNS
                           " FROM live_certificate_versions WHERE vault = ? AND name = ? AND version = ?");
    if (!find.bind(id.vault, id.name, id.version).next()) return fail(no_certificate(id));
    SIGNET_TRY(StoredCertificate stored, read_certificate_version(find));
    info = std::move(stored.info);
    SIGNET_CHECK(change(info));
    const auto set = [&](Query&& update) {
      update
          .bind(flag(info.settings.enabled), to_column(info.settings.tags), info.updated, id.vault, id.name,
                id.version)
          .run();
    };
    set(Query(connection,
              "UPDATE vault_certificate_versions SET enabled = ?, tags = ?, updated = ? WHERE vault = ? AND "
              "name = ? AND version = ?"));
    set(Query(connection,
              "UPDATE key_versions SET enabled = ?, tags = ?, updated = ? WHERE vault = ? AND name = ? AND "
              "version = ? AND managed = 1"));
    set(Query(
        connection,
        "UPDATE secret_versions SET enabled = ?, tags = ?, updated = ? WHERE vault = ? AND name = ? AND "
        "version = ? AND managed = 1"));
    count_key_change(connection);
    return {};
  };
  SIGNET_CHECK(database_->write(change_rows));
  return info;
}

Result<> SqliteVaultCertificateStore::remove_operation(std::string_view vault, std::string_view name) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    if (Query(connection, "DELETE FROM vault_certificate_operations WHERE vault = ? AND name = ?")
            .bind(vault, name)
            .run() == 0)
      return fail(no_certificate({std::string(vault), std::string(name), {}}));
    Query(connection,
          "DELETE FROM vault_certificates WHERE vault = ?1 AND name = ?2 AND NOT EXISTS (SELECT 1 FROM "
          "vault_certificate_versions WHERE vault = ?1 AND name = ?2)")
        .bind(vault, name)
        .run();
    return {};
  });
}

}  // namespace signet::gateway
