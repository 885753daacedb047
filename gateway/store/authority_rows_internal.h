#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "certstore/authority/authority_store.h"
#include "gateway/store/sql_internal.h"

/// Internal: rows of the certificate service. Each write says whether the row was still as it was read.

namespace signet::gateway {

#define SIGNET_GROUP_COLUMNS                                                                   \
  "name, type, subject, key_vault, issued_months, issued_bits, issued_hash, issuer_months, "   \
  "issuer_bits, issuer_hash, crl_days, crl_distribution_point, authority_information_access, " \
  "ocsp_responder, approves_vault_orders, created_by, created, changed_by, changed, revision"
#define SIGNET_APPLICATION_COLUMNS_WITHOUT_RECORD                                         \
  "id, description, state, registered_by, registered, changed_by, changed, approved_by, " \
  "approved, rejected_by, rejected, unregistered_by, unregistered, reason, revision"
#define SIGNET_APPLICATION_COLUMNS "record, " SIGNET_APPLICATION_COLUMNS_WITHOUT_RECORD
#define SIGNET_REQUEST_COLUMNS_WITHOUT_RECORD                                                         \
  "id, application, group_name, kind, state, subject, domain_names, key_format, "                     \
  "signing_request, certificate, issuer_serial, password_vault, password_name, password_version, "    \
  "key_file_vault, key_file_name, key_file_version, submitted_by, submitted, approved_by, approved, " \
  "rejected_by, rejected, accepted_by, accepted, revocation_requested_by, revocation_requested, "     \
  "revoked_by, revoked, removed_by, removed, revocation_reason, reason, signing_request_sha256, "     \
  "ordered_by, revision"
#define SIGNET_REQUEST_COLUMNS "record, " SIGNET_REQUEST_COLUMNS_WITHOUT_RECORD
#define SIGNET_ISSUED_COLUMNS                                                                     \
  "group_name, issuer_serial, certificate, request, application, issued_by, issued, revoked_by, " \
  "revoked, reason"

Result<authority::Group> read_group(const Query& row);
Result<authority::Application> read_application(const Query& row);
Result<authority::Request> read_request(const Query& row);
Result<authority::IssuerVersion> read_issuer(const Query& row);
Result<authority::IssuedCertificate> read_issued(const Query& row);

/// @error AlreadyExists  a new group whose name is taken.
Result<bool> put_group(SqlConnection& connection, const authority::Group& group);
Result<bool> put_application(SqlConnection& connection, const authority::Application& application);
Result<bool> put_request(SqlConnection& connection, const authority::Request& request);

inline authority::Stamp stamp_in(const Query& row, int column) {
  return {row.text(column), row.time(column + 1)};
}
inline std::optional<authority::Stamp> optional_stamp_in(const Query& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return stamp_in(row, column);
}
inline std::optional<std::string> by_of(const std::optional<authority::Stamp>& stamp) {
  return stamp ? std::optional(stamp->by) : std::nullopt;
}
inline std::optional<Time> time_of(const std::optional<authority::Stamp>& stamp) {
  return stamp ? std::optional(stamp->at) : std::nullopt;
}

}  // namespace signet::gateway
