#include "gateway/issuance/order_desk.h"

#include <fmt/format.h>

#include <set>

#include "base/backoff.h"
#include "base/log.h"

namespace signet::gateway {
namespace {

using vault::OrderProgress;
using vault::PendingOrder;

constexpr std::chrono::seconds kFirstRetry{5};
constexpr std::chrono::seconds kLongestRetry{3600};
constexpr std::chrono::hours kLongestOrder{7 * 24};

std::string name_of(const PendingOrder& order) { return to_string(order.operation.id); }

/// The order may have been placed by a process that ended before it could note its name.
Result<> tell_of_end(vault::CertificateProvider& provider, vault::IssuerAccount& account,
                     const PendingOrder& order) {
  if (!order.order.empty()) return provider.cancel(account, order.order);
  SIGNET_TRY(const std::string placed, provider.find(account, order.wanted));
  return placed.empty() ? Result<>() : provider.cancel(account, placed);
}

}  // namespace

bool OrderDesk::work() {
  ended_ = false;
  auto orders = ports_.orders.pending_orders();
  if (!orders) {
    log::error("certificate-orders-not-read", {{"reason", orders.error().detail}});
    return false;
  }
  std::set<std::string, std::less<>> pending;
  for (PendingOrder& order : *orders) {
    pending.insert(order.operation.request_id);
    const auto turn = turns_.find(order.operation.request_id);
    const bool waits = turn != turns_.end() && ports_.clock.now() < turn->second.due;
    if (!waits || order.operation.cancellation_requested) look_after(std::move(order));
  }
  std::erase_if(turns_, [&](const auto& turn) { return !pending.contains(turn.first); });
  return ended_;
}

void OrderDesk::look_after(PendingOrder order) {
  if (order.operation.cancellation_requested) {
    if (const auto called_off = call_off(order); !called_off)
      log::warning("certificate-order-not-cancelled",
                   {{"certificate", name_of(order)}, {"reason", called_off.error().detail}});
    return;
  }
  settle(order, advance(order));
}

/// One step towards the certificate.
Result<OrderProgress> OrderDesk::advance(PendingOrder& order) {
  SIGNET_TRY(const auto account,
             ports_.orders.open_issuer_account(order.operation.id.vault, order.operation.issuer));
  vault::CertificateProvider* const provider = ports_.provider_of(account->issuer().provider);
  if (provider == nullptr)
    return fail(ErrorKind::Unsupported, fmt::format("no orders can be placed at issuers of the provider '{}'",
                                                    printable(account->issuer().provider)));
  if (order.order.empty()) {
    SIGNET_TRY(order.order, provider->order(*account, order.wanted));
    turns_[order.operation.request_id].is_final = true;
    order.operation.details = "the order is placed";
    SIGNET_CHECK(ports_.orders.note_order(order));
    log::info("certificate-ordered", {{"certificate", name_of(order)},
                                      {"issuer", order.operation.issuer},
                                      {"request", order.operation.request_id},
                                      {"order", order.order}});
  }
  if (!provider->orders_lapse()) turns_[order.operation.request_id].is_final = true;
  return provider->poll(*account, order.order, order.wanted);
}

/// An issuer that cannot be reached, or has no such order any more, keeps nobody from ending the operation
/// here.
Result<> OrderDesk::call_off(const PendingOrder& order) {
  const auto account = ports_.orders.open_issuer_account(order.operation.id.vault, order.operation.issuer);
  vault::CertificateProvider* const provider =
      account ? ports_.provider_of((*account)->issuer().provider) : nullptr;
  if (provider != nullptr)
    if (const auto told = tell_of_end(*provider, **account, order); !told)
      log::warning(
          "certificate-issuer-not-told",
          {{"certificate", name_of(order)}, {"order", order.order}, {"reason", told.error().detail}});
  SIGNET_CHECK(ports_.orders.cancel_order(order));
  log::info("certificate-order-cancelled",
            {{"certificate", name_of(order)}, {"request", order.operation.request_id}});
  return {};
}

void OrderDesk::settle(PendingOrder& order, const Result<OrderProgress>& progress) {
  if (!progress) return try_again(order, progress.error());
  if (const auto* still = std::get_if<vault::StillOrdering>(&*progress)) {
    turns_[order.operation.request_id].failures = 0;
    return wait(order, still->again_in, still->details);
  }
  const auto* failure = std::get_if<vault::OperationFailure>(&*progress);
  const bool is_final = turns_[order.operation.request_id].is_final;
  const Result<> settled = failure == nullptr ? take(order, std::get<vault::Issued>(*progress))
                           : is_final         ? end(order, *failure)
                                              : place_again(order);
  if (!settled) try_again(order, settled.error());
}

/// The issuer may have asked for a proof while no gateway ran.
Result<> OrderDesk::place_again(PendingOrder& order) {
  log::warning("certificate-order-placed-again", {{"certificate", name_of(order)},
                                                  {"issuer", order.operation.issuer},
                                                  {"request", order.operation.request_id},
                                                  {"order", order.order}});
  order.order.clear();
  order.operation.details = "the order failed while the gateway was away, and is placed again";
  return ports_.orders.note_order(order);
}

Result<> OrderDesk::take(const PendingOrder& order, const vault::Issued& issued) {
  const auto made = ports_.orders.complete_order(order, issued.chain);
  if (!made && made.error().kind == ErrorKind::InvalidInput)
    return end(order, {std::string(vault::kIssuerError), made.error().detail});
  if (!made) return fail(made.error());
  ended_ = true;
  log::info("certificate-issued", {{"certificate", to_string(made->info.id)},
                                   {"issuer", order.operation.issuer},
                                   {"request", order.operation.request_id},
                                   {"serial", made->info.chain.front().serial()},
                                   {"not_after", to_rfc3339(made->info.chain.front().not_after())}});
  return {};
}

Result<> OrderDesk::end(const PendingOrder& order, const vault::OperationFailure& failure) {
  SIGNET_CHECK(ports_.orders.fail_order(order, failure));
  ended_ = true;
  log::error("certificate-not-issued", {{"certificate", name_of(order)},
                                        {"issuer", order.operation.issuer},
                                        {"request", order.operation.request_id},
                                        {"code", failure.code},
                                        {"reason", failure.message}});
  return {};
}

void OrderDesk::wait(PendingOrder& order, std::chrono::seconds time, std::string details) {
  turns_[order.operation.request_id].due = ports_.clock.now() + time;
  if (details == order.operation.details) return;
  order.operation.details = std::move(details);
  static_cast<void>(ports_.orders.note_order(order));  // a courtesy: the order goes on without it
}

void OrderDesk::try_again(PendingOrder& order, const Error& error) {
  const bool in_time = ports_.clock.now() < order.begun + kLongestOrder;
  if (!vault::may_pass(error) || !in_time) {
    const auto ended = end(order, vault::failure_of(error));
    if (!ended && ended.error().kind != ErrorKind::NotFound)  // somebody deleted the operation
      log::error("certificate-order-not-ended",
                 {{"certificate", name_of(order)}, {"reason", ended.error().detail}});
    return;
  }
  const unsigned failures = ++turns_[order.operation.request_id].failures;
  log::warning("certificate-order-delayed", {{"certificate", name_of(order)},
                                             {"issuer", order.operation.issuer},
                                             {"request", order.operation.request_id},
                                             {"reason", error.detail}});
  wait(order, doubled(kFirstRetry, kLongestRetry, failures), error.detail);
}

}  // namespace signet::gateway
