#include "gateway/store/certificate_store.h"

#include <algorithm>

#include "gateway/store/certificate_rows_internal.h"

namespace signet::gateway {
namespace {

using certstore::StoredCertificate;

Result<StoredCertificate> from_row(CertificateRow row) {
  auto certificate = certstore::Certificate::parse(row.der);
  if (!certificate)
    return fail(std::move(certificate).error().within("the stored certificate " + printable(row.name)));
  return StoredCertificate{std::move(row.name), *std::move(certificate), std::move(row.key), row.created,
                           row.changed,         std::move(row.metadata)};
}

}  // namespace

Result<> SqliteCertificateStore::put(const StoredCertificate& certificate) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    write_certificate(connection,
                      CertificateRow{certificate.name, certificate.certificate.der(), certificate.key,
                                     certificate.created, certificate.changed, certificate.metadata});
    count_account_change(connection);
    return {};
  });
}

Result<std::optional<StoredCertificate>> SqliteCertificateStore::get(std::string_view name) {
  using Row = std::optional<CertificateRow>;
  SIGNET_TRY(Row row, read_value<Row>(*database_, [&](SqlConnection& connection) -> Result<Row> {
               return read_certificate(connection, name);
             }));
  if (!row) return std::optional<StoredCertificate>();
  SIGNET_TRY(StoredCertificate certificate, from_row(*std::move(row)));
  return std::optional(std::move(certificate));
}

Result<std::vector<StoredCertificate>> SqliteCertificateStore::list() {
  using Rows = std::vector<CertificateRow>;
  SIGNET_TRY(Rows rows, read_value<Rows>(*database_, [](SqlConnection& connection) -> Result<Rows> {
               return read_certificates(connection);
             }));
  std::vector<StoredCertificate> certificates;
  for (CertificateRow& row : rows) {
    SIGNET_TRY(StoredCertificate certificate, from_row(std::move(row)));
    certificates.push_back(std::move(certificate));
  }
  std::sort(certificates.begin(), certificates.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return certificates;
}

Result<bool> SqliteCertificateStore::remove(std::string_view name) {
  bool removed = false;
  SIGNET_CHECK(database_->write([&](SqlConnection& connection) -> Result<> {
    removed = remove_certificate(connection, name);
    if (removed) count_account_change(connection);
    return {};
  }));
  return removed;
}

}  // namespace signet::gateway
