#pragma once

#include <optional>
#include <string>
#include <vector>

#include "certstore/account/key_reference.h"
#include "gateway/store/sql_internal.h"

/// Internal to gateway/store: the rows that the account's certificates are, whichever interface they are seen
/// through.

namespace signet::gateway {

struct CertificateRow {
  std::string name;
  Bytes der;
  std::optional<certstore::KeyReference> key;
  Time created{};
  Time changed{};
  std::string metadata;
};

/// In the account's order.
std::vector<CertificateRow> read_certificates(SqlConnection& connection);
std::optional<CertificateRow> read_certificate(SqlConnection& connection, std::string_view name);
/// In the place of the row of that name, or after the last one.
void write_certificate(SqlConnection& connection, const CertificateRow& row);
bool remove_certificate(SqlConnection& connection, std::string_view name);
void remove_all_certificates(SqlConnection& connection);

}  // namespace signet::gateway
