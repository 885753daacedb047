#include "gateway/store/principal_store.h"

#include "gateway/store/sql_internal.h"

namespace signet::gateway {
namespace {

using api::Principal;
using api::TokenInfo;

#define SIGNET_PRINCIPAL_COLUMNS "principals.id, name, roles, enabled, principals.created, jwt_subject"

Result<Principal> read_principal(const Query& row) {
  SIGNET_TRY(const api::Roles roles, api::parse_roles(row.text(2)));
  return Principal{row.text(0), row.text(1), roles, row.integer(3) != 0, row.time(4), row.text(5)};
}

Error no_principal(std::string_view name) {
  return Error{ErrorKind::NotFound, "there is no principal " + printable(name)};
}

/// @error AlreadyExists  another principal has the subject.
Result<> check_subject_free(SqlConnection& connection, const Principal& principal) {
  if (principal.jwt_subject.empty()) return {};
  Query query(connection, "SELECT name FROM principals WHERE jwt_subject = ? AND name <> ?");
  if (query.bind(principal.jwt_subject, principal.name).next())
    return fail(ErrorKind::AlreadyExists, "tokens of the subject '" + principal.jwt_subject +
                                              "' are those of the principal " + query.text(0));
  return {};
}

Result<> check_there(SqlConnection& connection, std::string_view name) {
  Query query(connection, "SELECT 1 FROM principals WHERE name = ?");
  if (!query.bind(name).next()) return fail(no_principal(name));
  return {};
}

}  // namespace

Result<> SqlitePrincipalStore::add(const Principal& principal) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_CHECK(check_subject_free(connection, principal));
    Query insert(
        connection,
        "INSERT INTO principals (id, name, roles, enabled, created, jwt_subject) VALUES (?, ?, ?, ?, ?, "
        "?) ON CONFLICT DO NOTHING");
    insert.bind(principal.id, principal.name, to_string(principal.roles), flag(principal.enabled),
                principal.created, principal.jwt_subject);
    if (insert.run() == 0)
      return fail(ErrorKind::AlreadyExists, "there is a principal " + printable(principal.name) + " already");
    return {};
  });
}

Result<Principal> SqlitePrincipalStore::find(std::string_view name) {
  return read_value<Principal>(*database_, [&](SqlConnection& connection) -> Result<Principal> {
    Query query(connection, "SELECT " SIGNET_PRINCIPAL_COLUMNS " FROM principals WHERE name = ?");
    if (!query.bind(name).next()) return fail(no_principal(name));
    return read_principal(query);
  });
}

Result<std::vector<Principal>> SqlitePrincipalStore::list() {
  using All = std::vector<Principal>;
  return read_value<All>(*database_, [](SqlConnection& connection) -> Result<All> {
    Query query(connection, "SELECT " SIGNET_PRINCIPAL_COLUMNS " FROM principals ORDER BY name");
    All all;
    while (query.next()) {
      SIGNET_TRY(Principal principal, read_principal(query));
      all.push_back(std::move(principal));
    }
    return all;
  });
}

Result<> SqlitePrincipalStore::update(const Principal& principal) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_CHECK(check_subject_free(connection, principal));
    Query update(connection, "UPDATE principals SET roles = ?, enabled = ?, jwt_subject = ? WHERE name = ?");
    update.bind(to_string(principal.roles), flag(principal.enabled), principal.jwt_subject, principal.name);
    if (update.run() == 0) return fail(no_principal(principal.name));
    return {};
  });
}

Result<> SqlitePrincipalStore::remove(std::string_view name) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    Query(connection, "DELETE FROM tokens WHERE principal = ?").bind(name).run();
    Query(connection, "DELETE FROM management_certificates WHERE principal = ?").bind(name).run();
    Query(connection, "DELETE FROM access_policies WHERE principal = ?").bind(name).run();
    if (Query(connection, "DELETE FROM principals WHERE name = ?").bind(name).run() == 0)
      return fail(no_principal(name));
    count_key_change(connection);
    return {};
  });
}

Result<> SqlitePrincipalStore::add_token(const api::StoredToken& token) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_CHECK(check_there(connection, token.info.principal));
    Query(connection, "INSERT INTO tokens (id, principal, sha256, created, expires) VALUES (?, ?, ?, ?, ?)")
        .bind(token.info.id, token.info.principal, token.sha256, token.info.created, token.info.expires)
        .run();
    return {};
  });
}

