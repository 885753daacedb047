#include "gateway/store/resource_store.h"

#include "gateway/store/sql_internal.h"

namespace signet::gateway {
namespace {

using api::LoggedEvent;
using api::Resource;
using api::ResourceKind;

std::string_view word(ResourceKind kind) {
  switch (kind) {
    case ResourceKind::IntegrationAccount:
      return "integrationAccount";
    case ResourceKind::AccessKey:
      return "accessKey";
    case ResourceKind::OtherAgreement:
      return "agreement";
    case ResourceKind::Envelope:
      return "envelope";
    case ResourceKind::Vault:
      return "vault";
    case ResourceKind::DeletedVault:
      return "deletedVault";
  }
  return "?";
}

Resource read_resource(const Query& row) { return {row.text(0), row.text(1), row.time(2), row.time(3)}; }

}  // namespace

Result<std::optional<Resource>> SqliteResourceStore::find(ResourceKind kind, std::string_view name) {
  using Found = std::optional<Resource>;
  return read_value<Found>(*database_, [&](SqlConnection& connection) -> Result<Found> {
    Query query(connection, "SELECT name, json, created, changed FROM resources WHERE kind = ? AND name = ?");
    if (!query.bind(word(kind), name).next()) return Found();
    return Found(read_resource(query));
  });
}

Result<std::vector<Resource>> SqliteResourceStore::list(ResourceKind kind) {
  using All = std::vector<Resource>;
  return read_value<All>(*database_, [&](SqlConnection& connection) -> Result<All> {
    Query query(connection,
                "SELECT name, json, created, changed FROM resources WHERE kind = ? ORDER BY name");
    query.bind(word(kind));
    All all;
    while (query.next()) all.push_back(read_resource(query));
    return all;
  });
}

Result<bool> SqliteResourceStore::put(ResourceKind kind, std::string_view name, std::string_view json,
                                      Time now) {
  bool made = false;
  SIGNET_CHECK(database_->write([&](SqlConnection& connection) -> Result<> {
    Query update(connection, "UPDATE resources SET json = ?, changed = ? WHERE kind = ? AND name = ?");
    made = update.bind(json, now, word(kind), name).run() == 0;
    if (made)
      Query(connection, "INSERT INTO resources (kind, name, json, created, changed) VALUES (?, ?, ?, ?, ?)")
          .bind(word(kind), name, json, now, now)
          .run();
    return {};
  }));
  return made;
}

Result<bool> SqliteResourceStore::remove(ResourceKind kind, std::string_view name) {
  bool was_there = false;
  SIGNET_CHECK(database_->write([&](SqlConnection& connection) -> Result<> {
    Query remove(connection, "DELETE FROM resources WHERE kind = ? AND name = ?");
    was_there = remove.bind(word(kind), name).run() > 0;
    return {};
  }));
  return was_there;
}

Result<> SqliteResourceStore::log_events(const std::vector<LoggedEvent>& events) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    for (const LoggedEvent& event : events)
      Query(connection, "INSERT INTO logged_events (received, principal, json) VALUES (?, ?, ?)")
          .bind(event.received, event.principal, event.json)
          .run();
    return {};
  });
}

Result<std::vector<LoggedEvent>> SqliteResourceStore::logged_events(std::optional<Time> since) {
  using All = std::vector<LoggedEvent>;
  return read_value<All>(*database_, [&](SqlConnection& connection) -> Result<All> {
    Query query(connection,
                "SELECT received, principal, json FROM logged_events WHERE received >= ? ORDER BY sequence");
    query.bind(since.value_or(Time{}));
    All all;
    while (query.next()) all.push_back({query.time(0), query.text(1), query.text(2)});
    return all;
  });
}

}  // namespace signet::gateway
