#pragma once

#include "certstore/vault/vault_certificate_store.h"
#include "gateway/store/sql_internal.h"

/// Internal to gateway/store: rows of the vault's certificates.

namespace signet::gateway {

#define SIGNET_CERTIFICATE_VERSION_COLUMNS \
  "vault, name, version, chain, exportable, enabled, tags, created, updated"

#define SIGNET_CERTIFICATE_NAME_COLUMNS                                                     \
  "vault, name, policy, policy_created, policy_updated, renewal_version, renewal_noticed, " \
  "renewal_failures, "                                                                      \
  "renewal_next, policy_by"

/// Of a row that begins with these columns.
Result<vault::StoredCertificate> read_certificate_version(const Query& row);
/// Likewise, with its operation.
Result<vault::StoredName> read_certificate_name(SqlConnection& connection, const Query& row);

/// A column that is a certificate's policy. @error IoFailure  the database is damaged.
Result<vault::CertificatePolicy> read_policy_column(std::string_view column);

/// Of a name in use. @error NotFound
Result<vault::StoredName> load_certificate_name(SqlConnection& connection, std::string_view vault,
                                                std::string_view name);

/// Inside of a transaction. @error AlreadyExists  the name is a key's or a secret's of its own, too.
/// @error DeletedButRecoverable
Result<> write_certificate_version(SqlConnection& connection, const vault::StoredCertificate& version);
Result<> write_certificate_name(SqlConnection& connection, const vault::StoredName& name);
/// Puts it at the end of the queue.
void write_certificate_notice(SqlConnection& connection, const vault::CertificateNotice& notice);

}  // namespace signet::gateway
