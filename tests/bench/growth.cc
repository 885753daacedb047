#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "tests/bench/bench.h"
#include "tests/bench/filled_home.h"
#include "tests/bench/trade.h"

namespace signet::bench {
namespace {

constexpr std::size_t kFewAgreements = 10;
constexpr std::size_t kFewMessages = 1'000;
constexpr std::size_t kQueued = 10'000;
constexpr std::size_t kDeadPartners = 100;

/// Throughput of a gateway with little in its home beside one with much, turn by turn, so that both see the
/// same machine.
class Comparison {
 public:
  Comparison(Bench& bench, Trade& little) : bench_(bench), little_(little) {}

  Result<> with(Trade& much, const std::string& name, const std::string& title) {
    say(title);
    const auto seconds = bench_.quick_or(1.0, 2.5);
    const int turns = bench_.quick_or(2, 4);
    SIGNET_TRY(const double first_answer, much.first_answer());
    const double idle_mib = much.receiver().gateway().resident_mib();
    SIGNET_CHECK(warm_up(little_));
    SIGNET_CHECK(warm_up(much));
    Sum little;
    Sum grown;
    for (int i = 0; i < turns; ++i) {
      SIGNET_CHECK(turn(little_, seconds, little));
      SIGNET_CHECK(turn(much, seconds, grown));
    }
    const double ratio = grown.per_second() / little.per_second();
    worst_ = std::min(worst_, ratio);
    Figures& figures = bench_.figures;
    figures.section(title);
    figures.row_with_floor("growth." + name + ".messages_per_second",
                           "answered per second (floor: with little)", grown.per_second(), "/s",
                           little.per_second(), ratio);
    figures.keep("growth." + name + ".ratio", ratio);
    figures.row_with_floor("growth." + name + ".cpu_ms_per_message", "CPU of the gateway per message",
                           grown.cpu_ms(), "ms", little.cpu_ms(), grown.cpu_ms() / little.cpu_ms());
    figures.row_with_floor("growth." + name + ".syncs_per_message", "fsync and fdatasync per message",
                           grown.syncs / grown.messages, "", little.syncs / little.messages,
                           grown.syncs / grown.messages / (little.syncs / little.messages));
    figures.row("growth." + name + ".start_seconds", "from the command to listening",
                much.receiver().start_seconds(), "s");
    figures.row("growth." + name + ".first_answer_seconds", "from the command to the first message's receipt",
                first_answer, "s");
    figures.row("growth." + name + ".idle_mib", "memory after that", idle_mib, "MiB");
    return {};
  }

  /// The lowest share of its throughput that a gateway has with much in its home.
  [[nodiscard]] double worst() const { return worst_; }

 private:
  struct Sum {
    double messages = 0;
    double seconds = 0;
    double cpu_seconds = 0;
    double syncs = 0;
    [[nodiscard]] double per_second() const { return messages / seconds; }
    [[nodiscard]] double cpu_ms() const { return cpu_seconds / messages * 1000; }
  };

  /// Until each prepared message has been sent, so that every partner has had his folder made.
  Result<> warm_up(Trade& trade) {
    for (Sum sum; sum.messages < static_cast<double>(trade.small().size());)
      SIGNET_CHECK(turn(trade, 0.3, sum));
    return {};
  }

  Result<> turn(Trade& trade, double seconds, Sum& sum) {
    Running& gateway = trade.receiver().gateway();
    const double cpu = gateway.cpu_seconds();
    const std::uint64_t syncs = trade.receiver().syncs();
    SIGNET_TRY(const LoadResult load, trade.send_small(bench_.options.connections, seconds));
    SIGNET_CHECK(trade.await_delivery());
    sum.messages += static_cast<double>(load.messages());
    sum.seconds += load.seconds;
    sum.cpu_seconds += gateway.cpu_seconds() - cpu;
    sum.syncs += static_cast<double>(trade.receiver().syncs() - syncs);
    return {};
  }

  Bench& bench_;
  Trade& little_;
  double worst_ = 1e9;
};

Result<std::unique_ptr<Trade>> make_trade(const Bench& bench, const std::string& name, std::size_t agreements,
                                          std::size_t messages, const std::vector<Partner>& others = {}) {
  SIGNET_TRY(auto trade, Trade::make(bench, name, agreements, {}, others));
  say(fmt::format("storing {} messages", messages));
  SIGNET_CHECK(store_messages(trade->receiver().home(), trade->receiver().name(), kFewAgreements, messages));
  return trade;
}

Result<> many_agreements(Bench& bench, Comparison& compare) {
  const auto count = bench.quick_or<std::size_t>(1'000, 10'000);
  say(fmt::format("{} agreements", count));
  SIGNET_TRY(const auto much, make_trade(bench, "growth-agreements", count, kFewMessages));
  SIGNET_CHECK(much->receiver().serve());
  SIGNET_CHECK(
      compare.with(*much, "agreements", fmt::format("{} agreements against {}", count, kFewAgreements)));
  bench.figures.row("startup.apply_seconds", "signet apply of them", much->apply_seconds(), "s");
  bench.figures.keep("startup.seconds", much->receiver().start_seconds());
  bench.figures.keep("startup.first_answer_seconds",
                     bench.figures.value("growth.agreements.first_answer_seconds"));
  bench.figures.keep("idle.many_agreements_rss_mib", bench.figures.value("growth.agreements.idle_mib"));
  much->receiver().gateway().stop();
  return {};
}

Result<> many_messages(const Bench& bench, Comparison& compare) {
  const auto count = bench.quick_or<std::size_t>(100'000, 1'000'000);
  SIGNET_TRY(const auto much, make_trade(bench, "growth-messages", kFewAgreements, count));
  SIGNET_CHECK(much->receiver().serve());
  SIGNET_CHECK(
      compare.with(*much, "stored", fmt::format("{} stored messages against {}", count, kFewMessages)));
  much->receiver().gateway().stop();
  return {};
}

Result<> dead_partners(const Bench& bench, Comparison& compare) {
  std::vector<Partner> dead;
  const auto certificate = make_partners(1).front().second.certificate;
  for (std::size_t i = 0; i < kDeadPartners; ++i) dead.push_back({fmt::format("Dead{:03}", i), certificate});
  SIGNET_TRY(const auto much, make_trade(bench, "growth-queued", kFewAgreements, kFewMessages, dead));
  say(fmt::format("queueing {} messages for {} dead partners", kQueued, kDeadPartners));
  SIGNET_CHECK(queue_messages(much->receiver().home(), much->receiver().name(), dead, kQueued));
  SIGNET_CHECK(much->receiver().serve());
  SIGNET_CHECK(compare.with(
      *much, "queued",
      fmt::format("{} messages queued for {} dead partners against none", kQueued, kDeadPartners)));
  much->receiver().gateway().stop();
  return {};
}

}  // namespace

Result<> measure_growth(Bench& bench) {
  SIGNET_TRY(const auto little, make_trade(bench, "growth-little", kFewAgreements, kFewMessages));
  SIGNET_CHECK(little->receiver().serve());
  Comparison compare(bench, *little);
  SIGNET_CHECK(many_agreements(bench, compare));
  SIGNET_CHECK(dead_partners(bench, compare));
  SIGNET_CHECK(many_messages(bench, compare));
  bench.figures.section("growth");
  bench.figures.row("growth.worst_ratio", "the lowest share of the throughput that is left", compare.worst(),
                    "");
  return {};
}

}  // namespace signet::bench
