#include "gateway/delivery/delivery_queue.h"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include "base/failpoint.h"
#include "base/log.h"

namespace signet::gateway {
namespace {

/// In a lane, payloads are handed over in their order.
constexpr unsigned kAtOncePerAgreement = 1;
constexpr unsigned kAtOnce = 16;
constexpr unsigned kBatch = 32;
/// A batch ends with the payload that brings it here: what is behind large ones is not kept waiting for more
/// of them, and neither is the end of the process.
constexpr std::uint64_t kBatchOctets = 16 << 20;

LaneSettings lane_settings(const DeliverySettings& settings) {
  return {.threads = kAtOnce,
          .window = kAtOncePerAgreement,
          .batch = kBatch,
          .first_pause = settings.first_retry,
          .longest_pause = settings.longest_retry};
}

/// Whether a failure is the message's own, and says nothing about where it was to go.
bool is_of_the_message(const Error& reason) {
  return reason.kind == ErrorKind::AlreadyExists || reason.kind == ErrorKind::InvalidInput;
}

/// Null where the target is none, or cannot be used now.
const std::filesystem::path* folder_of(const Result<DeliveryTarget>& target) {
  return target ? std::get_if<std::filesystem::path>(&*target) : nullptr;
}

Result<std::string> as_place(const Result<std::filesystem::path>& file) {
  SIGNET_TRY(const std::filesystem::path path, file);
  return path.string();
}

}  // namespace

DeliveryQueue::DeliveryQueue(DeliveryPorts ports, DeliverySettings settings, ExchangeObserver& observer)
    : ports_(std::move(ports)),
      settings_(settings),
      observer_(observer),
      folders_(ports_.clock),
      webhooks_(ports_.clock, ports_.post),
      lanes_("hand-over", lane_settings(settings),
             [this](const std::vector<Lanes::Turn>& turns) { return hand_over(turns); }) {}

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

/// The whole of handing over, in order. A message that one step fails for is in none of the later ones.
std::vector<LaneRunner::Finish> DeliveryQueue::hand_over(const std::vector<Lanes::Turn>& turns) {
  const auto target = ports_.target_of(turns.front().job.lane);
  Reasons failed;
  Batch batch = load(turns, folder_of(target) != nullptr ? turns.size() : 1, failed);
  std::vector<HandOver> delivered = deliver(std::move(batch.waiting), target, failed);
  const Time now = ports_.clock.now();
  const std::vector<HandOver> done = mark(std::move(delivered), now, failed);
  confirm(done, target);
  for (const HandOver& one : done) tell(one, now);
  std::vector<LaneRunner::Finish> finishes;
  for (std::size_t i = 0; i < batch.jobs; ++i) finishes.push_back(finish(turns[i].job.id, failed));
  return finishes;
}

DeliveryQueue::Batch DeliveryQueue::load(const std::vector<Lanes::Turn>& turns, std::size_t most,
                                         Reasons& failed) const {
  Batch batch;
  std::uint64_t octets = 0;
  while (batch.jobs < most && octets < kBatchOctets) {
    const std::string& id = turns[batch.jobs++].job.id;
    auto found = look_up(id);
    if (!found) {
      failed.emplace(id, std::move(found).error());
      continue;
    }
    if (!*found) continue;
    octets += (*found)->content.size();
    batch.waiting.push_back(**std::move(found));
  }
  return batch;
}

/// @returns nothing when the message has nothing to hand over (any more).
Result<std::optional<HandOver>> DeliveryQueue::look_up(const std::string& id) const {
  auto found = ports_.store.find(id);
  if (!found && found.error().kind == ErrorKind::NotFound) {
    log::error("delivery-of-unknown-message", {{"id", id}});
    return std::nullopt;  // to try again would not make it known
  }
  SIGNET_TRY(MessageRecord record, std::move(found));
  if (!waits_for_hand_over(record)) return std::nullopt;  // done before
  SIGNET_TRY(Slice content, content_of(record));
  return HandOver{std::move(record), std::move(content)};
}

Result<Slice> DeliveryQueue::content_of(const MessageRecord& record) const {
  if (record.direction == Direction::Inbound) return ports_.store.payload(record.id);
  SIGNET_TRY(const StoredReceipt receipt, ports_.store.receipt(record.id));
  return Slice::of(to_octets(receipt));
}

/// @returns those that are there now, and in their records where.
std::vector<HandOver> DeliveryQueue::deliver(std::vector<HandOver> batch,
                                             const Result<DeliveryTarget>& target, Reasons& failed) const {
  std::vector<HandOver> delivered;
  const auto places = places_of(batch, target);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (!places[i]) {
      failed.emplace(batch[i].record.id, places[i].error());
      continue;
    }
    batch[i].record.delivered_to = *places[i];
    delivered.push_back(std::move(batch[i]));
  }
  return delivered;
}

