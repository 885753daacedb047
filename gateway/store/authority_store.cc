#include "gateway/store/authority_store.h"

#include <fmt/format.h>

#include "gateway/store/authority_rows_internal.h"

namespace signet::gateway {
namespace {

using authority::Application;
using authority::Change;
using authority::Group;
using authority::IssuedCertificate;
using authority::IssuerRequest;
using authority::IssuerVersion;
using authority::PublishedCrl;
using authority::Request;

constexpr std::string_view kIssuerSerialHint = "its certificate's serial number in hexadecimal digits";

// ---- The parts of a change. Each says whether what it relied on is still so.

bool still_is(SqlConnection& connection, const Group& group) {
  Query query(connection, "SELECT 1 FROM authority_groups WHERE name = ? AND revision = ?");
  return query.bind(group.name, group.revision).next();
}

bool still_is(SqlConnection& connection, const Application& application) {
  Query query(connection, "SELECT 1 FROM authority_applications WHERE id = ? AND revision = ?");
  return query.bind(application.id, application.revision).next();
}

bool are_all(SqlConnection& connection, const authority::KnownRequests& known) {
  Query newer(connection, "SELECT 1 FROM authority_requests WHERE application = ? AND record > ?");
  return !newer.bind(known.application, known.last).next();
}

bool remove(SqlConnection& connection, const Application& application) {
  Query query(connection, "DELETE FROM authority_applications WHERE id = ? AND revision = ?");
  return query.bind(application.id, application.revision).run() == 1;
}

bool remove(SqlConnection& connection, const Request& request) {
  Query query(connection, "DELETE FROM authority_requests WHERE id = ? AND revision = ?");
  return query.bind(request.id, request.revision).run() == 1;
}

/// Nobody deletes a key that an issuer has; this one may have gone before it had one.
Result<> check_key_is_there(SqlConnection& connection, const vault::KeyId& key) {
  Query query(connection,
              "SELECT 1 FROM key_versions WHERE vault = ? AND name = ? AND version = ? AND deleted IS NULL");
  if (query.bind(key.vault, key.name, key.version).next()) return {};
  return fail(ErrorKind::NotFound,
              fmt::format("the issuer's key {} was deleted meanwhile", printable(vault::to_string(key))));
}

void add_issuer(SqlConnection& connection, const IssuerVersion& issuer) {
  Query(connection, "UPDATE authority_issuers SET active = 0 WHERE group_name = ?").bind(issuer.group).run();
  Query(connection,
        "INSERT INTO authority_issuers (group_name, serial, certificate, chain, key_vault, key_name, "
        "key_version, "
        "active, created_by, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(issuer.group, issuer.certificate.serial(), issuer.certificate.der(),
            certstore::to_pem(issuer.chain), issuer.key.vault, issuer.key.name, issuer.key.version,
            flag(issuer.active), issuer.created.by, issuer.created.at)
      .run();
}

/// Numbers follow one another without a gap, whoever makes the lists.
bool put_crl(SqlConnection& connection, const PublishedCrl& crl) {
  if (crl.number == 1) {
    Query insert(
        connection,
        "INSERT INTO authority_crls (group_name, issuer_serial, number, this_update, next_update, der) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
    return insert.bind(crl.group, crl.issuer_serial, crl.number, crl.this_update, crl.next_update, crl.der)
               .run() == 1;
  }
  Query update(
      connection,
      "UPDATE authority_crls SET number = ?3, this_update = ?4, next_update = ?5, der = ?6 WHERE group_name "
      "= ?1 AND issuer_serial = ?2 AND number = ?3 - 1");
  return update.bind(crl.group, crl.issuer_serial, crl.number, crl.this_update, crl.next_update, crl.der)
             .run() == 1;
}

void put_issuer_request(SqlConnection& connection, const IssuerRequest& request) {
  Query(connection,
        "INSERT OR REPLACE INTO authority_issuer_requests (group_name, key_vault, key_name, key_version, "
        "request, "
        "created_by, created) VALUES (?, ?, ?, ?, ?, ?, ?)")
      .bind(request.group, request.key.vault, request.key.name, request.key.version, request.request,
            request.created.by, request.created.at)
      .run();
}

bool settle(SqlConnection& connection, const IssuerRequest& request) {
  Query query(connection, "DELETE FROM authority_issuer_requests WHERE group_name = ? AND key_version = ?");
  return query.bind(request.group, request.key.version).run() == 1;
}

void add_issued(SqlConnection& connection, const IssuedCertificate& issued) {
  Query(connection,
        "INSERT INTO authority_certificates (group_name, issuer_serial, serial, certificate, request, "
        "application, "
        "issued_by, issued) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(issued.group, issued.issuer_serial, issued.certificate.serial(), issued.certificate.der(),
            issued.request, issued.application, issued.issued.by, issued.issued.at)
      .run();
}

bool put_revoked(SqlConnection& connection, const IssuedCertificate& revoked) {
  Query query(
      connection,
      "UPDATE authority_certificates SET revoked_by = ?, revoked = ?, reason = ? WHERE group_name = ? AND "
      "issuer_serial = ? AND serial = ? AND revoked IS NULL");
  return query
             .bind(by_of(revoked.revoked), time_of(revoked.revoked), certstore::to_string(revoked.reason),
                   revoked.group, revoked.issuer_serial, revoked.certificate.serial())
             .run() == 1;
}

/// @returns false at the first part for which somebody else was faster
Result<bool> take(SqlConnection& connection, const Change& change) {
  for (const Group& group : change.relied_on_groups)
    if (!still_is(connection, group)) return false;
  for (const Application& application : change.relied_on_applications)
    if (!still_is(connection, application)) return false;
  if (change.all_requests_of && !are_all(connection, *change.all_requests_of)) return false;
  for (const Group& group : change.groups) {
    SIGNET_TRY(const bool done, put_group(connection, group));
    if (!done) return false;
  }
  for (const Application& application : change.applications) {
    SIGNET_TRY(const bool done, put_application(connection, application));
    if (!done) return false;
  }
  for (const Request& request : change.requests) {
    SIGNET_TRY(const bool done, put_request(connection, request));
    if (!done) return false;
  }
  for (const Request& request : change.removed_requests)
    if (!remove(connection, request)) return false;
  for (const Application& application : change.removed_applications)
    if (!remove(connection, application)) return false;
  if (change.settled_issuer_request && !settle(connection, *change.settled_issuer_request)) return false;
  if (change.issuer_request) {
    SIGNET_CHECK(check_key_is_there(connection, change.issuer_request->key));
    put_issuer_request(connection, *change.issuer_request);
  }
  if (change.new_issuer) {
    SIGNET_CHECK(check_key_is_there(connection, change.new_issuer->key));
    add_issuer(connection, *change.new_issuer);
  }
  for (const PublishedCrl& crl : change.crls)
    if (!put_crl(connection, crl)) return false;
  for (const IssuedCertificate& issued : change.issued) add_issued(connection, issued);
  for (const IssuedCertificate& revoked : change.revoked)
    if (!put_revoked(connection, revoked)) return false;
  return true;
}

/// Every row of a query.
template <class T, class Read>
Result<std::vector<T>> all_of(Query& query, Read read) {
  std::vector<T> all;
  while (query.next()) {
    SIGNET_TRY(T one, read(query));
    all.push_back(std::move(one));
  }
  return all;
}

Error none(std::string_view what, std::string_view name) {
  return Error{ErrorKind::NotFound, fmt::format("there is no {} '{}'", what, printable(name))};
}

}  // namespace

Result<bool> SqliteAuthorityStore::commit(const Change& change) {
  bool was_overtaken = false;
  Result<> written = database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_TRY(const bool done, take(connection, change));
    was_overtaken = !done;
    if (done) return {};
    return fail(ErrorKind::Unavailable, "somebody else changed it meanwhile");  // and all of it is undone
  });
  if (was_overtaken) return false;
  if (!written) return fail(std::move(written.error()));
  return true;
}

