#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/result.h"

/// The SQLite database that every store in this folder keeps its rows in. SQL itself stays behind
/// sql_internal.h.

namespace signet::gateway {

class SqlConnection;

struct DatabaseOptions {
  std::chrono::milliseconds busy_timeout{5000};  ///< how long to wait for another process's transaction
  bool check_integrity = true;  ///< run SQLite's quick_check when opening; it reads the whole file once
};

/// Counters that grow with each change to a part of the configuration; see generations().
struct Generations {
  std::uint64_t account = 0;  ///< partners, agreements, certificates
  std::uint64_t keys = 0;     ///< the vault's keys and access policies
  std::uint64_t revocation_lists = 0;

  friend bool operator==(const Generations&, const Generations&) = default;
};

/// One writing connection with a thread of its own, the committer, and reading connections that never wait
/// for it. Whatever waits while one transaction is synced becomes part of the next (group commit), so many
/// callers share one sync. Write-ahead log, synchronous=FULL: what was confirmed survives a power cut.
/// Several processes may have the same database open; their writes wait for each other, at most for the busy
/// timeout. Thread-safe.
class Database {
 public:
  using Work = std::function<Result<>(SqlConnection&)>;
  /// Hears how a piece of work ended, once it is on disk or undone. Runs on the committer: it must not wait
  /// for anything, and above all not for another write().
  using Done = std::function<void(Result<>)>;

  /// Opens or creates the database file `path` (mode 0600), and brings its schema up to date in one
  /// transaction.
  ///
  /// @error Unsupported  written by a newer Signet, or no database of Signet's.  @error IoFailure  damaged:
  /// the text says what was found and what to do.  @error Unavailable  another process kept it locked past
  /// the busy timeout.
  static Result<std::shared_ptr<Database>> open(const std::filesystem::path& path,
                                                const DatabaseOptions& options = {});
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs `work` on the committer, in a transaction that it may share with other work, and calls `done` once
  /// it is on disk. Everything `work` did is undone when it fails, which concerns nobody else's, or when the
  /// commit fails, which concerns all that shared it. `work` must not call write() or read() again, and keeps
  /// nothing of the connection.
  ///
  /// Work that has `patience` waits so long for other work to share its transaction with.
  ///
  /// @error Unavailable  another process holds the database for longer than the busy timeout.
  /// @error IoFailure  the disk is full, or fails.  And whatever `work` returns.
  void write(Work work, Done done, std::chrono::milliseconds patience = {});
  /// The same, and returns once it is on disk.
  Result<> write(const Work& work);

  /// Runs `work` on a connection that cannot write, with everything visible that was committed before.
  Result<> read(const Work& work);

  /// How often each part of the configuration has changed, by whichever process. Cheap enough to ask for on
  /// every message: when nothing at all was committed since the last time, it does not even start a
  /// transaction.
  Result<Generations> generations();

  /// `hook` runs just before each commit; an error undoes the transaction. Set once, before the database is
  /// shared.
  void set_before_commit(std::function<Result<>()> hook) { before_commit_ = std::move(hook); }

 private:
  class Lease;
  using Moment = std::chrono::steady_clock::time_point;
  struct Waiting {
    Work work;
    Done done;
    Result<> outcome;
  };
  Database(std::filesystem::path path, DatabaseOptions options);
  Result<> prepare();
  std::unique_ptr<SqlConnection> new_reader() const;
  void run_committer();
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  void commit(std::deque<Waiting>& group);
  Result<> take_part(Waiting& one);

  const std::filesystem::path path_;
  const DatabaseOptions options_;
  std::function<Result<>()> before_commit_;

  std::unique_ptr<SqlConnection> writer_;  ///< the committer's
  std::mutex waiting_mutex_;
  std::condition_variable work_waits_;
  std::deque<Waiting> waiting_;
  Moment due_ = Moment::max();  ///< when the patience of one that waits is over
  bool ending_ = false;
  std::thread committer_;

  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<SqlConnection>> idle_readers_;

  std::mutex watch_mutex_;
  std::unique_ptr<SqlConnection> watch_;
  std::int64_t seen_data_version_ = -1;
  Generations seen_generations_;
};

}  // namespace signet::gateway
