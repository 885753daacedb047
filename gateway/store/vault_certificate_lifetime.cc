#include "gateway/store/sql_internal.h"
#include "gateway/store/vault_certificate_rows_internal.h"
#include "gateway/store/vault_certificate_store.h"
#include "gateway/store/vault_rows_internal.h"

/// What goes on with certificates by itself: orders, lifetimes and notices.

namespace signet::gateway {
namespace {

using vault::CertificateNotice;
using vault::CurrentCertificate;
using vault::StoredName;

Result<CertificateNotice> read_notice(const Query& row) {
  CertificateNotice notice;
  notice.number = row.integer(0);
  SIGNET_TRY(notice.event, vault::parse_notice_event(row.text(1)));
  notice.id = vault::CertificateId{row.text(2), row.text(3), row.text(4)};
  notice.time = row.time(5);
  notice.expires = row.time(6);
  notice.reason = row.text(7);
  notice.mailed = row.integer(8) != 0;
  return notice;
}

}  // namespace

void write_certificate_notice(SqlConnection& connection, const CertificateNotice& notice) {
  Query(connection,
        "INSERT INTO vault_certificate_notices (event, vault, name, version, time, expires, reason, mailed) "
        "VALUES "
        "(?, ?, ?, ?, ?, ?, ?, 0)")
      .bind(to_string(notice.event), notice.id.vault, notice.id.name, notice.id.version, notice.time,
            notice.expires, notice.reason)
      .run();
}

Result<std::vector<StoredName>> SqliteVaultCertificateStore::in_progress() {
  using Names = std::vector<StoredName>;
  return read_value<Names>(*database_, [&](SqlConnection& connection) -> Result<Names> {
    Query query(connection,
                "SELECT " SIGNET_CERTIFICATE_NAME_COLUMNS
                " FROM vault_certificates AS own WHERE deleted IS NULL" SIGNET_VAULT_IN_USE(
                    "own.vault") " AND EXISTS (SELECT 1 FROM "
                "vault_certificate_operations AS operation WHERE operation.vault = own.vault AND "
                "operation.name = own.name AND operation.status = 'inProgress' AND operation.issuer "
                "<> 'Unknown')");
    Names names;
    while (query.next()) {
      SIGNET_TRY(StoredName name, read_certificate_name(connection, query));
      names.push_back(std::move(name));
    }
    return names;
  });
}

Result<> SqliteVaultCertificateStore::note_order(const vault::CertificateId& id,
                                                 const vault::StoredOperation& operation) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    Query update(
        connection,
        "UPDATE vault_certificate_operations SET order_id = ?, details = ? WHERE vault = ? AND name = ? AND "
        "request_id = ? AND status = 'inProgress'");
    update.bind(operation.order, operation.operation.details, id.vault, id.name,
                operation.operation.request_id);
    if (update.run() != 0) return {};
    return fail(ErrorKind::NotFound,
                "the operation of certificate " + printable(vault::to_string(id)) + " is over");
  });
}

Result<std::vector<CurrentCertificate>> SqliteVaultCertificateStore::in_use() {
  using All = std::vector<CurrentCertificate>;
  return read_value<All>(*database_, [&](SqlConnection& connection) -> Result<All> {
    Query names(connection, "SELECT " SIGNET_CERTIFICATE_NAME_COLUMNS
                            " FROM vault_certificates WHERE deleted IS NULL" SIGNET_VAULT_IN_USE(
                                "vault_certificates.vault") " ORDER BY vault, name");
    All all;
    while (names.next()) {
      CurrentCertificate certificate;
      SIGNET_TRY(certificate.name, read_certificate_name(connection, names));
      Query current(connection,
                    "SELECT " SIGNET_CERTIFICATE_VERSION_COLUMNS
                    " FROM live_certificate_versions WHERE vault = ? AND name = ? ORDER BY sequence DESC "
                    "LIMIT 1");
      if (!current.bind(certificate.name.id.vault, certificate.name.id.name).next()) continue;
      SIGNET_TRY(certificate.current, read_certificate_version(current));
      all.push_back(std::move(certificate));
    }
    return all;
  });
}

Result<std::vector<CertificateNotice>> SqliteVaultCertificateStore::notices() {
  using Notices = std::vector<CertificateNotice>;
  return read_value<Notices>(*database_, [&](SqlConnection& connection) -> Result<Notices> {
    Query query(connection,
                "SELECT number, event, vault, name, version, time, expires, reason, mailed FROM "
                "vault_certificate_notices ORDER BY number");
    Notices notices;
    while (query.next()) {
      SIGNET_TRY(CertificateNotice notice, read_notice(query));
      notices.push_back(std::move(notice));
    }
    return notices;
  });
}

Result<> SqliteVaultCertificateStore::put_notice_mailed(std::int64_t number) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    if (Query(connection, "UPDATE vault_certificate_notices SET mailed = 1 WHERE number = ?")
            .bind(number)
            .run() == 0)
      return fail(ErrorKind::NotFound, "the notice is gone");
    return {};
  });
}

Result<> SqliteVaultCertificateStore::remove_notice(std::int64_t number) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    Query(connection, "DELETE FROM vault_certificate_notices WHERE number = ?").bind(number).run();
    return {};
  });
}

}  // namespace signet::gateway
