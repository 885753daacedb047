#include "gateway/store/store.h"

#include <utility>

#include "base/log.h"
#include "gateway/store/evidence_chain_internal.h"
#include "gateway/store/sql_internal.h"

namespace signet::gateway {
namespace {

/// After a crash: files whose transaction never happened go; rows whose file has gone are reported.
Result<> repair_bodies(Database& database, const BodyFiles& bodies) {
  SIGNET_TRY(const std::size_t removed, bodies.sweep([&](std::string_view name) {
    return read_value<bool>(database, [&](SqlConnection& connection) -> Result<bool> {
      Query payload(connection, "SELECT 1 FROM messages WHERE id = ? AND body_place = 'file'");
      if (payload.bind(name).next()) return true;
      Query wire(connection,
                 "SELECT 1 FROM wires JOIN messages ON sequence = message WHERE id || '.wire' = ?1 AND id = "
                 "substr(?1, 1, 32) AND place = 'file'");
      if (wire.bind(name).next()) return true;
      Query content(connection,
                    "SELECT 1 FROM proofs JOIN messages ON sequence = message WHERE id || '.content' = ?1 "
                    "AND id = substr(?1, 1, 32) AND place = 'file'");
      return content.bind(name).next();
    });
  }));
  if (removed > 0) log::warning("store-swept", {{"bodies_without_record", std::to_string(removed)}});
  return database.read([&](SqlConnection& connection) -> Result<> {
    Query files(connection,
                "SELECT id FROM messages WHERE body_place = 'file' UNION ALL "
                "SELECT id || '.wire' FROM wires JOIN messages ON sequence = message WHERE place = 'file' "
                "UNION ALL SELECT id || '.content' FROM proofs JOIN messages ON sequence = message "
                "WHERE place = 'file'");
    while (files.next())
      if (auto body = bodies.open_body(files.text(0)); !body)
        log::error("store-body-missing", {{"id", files.text(0)}, {"reason", body.error().detail}});
    return {};
  });
}

/// After a crash: nobody makes an attempt any more, so what was in the making waits for the next one.
Result<> repair_states(Database& database) {
  return database.write([](SqlConnection& connection) -> Result<> {
    Query(connection, "UPDATE messages SET state = 'queued', due = queued WHERE state = 'sending'").run();
    return {};
  });
}

}  // namespace

SqliteStore::SqliteStore(std::filesystem::path directory, const StoreOptions& options, StoreLock lock,
                         std::shared_ptr<Database> database, BodyFiles bodies, SendingMarks sending)
    : directory_(std::move(directory)),
      spool_(directory_ / "spool"),
      options_(options),
      lock_(std::move(lock)),
      database_(std::move(database)),
      bodies_(std::move(bodies)),
      sending_(std::move(sending)),
      chain_(std::make_unique<EvidenceChain>()) {}
SqliteStore::~SqliteStore() = default;

void SqliteStore::name_audit_head(AuditHead audit_head) { chain_->name_audit_head(std::move(audit_head)); }

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::filesystem::path& home,
                                                       const StoreOptions& options) {
  const std::filesystem::path directory = home / "store";
  SIGNET_CHECK(make_private_directory(directory));
  SIGNET_CHECK(make_private_directory(directory / "spool"));
  SIGNET_TRY(StoreLock lock, StoreLock::acquire(directory / "lock"));
  DatabaseOptions database_options = options.database;
  database_options.check_integrity = options.database.check_integrity && lock.alone();
  SIGNET_TRY(auto database, Database::open(directory / "signet.db", database_options));
  SIGNET_TRY(BodyFiles bodies, BodyFiles::open(directory / "bodies"));
  SIGNET_TRY(SendingMarks sending, SendingMarks::open(directory / "sending"));
  if (lock.alone()) {
    SIGNET_CHECK(repair_bodies(*database, bodies));
    SIGNET_CHECK(repair_states(*database));
  }
  SIGNET_CHECK(lock.share());
  return std::unique_ptr<SqliteStore>(new SqliteStore(
      directory, options, std::move(lock), std::move(database), std::move(bodies), std::move(sending)));
}

Result<std::uint64_t> SqliteStore::generation() {
  SIGNET_TRY(const Generations generations, database_->generations());
  return generations.account + generations.keys;  // both only grow
}

}  // namespace signet::gateway
