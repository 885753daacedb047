#include "gateway/evidence/retention.h"

#include <chrono>
#include <utility>

#include "base/log.h"

namespace signet::gateway {
namespace {

/// Messages between two looks at whether it is time to stop.
constexpr std::size_t kBatch = 1000;

}  // namespace

std::vector<ExpiryRule> expiry_rules(const agreements::Account& account, Time now) {
  constexpr std::chrono::hours kDay{24};
  std::vector<ExpiryRule> rules;
  for (const agreements::Agreement& agreement : account.agreements) {
    ExpiryRule rule{agreement.name, std::nullopt, now};
    if (agreement.retention.days > 0) rule.settled_before = now - kDay * agreement.retention.days;
    const agreements::OneWayAgreement& in = agreement.receive_agreement;
    if (in.validation_settings.check_duplicate_message)
      rule.repeats_since = now - kDay * in.validation_settings.interchange_duplicates_validity_days;
    rules.push_back(std::move(rule));
  }
  return rules;
}

Result<std::vector<Expiry>> expire_all(EvidenceStore& evidence, const std::vector<ExpiryRule>& rules,
                                       Time now, const std::function<bool()>& stop) {
  std::vector<Expiry> gone;
  for (const ExpiryRule& rule : rules) {
    Expiry total;
    bool more = true;
    while (more && !stop()) {
      SIGNET_TRY(const Expiry batch, evidence.expire(rule, kBatch, now));
      total.messages += batch.messages;
      total.octets += batch.octets;
      if (!total.oldest) total.oldest = batch.oldest;
      more = batch.messages > 0;
    }
    gone.push_back(total);
  }
  return gone;
}

Retention::Retention(EvidenceStore& evidence, CurrentAccount account, const Clock& clock,
                     std::chrono::milliseconds interval)
    : evidence_(evidence), account_(std::move(account)), clock_(clock), interval_(interval), thread_([this] {
        run();
      }) {}

Retention::~Retention() {
  stop();
  thread_.join();
}

void Retention::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopping_changed_.notify_all();
}

bool Retention::stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void Retention::run() {
  while (!stopping()) {
    try {
      take_a_turn();
    } catch (const std::exception& thrown) {
      log::error("evidence-not-expired", {{"reason", thrown.what()}});
    }
    std::unique_lock lock(mutex_);
    stopping_changed_.wait_for(lock, interval_, [this] { return stopping_; });
  }
}

void Retention::take_a_turn() {
  const Time now = clock_.now();
  const auto work = [&]() -> Result<> {
    SIGNET_TRY(const auto account, account_());
    const std::vector<ExpiryRule> rules = expiry_rules(account->account(), now);
    SIGNET_TRY(const std::vector<Expiry> gone,
               expire_all(evidence_, rules, now, [this] { return stopping(); }));
    for (std::size_t i = 0; i < rules.size(); ++i)
      if (gone[i].messages > 0)
        log::info("evidence-expired", {{"agreement", rules[i].agreement},
                                       {"messages", std::to_string(gone[i].messages)},
                                       {"octets", std::to_string(gone[i].octets)}});
    SIGNET_TRY(const ChainHead head, evidence_.head());
    log::info("evidence-head", {{"records", std::to_string(head.records)}, {"hash", head.hash}});
    return {};
  };
  if (const auto done = work(); !done) log::error("evidence-not-expired", {{"reason", done.error().detail}});
}

}  // namespace signet::gateway
