#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "gateway/exchange/observer.h"

namespace signet::gateway {

/// A file that gets the tracking events of each message once it is accepted, refused, confirmed or failed,
/// and again once its receipt was posted, or that is given up: lines of JSON, as `signet tracking export`
/// writes them. It is opened for each batch, so that it may be moved away at any time.
///
/// A disk that is full or slow holds nobody up: messages wait in a bounded queue, and what the file does not
/// take is counted and left out, to be exported later.
class EventFile final : public ExchangeObserver {
 public:
  /// The lines for a message, by our id.
  using LinesOf = std::function<Result<std::vector<std::string>>(const std::string& id)>;

  /// `lines_of` is called on a thread of the file's own.
  EventFile(std::filesystem::path path, LinesOf lines_of, std::size_t longest_queue = 10'000);
  /// Writes what waits, for at most a second.
  ~EventFile() override;
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  void message(MessageEvent event, const MessageRecord& record) override;
  void receipt_sent(const MessageRecord& /*record*/) override {}
  void receipt_received(const MessageRecord& /*record*/) override {}
  void posted(Posting /*what*/, const std::string& /*agreement*/, bool /*taken*/,
              std::chrono::microseconds /*took*/) override {}
  void receipt_post_ended(const ReceiptPost& post) override { enqueue(post.id); }

  /// Whether the file can be opened and made now; for the start, when somebody is there to read it.
  /// @error InvalidInput  it is no regular file; and as errno_error().
  [[nodiscard]] Result<> check() const { return append({}); }

  /// Messages whose events are not in the file.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  void enqueue(const std::string& id);
  void run();
  void write(const std::deque<std::string>& ids);
  Result<> append(const std::string& lines) const;

  const std::filesystem::path path_;
  const LinesOf lines_of_;
  const std::size_t longest_queue_;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::string last_trouble_;  ///< the thread's: the log hears of a change

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> waiting_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace signet::gateway