/// Hands over. @returns for each where it lies now.
std::vector<Result<std::string>> DeliveryQueue::places_of(const std::vector<HandOver>& batch,
                                                          const Result<DeliveryTarget>& target) const {
  std::vector<Result<std::string>> places;
  if (!target) {
    places.assign(batch.size(), fail(target.error()));
  } else if (const auto* folder = folder_of(target)) {
    for (const auto& file : folders_.deliver(batch, *folder)) places.push_back(as_place(file));
  } else {
    for (const HandOver& one : batch) places.push_back(post(one, std::get<Webhook>(*target)));
  }
  return places;
}

Result<std::string> DeliveryQueue::post(const HandOver& one, const Webhook& webhook) const {
  SIGNET_CHECK(webhooks_.deliver(one.record, one.content, webhook));
  return url_for_people(webhook.url);
}

/// Puts the hand-overs on record, all queued before the first is waited for, so that they share a commit.
std::vector<HandOver> DeliveryQueue::mark(std::vector<HandOver> batch, Time now, Reasons& failed) const {
  // Shared: were this left by an exception, the store would still answer for what is queued.
  const auto outcomes = std::make_shared<std::vector<std::promise<Result<>>>>(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    failpoint("delivery.mark");
    const MessageRecord& record = batch[i].record;
    ports_.store.mark_delivered(record.id, record.delivered_to, now, [outcomes, i](Result<> marked) {
      (*outcomes)[i].set_value(std::move(marked));
    });
  }
  std::vector<HandOver> done;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Result<> marked = (*outcomes)[i].get_future().get();
    if (marked)
      done.push_back(std::move(batch[i]));
    else
      failed.emplace(batch[i].record.id, marked.error());
  }
  return done;
}

/// These are on record: a trace that cannot be taken away is untidy and nothing worse.
void DeliveryQueue::confirm(const std::vector<HandOver>& done, const Result<DeliveryTarget>& target) const {
  const auto* folder = folder_of(target);
  if (folder == nullptr || done.empty()) return;
  if (const auto confirmed = folders_.confirm(done, *folder); !confirmed)
    log::warning("delivery-trace-left",
                 {{"agreement", done.front().record.agreement}, {"reason", confirmed.error().detail}});
}

void DeliveryQueue::tell(const HandOver& done, Time now) const {
  MessageRecord record = done.record;
  const bool is_message = record.direction == Direction::Inbound;
  log::info(is_message ? "message-delivered" : "receipt-handed-over",
            {{"request", record.request_id},
             {"id", record.id},
             {"agreement", record.agreement},
             {"message_id", record.message_id},
             {"delivered_to", record.delivered_to}});
  if (!is_message) return;
  record.state = MessageState::Delivered;
  record.settled = now;
  observer_.message(MessageEvent::Delivered, record);
}

LaneRunner::Finish DeliveryQueue::finish(const std::string& id, const Reasons& failed) {
  if (const auto reason = failed.find(id); reason != failed.end()) return postpone(id, reason->second);
  const std::lock_guard lock(mutex_);
  failures_.erase(id);
  return {};
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
