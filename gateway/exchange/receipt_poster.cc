#include "gateway/exchange/receipt_poster.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "gateway/exchange/outbound_request.h"
#include "gateway/exchange/receipt_url.h"
#include "gateway/exchange/retry.h"

namespace signet::gateway {
namespace {

/// A receipt's answer has nothing to say.
constexpr std::uint64_t kAnswerLimit = 64 * 1024;

}  // namespace

ReceiptPoster::ReceiptPoster(Ports ports, LaneSettings lanes)
    : ports_(std::move(ports)),
      seal_(ports_.is_sealed),
      lanes_("receipt", lanes, [this](const Lanes::Turn& turn) { return post(turn); }) {}

ReceiptPoster::~ReceiptPoster() {
  stop();
  join();
}

void ReceiptPoster::stop() { lanes_.stop(); }
void ReceiptPoster::join() { lanes_.join(); }

std::chrono::milliseconds ReceiptPoster::until(Time moment) const {
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(moment - ports_.clock.now());
  return std::max(wait, std::chrono::milliseconds(0));
}

Result<std::size_t> ReceiptPoster::recover() {
  SIGNET_TRY(const auto works, ports_.store.waiting_receipts());
  for (const WaitingWork& work : works)
    lanes_.add(work.id, work.agreement, until(work.due),
               until(work.since + retry_of(ports_.account, work.agreement).max_duration));
  return works.size();
}

void ReceiptPoster::enqueue(const std::string& id, const std::string& agreement) {
  lanes_.add(id, agreement, {}, retry_of(ports_.account, agreement).max_duration);
}

void ReceiptPoster::repeat(const std::string& id) {
  const auto known = ports_.store.receipt_post(id);
  if (!known) return;  // its receipt went into an HTTP answer
  if (!known->due) {
    const auto queued = ports_.store.queue_receipt_again(id, ports_.clock.now(), MessageStore::Tell::Nobody);
    if (!queued) return log::error("receipt-not-queued", {{"id", id}, {"reason", queued.error().detail}});
  }
  enqueue(id, known->agreement);
}

Result<HttpPost> ReceiptPoster::request_for(const ReceiptPost& post,
                                            const std::shared_ptr<const AccountSnapshot>& account) {
  const agreements::ResolvedAgreement* agreement = account->directory().by_name(post.agreement);
  if (agreement == nullptr)
    return fail(ErrorKind::NotFound, fmt::format("agreement '{}' is gone", printable(post.agreement)));
  const agreements::OneWayAgreement& direction = agreement->agreement.receive_agreement;
  if (!allows_receipt_url(direction, post.url))
    return fail(ErrorKind::InvalidInput,
                fmt::format("agreement '{}' does not allow receipts to be posted to {} (any more)",
                            post.agreement, url_for_people(post.url)));
  SIGNET_TRY(const StoredReceipt receipt, ports_.store.receipt(post.id));
  auto made = request_to(post.url, *agreement, *account, direction.acknowledgement_connection_settings);
  if (!made) return fail(as_our_trouble(std::move(made).error()));
  HttpPost request = *std::move(made);
  for (const auto& [name, value] : receipt.headers) request.headers.add(name, value);
  request.headers.add("User-Agent", ports_.product);
  request.body = Slice::of(receipt.body);
  request.answer_limit = kAnswerLimit;
  look_up_server(request, {ports_.revocation, agreement->agreement, account, ports_.clock, post.id});
  request.allows_address = [direction](std::string_view address) {
    return allows_receipt_address(direction, address);
  };
  return request;
}

LaneRunner::Finish ReceiptPoster::post(const Lanes::Turn& turn) {
  if (seal_.sealed()) return {Lanes::Outcome::NotTried, kOwnTroublePause};
  auto known = ports_.store.receipt_post(turn.job.id);
  if (!known || !known->due) return {Lanes::Outcome::NotTried, std::nullopt};
  const agreements::Retry retry = retry_of(ports_.account, known->agreement);
  // It may have been queued again since its lane took it on.
  if (turn.expired && !seal_.was_sealed_lately() &&
      until(known->queued + retry.max_duration) == std::chrono::milliseconds(0))
    return give_up(*known, known->reason.empty() ? "the partner could not be reached" : known->reason);
  const auto account = ports_.account();
  if (!account) return {Lanes::Outcome::NotTried, kOwnTroublePause};

  const auto request = request_for(*known, *account);
  const auto begin = std::chrono::steady_clock::now();
  const auto answer = request ? ports_.post(*request) : Result<HttpAnswer>(fail(request.error()));
  if (request)
    ports_.observer.posted(Posting::Receipt, known->agreement, refusal_of(answer).empty(), since(begin));
  ++known->attempts;
  known->reason = refusal_of(answer);
  known->due.reset();
  const Time now = ports_.clock.now();
  if (known->reason.empty()) {
    known->posted = now;
    return conclude(*known, {});
  }
  if (!is_transient(answer)) return give_up(*known, known->reason);
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - known->queued);
  LaneRunner::Finish finish{Lanes::Outcome::Failed, std::nullopt};
  finish.again_in = next_interval(retry, known->attempts, elapsed);
  if (finish.again_in)
    known->due = now + *finish.again_in;
  else
    known->given_up = now;
  return conclude(*known, finish);
}

LaneRunner::Finish ReceiptPoster::give_up(ReceiptPost known, std::string reason) {
  known.due.reset();
  known.given_up = ports_.clock.now();
  known.reason = std::move(reason);
  return conclude(known, {Lanes::Outcome::NotTried, std::nullopt});
}

/// Writes down what became of it.
LaneRunner::Finish ReceiptPoster::conclude(const ReceiptPost& known, LaneRunner::Finish finish) {
  if (auto noted = ports_.store.update_receipt_post(known); !noted) {
    log::error("outcome-not-recorded", {{"id", known.id}, {"reason", noted.error().detail}});
    return {Lanes::Outcome::NotTried, kOwnTroublePause};  // posted again, the same octets: better than never
  }
  if (!known.due) ports_.observer.receipt_post_ended(known);
  const auto level = known.due ? log::Level::Warning : known.given_up ? log::Level::Error : log::Level::Info;
  const auto event = known.due        ? "receipt-postponed"
                     : known.given_up ? "receipt-not-posted"
                                      : "receipt-posted";
  log::write(level, event,
             {{"id", known.id},
              {"agreement", known.agreement},
              {"url", url_for_people(known.url)},
              {"attempts", std::to_string(known.attempts)},
              {"reason", known.reason}});
  return finish;
}

}  // namespace signet::gateway
