#include <fmt/format.h>

#include "tests/bench/arithmetic.h"
#include "tests/bench/bench.h"
#include "tests/bench/timing.h"
#include "tests/bench/trade.h"

namespace signet::bench {
namespace {

Result<> many_at_once(Bench& bench, Trade& trade) {
  Company& receiver = trade.receiver();
  const MessageSizes sizes = MessageSizes::of_body(trade.small_size());
  const auto seconds = bench.quick_or(5.0, 15.0);
  say("small messages, many at once");
  SIGNET_TRY(const SmallFloor before, small_floor(Way::Inbound, sizes, cores(), seconds / 5));
  receiver.gateway().reset_peak();
  SIGNET_CHECK(trade.send_small(bench.options.connections, 0.5));  // it warms up
  SIGNET_CHECK(trade.await_delivery());

  const double cpu = receiver.gateway().cpu_seconds();
  const std::uint64_t syncs = receiver.syncs();
  const Moment begin = std::chrono::steady_clock::now();
  SIGNET_TRY(const LoadResult load, trade.send_small(bench.options.connections, seconds));
  SIGNET_CHECK(trade.await_delivery());
  const double all = seconds_since(begin);
  const auto count = static_cast<double>(load.messages());
  const double cpu_ms = (receiver.gateway().cpu_seconds() - cpu) / count * 1000;
  const double syncs_each = static_cast<double>(receiver.syncs() - syncs) / count;

  SIGNET_TRY(const SmallFloor after, small_floor(Way::Inbound, sizes, cores(), seconds / 5));
  const SmallFloor floor = SmallFloor::between(before, after);

  Figures& figures = bench.figures;
  figures.section(
      fmt::format("10 KB inbound, {} connections, {} messages", bench.options.connections, load.messages()));
  figures.row_with_floor("inbound.messages_per_second", "answered by a signed receipt, per second",
                         load.per_second(), "/s", floor.per_second, load.per_second() / floor.per_second);
  figures.keep("inbound.floor_messages_per_second", floor.per_second);
  figures.keep("inbound.floor_ratio", load.per_second() / floor.per_second);
  figures.row_with_floor("inbound.delivered_per_second", "and handed over to the folder, per second",
                         count / all, "/s", floor.per_second, count / all / floor.per_second);
  figures.row_with_floor("inbound.cpu_ms_per_message", "CPU of the gateway per message, hand-over included",
                         cpu_ms, "ms", floor.cpu_ms, cpu_ms / floor.cpu_ms);
  figures.keep("inbound.floor_cpu_ms", floor.cpu_ms);
  figures.row("inbound.driver_cpu_ms_per_message", "CPU of the sending side per message",
              load.driver_cpu_seconds / count * 1000, "ms");
  figures.row("inbound.p50_ms", "time to the receipt, median", load.percentile(0.5), "ms");
  figures.row("inbound.p99_ms", "time to the receipt, 99 %", load.percentile(0.99), "ms");
  figures.row("inbound.p999_ms", "time to the receipt, 99.9 %", load.percentile(0.999), "ms");
  figures.row("inbound.syncs_per_message", "fsync and fdatasync per message", syncs_each, "");
  figures.row("inbound.peak_over_idle_mib", "peak memory over idle",
              receiver.gateway().peak_mib() - receiver.idle_mib(), "MiB");
  return {};
}

Result<> one_at_a_time(Bench& bench, Trade& trade) {
  const auto seconds = bench.quick_or(2.0, 10.0);
  say("small messages, one at a time");
  SIGNET_TRY(const SmallFloor floor,
             small_floor(Way::Inbound, MessageSizes::of_body(trade.small_size()), 1, seconds / 5));
  SIGNET_TRY(const LoadResult load, trade.send_small(1, seconds));
  SIGNET_CHECK(trade.await_delivery());
  const double p50 = load.percentile(0.5);
  const double p99 = load.percentile(0.99);
  Figures& figures = bench.figures;
  figures.section(fmt::format("10 KB inbound, one at a time, {} messages", load.messages()));
  figures.row_with_floor("latency.p50_ms", "time to the receipt, median", p50, "ms", floor.median_ms,
                         p50 / floor.median_ms);
  figures.row_with_floor("latency.p99_ms", "time to the receipt, 99 %", p99, "ms", floor.median_ms,
                         p99 / floor.median_ms);
  figures.row("latency.p50_over_floor_ms", "beyond the arithmetic, median", p50 - floor.median_ms, "ms");
  figures.row("latency.p99_over_floor_ms", "beyond the arithmetic, 99 %", p99 - floor.median_ms, "ms");
  return {};
}

}  // namespace

Result<> measure_inbound(Bench& bench) {
  SIGNET_TRY(const auto trade, Trade::make(bench, "inbound"));
  SIGNET_CHECK(trade->receiver().serve());
  bench.figures.section("start");
  bench.figures.row("startup.one_agreement_seconds", "from the command to listening",
                    trade->receiver().start_seconds(), "s");
  bench.figures.row("idle.rss_mib", "memory when idle", trade->receiver().idle_mib(), "MiB");
  SIGNET_CHECK(many_at_once(bench, *trade));
  return one_at_a_time(bench, *trade);
}

}  // namespace signet::bench
