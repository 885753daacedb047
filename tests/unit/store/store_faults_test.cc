// What the store does when the disk, the power or another process lets it down.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <random>

#include "gateway/store/sql_internal.h"
#include "tests/unit/store/store_fixture.h"

namespace signet::gateway {
namespace {

constexpr std::size_t kLarge = 400'000;

class StoreFaultsTest : public StoreTest {
 protected:
  [[nodiscard]] std::filesystem::path database_file() const { return directory_.path() / "store/signet.db"; }

  Error refusal_to_open() {
    auto store = SqliteStore::open(directory_.path());
    EXPECT_FALSE(store) << "the store opened";
    return store ? Error{} : store.error();
  }

  void fill(int messages) {
    const auto store = open();
    for (int i = 0; i < messages; ++i)
      ASSERT_TRUE(store->commit_inbound(accepted_record(std::to_string(i)), Slice::of(some_octets(5000)),
                                        receipt_saying("r"), true));
  }

  void with_database(const std::function<void(SQLite::Database&)>& work) {
    SQLite::Database database(database_file().string(), SQLite::OPEN_READWRITE);
    work(database);
  }
};

/// Runs `work` in a process of its own and returns how it ended, as waitpid() tells it.
int in_child(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

/// A payload whose octets can no longer be read: its file became shorter.
Slice unreadable_slice(const std::filesystem::path& path, std::size_t size) {
  EXPECT_TRUE(write_file_durably(path, some_octets(size)));
  const Slice slice = Slice::of_file(path).value();
  EXPECT_EQ(::truncate(path.c_str(), static_cast<off_t>(size / 2)), 0);
  return slice.sub(1);
}

TEST_F(StoreFaultsTest, StoresNothingOfAMessageWhosePayloadCannotBeRead) {
  const auto store = open();
  for (const std::size_t size : {std::size_t{1000}, kLarge}) {
    const Slice broken = unreadable_slice(directory_.path() / "payload", size);
    const MessageRecord record = accepted_record(std::to_string(size));
    EXPECT_EQ(store->commit_inbound(record, broken, receipt_saying("r"), true).error().kind,
              ErrorKind::IoFailure);
    EXPECT_EQ(store->find(record.id).error().kind, ErrorKind::NotFound);
    EXPECT_FALSE(store->find_earlier("Acme", "Globex", record.message_id, Time()).value());
    EXPECT_EQ(body_files(), 0U);
    EXPECT_TRUE(store->commit_inbound(record, Slice::of("sent again"), receipt_saying("r"), true));
  }
}

TEST_F(StoreFaultsTest, StoresNothingOnAFullDiskAndGoesOnWhenThereIsRoomAgain) {
  const int status = in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const auto store = SqliteStore::open(directory_.path()).value();
    struct rlimit original {};
    ::getrlimit(RLIMIT_FSIZE, &original);
    for (const std::size_t size : {std::size_t{200'000}, kLarge}) {
      const MessageRecord record = accepted_record(std::to_string(size));
      struct rlimit full = original;
      full.rlim_cur = 100'000;
      ::setrlimit(RLIMIT_FSIZE, &full);
      if (store->commit_inbound(record, Slice::of(some_octets(size)), receipt_saying("r"), true)) return 1;
      if (store->find(record.id)) return 2;
      if (store->find_earlier("Acme", "Globex", record.message_id, Time()).value()) return 3;
      ::setrlimit(RLIMIT_FSIZE, &original);
      if (!store->commit_inbound(record, Slice::of(some_octets(size)), receipt_saying("r"), true)) return 4;
      if (!store->payload(record.id)) return 5;
    }
    return 0;
  });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(open()->undelivered()->size(), 2U);
  EXPECT_EQ(body_files(), 1U);
}

TEST_F(StoreFaultsTest, LeavesNoFileWhenTheTransactionIsUndone) {
  const auto store = open();
  store->database()->set_before_commit(
      [] { return Result<>(fail(ErrorKind::IoFailure, "the audit log is full")); });
  EXPECT_EQ(
      store->commit_inbound(accepted_record("a"), Slice::of(some_octets(kLarge)), receipt_saying("r"), true)
          .error()
          .detail,
      "the audit log is full");
  store->database()->set_before_commit(nullptr);
  // The transaction had been complete: its file is kept until the next commit makes sure that it never
  // happened.
  EXPECT_TRUE(store->commit_inbound(accepted_record("b"), Slice::of("x"), receipt_saying("r"), true));
  EXPECT_EQ(body_files(), 0U);
  EXPECT_EQ(store->list({})->size(), 1U);
}

TEST_F(StoreFaultsTest, SaysWhatIsWrongWhenItsDirectoryCannotBeMade) {
  ASSERT_TRUE(write_file_durably(directory_.path() / "store", as_bytes("a file is in the way")));
  const Error error = refusal_to_open();
  EXPECT_NE(error.detail.find("should be a directory"), std::string::npos) << error.detail;
}

TEST_F(StoreFaultsTest, DoesNotFollowASymbolicLinkToItsDatabase) {
  std::filesystem::create_directories(directory_.path() / "store");
  ASSERT_TRUE(write_file_durably(directory_.path() / "elsewhere", {}));
  std::filesystem::create_symlink(directory_.path() / "elsewhere", database_file());
  EXPECT_EQ(refusal_to_open().kind, ErrorKind::IoFailure);
}

TEST_F(StoreFaultsTest, RefusesADamagedDatabaseAndSaysWhatToDo) {
  fill(50);
  const auto size = std::filesystem::file_size(database_file());
  ASSERT_GT(size, 100'000U);
  const int file = ::open(database_file().c_str(), O_WRONLY | O_CLOEXEC);
  for (std::uintmax_t offset = 8192; offset + 8192 < size; offset += 4096)
    ASSERT_EQ(::pwrite(file, "garbage garbage garbage", 23, static_cast<off_t>(offset)), 23);
  ::close(file);
  const Error error = refusal_to_open();
  EXPECT_EQ(error.kind, ErrorKind::IoFailure);
  EXPECT_NE(error.detail.find("backup"), std::string::npos) << error.detail;
}

TEST_F(StoreFaultsTest, RefusesAFileThatIsNoDatabaseOrHasLostItsEnd) {
  fill(50);
  const Bytes whole = read_file(database_file()).value();
  ASSERT_EQ(::truncate(database_file().c_str(), static_cast<off_t>(whole.size() / 2)), 0);
  EXPECT_EQ(refusal_to_open().kind, ErrorKind::IoFailure);
  ASSERT_TRUE(write_file_durably(database_file(), some_octets(100'000)));
  const Error error = refusal_to_open();
  EXPECT_EQ(error.kind, ErrorKind::IoFailure);
  EXPECT_NE(error.detail.find("damaged"), std::string::npos) << error.detail;
  ASSERT_TRUE(write_file_durably(database_file(), whole));
  EXPECT_TRUE(open());
}

TEST_F(StoreFaultsTest, RefusesADatabaseOfANewerSignetAndLeavesItAlone) {
  fill(1);
  int version = 0;
  with_database([&](SQLite::Database& database) {
    version = database.execAndGet("PRAGMA user_version").getInt();
    database.exec("PRAGMA user_version = 1000");
  });
  const Error error = refusal_to_open();
  EXPECT_EQ(error.kind, ErrorKind::Unsupported);
  EXPECT_NE(error.detail.find("newer"), std::string::npos) << error.detail;
  with_database(
      [&](SQLite::Database& database) { database.exec("PRAGMA user_version = " + std::to_string(version)); });
  EXPECT_EQ(open()->undelivered()->size(), 1U);
}

TEST_F(StoreFaultsTest, RefusesADatabaseOfAnotherProgram) {
  std::filesystem::create_directories(directory_.path() / "store");
  {
    SQLite::Database other(database_file().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    other.exec("CREATE TABLE theirs (x)");
  }
  EXPECT_EQ(refusal_to_open().kind, ErrorKind::Unsupported);
}

TEST_F(StoreFaultsTest, WaitsForAnotherProcessNoLongerThanTheBusyTimeout) {
  StoreOptions options;
  options.database.busy_timeout = std::chrono::milliseconds(20);
  const auto store = open(options);
  with_database([&](SQLite::Database& other) {
    other.exec("BEGIN IMMEDIATE");
    const MessageRecord record = accepted_record("a");
    const auto outcome =
        store->commit_inbound(record, Slice::of(some_octets(kLarge)), receipt_saying("r"), true);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, ErrorKind::Unavailable) << outcome.error().detail;
    EXPECT_EQ(body_files(), 0U);
    EXPECT_TRUE(store->list({}));  // readers never wait
    other.exec("ROLLBACK");
    EXPECT_TRUE(store->commit_inbound(record, Slice::of("x"), receipt_saying("r"), true));
  });
}

TEST_F(StoreFaultsTest, SweepsPayloadFilesWithoutARecordOnlyWhenAlone) {
  const auto store = open();
  ASSERT_TRUE(
      store->commit_inbound(accepted_record("a"), Slice::of(some_octets(kLarge)), receipt_saying("r"), true));
  const auto bodies = BodyFiles::open(directory_.path() / "store/bodies");
  ASSERT_TRUE(bodies->save(id_of("orphan"), Slice::of("left by a crash")));
  ASSERT_TRUE(write_file_durably(directory_.path() / "store/bodies/notes.txt", as_bytes("the operator's")));
  EXPECT_TRUE(open());  // as the command line does while the gateway runs: the file may be another's commit
                        // on its way
  EXPECT_EQ(body_files(), 3U);
}

TEST_F(StoreFaultsTest, SweepsPayloadFilesWithoutARecordAtTheNextStart) {
  {
    const auto store = open();
    ASSERT_TRUE(store->commit_inbound(accepted_record("a"), Slice::of(some_octets(kLarge)),
                                      receipt_saying("r"), true));
  }
  const auto bodies = BodyFiles::open(directory_.path() / "store/bodies");
  ASSERT_TRUE(bodies->save(id_of("orphan"), Slice::of("left by a crash")));
  ASSERT_TRUE(write_file_durably(directory_.path() / "store/bodies/notes.txt", as_bytes("the operator's")));
  const auto store = open();
  EXPECT_EQ(body_files(), 2U);
  EXPECT_EQ(bodies->open_body(id_of("orphan")).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(store->payload(id_of("a"))->size(), kLarge);
}

TEST_F(StoreFaultsTest, TellsWhenAPayloadFileIsMissingOrCut) {
  const auto store = open();
  ASSERT_TRUE(
      store->commit_inbound(accepted_record("a"), Slice::of(some_octets(kLarge)), receipt_saying("r"), true));
  const std::string id = id_of("a");
  const std::filesystem::path file = directory_.path() / "store/bodies" / id.substr(0, 2) / id;
  ASSERT_EQ(::truncate(file.c_str(), 10), 0);
  EXPECT_EQ(store->payload(id).error().kind, ErrorKind::IoFailure);
  std::filesystem::remove(file);
  EXPECT_EQ(store->payload(id).error().kind, ErrorKind::NotFound);
  std::filesystem::create_symlink("/etc/passwd", file);
  EXPECT_FALSE(store->payload(id));
}

/// Every message that the store knows has its payload and its receipt, and every payload file has its
/// message.
void expect_whole(SqliteStore& store, std::size_t files_on_disk) {
  std::size_t files = 0;
  const auto records = store.list({.limit = SIZE_MAX}).value();
  for (const MessageRecord& record : records) {
    const auto payload = store.payload(record.id);
    ASSERT_TRUE(payload) << payload.error().detail;
    EXPECT_EQ(payload->size(), record.payload_size);
    EXPECT_EQ(octets_of(*payload), some_octets(record.payload_size));
    if (payload->size() > StoreOptions().largest_row) ++files;
    EXPECT_EQ(store.receipt(record.id)->body, to_bytes(record.message_id));
    EXPECT_EQ(store.find_earlier("Acme", "Globex", record.message_id, Time()).value()->receipt->body,
              to_bytes(record.message_id));
  }
  EXPECT_EQ(files_on_disk, files);
}

Result<> commit_numbered(SqliteStore& store, int round, int number) {
  MessageRecord record = accepted_record(std::to_string(round) + "-" + std::to_string(number));
  record.payload_size = number % 2 == 0 ? kLarge : 3000;
  return store.commit_inbound(record, Slice::of(some_octets(record.payload_size)),
                              receipt_saying(record.message_id), true);
}

TEST_F(StoreFaultsTest, HasLostNothingItConfirmedAfterBeingKilledAtAnyInstant) {
  std::mt19937 random(7);
  std::size_t confirmed_before = 0;
  for (int round = 0; round < 12; ++round) {
    int confirmations[2];
    ASSERT_EQ(::pipe(confirmations), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const auto store = SqliteStore::open(directory_.path()).value();
      for (int number = 0;; ++number)
        if (!commit_numbered(*store, round, number) || ::write(confirmations[1], "y", 1) != 1) ::_exit(1);
    }
    ::close(confirmations[1]);
    const unsigned wanted = 1 + random() % 8;
    char confirmation = 0;
    for (unsigned i = 0; i < wanted; ++i) ASSERT_EQ(::read(confirmations[0], &confirmation, 1), 1);
    const auto spins = random() % 300'000;  // up to a few milliseconds, whatever commit that falls into
    for (std::atomic<std::uint_fast32_t> spin = 0; spin < spins;) ++spin;
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    std::size_t confirmed = confirmed_before + wanted;
    while (::read(confirmations[0], &confirmation, 1) == 1) ++confirmed;
    ::close(confirmations[0]);

    const auto store = open();
    const std::size_t kept = store->list({.limit = SIZE_MAX})->size();
    EXPECT_GE(kept, confirmed);
    EXPECT_LE(kept, confirmed + 1);  // the last one may have been committed and not yet confirmed
    expect_whole(*store, body_files());
    confirmed_before = kept;
  }
}

/// Dies at the moment `step` of a commit, counted by where the store calls out.
TEST_F(StoreFaultsTest, ADeathBeforeTheCommitLeavesNothingAndOneAfterItLeavesAll) {
  const int before = in_child([&] {
    const auto store = SqliteStore::open(directory_.path()).value();
    store->database()->set_before_commit([]() -> Result<> { ::_exit(7); });
    return commit_numbered(*store, 0, 0) ? 1 : 2;
  });
  ASSERT_TRUE(WIFEXITED(before) && WEXITSTATUS(before) == 7);
  EXPECT_EQ(body_files(), 1U);
  {
    const auto store = open();
    EXPECT_TRUE(store->list({})->empty());
    EXPECT_EQ(body_files(), 0U);
  }
  const int after = in_child([&] {
    const auto store = SqliteStore::open(directory_.path()).value();
    ::_exit(commit_numbered(*store, 0, 0) ? 7 : 1);
    return 0;
  });
  ASSERT_TRUE(WIFEXITED(after) && WEXITSTATUS(after) == 7);
  const auto store = open();
  EXPECT_EQ(store->undelivered()->size(), 1U);
  expect_whole(*store, body_files());
}

TEST_F(StoreFaultsTest, TwoProcessesWriteAtOnceAndClaimANameOnce) {
  constexpr int kMessages = 40;
  const auto work = [&] {
    const auto store = SqliteStore::open(directory_.path()).value();
    int accepted = 0;
    for (int i = 0; i < kMessages; ++i) {
      MessageRecord record = accepted_record("shared " + std::to_string(i));
      record.id = id_of(record.message_id + std::to_string(::getpid()));
      const auto outcome = store->commit_inbound(record, Slice::of("x"), receipt_saying("r"), true);
      if (!outcome && outcome.error().kind != ErrorKind::AlreadyExists) return 100;
      accepted += outcome ? 1 : 0;
    }
    return accepted;
  };
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  const int ours = work();
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(ours + WEXITSTATUS(status), kMessages);
  EXPECT_EQ(open()->undelivered()->size(), static_cast<std::size_t>(kMessages));
}

TEST_F(StoreFaultsTest, SeesAnotherProcessesChangeOfConfigurationAndNoMessages) {
  const auto store = open();
  const std::uint64_t start = store->generation().value();
  EXPECT_EQ(store->generation().value(), start);
  ASSERT_TRUE(store->commit_inbound(accepted_record("a"), Slice::of("x"), receipt_saying("r"), true));
  EXPECT_EQ(store->generation().value(), start);
  const int status = in_child([&] {
    const auto other = SqliteStore::open(directory_.path()).value();
    return other->database()->write([](SqlConnection& connection) {
      count_account_change(connection);
      return Result<>();
    })
               ? 0
               : 1;
  });
  ASSERT_EQ(status, 0);
  EXPECT_EQ(store->generation().value(), start + 1);
}

TEST_F(StoreFaultsTest, ManyOpenAFreshStoreAtOnce) {
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto store = SqliteStore::open(directory_.path());
      ::_exit(store && commit_numbered(**store, i, 1) ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(open()->undelivered()->size(), 6U);
}

}  // namespace
}  // namespace signet::gateway