Result<std::vector<Group>> SqliteAuthorityStore::groups() {
  return read_value<std::vector<Group>>(*database_, [](SqlConnection& connection) {
    Query query(connection, "SELECT " SIGNET_GROUP_COLUMNS " FROM authority_groups ORDER BY name");
    return all_of<Group>(query, read_group);
  });
}

Result<Group> SqliteAuthorityStore::group(std::string_view name) {
  return read_value<Group>(*database_, [&](SqlConnection& connection) -> Result<Group> {
    Query query(connection, "SELECT " SIGNET_GROUP_COLUMNS " FROM authority_groups WHERE name = ?");
    if (!query.bind(name).next()) return fail(none("certificate group", name));
    return read_group(query);
  });
}

Result<std::vector<IssuerVersion>> SqliteAuthorityStore::issuers(std::string_view group) {
  return read_value<std::vector<IssuerVersion>>(*database_, [&](SqlConnection& connection) {
    Query query(connection,
                "SELECT group_name, certificate, chain, key_vault, key_name, key_version, active, "
                "created_by, created "
                "FROM authority_issuers WHERE group_name = ? ORDER BY sequence DESC");
    query.bind(group);
    return all_of<IssuerVersion>(query, read_issuer);
  });
}

Result<std::optional<IssuerRequest>> SqliteAuthorityStore::issuer_request(std::string_view group) {
  using Waiting = std::optional<IssuerRequest>;
  return read_value<Waiting>(*database_, [&](SqlConnection& connection) -> Result<Waiting> {
    Query query(connection,
                "SELECT group_name, key_vault, key_name, key_version, request, created_by, created FROM "
                "authority_issuer_requests WHERE group_name = ?");
    if (!query.bind(group).next()) return Waiting();
    return Waiting(IssuerRequest{
        query.text(0), {query.text(1), query.text(2), query.text(3)}, query.bytes(4), stamp_in(query, 5)});
  });
}

