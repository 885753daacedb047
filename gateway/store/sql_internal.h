#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "gateway/store/database.h"

/// Internal to gateway/store: SQL with bound parameters. Included by .cc files only. What is declared here
/// may throw SQLite::Exception; Database::write() and read() turn it into an Error.

namespace signet::gateway {

/// A connection and the statements that were prepared on it. For one thread at a time.
class SqlConnection {
 public:
  enum class Use { Write, Read };
  SqlConnection(const std::filesystem::path& path, Use use, std::chrono::milliseconds busy_timeout);

  /// Statements that take no parameters and give no rows.
  void execute(const char* sql) { database_.exec(sql); }
  [[nodiscard]] bool in_transaction() const;
  void roll_back() noexcept;

 private:
  friend class Query;
  SQLite::Statement& statement(const char* sql);

  SQLite::Database database_;
  std::unordered_map<const char*, SQLite::Statement> statements_;  ///< by the address of their literal
};

/// One use of a prepared statement: bind, then step or run. Ready for its next use when this goes out of
/// scope.
class Query {
 public:
  /// `sql` is a literal: text put together at run time has no place in a statement.
  template <std::size_t N>
  Query(SqlConnection& connection, const char (&sql)[N]) : statement_(connection.statement(sql)) {
    statement_.clearBindings();
  }
  ~Query() { statement_.tryReset(); }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  /// Binds parameters from left to right, beginning at ?1. Octets are borrowed until the query ends; text is
  /// copied.
  template <class... Values>
  Query& bind(const Values&... values) {
    (bind_next(values), ...);
    return *this;
  }

  /// Steps to the next row; false at the end.
  bool next() { return statement_.executeStep(); }
  /// Runs to the end a statement that gives no rows. @returns the number of rows changed.
  int run() { return statement_.exec(); }

  [[nodiscard]] std::int64_t integer(int column) const { return statement_.getColumn(column).getInt64(); }
  [[nodiscard]] std::string text(int column) const { return statement_.getColumn(column).getString(); }
  [[nodiscard]] Bytes bytes(int column) const;
  [[nodiscard]] bool is_null(int column) const { return statement_.getColumn(column).isNull(); }
  [[nodiscard]] Time time(int column) const { return Time(std::chrono::microseconds(integer(column))); }
  [[nodiscard]] std::optional<Time> optional_time(int column) const;

 private:
  void bind_next(std::string_view value) { statement_.bind(++bound_, std::string(value)); }
  void bind_next(std::int64_t value) { statement_.bind(++bound_, value); }
  void bind_next(ByteView value);
  void bind_next(const Bytes& value) { bind_next(ByteView(value)); }
  void bind_next(Time value) { bind_next(std::int64_t{value.time_since_epoch().count()}); }
  void bind_next(std::nullopt_t) { statement_.bind(++bound_); }
  template <class T>
  void bind_next(const std::optional<T>& value) {
    if (value)
      bind_next(*value);
    else
      bind_next(std::nullopt);
  }

  SQLite::Statement& statement_;
  int bound_ = 0;
};

/// What SQLite threw, as a value whose text says what to do.
Error sql_error(const SQLite::Exception& exception);

/// Database::read() for work that gives a value.
template <class T, class F>
Result<T> read_value(Database& database, F&& work) {
  std::optional<T> value;
  SIGNET_CHECK(database.read([&](SqlConnection& connection) -> Result<> {
    SIGNET_TRY(value, work(connection));
    return {};
  }));
  return *std::move(value);
}

/// Part of every transaction that changes the account, or the keys: see Database::generations().
void count_account_change(SqlConnection& connection);
void count_key_change(SqlConnection& connection);
Result<Generations> read_generations(SqlConnection& connection);

/// How a column has what is true or false.
inline std::int64_t flag(bool value) { return value ? 1 : 0; }

}  // namespace signet::gateway
