#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "gateway/exchange/account_snapshot.h"
#include "gateway/exchange/lanes.h"
#include "gateway/exchange/message_store.h"
#include "gateway/exchange/observer.h"
#include "gateway/exchange/outbound.h"
#include "gateway/exchange/seal_watch.h"

namespace signet::gateway {

/// Everything given by reference outlives the outbox.
struct OutboxPorts {
  OutboundExchange& exchange;
  MessageStore& store;
  CurrentAccount account;
  const Clock& clock;
  /// A receipt came that is to be handed over, by this process or by another one. Must not wait for anything.
  std::function<void(const std::string& id, const std::string& agreement)> receipt_came;
  /// Another process wants a receipt of ours to be posted again. Must not wait for anything.
  std::function<void(const std::string& id, const std::string& agreement)> receipt_wanted_again;
  ExchangeObserver& observer = NoObserver::instance();
  /// The vault is sealed: what is due waits, no attempt is counted, and each is tried once more at least.
  std::function<bool()> is_sealed = [] { return false; };
};

struct OutboxSettings {
  LaneSettings lanes{.threads = 256, .window = 4};
  std::chrono::milliseconds look_for_notes{250};  ///< how often what other processes queued is looked for
};

/// Gets every open message to its partner, or to a clear end: attempts at growing intervals, receipts that do
/// not come, what a crash or another process left. Each agreement is a lane of its own (lanes.h).
///
/// The store is the queue; what is in memory here is only when to look at which message again.
class Outbox {
 public:
  explicit Outbox(OutboxPorts ports, OutboxSettings settings = {});
  /// As stop() and join().
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  /// Takes on everything that is open in the store, and from now on what other processes queue. Once.
  ///
  /// @error  of the store.
  Result<> start();

  /// Takes on an open message: one that was just submitted, or whose state another one changed. A message
  /// that is taken on already is looked at no later than it says now.
  void take_on(const MessageRecord& record);

  /// Lets no further attempt begin. Those that are being made go on. Idempotent.
  void stop();
  /// Waits for them, after stop(). What is not settled is found again at the next start. Idempotent.
  void join();

  [[nodiscard]] std::size_t waiting() const { return attempts_.waiting(); }
  [[nodiscard]] std::size_t running() const { return attempts_.running(); }
  /// Messages whose receipts are to come by themselves.
  [[nodiscard]] std::size_t awaited() const { return overdue_.waiting(); }
  /// The agreements whose partners are only probed now.
  [[nodiscard]] std::vector<std::string> broken() const { return attempts_.broken(); }

 private:
  Result<> recover();
  LaneRunner::Finish attempt(const Lanes::Turn& turn);
  LaneRunner::Finish look_overdue(const Lanes::Turn& turn);
  LaneRunner::Finish outcome(const Lanes::Turn& turn, const Result<Attempted>& attempted);
  [[nodiscard]] std::chrono::milliseconds until(Time moment) const;
  [[nodiscard]] std::chrono::milliseconds patience_for(const std::string& agreement, Time queued) const;
  void watch_notes();
  void heed_note(const MessageRecord& record);

  const OutboxPorts ports_;
  const OutboxSettings settings_;
  SealWatch seal_;

  std::mutex mutex_;
  std::condition_variable stopping_changed_;
  bool stopping_ = false;
  LaneRunner attempts_;
  LaneRunner overdue_;  ///< one lane: the moments at which receipts should have come
  std::thread notes_;
};

}  // namespace signet::gateway
