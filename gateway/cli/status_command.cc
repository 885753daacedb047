#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "certstore/vault/provider.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/home_checks.h"
#include "gateway/cli/serve_lock.h"
#include "gateway/cli/serve_settings.h"
#include "gateway/cli/version.h"
#include "gateway/operations/status.h"

namespace signet::gateway {
namespace {

constexpr std::chrono::hours kLookBack{24};

/// What was refused or failed, of some counts.
std::vector<MessageCount> failures_in(std::vector<MessageCount> counts) {
  std::erase_if(counts, [](const MessageCount& count) {
    return count.state != MessageState::Refused && count.state != MessageState::Failed;
  });
  return counts;
}

/// The newest few that were refused or failed since then, or are queued again after an attempt.
Result<std::vector<MessageRecord>> troubles(MessageStore& store, Time since) {
  constexpr std::size_t kShown = 5;
  SIGNET_TRY(std::vector<MessageRecord> newest, store.list({.state = MessageState::Queued}));
  std::erase_if(newest, [](const MessageRecord& record) { return record.reason.empty(); });
  for (const MessageState state : {MessageState::Refused, MessageState::Failed}) {
    SIGNET_TRY(auto records, store.list({.state = state, .since = since, .limit = kShown}));
    std::move(records.begin(), records.end(), std::back_inserter(newest));
  }
  std::stable_sort(newest.begin(), newest.end(),
                   [](const auto& a, const auto& b) { return a.created > b.created; });
  newest.resize(std::min(newest.size(), kShown));
  return newest;
}

/// Payloads, and receipts for the business.
Result<QueueStatus> hand_over(MessageStore& store) {
  SIGNET_TRY(const auto waiting, store.undelivered());
  QueueStatus queue{"hand-over", waiting.size(), std::nullopt};
  if (!waiting.empty()) queue.next_due = waiting.front().created;
  return queue;
}

Result<QueueStatus> receipts_to_post(MessageStore& store) {
  SIGNET_TRY(const auto waiting, store.waiting_receipts());
  QueueStatus queue{"receipts-to-post", waiting.size(), std::nullopt};
  if (!waiting.empty()) queue.next_due = waiting.front().due;
  return queue;
}

Result<std::vector<CertificateExpiry>> certificates_of(Home& home) {
  SIGNET_TRY(const auto account, home.current_account());
  SIGNET_TRY(const ServeSettings settings, read_serve_settings({}, home.directory() / "serve.toml"));
  return certificate_expiries(*account, shown_certificates(settings));
}

Result<std::vector<RevocationStanding>> revocation_of(Home& home, Time now) {
  SIGNET_TRY(const auto account, home.current_account());
  RevocationLists lists(home.revocations());
  SIGNET_CHECK(lists.reload());
  return revocation_standings(account, lists, now);
}

Result<HomeStatus> status_of(Home& home) {
  HomeStatus status;
  status.now = home.clock().now();
  status.version = kProduct;
  status.openssl = vault::openssl_version();
  status.home = home.directory();
  SIGNET_TRY(const auto holder, ServeLock::holder(home.directory()));
  if (holder) status.gateway = HomeStatus::Process{holder->process, holder->since};
  SIGNET_TRY(status.messages, home.store().counts());
  status.failures_since = status.now - kLookBack;
  SIGNET_TRY(auto recent, home.store().counts(status.failures_since));
  status.failures = failures_in(std::move(recent));
  SIGNET_TRY(status.troubles, troubles(home.store(), status.failures_since));
  SIGNET_TRY(status.receipts_given_up, home.store().receipts_given_up(status.failures_since));
  status.queues = queues_of(status.messages);
  SIGNET_TRY(QueueStatus payloads, hand_over(home.store()));
  status.queues.push_back(std::move(payloads));
  SIGNET_TRY(QueueStatus receipts, receipts_to_post(home.store()));
  status.queues.push_back(std::move(receipts));
  SIGNET_TRY(status.certificates, certificates_of(home));
  SIGNET_TRY(status.revocation, revocation_of(home, status.now));
  SIGNET_TRY(status.volumes, volumes_of(home));
  return status;
}

}  // namespace

void add_status_command(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand(
      "status", "The gateway at one look: running or not, what waits, what failed, what ends soon");
  command->footer(
      "Example: signet --home /srv/signet status\nWorks beside a running gateway and without one.");
  command->callback([&context] {
    run_command(context, [&]() -> Result<> {
      SIGNET_TRY(const auto home, Home::open(context.home));
      SIGNET_TRY(const HomeStatus status, status_of(*home));
      context.print(to_json(status), to_text(status));
      return {};
    });
  });
}

}  // namespace signet::gateway
