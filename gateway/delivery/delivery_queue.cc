#include "gateway/delivery/delivery_queue.h"

#include <algorithm>
#include <utility>

#include "base/failpoint.h"
#include "base/log.h"

namespace signet::gateway {
namespace {

/// In a lane, payloads are handed over in their order.
constexpr unsigned kAtOncePerAgreement = 1;
constexpr unsigned kAtOnce = 16;

LaneSettings lane_settings(const DeliverySettings& settings) {
  return {.threads = kAtOnce,
          .window = kAtOncePerAgreement,
          .first_pause = settings.first_retry,
          .longest_pause = settings.longest_retry};
}

/// Whether a failure is the message's own, and says nothing about where it was to go.
bool is_of_the_message(const Error& reason) {
  return reason.kind == ErrorKind::AlreadyExists || reason.kind == ErrorKind::InvalidInput;
}

}  // namespace

DeliveryQueue::DeliveryQueue(DeliveryPorts ports, DeliverySettings settings, ExchangeObserver& observer)
    : ports_(std::move(ports)),
      settings_(settings),
      observer_(observer),
      folders_(ports_.clock),
      webhooks_(ports_.clock, ports_.post),
      lanes_("hand-over", lane_settings(settings),
             [this](const Lanes::Turn& turn) { return hand_over(turn); }) {}

DeliveryQueue::~DeliveryQueue() { drain(); }

void DeliveryQueue::enqueue(std::string id, std::string agreement) {
  lanes_.add(std::move(id), std::move(agreement));
}

Result<std::size_t> DeliveryQueue::recover() {
  SIGNET_TRY(const std::vector<MessageRecord> records, ports_.store.undelivered());
  for (const MessageRecord& record : records) enqueue(record.id, record.agreement);
  return records.size();
}

void DeliveryQueue::drain(std::chrono::milliseconds patience) {
  lanes_.wait_until_idle(patience);
  lanes_.stop();
  lanes_.join();
}

LaneRunner::Finish DeliveryQueue::hand_over(const Lanes::Turn& turn) {
  if (const auto done = hand_over(turn.job.id); !done) return postpone(turn.job.id, done.error());
  const std::lock_guard lock(mutex_);
  failures_.erase(turn.job.id);
  return {};
}

Result<Slice> DeliveryQueue::content_of(const MessageRecord& record) const {
  if (record.direction == Direction::Inbound) return ports_.store.payload(record.id);
  SIGNET_TRY(const StoredReceipt receipt, ports_.store.receipt(record.id));
  return Slice::of(to_octets(receipt));
}

Result<> DeliveryQueue::hand_over(const std::string& id) {
  const auto found = ports_.store.find(id);
  if (!found && found.error().kind == ErrorKind::NotFound) {
    log::error("delivery-of-unknown-message", {{"id", id}});
    return {};  // to try again would not make it known
  }
  SIGNET_TRY(MessageRecord record, found);
  if (!waits_for_hand_over(record)) return {};  // done before
  SIGNET_TRY(const DeliveryTarget target, ports_.target_of(record.agreement));
  SIGNET_TRY(const Slice content, content_of(record));
  SIGNET_TRY(const std::string where, deliver(record, content, target));
  const Time now = ports_.clock.now();
  failpoint("delivery.mark");
  SIGNET_CHECK(ports_.store.mark_delivered(id, where, now));
  const bool is_message = record.direction == Direction::Inbound;
  log::info(is_message ? "message-delivered" : "receipt-handed-over", {{"request", record.request_id},
                                                                       {"id", id},
                                                                       {"agreement", record.agreement},
                                                                       {"message_id", record.message_id},
                                                                       {"delivered_to", where}});
  // The hand-over is on record: a trace that cannot be taken away is untidy and nothing worse.
  const auto* folder = std::get_if<std::filesystem::path>(&target);
  const auto confirmed = folder != nullptr ? folders_.confirm(record, *folder) : Result<>();
  if (!confirmed) log::warning("delivery-trace-left", {{"id", id}, {"reason", confirmed.error().detail}});
  if (!is_message) return {};
  record.state = MessageState::Delivered;
  record.settled = now;
  record.delivered_to = where;
  observer_.message(MessageEvent::Delivered, record);
  return {};
}

/// @returns where it lies now.
Result<std::string> DeliveryQueue::deliver(const MessageRecord& record, const Slice& content,
                                           const DeliveryTarget& target) const {
  if (const auto* webhook = std::get_if<Webhook>(&target)) {
    SIGNET_CHECK(webhooks_.deliver(record, content, *webhook));
    return url_for_people(webhook->url);
  }
  SIGNET_TRY(const std::filesystem::path file,
             folders_.deliver(record, content, std::get<std::filesystem::path>(target)));
  return file.string();
}

LaneRunner::Finish DeliveryQueue::postpone(const std::string& id, const Error& reason) {
  const std::lock_guard lock(mutex_);
  Failure& failure = failures_[id];
  const unsigned doublings = std::min(failure.times++, 20U);
  const auto wait = std::min(settings_.first_retry * (1U << doublings), settings_.longest_retry);
  if (std::exchange(failure.reason, reason.detail) != reason.detail)
    log::error("delivery-failed", {{"id", id},
                                   {"kind", std::string(to_string(reason.kind))},
                                   {"reason", reason.detail},
                                   {"next_try_in_ms", std::to_string(wait.count())}});
  return {is_of_the_message(reason) ? Lanes::Outcome::NotTried : Lanes::Outcome::Failed, wait};
}

}  // namespace signet::gateway
