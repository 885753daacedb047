#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "gateway/delivery/folder_delivery.h"
#include "gateway/delivery/webhook_delivery.h"
#include "gateway/exchange/lanes.h"
#include "gateway/exchange/message_store.h"
#include "gateway/exchange/observer.h"

namespace signet::gateway {

struct DeliverySettings {
  std::chrono::milliseconds first_retry{
      1000};  ///< wait after a message's first failure; doubles with each further one
  std::chrono::milliseconds longest_retry{60'000};  ///< the doubling ends here
};

/// Where an agreement's payloads go to: a folder, or a webhook.
using DeliveryTarget = std::variant<std::filesystem::path, Webhook>;

struct DeliveryPorts {
  MessageStore& store;
  const Clock& clock;
  /// @error NotFound  the agreement has no target (any more).  @error ...  it cannot be used now
  std::function<Result<DeliveryTarget>(std::string_view agreement)> target_of;
  std::function<Result<HttpAnswer>(const HttpPost&)> post;  ///< for webhooks
};

/// Hands accepted messages, and receipts, over to the business, off the way of their answers, and does not
/// give up: what cannot be handed over is tried again at growing intervals. Each agreement is a lane of its
/// own (lanes.h), so that a folder that is missing or a webhook that hangs holds up no other agreement's
/// messages; and in a lane, one message that cannot be handed over holds up no other one. What waits in a
/// lane for a folder goes in batches, which share syncs and commit; a webhook gets one message after the
/// other.
class DeliveryQueue {
 public:
  /// Everything given by reference outlives the queue.
  explicit DeliveryQueue(DeliveryPorts ports, DeliverySettings settings = {},
                         ExchangeObserver& observer = NoObserver::instance());
  /// As drain().
  ~DeliveryQueue();
  DeliveryQueue(const DeliveryQueue&) = delete;
  DeliveryQueue& operator=(const DeliveryQueue&) = delete;

  /// Queues a message that waits_for_hand_over(), by our id. Never blocks on a disk.
  void enqueue(std::string id, std::string agreement);
  /// Queues everything that waits in the store: once, at start. @returns how many.
  Result<std::size_t> recover();
  /// Hands over what is due, for at most `patience`, then ends. What is left, or has failed, stays in the
  /// store for the next start's recover(). Idempotent.
  void drain(std::chrono::milliseconds patience = std::chrono::seconds(5));
  [[nodiscard]] std::size_t waiting() const { return lanes_.waiting() + lanes_.running(); }

 private:
  struct Failure {
    unsigned times = 0;  ///< in a row
    std::string reason;
  };

  /// Why messages could not be handed over, by their ids.
  using Reasons = std::map<std::string, Error, std::less<>>;
  /// What a turn takes on: its first jobs, and what is to be handed over of them.
  struct Batch {
    std::size_t jobs = 0;
    std::vector<HandOver> waiting;
  };

  std::vector<LaneRunner::Finish> hand_over(const std::vector<Lanes::Turn>& turns);
  Batch load(const std::vector<Lanes::Turn>& turns, std::size_t most, Reasons& failed) const;
  Result<std::optional<HandOver>> look_up(const std::string& id) const;
  Result<Slice> content_of(const MessageRecord& record) const;
  std::vector<HandOver> deliver(std::vector<HandOver> batch, const Result<DeliveryTarget>& target,
                                Reasons& failed) const;
  std::vector<Result<std::string>> places_of(const std::vector<HandOver>& batch,
                                             const Result<DeliveryTarget>& target) const;
  Result<std::string> post(const HandOver& one, const Webhook& webhook) const;
  std::vector<HandOver> mark(std::vector<HandOver> batch, Time now, Reasons& failed) const;
  void confirm(const std::vector<HandOver>& done, const Result<DeliveryTarget>& target) const;
  void tell(const HandOver& done, Time now) const;
  LaneRunner::Finish finish(const std::string& id, const Reasons& failed);
  LaneRunner::Finish postpone(const std::string& id, const Error& reason);

  const DeliveryPorts ports_;
  const DeliverySettings settings_;
  ExchangeObserver& observer_;
  const FolderDelivery folders_;
  const WebhookDelivery webhooks_;
  std::mutex mutex_;
  std::map<std::string, Failure, std::less<>> failures_;  ///< of messages that wait after a failure
  LaneRunner lanes_;                                      ///< the last member: it uses the others
};

}  // namespace signet::gateway
