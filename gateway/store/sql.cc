#include "gateway/store/sql_internal.h"

#include <fmt/format.h>
#include <sqlite3.h>

namespace signet::gateway {
namespace {

/// SQLite does not count its memory, which nobody asks for: all connections' threads would wait for each
/// other at every allocation. To be said before the first connection is made.
void prepare_sqlite() {
  static const int kPrepared = ::sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(kPrepared);
}

int flags_for(SqlConnection::Use) {
  prepare_sqlite();
  // Reading connections open the file for writing too: a read-only one cannot recover the log that a crash
  // left.
  return SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX | SQLite::OPEN_NOFOLLOW;
}

ErrorKind kind_of(int code) {
  switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorKind::Unavailable;
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return ErrorKind::PermissionDenied;
    case SQLITE_TOOBIG:
      return ErrorKind::LimitExceeded;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
    case SQLITE_ERROR:
      return ErrorKind::Internal;
    default:
      return ErrorKind::IoFailure;
  }
}

std::string_view advice_for(int code) {
  switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process is writing to it; try again, or end that process";
    case SQLITE_FULL:
      return "the disk is full; make room on it";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "the file is damaged; stop the gateway and restore it from a backup";
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return "check who owns the store's directory and whether its disk is mounted for writing";
    case SQLITE_IOERR:
      return "check the disk";
    default:
      return "this should not happen; please report it";
  }
}

}  // namespace

SqlConnection::SqlConnection(const std::filesystem::path& path, Use use,
                             std::chrono::milliseconds busy_timeout)
    : database_(path, flags_for(use), static_cast<int>(busy_timeout.count())) {
  execute("PRAGMA synchronous=FULL");
  execute("PRAGMA foreign_keys=ON");
  execute("PRAGMA trusted_schema=OFF");
  execute("PRAGMA cell_size_check=ON");
  execute("PRAGMA temp_store=MEMORY");
  if (use == Use::Read) execute("PRAGMA query_only=ON");
}

bool SqlConnection::in_transaction() const { return sqlite3_get_autocommit(database_.getHandle()) == 0; }

void SqlConnection::roll_back() noexcept {
  if (in_transaction()) database_.tryExec("ROLLBACK");
}

SQLite::Statement& SqlConnection::statement(const char* sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) return found->second;
  return statements_.try_emplace(sql, database_, sql).first->second;
}

Bytes Query::bytes(int column) const {
  const SQLite::Column value = statement_.getColumn(column);
  const auto* first = static_cast<const std::uint8_t*>(value.getBlob());
  if (first == nullptr) return {};
  return Bytes(first, first + value.getBytes());
}

std::optional<Time> Query::optional_time(int column) const {
  if (is_null(column)) return std::nullopt;
  return time(column);
}

void Query::bind_next(ByteView value) {
  // A null pointer would bind NULL, and an empty body is not an absent one.
  const void* first = value.empty() ? static_cast<const void*>("") : value.data();
  statement_.bindNoCopy(++bound_, first, static_cast<int>(value.size()));
}

Error sql_error(const SQLite::Exception& exception) {
  const int code = exception.getErrorCode() & 0xFF;
  return Error{kind_of(code),
               fmt::format("database: {} (SQLite {}, extended {}); {}", exception.what(),
                           exception.getErrorCode(), exception.getExtendedErrorCode(), advice_for(code))};
}

void count_account_change(SqlConnection& connection) {
  Query(connection, "UPDATE generations SET account = account + 1").run();
}

void count_key_change(SqlConnection& connection) {
  Query(connection, "UPDATE generations SET keys = keys + 1").run();
}

Result<Generations> read_generations(SqlConnection& connection) {
  Query row(connection, "SELECT account, keys, revocation_lists FROM generations");
  if (!row.next())
    return fail(ErrorKind::IoFailure, "database: the table 'generations' has lost its row; restore a backup");
  return Generations{static_cast<std::uint64_t>(row.integer(0)), static_cast<std::uint64_t>(row.integer(1)),
                     static_cast<std::uint64_t>(row.integer(2))};
}

}  // namespace signet::gateway
