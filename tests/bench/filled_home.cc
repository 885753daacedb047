#include "tests/bench/filled_home.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "base/random.h"
#include "gateway/cli/home.h"
#include "gateway/store/store.h"
#include "tests/bench/bench.h"
#include "tests/bench/trade.h"

namespace signet::bench {
namespace {

constexpr std::size_t kMadeByTheStore = 1'000;

/// Commits that are under way, so many at most.
class InFlight {
 public:
  void begin() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return running_ < kMost; });
    ++running_;
  }
  void end(Result<> outcome) {
    const std::lock_guard lock(mutex_);
    if (!outcome && outcome_) outcome_ = std::move(outcome);
    --running_;
    changed_.notify_one();
  }
  Result<> wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return running_ == 0; });
    return outcome_;
  }

 private:
  static constexpr std::size_t kMost = 4096;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t running_ = 0;
  Result<> outcome_;
};

/// A message of years gone by: received, handed over, and gone but for its record and the receipt that a
/// repeat would get.
gateway::InboundCommit old_message(const std::string& partner, const std::string& host, Time when) {
  gateway::InboundCommit commit;
  gateway::MessageRecord& record = commit.record;
  record.id = random_id();
  record.state = gateway::MessageState::Delivered;
  record.agreement = partner;
  record.as2_from = partner;
  record.as2_to = host;
  record.message_id = fmt::format("<{}@old.example>", record.id);
  record.subject = "Message from " + partner;
  record.created = when;
  record.settled = when;
  record.request_id = random_id();
  record.remote_address = "127.0.0.1:40000";
  record.content_type = "application/EDIFACT";
  record.file_name = "orders.edi";
  record.payload_size = kSmallSize;
  record.mic = base64(random_bytes(32));
  record.mic_algorithm = "sha-256";
  record.disposition = "automatic-action/MDN-sent-automatically; processed";
  record.delivered_to = "/srv/delivery/orders.edi";
  record.keeps = gateway::KeptCopies::none();
  commit.receipt = {200, {{"Content-Type", "multipart/signed; boundary=b"}}, random_bytes(400)};
  commit.unique = true;
  return commit;
}

/// By the store's own code.
Result<> make_messages(const std::filesystem::path& home, const std::string& host, std::size_t partners,
                       std::size_t count) {
  SIGNET_TRY(const auto opened, gateway::Home::open(home));
  const Time now = opened->clock().now();
  InFlight in_flight;
  for (std::size_t i = 0; i < count; ++i) {
    in_flight.begin();
    const auto age = std::chrono::seconds(count - i);
    opened->store().commit_inbound(old_message(partner_name(i % partners), host, now - age),
                                   [&in_flight](Result<> outcome) { in_flight.end(std::move(outcome)); });
  }
  return in_flight.wait();
}

/// Copies each row of a table so many times.
///
/// @param changed  what a column of copy `n` has instead of the value in the row, as SQL
void copy_rows(SQLite::Database& database, const std::string& table, std::size_t copies,
               const std::map<std::string, std::string>& changed) {
  std::string columns;
  std::string values;
  SQLite::Statement query(database, "SELECT name FROM pragma_table_info(?)");
  query.bind(1, table);
  while (query.executeStep()) {
    const std::string column = query.getColumn(0).getString();
    const auto found = changed.find(column);
    columns += (columns.empty() ? "" : ", ") + column;
    values += (values.empty() ? "" : ", ") + (found == changed.end() ? column : found->second);
  }
  database.exec(
      fmt::format("WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < {}) "
                  "INSERT INTO {} ({}) SELECT {} FROM copy CROSS JOIN {}",
                  copies, table, columns, values, table));
}

/// Copies all messages and what belongs to them. The copies' evidence is as large as it would be, but their
/// hashes chain nothing.
Result<> copy_messages(const std::filesystem::path& home, std::size_t copies) {
  try {
    SQLite::Database database((home / "store" / "signet.db").string(), SQLite::OPEN_READWRITE);
    database.exec("PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY");
    const auto last = [&](const char* sql) { return database.execAndGet(sql).getInt64(); };
    const auto shifted = [](const char* column, std::int64_t by) {
      return fmt::format("{} + n * {}", column, by);
    };
    const std::int64_t messages = last("SELECT max(sequence) FROM messages");
    const std::string message = shifted("message", messages);
    const std::string number = shifted("number", last("SELECT max(number) FROM evidence"));
    copy_rows(database, "messages", copies,
              {{"sequence", shifted("sequence", messages)},
               {"id", "lower(hex(randomblob(16)))"},
               {"message_id", "'<' || lower(hex(randomblob(16))) || '@old.example>'"}});
    copy_rows(database, "receipts", copies, {{"message", message}});
    copy_rows(database, "claims", copies, {{"message", message}, {"names_hash", "randomblob(16)"}});
    copy_rows(database, "evidence", copies, {{"message", message}, {"number", number}});
  } catch (const SQLite::Exception& error) {
    return fail(ErrorKind::IoFailure, fmt::format("copying stored messages: {}", error.what()));
  }
  return {};
}

}  // namespace

Result<> store_messages(const std::filesystem::path& home, const std::string& host, std::size_t partners,
                        std::size_t count) {
  SIGNET_CHECK(make_messages(home, host, partners, std::min(count, kMadeByTheStore)));
  const std::size_t copies = count / kMadeByTheStore;
  return copies > 1 ? copy_messages(home, copies - 1) : Result<>();
}

Result<> queue_messages(const std::filesystem::path& home, const std::string& host,
                        const std::vector<Partner>& partners, std::size_t count) {
  SIGNET_TRY(const auto opened, gateway::Home::open(home));
  const Time now = opened->clock().now();
  const Bytes octets = random_bytes(kSmallSize);
  std::vector<std::thread> threads;
  std::mutex mutex;
  Result<> outcome;
  constexpr std::size_t kThreads = 16;  // each waits for its commit, and they share them
  for (std::size_t first = 0; first < kThreads; ++first)
    threads.emplace_back([&, first] {
      for (std::size_t i = first; i < count; i += kThreads) {
        const std::string& partner = partners[i % partners.size()].name;
        gateway::OutboundCommit commit;
        gateway::MessageRecord& record = commit.record;
        record.id = random_id();
        record.direction = gateway::Direction::Outbound;
        record.state = gateway::MessageState::Queued;
        record.agreement = partner;
        record.as2_from = host;
        record.as2_to = partner;
        record.message_id = fmt::format("<{}@bench.example>", record.id);
        record.created = now;
        record.queued = now;
        record.due = now;
        record.mic = base64(random_bytes(32));
        record.mic_algorithm = "sha-256";
        commit.payload = Slice::of(octets);
        commit.wire = {{{"Message-ID", record.message_id}, {"AS2-To", partner}}, Slice::of(octets)};
        auto committed = opened->store().commit_outbound(commit, gateway::MessageStore::Tell::Nobody);
        if (committed) continue;
        const std::lock_guard lock(mutex);
        outcome = std::move(committed);
        return;
      }
    });
  for (std::thread& thread : threads) thread.join();
  return outcome;
}

}  // namespace signet::bench
