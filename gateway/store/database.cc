#include "gateway/store/database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <utility>

#include "base/failpoint.h"
#include "base/file.h"
#include "gateway/store/schema.h"
#include "gateway/store/sql_internal.h"

namespace signet::gateway {
namespace {

/// More than this many reading connections are made when needed, and closed again after use.
constexpr std::size_t kIdleReaders = 8;
/// So that the first of a group does not wait for a crowd, and the log of one transaction stays small.
constexpr std::size_t kLargestGroup = 256;

template <class F>
auto without_exceptions(F&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const SQLite::Exception& exception) {
    return fail(sql_error(exception));
  } catch (const std::exception& exception) {
    return fail(ErrorKind::Internal, std::string("database: ") + exception.what());
  }
}

/// SQLite would create the file with the process's umask; its companions (-wal, -shm) take the mode of the
/// file.
Result<> make_private_file(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return fail(errno_error("opening " + path.string()));
  ::close(file);
  return {};
}

Result<> check_integrity(SqlConnection& connection) {
  Query check(connection, "PRAGMA quick_check(1)");
  const std::string answer = check.next() ? check.text(0) : "no answer";
  if (answer == "ok") return {};
  return fail(
      ErrorKind::IoFailure,
      fmt::format(
          "the database is damaged ({}); Signet does not run on it. Keep the file, restore the store from a "
          "backup, or recover what can be read with: sqlite3 FILE .recover",
          answer));
}

/// Undoes the transaction unless it was committed, whatever way the work ends.
class Undo {
 public:
  explicit Undo(SqlConnection& connection) : connection_(connection) {}
  ~Undo() { connection_.roll_back(); }
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;

 private:
  SqlConnection& connection_;
};

}  // namespace

/// A reading connection, given back when it goes out of scope.
class Database::Lease {
 public:
  explicit Lease(Database& database) : database_(database) {
    {
      const std::lock_guard lock(database.readers_mutex_);
      if (!database.idle_readers_.empty()) {
        connection_ = std::move(database.idle_readers_.back());
        database.idle_readers_.pop_back();
      }
    }
    if (!connection_) connection_ = database.new_reader();
  }
  ~Lease() {
    const std::lock_guard lock(database_.readers_mutex_);
    if (database_.idle_readers_.size() < kIdleReaders)
      database_.idle_readers_.push_back(std::move(connection_));
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  SqlConnection& operator*() const { return *connection_; }

 private:
  Database& database_;
  std::unique_ptr<SqlConnection> connection_;
};

Database::Database(std::filesystem::path path, DatabaseOptions options)
    : path_(std::move(path)), options_(options) {}

Database::~Database() {
  {
    const std::lock_guard lock(waiting_mutex_);
    ending_ = true;
  }
  work_waits_.notify_one();
  if (committer_.joinable()) committer_.join();
}

Result<std::shared_ptr<Database>> Database::open(const std::filesystem::path& path,
                                                 const DatabaseOptions& options) {
  SIGNET_CHECK(make_private_file(path));
  std::shared_ptr<Database> database(new Database(path, options));
  auto prepared = without_exceptions([&] { return database->prepare(); });
  if (!prepared) return fail(std::move(prepared).error().within(path.string()));
  database->committer_ = std::thread([committing = database.get()] { committing->run_committer(); });
  return database;
}

Result<> Database::prepare() {
  writer_ = std::make_unique<SqlConnection>(path_, SqlConnection::Use::Write, options_.busy_timeout);
  if (options_.check_integrity) SIGNET_CHECK(check_integrity(*writer_));
  writer_->execute("PRAGMA journal_mode=WAL");
  writer_->execute("PRAGMA journal_size_limit=67108864");
  // Pages that are written again and again, such as the indexes', are copied into the file four times less
  // often than by default, and as many fewer messages wait for that. What a start reads from the log stays at
  // 16 MiB.
  writer_->execute("PRAGMA wal_autocheckpoint=4000");
  SIGNET_CHECK(migrate(*writer_));
  watch_ = new_reader();
  return {};
}

std::unique_ptr<SqlConnection> Database::new_reader() const {
  return std::make_unique<SqlConnection>(path_, SqlConnection::Use::Read, options_.busy_timeout);
}

void Database::write(Work work, Done done, std::chrono::milliseconds patience) {
  {
    const std::lock_guard lock(waiting_mutex_);
    waiting_.push_back({std::move(work), std::move(done), {}});
    due_ = std::min(due_, std::chrono::steady_clock::now() + patience);
  }
  work_waits_.notify_one();
}

Result<> Database::write(const Work& work) {
  std::promise<Result<>> outcome;
  write([&](SqlConnection& connection) { return work(connection); },
        [&](Result<> result) { outcome.set_value(std::move(result)); });
  return outcome.get_future().get();
}

void Database::run_committer() {
  std::unique_lock lock(waiting_mutex_);
  for (;;) {
    wait_for_work(lock);
    if (waiting_.empty()) return;
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kLargestGroup));
    std::deque<Waiting> group(std::move_iterator(waiting_.begin()), std::move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
    due_ = waiting_.empty() ? Moment::max() : Moment::min();  // what a full group left behind goes next
    lock.unlock();
    commit(group);
    for (const Waiting& one : group) one.done(one.outcome);
    group.clear();  // what the callers' work holds goes before anybody waits again
    lock.lock();
  }
}