Result<std::vector<TokenInfo>> SqlitePrincipalStore::tokens(std::string_view principal) {
  using All = std::vector<TokenInfo>;
  return read_value<All>(*database_, [&](SqlConnection& connection) -> Result<All> {
    Query query(connection,
                "SELECT id, principal, created, expires FROM tokens WHERE ?1 = '' OR principal = ?1 "
                "ORDER BY sequence DESC");
    query.bind(principal);
    All all;
    while (query.next()) all.push_back({query.text(0), query.text(1), query.time(2), query.time(3)});
    return all;
  });
}

Result<> SqlitePrincipalStore::remove_token(std::string_view id) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    if (Query(connection, "DELETE FROM tokens WHERE id = ?").bind(id).run() == 0)
      return fail(ErrorKind::NotFound, "there is no token " + printable(id));
    return {};
  });
}

Result<std::optional<SqlitePrincipalStore::TokenHolder>> SqlitePrincipalStore::holder_of(ByteView sha256) {
  using Found = std::optional<TokenHolder>;
  return read_value<Found>(*database_, [&](SqlConnection& connection) -> Result<Found> {
    Query query(connection, "SELECT " SIGNET_PRINCIPAL_COLUMNS
                            ", expires FROM tokens JOIN principals ON name = principal WHERE sha256 = ?");
    if (!query.bind(sha256).next()) return Found();
    SIGNET_TRY(Principal principal, read_principal(query));
    return TokenHolder{std::move(principal), query.time(6)};
  });
}

Result<> SqlitePrincipalStore::add_certificate(const api::ManagementCertificate& certificate) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_CHECK(check_there(connection, certificate.principal));
    Query insert(connection,
                 "INSERT INTO management_certificates (thumbprint, principal, subject, created, not_before, "
                 "not_after) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
    insert.bind(certificate.thumbprint, certificate.principal, certificate.subject, certificate.created,
                certificate.not_before, certificate.not_after);
    if (insert.run() == 0)
      return fail(ErrorKind::AlreadyExists,
                  "there is a management certificate " + certificate.thumbprint + " already");
    return {};
  });
}

Result<std::vector<api::ManagementCertificate>> SqlitePrincipalStore::certificates(
    std::string_view principal) {
  using All = std::vector<api::ManagementCertificate>;
  return read_value<All>(*database_, [&](SqlConnection& connection) -> Result<All> {
    Query query(connection,
                "SELECT thumbprint, principal, subject, created, not_before, not_after FROM "
                "management_certificates WHERE ?1 = '' OR principal = ?1 ORDER BY created DESC");
    query.bind(principal);
    All all;
    while (query.next())
      all.push_back(
          {query.text(0), query.text(1), query.text(2), query.time(3), query.time(4), query.time(5)});
    return all;
  });
}

Result<> SqlitePrincipalStore::remove_certificate(std::string_view thumbprint) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    if (Query(connection, "DELETE FROM management_certificates WHERE thumbprint = ?")
            .bind(thumbprint)
            .run() == 0)
      return fail(ErrorKind::NotFound, "there is no management certificate " + printable(thumbprint));
    return {};
  });
}

Result<std::optional<Principal>> SqlitePrincipalStore::holder_of_certificate(std::string_view thumbprint) {
  using Found = std::optional<Principal>;
  return read_value<Found>(*database_, [&](SqlConnection& connection) -> Result<Found> {
    Query query(connection, "SELECT " SIGNET_PRINCIPAL_COLUMNS
                            " FROM management_certificates JOIN principals ON name = principal WHERE "
                            "thumbprint = ?");
    if (!query.bind(thumbprint).next()) return Found();
    SIGNET_TRY(Principal principal, read_principal(query));
    return principal;
  });
}

Result<std::optional<Principal>> SqlitePrincipalStore::holder_of_jwt_subject(std::string_view subject) {
  using Found = std::optional<Principal>;
  return read_value<Found>(*database_, [&](SqlConnection& connection) -> Result<Found> {
    Query query(connection, "SELECT " SIGNET_PRINCIPAL_COLUMNS " FROM principals WHERE jwt_subject = ?");
    if (subject.empty() || !query.bind(subject).next()) return Found();
    SIGNET_TRY(Principal principal, read_principal(query));
    return principal;
  });
}

Result<api::Installation> SqlitePrincipalStore::installation() {
  using api::Installation;
  return read_value<Installation>(*database_, [](SqlConnection& connection) -> Result<Installation> {
    Query query(connection, "SELECT tenant, subscription FROM installation");
    query.next();
    return Installation{query.text(0), query.text(1)};
  });
}

}  // namespace signet::gateway