Result<PublishedCrl> SqliteAuthorityStore::crl(std::string_view group, std::string_view issuer_serial) {
  return read_value<PublishedCrl>(*database_, [&](SqlConnection& connection) -> Result<PublishedCrl> {
    Query query(
        connection,
        "SELECT group_name, issuer_serial, number, this_update, next_update, der FROM authority_crls WHERE "
        "group_name = ? AND issuer_serial = ?");
    if (!query.bind(group, issuer_serial).next())
      return fail(ErrorKind::NotFound,
                  fmt::format("group '{}' has no revocation list of an issuer '{}': an issuer is named by {}",
                              printable(group), printable(issuer_serial), kIssuerSerialHint));
    return PublishedCrl{query.text(0), query.text(1), query.integer(2),
                        query.time(3), query.time(4), query.bytes(5)};
  });
}

Result<Application> SqliteAuthorityStore::application(std::string_view id) {
  return read_value<Application>(*database_, [&](SqlConnection& connection) -> Result<Application> {
    Query query(connection, "SELECT " SIGNET_APPLICATION_COLUMNS " FROM authority_applications WHERE id = ?");
    if (!query.bind(id).next()) return fail(none("application", id));
    return read_application(query);
  });
}

Result<std::vector<Application>> SqliteAuthorityStore::applications(std::int64_t after, std::size_t limit) {
  return read_value<std::vector<Application>>(*database_, [&](SqlConnection& connection) {
    Query query(connection, "SELECT " SIGNET_APPLICATION_COLUMNS
                            " FROM authority_applications WHERE record > ? ORDER BY record LIMIT ?");
    query.bind(after, static_cast<std::int64_t>(limit));
    return all_of<Application>(query, read_application);
  });
}

Result<Request> SqliteAuthorityStore::request(std::string_view id) {
  return read_value<Request>(*database_, [&](SqlConnection& connection) -> Result<Request> {
    Query query(connection, "SELECT " SIGNET_REQUEST_COLUMNS " FROM authority_requests WHERE id = ?");
    if (!query.bind(id).next()) return fail(none("request", id));
    return read_request(query);
  });
}