/// @returns when something is due, or, with nothing that waits, at the end.
void Database::wait_for_work(std::unique_lock<std::mutex>& lock) {
  while (!ending_ && due_ > std::chrono::steady_clock::now()) {
    if (due_ == Moment::max())
      work_waits_.wait(lock);
    else
      work_waits_.wait_until(lock, due_);
  }
}

/// One transaction for all of the group. What goes wrong with the transaction itself is everybody's outcome.
void Database::commit(std::deque<Waiting>& group) {
  const auto committed = without_exceptions([&]() -> Result<> {
    writer_->roll_back();  // of a transaction whose own rollback failed on the disk
    Query(*writer_, "BEGIN IMMEDIATE").run();
    const Undo undo(*writer_);
    for (Waiting& one : group) {
      one.outcome = take_part(one);
      // A full disk may have made SQLite undo the whole transaction, and with it what others did before.
      if (!writer_->in_transaction()) return one.outcome;
    }
    if (before_commit_) SIGNET_CHECK(before_commit_());
    failpoint("commit");
    Query(*writer_, "COMMIT").run();
    failpoint("committed");
    return {};
  });
  if (committed) return;
  for (Waiting& one : group)
    if (one.outcome) one.outcome = committed;
}

/// One caller's work, undone by itself when it fails.
Result<> Database::take_part(Waiting& one) {
  auto outcome = without_exceptions([&]() -> Result<> {
    Query(*writer_, "SAVEPOINT part").run();
    return one.work(*writer_);
  });
  if (!writer_->in_transaction()) {
    if (outcome) outcome = fail(ErrorKind::IoFailure, "database: SQLite undid the transaction");
    return outcome;
  }
  auto ended = without_exceptions([&]() -> Result<> {
    if (!outcome) Query(*writer_, "ROLLBACK TO part").run();
    Query(*writer_, "RELEASE part").run();
    return {};
  });
  return outcome ? ended : outcome;
}

Result<> Database::read(const Work& work) {
  return without_exceptions([&]() -> Result<> {
    const Lease lease(*this);
    Query(*lease, "BEGIN").run();  // one snapshot for all of the work's queries
    const Undo undo(*lease);
    return work(*lease);
  });
}

Result<Generations> Database::generations() {
  const std::lock_guard lock(watch_mutex_);
  return without_exceptions([&]() -> Result<Generations> {
    // data_version changes on this connection with each commit of any other one, here or in another process.
    Query version(*watch_, "PRAGMA data_version");
    version.next();
    const std::int64_t data_version = version.integer(0);
    if (data_version == seen_data_version_) return seen_generations_;
    SIGNET_TRY(seen_generations_, read_generations(*watch_));
    seen_data_version_ = data_version;
    return seen_generations_;
  });
}

}  // namespace signet::gateway
