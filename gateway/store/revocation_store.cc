#include "gateway/store/revocation_store.h"

#include <fmt/format.h>

#include "base/log.h"
#include "gateway/store/sql_internal.h"

namespace signet::gateway {
namespace {

struct Row {
  std::string authority;
  std::string scope;
  Bytes octets;
  std::string source;
  Time taken;
};

void count_change(SqlConnection& connection) {
  Query(connection, "UPDATE generations SET revocation_lists = revocation_lists + 1").run();
}

/// Makes room for one more list of the authority, where there is none.
Result<> make_room(SqlConnection& connection, const StoredRevocationList& list) {
  Query counted(connection, "SELECT count(*) FROM revocation_lists WHERE authority = ?");
  if (!counted.bind(list.authority).next()) return {};
  const auto count = static_cast<std::size_t>(counted.integer(0));
  if (count < kMostScopes) return {};
  std::vector<std::string> ended;
  {
    Query query(connection, "SELECT scope, octets FROM revocation_lists WHERE authority = ?");
    query.bind(list.authority);
    while (query.next()) {
      const auto known = certstore::Crl::parse(query.bytes(1));
      if (!known || known->next_update() < list.taken) ended.push_back(query.text(0));
    }
  }
  if (ended.empty())
    return fail(ErrorKind::LimitExceeded,
                fmt::format("there are {} revocation lists of its authority for parts of its certificates "
                            "already, none of which has ended: 'signet crl remove {}' takes them out",
                            count, list.authority));
  for (const std::string& scope : ended)
    Query(connection, "DELETE FROM revocation_lists WHERE authority = ? AND scope = ?")
        .bind(list.authority, scope)
        .run();
  return {};
}

}  // namespace

Result<std::uint64_t> SqliteRevocationStore::generation() {
  SIGNET_TRY(const Generations generations, database_->generations());
  return generations.revocation_lists;
}

Result<std::vector<StoredRevocationList>> SqliteRevocationStore::lists() {
  using Rows = std::vector<Row>;
  SIGNET_TRY(Rows rows, read_value<Rows>(*database_, [](SqlConnection& connection) -> Result<Rows> {
               Query query(connection,
                           "SELECT authority, scope, octets, source, taken FROM revocation_lists ORDER BY "
                           "authority, scope");
               Rows all;
               while (query.next())
                 all.push_back({query.text(0), query.text(1), query.bytes(2), query.text(3), query.time(4)});
               return all;
             }));
  std::vector<StoredRevocationList> lists;
  for (Row& row : rows) {
    auto list = certstore::Crl::parse(row.octets);
    if (list)
      lists.push_back({std::move(row.authority), std::move(row.scope), *std::move(list),
                       std::move(row.source), row.taken});
    else
      log::error("revocation-list-not-read", {{"authority", row.authority}, {"reason", list.error().detail}});
  }
  return lists;
}

Result<RevocationStore::Change> SqliteRevocationStore::put(const StoredRevocationList& list) {
  Change change = Change::Taken;
  const auto work = [&](SqlConnection& connection) -> Result<> {
    Query before(connection, "SELECT octets FROM revocation_lists WHERE authority = ? AND scope = ?");
    if (before.bind(list.authority, list.scope).next()) {
      const Bytes octets = before.bytes(0);
      change = octets == list.list.der() ? Change::Unchanged : Change::Taken;
      if (change == Change::Unchanged) return {};
      if (const auto known = certstore::Crl::parse(octets); known && list.list.older_than(*known))
        return fail(ErrorKind::AlreadyExists,
                    fmt::format("the revocation list at hand is newer: it is of {}{}, and this one of {}{}",
                                to_rfc3339(known->this_update()),
                                known->number().empty() ? "" : ", number " + known->number(),
                                to_rfc3339(list.list.this_update()),
                                list.list.number().empty() ? "" : ", number " + list.list.number()));
    } else {
      SIGNET_CHECK(make_room(connection, list));
    }
    Query(connection,
          "INSERT INTO revocation_lists (authority, scope, octets, source, taken) VALUES (?, ?, ?, ?, ?) ON "
          "CONFLICT (authority, scope) DO UPDATE SET octets = excluded.octets, source = excluded.source, "
          "taken = excluded.taken")
        .bind(list.authority, list.scope, list.list.der(), list.source, list.taken)
        .run();
    count_change(connection);
    return {};
  };
  SIGNET_CHECK(database_->write(work));
  return change;
}

Result<> SqliteRevocationStore::remove(std::string_view authority) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    Query remove(connection, "DELETE FROM revocation_lists WHERE authority = ?");
    if (remove.bind(authority).run() == 0)
      return fail(ErrorKind::NotFound, "there is no revocation list of " + printable(authority));
    count_change(connection);
    return {};
  });
}

Result<std::vector<RevocationSource>> SqliteRevocationStore::sources() {
  using Sources = std::vector<RevocationSource>;
  return read_value<Sources>(*database_, [](SqlConnection& connection) -> Result<Sources> {
    Query query(connection,
                "SELECT authority, urls, tried, failures, reason FROM revocation_sources ORDER BY authority, "
                "urls");
    Sources all;
    while (query.next())
      all.push_back({query.text(0), query.text(1), query.time(2),
                     static_cast<std::uint32_t>(query.integer(3)), query.text(4)});
    return all;
  });
}

Result<> SqliteRevocationStore::put_source(const RevocationSource& source) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    Query(connection,
          "INSERT OR REPLACE INTO revocation_sources (authority, urls, tried, failures, reason) VALUES (?, "
          "?, ?, ?, ?)")
        .bind(source.authority, source.urls, source.tried, std::int64_t{source.failures}, source.reason)
        .run();
    return {};
  });
}

Result<> SqliteRevocationStore::remove_source(std::string_view authority, std::string_view urls) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    Query(connection, "DELETE FROM revocation_sources WHERE authority = ? AND urls = ?")
        .bind(authority, urls)
        .run();
    return {};
  });
}

}  // namespace signet::gateway
