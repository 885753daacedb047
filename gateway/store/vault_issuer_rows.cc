#include <nlohmann/json.hpp>

#include "gateway/store/sql_internal.h"
#include "gateway/store/vault_certificate_store.h"
#include "gateway/store/vault_rows_internal.h"

/// Who issues a vault's certificates, and who is told of them.

namespace signet::gateway {
namespace {

using nlohmann::json;
using vault::CertificateContact;
using vault::CertificateIssuer;
using vault::IssuerAdministrator;
using vault::StoredIssuer;

Error no_issuer(std::string_view vault, std::string_view name) {
  return Error{ErrorKind::NotFound,
               "there is no certificate issuer " + printable(name) + " in key vault " + printable(vault)};
}

std::string member(const json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// A column that holds a list of objects of texts.
template <class T, class Read>
Result<std::vector<T>> list_of(std::string_view column, Read read) {
  const json list = json::parse(column, nullptr, false);
  if (!list.is_array())
    return fail(
        ErrorKind::IoFailure,
        "the database holds contacts or administrators that are no JSON list: restore it from a backup");
  std::vector<T> all;
  for (const json& one : list) all.push_back(read(one));
  return all;
}

std::string contacts_column(const std::vector<CertificateContact>& contacts) {
  json list = json::array();
  for (const CertificateContact& contact : contacts)
    list.push_back({{"email", contact.email}, {"name", contact.name}, {"phone", contact.phone}});
  return list.dump();
}

std::string administrators_column(const std::vector<IssuerAdministrator>& administrators) {
  json list = json::array();
  for (const IssuerAdministrator& one : administrators)
    list.push_back({{"first_name", one.first_name},
                    {"last_name", one.last_name},
                    {"email", one.email},
                    {"phone", one.phone}});
  return list.dump();
}

#define SIGNET_ISSUER_COLUMNS                                                                            \
  "vault, name, provider, account, organisation, administrators, enabled, created, updated, directory, " \
  "authorities"

Result<CertificateIssuer> read_issuer(const Query& row) {
  CertificateIssuer issuer;
  issuer.id = vault::KeyId{row.text(0), row.text(1), {}};
  issuer.provider = row.text(2);
  issuer.account = row.text(3);
  issuer.organisation = row.text(4);
  SIGNET_TRY(issuer.administrators, list_of<IssuerAdministrator>(row.text(5), [](const json& one) {
               return IssuerAdministrator{member(one, "first_name"), member(one, "last_name"),
                                          member(one, "email"), member(one, "phone")};
             }));
  issuer.enabled = row.integer(6) != 0;
  issuer.created = row.time(7);
  issuer.updated = row.time(8);
  issuer.directory = row.text(9);
  if (!row.text(10).empty()) {
    SIGNET_TRY(issuer.authorities, certstore::parse_certificates(as_bytes(row.text(10))));
  }
  return issuer;
}

}  // namespace

Result<std::vector<CertificateContact>> SqliteVaultCertificateStore::contacts(std::string_view vault) {
  using Contacts = std::vector<CertificateContact>;
  return read_value<Contacts>(*database_, [&](SqlConnection& connection) -> Result<Contacts> {
    Query query(connection, "SELECT contacts FROM vault_certificate_contacts WHERE vault = ?");
    if (!query.bind(vault).next()) return Contacts();
    return list_of<CertificateContact>(query.text(0), [](const json& one) {
      return CertificateContact{member(one, "email"), member(one, "name"), member(one, "phone")};
    });
  });
}

Result<> SqliteVaultCertificateStore::put_contacts(std::string_view vault,
                                                   const std::vector<CertificateContact>& contacts) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_CHECK(check_not_linked(connection, vault));
    Query(connection, "DELETE FROM vault_certificate_contacts WHERE vault = ?").bind(vault).run();
    if (!contacts.empty())
      Query(connection, "INSERT INTO vault_certificate_contacts (vault, contacts) VALUES (?, ?)")
          .bind(vault, contacts_column(contacts))
          .run();
    return {};
  });
}

Result<> SqliteVaultCertificateStore::put_issuer(const StoredIssuer& stored) {
  const CertificateIssuer& issuer = stored.issuer;
  return database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_CHECK(check_not_linked(connection, issuer.id.vault));
    SIGNET_CHECK(check_seal(connection, stored.sealed_password));
    SIGNET_CHECK(check_seal(connection, stored.sealed_account_key));
    Query(connection,
          "INSERT OR REPLACE INTO vault_certificate_issuers (" SIGNET_ISSUER_COLUMNS
          ", sealed_password, sealed_account_key, account_public_key, account_url) VALUES (?, ?, ?, ?, "
          "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(issuer.id.vault, issuer.id.name, issuer.provider, issuer.account, issuer.organisation,
              administrators_column(issuer.administrators), flag(issuer.enabled), issuer.created,
              issuer.updated, issuer.directory, to_pem(issuer.authorities), stored.sealed_password,
              stored.sealed_account_key, stored.account_public_key, stored.account_url)
        .run();
    return {};
  });
}

Result<StoredIssuer> SqliteVaultCertificateStore::load_issuer(std::string_view vault, std::string_view name) {
  return read_value<StoredIssuer>(*database_, [&](SqlConnection& connection) -> Result<StoredIssuer> {
    Query query(connection, "SELECT " SIGNET_ISSUER_COLUMNS
                            ", sealed_password, sealed_account_key, account_public_key, account_url FROM "
                            "vault_certificate_issuers WHERE vault = ? AND name = ?");
    if (!query.bind(vault, name).next()) return fail(no_issuer(vault, name));
    StoredIssuer stored;
    SIGNET_TRY(stored.issuer, read_issuer(query));
    stored.sealed_password = query.bytes(11);
    stored.sealed_account_key = query.bytes(12);
    stored.account_public_key = query.bytes(13);
    stored.account_url = query.text(14);
    return stored;
  });
}

Result<std::vector<CertificateIssuer>> SqliteVaultCertificateStore::list_issuers(std::string_view vault) {
  using Issuers = std::vector<CertificateIssuer>;
  return read_value<Issuers>(*database_, [&](SqlConnection& connection) -> Result<Issuers> {
    Query query(connection, "SELECT " SIGNET_ISSUER_COLUMNS
                            " FROM vault_certificate_issuers WHERE vault = ? ORDER BY name");
    query.bind(vault);
    Issuers issuers;
    while (query.next()) {
      SIGNET_TRY(CertificateIssuer issuer, read_issuer(query));
      issuers.push_back(std::move(issuer));
    }
    return issuers;
  });
}

Result<> SqliteVaultCertificateStore::remove_issuer(std::string_view vault, std::string_view name) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    if (Query(connection, "DELETE FROM vault_certificate_issuers WHERE vault = ? AND name = ?")
            .bind(vault, name)
            .run() == 0)
      return fail(no_issuer(vault, name));
    return {};
  });
}

}  // namespace signet::gateway
