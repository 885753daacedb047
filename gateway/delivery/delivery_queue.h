#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "gateway/delivery/folder_delivery.h"
#include "gateway/exchange/message_store.h"
#include "gateway/exchange/observer.h"

namespace signet::gateway {

struct DeliverySettings {
  std::chrono::milliseconds first_retry{
      1000};  ///< wait after the first failure; doubles with each further one
  std::chrono::milliseconds longest_retry{60'000};  ///< the doubling ends here
};

/// What is to be handed over, and when to try again. The queue's logic without its thread: time comes in as a
/// parameter. Thread-safe, but one caller at a time runs.
class DeliveryWork {
 public:
  using Moment = std::chrono::steady_clock::time_point;  ///< monotonic: a change of the clock moves no retry
  /// The folder that an agreement's payloads go to. @error NotFound  it has none (any more).
  using FolderOf = std::function<Result<std::filesystem::path>(std::string_view agreement)>;

  DeliveryWork(MessageStore& store, FolderOf folder_of, const Clock& clock, DeliverySettings settings = {},
               ExchangeObserver& observer = NoObserver::instance());

  /// Notes a message; one that is noted already keeps its place.
  void add(std::string id, Moment due);
  /// Hands over what is due at `now`. `stop` is asked between messages. @returns how many were handed over.
  std::size_t run_due(Moment now, const std::function<bool()>& stop);
  /// When the next message is due; nothing when none waits.
  [[nodiscard]] std::optional<Moment> next_due() const;
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct Waiting {
    Moment due{};
    unsigned failures = 0;
    std::string last_reason;
  };

  std::optional<std::string> take_due(Moment now);
  Result<Slice> content_of(const MessageRecord& record);
  Result<> hand_over(const std::string& id);
  void postpone(const std::string& id, Moment now, const Error& reason);

  MessageStore& store_;
  const FolderOf folder_of_;
  const Clock& clock_;
  const FolderDelivery delivery_;
  ExchangeObserver& observer_;
  const DeliverySettings settings_;

  mutable std::mutex mutex_;
  std::map<std::string, Waiting, std::less<>> waiting_;
  std::set<std::pair<Moment, std::string>>
      order_;  ///< of those in waiting_, without the one being handed over
};

/// Hands accepted messages, and receipts, over to the business on a thread of its own, off the way of their
/// answers, and does not give up: a folder that is missing or full is tried again at growing intervals, and
/// each message waits for itself alone.
class DeliveryQueue {
 public:
  /// Everything given by reference outlives the queue.
  DeliveryQueue(MessageStore& store, DeliveryWork::FolderOf folder_of, const Clock& clock,
                DeliverySettings settings = {}, ExchangeObserver& observer = NoObserver::instance());
  /// As drain().
  ~DeliveryQueue();
  DeliveryQueue(const DeliveryQueue&) = delete;
  DeliveryQueue& operator=(const DeliveryQueue&) = delete;

  /// Queues a message that waits_for_hand_over(), by our id. Never blocks on a disk.
  void enqueue(std::string id);
  /// Queues everything that waits in the store: once, at start. @returns how many.
  Result<std::size_t> recover();
  /// Hands over what is due, for at most `patience`, then ends the thread. What is left, or has failed, stays
  /// in the store for the next start's recover(). Idempotent.
  void drain(std::chrono::milliseconds patience = std::chrono::seconds(5));
  [[nodiscard]] std::size_t waiting() const { return work_.waiting(); }

 private:
  void run();
  bool out_of_patience();

  MessageStore& store_;
  DeliveryWork work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<DeliveryWork::Moment> drain_until_;
  bool news_ = false;
  std::mutex joining_;
  std::thread thread_;
};

}  // namespace signet::gateway