Result<authority::Page<Request>> SqliteAuthorityStore::requests(const authority::RequestFilter& filter,
                                                                const authority::PageRequest& page) {
  std::string states;  // ",New,Approved,"
  for (const authority::RequestState state : filter.states)
    states.append(states.empty() ? "," : "").append(authority::to_string(state)).append(",");
  using Found = authority::Page<Request>;
  return read_value<Found>(*database_, [&](SqlConnection& connection) -> Result<Found> {
    Query query(
        connection,
        "SELECT " SIGNET_REQUEST_COLUMNS
        " FROM authority_requests WHERE record > ?1 AND (?2 = '' OR application = ?2) AND (?3 = '' OR "
        "group_name = ?3) AND (?4 = '' OR instr(?4, ',' || state || ',') > 0) AND (?5 = 0 OR "
        "(revocation_requested IS NOT NULL AND revoked IS NULL)) ORDER BY record LIMIT ?6");
    // One more than is wanted says whether there are more.
    query.bind(page.after, filter.application, filter.group, states, flag(filter.revocation_requested),
               static_cast<std::int64_t>(page.size) + 1);
    Found found;
    SIGNET_TRY(found.items, all_of<Request>(query, read_request));
    if (found.items.size() <= page.size) return found;
    found.items.pop_back();
    found.next = found.items.back().record;
    return found;
  });
}

Result<std::vector<Request>> SqliteAuthorityStore::requests_for(std::string_view application,
                                                                std::string_view group,
                                                                ByteView signing_request_sha256) {
  return read_value<std::vector<Request>>(*database_, [&](SqlConnection& connection) {
    Query query(connection,
                "SELECT " SIGNET_REQUEST_COLUMNS
                " FROM authority_requests WHERE signing_request_sha256 = ? AND application = ? AND "
                "group_name = ? ORDER BY record DESC LIMIT ?");
    query.bind(signing_request_sha256, application, group, static_cast<std::int64_t>(kMostRequestsFor));
    return all_of<Request>(query, read_request);
  });
}

Result<std::optional<IssuedCertificate>> SqliteAuthorityStore::issued(std::string_view group,
                                                                      std::string_view issuer_serial,
                                                                      std::string_view serial) {
  using Found = std::optional<IssuedCertificate>;
  return read_value<Found>(*database_, [&](SqlConnection& connection) -> Result<Found> {
    Query query(connection,
                "SELECT " SIGNET_ISSUED_COLUMNS
                " FROM authority_certificates WHERE group_name = ? AND issuer_serial = ? AND serial = ?");
    if (!query.bind(group, issuer_serial, serial).next()) return Found();
    SIGNET_TRY(IssuedCertificate issued, read_issued(query));
    return Found(std::move(issued));
  });
}

Result<std::vector<IssuedCertificate>> SqliteAuthorityStore::issued_between(std::string_view group, Time from,
                                                                            Time until) {
  return read_value<std::vector<IssuedCertificate>>(*database_, [&](SqlConnection& connection) {
    Query query(connection,
                "SELECT " SIGNET_ISSUED_COLUMNS
                " FROM authority_certificates WHERE (?1 = '' OR group_name = ?1) AND issued >= ?2 AND "
                "issued < ?3 ORDER BY issued, sequence");
    query.bind(group, from, until);
    return all_of<IssuedCertificate>(query, read_issued);
  });
}

Result<std::vector<IssuedCertificate>> SqliteAuthorityStore::revoked(std::string_view group,
                                                                     std::string_view issuer_serial) {
  return read_value<std::vector<IssuedCertificate>>(*database_, [&](SqlConnection& connection) {
    Query query(connection,
                "SELECT " SIGNET_ISSUED_COLUMNS
                " FROM authority_certificates WHERE group_name = ? AND issuer_serial = ? AND revoked IS "
                "NOT NULL ORDER BY revoked, sequence");
    query.bind(group, issuer_serial);
    return all_of<IssuedCertificate>(query, read_issued);
  });
}

}  // namespace signet::gateway
