#include "gateway/delivery/delivery_queue.h"

#include <algorithm>
#include <utility>

#include "base/failpoint.h"
#include "base/log.h"

namespace signet::gateway {

DeliveryWork::DeliveryWork(MessageStore& store, FolderOf folder_of, const Clock& clock,
                           DeliverySettings settings, ExchangeObserver& observer)
    : store_(store),
      folder_of_(std::move(folder_of)),
      clock_(clock),
      delivery_(clock),
      observer_(observer),
      settings_(settings) {}

void DeliveryWork::add(std::string id, Moment due) {
  const std::lock_guard lock(mutex_);
  if (waiting_.try_emplace(id, Waiting{due, 0, {}}).second) order_.emplace(due, std::move(id));
}

std::optional<DeliveryWork::Moment> DeliveryWork::next_due() const {
  const std::lock_guard lock(mutex_);
  if (order_.empty()) return std::nullopt;
  return order_.begin()->first;
}

std::size_t DeliveryWork::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

std::size_t DeliveryWork::run_due(Moment now, const std::function<bool()>& stop) {
  std::size_t handed_over = 0;
  while (!stop()) {
    const std::optional<std::string> id = take_due(now);
    if (!id) break;
    if (auto outcome = hand_over(*id); !outcome) {
      postpone(*id, now, outcome.error());
      continue;
    }
    ++handed_over;
    const std::lock_guard lock(mutex_);
    waiting_.erase(*id);
  }
  return handed_over;
}

std::optional<std::string> DeliveryWork::take_due(Moment now) {
  const std::lock_guard lock(mutex_);
  if (order_.empty() || order_.begin()->first > now) return std::nullopt;
  return order_.extract(order_.begin()).value().second;
}

Result<Slice> DeliveryWork::content_of(const MessageRecord& record) {
  if (record.direction == Direction::Inbound) return store_.payload(record.id);
  SIGNET_TRY(const StoredReceipt receipt, store_.receipt(record.id));
  return Slice::of(to_octets(receipt));
}

Result<> DeliveryWork::hand_over(const std::string& id) {
  const auto found = store_.find(id);
  if (!found && found.error().kind == ErrorKind::NotFound) {
    log::error("delivery-of-unknown-message", {{"id", id}});
    return {};  // to try again would not make it known
  }
  SIGNET_TRY(MessageRecord record, found);
  if (!waits_for_hand_over(record)) return {};  // done before
  SIGNET_TRY(const std::filesystem::path folder, folder_of_(record.agreement));
  SIGNET_TRY(const Slice content, content_of(record));
  SIGNET_TRY(const std::filesystem::path file, delivery_.deliver(record, content, folder));
  const Time now = clock_.now();
  failpoint("delivery.mark");
  SIGNET_CHECK(store_.mark_delivered(id, file.string(), now));
  const bool is_message = record.direction == Direction::Inbound;
  log::info(is_message ? "message-delivered" : "receipt-handed-over", {{"request", record.request_id},
                                                                       {"id", id},
                                                                       {"agreement", record.agreement},
                                                                       {"message_id", record.message_id},
                                                                       {"file", file.string()}});
  // The hand-over is on record: a trace that cannot be taken away is untidy and nothing worse.
  if (auto confirmed = delivery_.confirm(record, folder); !confirmed)
    log::warning("delivery-trace-left", {{"id", id}, {"reason", confirmed.error().detail}});
  if (!is_message) return {};
  record.state = MessageState::Delivered;
  record.settled = now;
  record.delivered_to = file.string();
  observer_.message(MessageEvent::Delivered, record);
  return {};
}

void DeliveryWork::postpone(const std::string& id, Moment now, const Error& reason) {
  const std::lock_guard lock(mutex_);
  Waiting& waiting = waiting_[id];
  const unsigned doublings = std::min(waiting.failures++, 20U);
  const auto wait = std::min(settings_.first_retry * (1U << doublings), settings_.longest_retry);
  waiting.due = now + wait;
  order_.emplace(waiting.due, id);
  if (std::exchange(waiting.last_reason, reason.detail) == reason.detail) return;
  log::error("delivery-failed", {{"id", id},
                                 {"kind", std::string(to_string(reason.kind))},
                                 {"reason", reason.detail},
                                 {"next_try_in_ms", std::to_string(wait.count())}});
}

DeliveryQueue::DeliveryQueue(MessageStore& store, DeliveryWork::FolderOf folder_of, const Clock& clock,
                             DeliverySettings settings, ExchangeObserver& observer)
    : store_(store),
      work_(store, std::move(folder_of), clock, settings, observer),
      thread_([this] { run(); }) {}

DeliveryQueue::~DeliveryQueue() { drain(); }

void DeliveryQueue::enqueue(std::string id) {
  work_.add(std::move(id), std::chrono::steady_clock::now());
  {
    const std::lock_guard lock(mutex_);
    news_ = true;
  }
  changed_.notify_one();
}

Result<std::size_t> DeliveryQueue::recover() {
  SIGNET_TRY(const std::vector<MessageRecord> records, store_.undelivered());
  for (const MessageRecord& record : records) enqueue(record.id);
  return records.size();
}

void DeliveryQueue::drain(std::chrono::milliseconds patience) {
  {
    const std::lock_guard lock(mutex_);
    if (!drain_until_) drain_until_ = std::chrono::steady_clock::now() + patience;
  }
  changed_.notify_one();
  const std::lock_guard lock(joining_);
  if (thread_.joinable()) thread_.join();
}

bool DeliveryQueue::out_of_patience() {
  const std::lock_guard lock(mutex_);
  return drain_until_ && std::chrono::steady_clock::now() >= *drain_until_;
}

void DeliveryQueue::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const bool last_round = drain_until_.has_value();
    news_ = false;
    lock.unlock();
    try {
      work_.run_due(std::chrono::steady_clock::now(), [this] { return out_of_patience(); });
    } catch (const std::exception& thrown) {
      log::error("delivery-interrupted",
                 {{"reason", thrown.what()}});  // what it was at is found again at the next start
    }
    const auto next = work_.next_due();
    lock.lock();
    if (last_round) return;
    const auto woken = [this] { return news_ || drain_until_; };
    if (next)
      changed_.wait_until(lock, *next, woken);
    else
      changed_.wait(lock, woken);
  }
}

}  // namespace signet::gateway
