#include "gateway/exchange/outbox.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/log.h"
#include "gateway/exchange/retry.h"

namespace signet::gateway {
namespace {

using std::chrono::milliseconds;

/// When something of ours failed and not the partner: the disk is full, the vault says no.

}  // namespace

Outbox::Outbox(OutboxPorts ports, OutboxSettings settings)
    : ports_(std::move(ports)),
      settings_(settings),
      seal_(ports_.is_sealed),
      attempts_("attempt", settings.lanes, [this](const Lanes::Turn& turn) { return attempt(turn); }),
      overdue_("overdue", {.threads = 1, .window = 1},
               [this](const Lanes::Turn& turn) { return look_overdue(turn); }) {}

Outbox::~Outbox() {
  stop();
  join();
}

Result<> Outbox::start() {
  SIGNET_CHECK(recover());
  notes_ = std::thread([this] { watch_notes(); });
  return {};
}

/// Everything open: what waited when the gateway went down, and what was under way.
Result<> Outbox::recover() {
  std::size_t count = 0;
  for (const MessageState state : {MessageState::Queued, MessageState::AwaitingReceipt}) {
    SIGNET_TRY(const auto works, ports_.store.waiting(state));
    for (const WaitingWork& work : works) {
      if (state == MessageState::Queued)
        attempts_.add(work.id, work.agreement, until(work.due), patience_for(work.agreement, work.since));
      else
        overdue_.add(work.id, "", until(work.due));
    }
    count += works.size();
  }
  if (count > 0) log::info("outbox-recovered", {{"messages", std::to_string(count)}});
  return {};
}

milliseconds Outbox::until(Time moment) const {
  return std::max(milliseconds(0), std::chrono::duration_cast<milliseconds>(moment - ports_.clock.now()));
}

/// How much longer a message may wait for a partner who cannot be reached.
milliseconds Outbox::patience_for(const std::string& agreement, Time queued) const {
  return until(queued + retry_of(ports_.account, agreement).max_duration);
}

void Outbox::take_on(const MessageRecord& record) {
  const milliseconds wait = record.due ? until(*record.due) : milliseconds(0);
  switch (record.state) {
    case MessageState::Queued:
      attempts_.add(record.id, record.agreement, wait,
                    patience_for(record.agreement, record.queued.value_or(record.created)));
      return;
    case MessageState::AwaitingReceipt:
      overdue_.add(record.id, "", wait);
      return;
    case MessageState::Sending:
    case MessageState::Received:
    case MessageState::Accepted:
    case MessageState::Delivered:
    case MessageState::Refused:
    case MessageState::Confirmed:
    case MessageState::Failed:
    case MessageState::Cancelled:
      return;
  }
}

LaneRunner::Finish Outbox::attempt(const Lanes::Turn& turn) {
  if (seal_.sealed()) return {Lanes::Outcome::NotTried, kOwnTroublePause};
  const bool is_over = turn.expired && !seal_.was_sealed_lately();
  return outcome(turn, is_over ? ports_.exchange.give_up(turn.job.id) : ports_.exchange.attempt(turn.job.id));
}

/// What an attempt says about the partner, and when the message's turn comes again.
LaneRunner::Finish Outbox::outcome(const Lanes::Turn& turn, const Result<Attempted>& attempted) {
  if (!attempted) {
    const ErrorKind kind = attempted.error().kind;
    if (kind == ErrorKind::NotFound || kind == ErrorKind::AlreadyExists)
      return {Lanes::Outcome::NotTried, std::nullopt};
    log::error("outcome-not-recorded", {{"id", turn.job.id}, {"reason", attempted.error().detail}});
    return {Lanes::Outcome::NotTried, kOwnTroublePause};
  }
  const MessageRecord& record = attempted->record;
  // A partner who is not there stays so when his message is given up.
  const Lanes::Outcome otherwise =
      attempted->partner_failed ? Lanes::Outcome::Failed : Lanes::Outcome::NotTried;
  switch (record.state) {
    case MessageState::Queued:
      return {otherwise, until(record.due.value_or(ports_.clock.now()))};
    case MessageState::AwaitingReceipt:
      take_on(record);
      return {Lanes::Outcome::Worked, std::nullopt};
    case MessageState::Confirmed:
      return {Lanes::Outcome::Worked, std::nullopt};
    case MessageState::Failed:
    case MessageState::Received:
    case MessageState::Accepted:
    case MessageState::Delivered:
    case MessageState::Refused:
    case MessageState::Sending:
    case MessageState::Cancelled:
      break;
  }
  return {otherwise, std::nullopt};
}

/// A receipt that should have come.
LaneRunner::Finish Outbox::look_overdue(const Lanes::Turn& turn) {
  if (seal_.sealed()) return {Lanes::Outcome::NotTried, kOwnTroublePause};
  const auto record = ports_.store.find(turn.job.id);
  if (!record)
    return {Lanes::Outcome::NotTried,
            record.error().kind == ErrorKind::NotFound ? std::nullopt : std::optional(kOwnTroublePause)};
  if (record->state != MessageState::AwaitingReceipt) return {};
  if (const milliseconds wait = until(record->due.value_or(ports_.clock.now())); wait > milliseconds(0))
    return {Lanes::Outcome::Worked, wait};  // it was sent again meanwhile
  const auto settled = ports_.exchange.receipt_overdue(turn.job.id);
  if (settled) take_on(settled->record);
  if (settled || settled.error().kind == ErrorKind::AlreadyExists ||
      settled.error().kind == ErrorKind::NotFound)
    return {};
  log::error("outcome-not-recorded", {{"id", turn.job.id}, {"reason", settled.error().detail}});
  return {Lanes::Outcome::NotTried, kOwnTroublePause};
}

/// What other processes queued, such as `signet send` and `signet message resend`: messages, and receipts of
/// ours that are to be posted again; and receipts that are to be handed over, whoever took them.
void Outbox::watch_notes() {
  std::unique_lock lock(mutex_);
  while (!stopping_changed_.wait_for(lock, settings_.look_for_notes, [this] { return stopping_; })) {
    lock.unlock();
    if (const auto ids = ports_.store.take_notes())
      for (const std::string& id : *ids)
        if (const auto record = ports_.store.find(id)) heed_note(*record);
    lock.lock();
  }
}

void Outbox::heed_note(const MessageRecord& record) {
  if (record.direction == Direction::Inbound) return ports_.receipt_wanted_again(record.id, record.agreement);
  if (waits_for_hand_over(record)) ports_.receipt_came(record.id, record.agreement);
  if (!is_open(record.state)) return;  // settled, or cancelled meanwhile
  ports_.observer.message(MessageEvent::Submitted, record);
  take_on(record);
}

void Outbox::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopping_changed_.notify_all();
  attempts_.stop();
  overdue_.stop();
}

void Outbox::join() {
  if (notes_.joinable()) notes_.join();
  attempts_.join();
  overdue_.join();
}

}  // namespace signet::gateway
