#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "tests/bench/bench.h"
#include "tests/bench/trade.h"

namespace signet::bench {
namespace {

constexpr std::size_t kLargeAtOnce = 4;

/// Large messages of one kind, each on a connection and a thread of its own.
class LargeOnes {
 public:
  LargeOnes(Trade& trade, const Prepared& message) {
    for (std::size_t i = 0; i < kLargeAtOnce; ++i)
      threads_.emplace_back([this, &trade, &message, i] {
        outcomes_[i] = trade.send_large(message);
        ++ended_;
      });
  }
  ~LargeOnes() { join(); }
  LargeOnes(const LargeOnes&) = delete;
  LargeOnes& operator=(const LargeOnes&) = delete;

  [[nodiscard]] bool under_way() const { return ended_ < kLargeAtOnce; }

  /// @returns how long the slowest one took.
  Result<double> wait() {
    join();
    double slowest = 0;
    for (Result<LoadResult>& outcome : outcomes_) {
      if (!outcome) return fail(std::move(outcome).error());
      slowest = std::max(slowest, outcome->seconds);
    }
    return slowest;
  }

 private:
  void join() {
    for (std::thread& thread : threads_)
      if (thread.joinable()) thread.join();
  }

  std::vector<Result<LoadResult>> outcomes_ = std::vector<Result<LoadResult>>(kLargeAtOnce);
  std::atomic<std::size_t> ended_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace

Result<> measure_mixed(Bench& bench) {
  const auto mib = bench.large_mib();
  say(fmt::format("{} messages of {} MiB among small ones", kLargeAtOnce, mib));
  SIGNET_TRY(const auto trade, Trade::make(bench, "mixed"));
  Company& receiver = trade->receiver();
  SIGNET_CHECK(receiver.serve());
  SIGNET_TRY(const Slice payload, large_edi(mib, bench.spool));
  SIGNET_TRY(const Prepared message, trade->sender().prepare(payload));
  SIGNET_CHECK(trade->send_small(cores(), 0.5));  // it warms up
  SIGNET_CHECK(trade->await_delivery());
  SIGNET_TRY(const LoadResult quiet, trade->send_small(cores(), bench.quick_or(2.0, 10.0)));
  SIGNET_CHECK(trade->await_delivery());

  receiver.gateway().reset_peak();
  LargeOnes large(*trade, message);
  LoadResult small;
  while (large.under_way()) {
    SIGNET_TRY(const LoadResult part, trade->send_small(cores(), 0.2));
    small.add(part);
  }
  SIGNET_TRY(const double slowest, large.wait());
  SIGNET_CHECK(trade->await_delivery());

  const double ratio = small.percentile(0.99) / quiet.percentile(0.99);
  Figures& figures = bench.figures;
  figures.section(fmt::format("{} messages of {} MiB at once, and small ones over {} connections",
                              kLargeAtOnce, mib, cores()));
  figures.row_with_floor(
      "mixed.small_p50_ms", "small, to the receipt, median (floor: without the large ones)",
      small.percentile(0.5), "ms", quiet.percentile(0.5), small.percentile(0.5) / quiet.percentile(0.5));
  figures.row_with_floor("mixed.small_p99_ms", "small, to the receipt, 99 %", small.percentile(0.99), "ms",
                         quiet.percentile(0.99), ratio);
  figures.keep("mixed.small_p99_ratio", ratio);
  figures.row_with_floor("mixed.small_per_second", "small, answered per second", small.per_second(), "/s",
                         quiet.per_second(), small.per_second() / quiet.per_second());
  figures.row("mixed.large_seconds", "large, until the last receipt", slowest, "s");
  figures.row("mixed.large_mib_per_second", "large, throughput of all together",
              static_cast<double>(kLargeAtOnce * mib) / slowest, "MiB/s");
  figures.row("mixed.peak_over_idle_mib", "peak memory over idle",
              receiver.gateway().peak_mib() - receiver.idle_mib(), "MiB");
  return {};
}

}  // namespace signet::bench
