#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/log.h"
#include "certstore/vault/provider.h"
#include "tests/bench/arithmetic.h"
#include "tests/bench/company.h"
#include "tests/bench/figures.h"
#include "tests/bench/load.h"
#include "tests/support/test_certificates.h"

/// Messages per second and peak memory of `signet serve` and `signet send`, next to the bare arithmetic of
/// the same messages measured in the same run. docs/performance.md says what each figure is.

namespace signet::bench {
namespace {

constexpr std::size_t kSmallSize = 10 * 1024;
constexpr std::size_t kPreparedMessages = 400;
constexpr std::chrono::seconds kDeliveryTimeout{180};

struct Options {
  std::string signet;
  bool quick = false;
  std::filesystem::path json;
  std::filesystem::path directory = "/var/tmp";
  std::size_t connections = 16;
  std::uint64_t large_mib = 100;
};

/// A directory that goes away with its owner.
class WorkDirectory {
 public:
  explicit WorkDirectory(const std::filesystem::path& parent) {
    std::string pattern = (parent / "signet-bench.XXXXXX").string();
    if (const char* made = ::mkdtemp(pattern.data())) path_ = made;
  }
  ~WorkDirectory() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

unsigned cores() { return std::max(1U, std::thread::hardware_concurrency()); }

class Bench {
 public:
  Bench(const Options& options, const std::filesystem::path& directory)
      : options_(options), directory_(directory) {
    spool_.directory = directory;
  }

  Result<> run() {
    SIGNET_CHECK(set_up());
    SIGNET_CHECK(small_messages());
    SIGNET_CHECK(one_at_a_time());
    SIGNET_CHECK(large_inbound());
    SIGNET_CHECK(large_outbound());
    figures_.keep("large.time_ratio",
                  std::max(figures_.value("large.in.time_ratio"), figures_.value("large.out.time_ratio")));
    figures_.keep("large.peak_over_idle_mib", std::max(figures_.value("large.in.peak_over_idle_mib"),
                                                       figures_.value("large.out.peak_over_idle_mib")));
    figures_.print();
    if (!options_.json.empty()) SIGNET_CHECK(figures_.write_json(options_.json));
    return {};
  }

 private:
  Result<> set_up() {
    say("making a gateway and composing messages");
    SIGNET_TRY(receiver_, Company::make(options_.signet, directory_ / "receiver", "BenchReceiver"));
    sender_.emplace(test::make_certificate({.common_name = "Bench Partner"}), receiver_->certificate(),
                    receiver_->name(), spool_);
    SIGNET_CHECK(receiver_->trade_with({std::string(Sender::kName), sender_->own().certificate}));
    for (std::size_t i = 0; i < kPreparedMessages; ++i) {
      SIGNET_TRY(Prepared message, sender_->prepare(Slice::of(edi(kSmallSize, i))));
      small_.push_back(std::move(message));
    }
    SIGNET_CHECK(receiver_->serve());
    idle_mib_ = receiver_->gateway().resident_mib();
    figures_.section("start");
    figures_.row("startup.seconds", "from the command to listening", receiver_->start_seconds(), "s");
    figures_.row("idle.rss_mib", "memory when idle", idle_mib_, "MiB");
    return {};
  }

  [[nodiscard]] MessageSizes sizes() const {
    const auto encrypted = static_cast<std::size_t>(small_.front().body.size());
    return {encrypted, encrypted - 2700,
            900};  // a signature with its certificate in base64, and CMS around it, are 2.7 KB
  }

  Result<> small_messages() {
    const double seconds = options_.quick ? 5 : 20;
    say("small messages");
    SIGNET_CHECK(
        send_small(options_.connections, 0.5));  // warm: certificates parsed, keys opened, code paged in
    SIGNET_TRY(const SmallFloor before, receive_floor(sizes(), cores(), seconds / 5));

    receiver_->gateway().reset_peak();
    const double cpu = receiver_->gateway().cpu_seconds();
    const std::uint64_t syncs = receiver_->syncs();
    const auto begin = std::chrono::steady_clock::now();
    SIGNET_TRY(const LoadResult load, send_small(options_.connections, seconds));
    SIGNET_CHECK(await_delivery());
    const double all = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const auto count = static_cast<double>(load.messages());
    const double cpu_ms = (receiver_->gateway().cpu_seconds() - cpu) / count * 1000;
    const double syncs_each = static_cast<double>(receiver_->syncs() - syncs) / count;

    SIGNET_TRY(const SmallFloor after, receive_floor(sizes(), cores(), seconds / 5));
    const double floor = (before.per_second + after.per_second) / 2;
    const double floor_cpu = (before.cpu_ms + after.cpu_ms) / 2;

    figures_.section(
        fmt::format("10 KB inbound, {} connections, {} messages", options_.connections, load.messages()));
    figures_.row_with_floor("inbound.messages_per_second", "answered by a signed receipt, per second",
                            load.per_second(), "/s", floor, load.per_second() / floor);
    figures_.keep("inbound.floor_messages_per_second", floor);
    figures_.keep("inbound.floor_ratio", load.per_second() / floor);
    figures_.row_with_floor("inbound.delivered_per_second", "and handed over to the folder, per second",
                            count / all, "/s", floor, count / all / floor);
    figures_.row_with_floor("inbound.cpu_ms_per_message",
                            "CPU of the gateway per message, hand-over included", cpu_ms, "ms", floor_cpu,
                            cpu_ms / floor_cpu);
    figures_.keep("inbound.floor_cpu_ms", floor_cpu);
    figures_.row("inbound.driver_cpu_ms_per_message", "CPU of the sending side per message",
                 load.driver_cpu_seconds / count * 1000, "ms");
    figures_.row("inbound.p50_ms", "time to the receipt, median", load.percentile(0.5), "ms");
    figures_.row("inbound.p99_ms", "time to the receipt, 99 %", load.percentile(0.99), "ms");
    figures_.row("inbound.p999_ms", "time to the receipt, 99.9 %", load.percentile(0.999), "ms");
    figures_.row("inbound.syncs_per_message", "fsync and fdatasync per message", syncs_each, "");
    figures_.row("inbound.peak_over_idle_mib", "peak memory over idle",
                 receiver_->gateway().peak_mib() - idle_mib_, "MiB");
    return {};
  }

  Result<> one_at_a_time() {
    const double seconds = options_.quick ? 2 : 10;
    say("one message at a time");
    SIGNET_TRY(const SmallFloor floor, receive_floor(sizes(), 1, seconds / 5));
    SIGNET_TRY(const LoadResult load, send_small(1, seconds));
    SIGNET_CHECK(await_delivery());
    const double p50 = load.percentile(0.5);
    const double p99 = load.percentile(0.99);
    figures_.section(fmt::format("10 KB inbound, one at a time, {} messages", load.messages()));
    figures_.row_with_floor("latency.p50_ms", "time to the receipt, median", p50, "ms", floor.median_ms,
                            p50 / floor.median_ms);
    figures_.row_with_floor("latency.p99_ms", "time to the receipt, 99 %", p99, "ms", floor.median_ms,
                            p99 / floor.median_ms);
    figures_.row("latency.p50_over_floor_ms", "beyond the arithmetic, median", p50 - floor.median_ms, "ms");
    figures_.row("latency.p99_over_floor_ms", "beyond the arithmetic, 99 %", p99 - floor.median_ms, "ms");
    return {};
  }

  Result<> large_inbound() {
    say("a large message in");
    SIGNET_TRY(const Slice payload, large_payload());
    SIGNET_TRY(const Prepared message, sender_->prepare(payload));
    SIGNET_TRY(const LargeFloor floor, large_floor(message.body.size(), false, directory_));
    receiver_->gateway().reset_peak();
    const double cpu = receiver_->gateway().cpu_seconds();
    SIGNET_TRY(const LoadResult load, send_one(receiver_->port(), message));
    ++sent_;
    SIGNET_CHECK(check(load, {message}));
    SIGNET_CHECK(await_delivery());
    const double peak = receiver_->gateway().peak_mib();
    large_section("in", "inbound, until its receipt", floor, load.seconds,
                  receiver_->gateway().cpu_seconds() - cpu, peak - idle_mib_);
    return {};
  }

  Result<> large_outbound() {
    say("a large message out");
    SIGNET_TRY(const auto company,
               Company::make(options_.signet, directory_ / "sender", std::string(Sender::kName)));
    const NullReceiver nobody;
    SIGNET_CHECK(company->trade_with({receiver_->name(), receiver_->certificate(),
                                      fmt::format("http://127.0.0.1:{}/as2", nobody.port()), false}));
    const auto document = directory_ / "small.edi";
    SIGNET_CHECK(write_file(document, Slice::of(edi(kSmallSize, 1))));
    SIGNET_TRY(const Ended small, company->send(document));

    SIGNET_TRY(const Slice payload, large_payload());
    const auto large_document = directory_ / "large.edi";
    SIGNET_CHECK(write_file(large_document, payload));
    SIGNET_TRY(const LargeFloor floor, large_floor(payload.size(), true, directory_));
    SIGNET_TRY(const Ended large, company->send(large_document));
    large_section("out", "outbound by signet send, to a receiver that costs nothing", floor,
                  large.seconds - small.seconds, large.cpu_seconds - small.cpu_seconds,
                  large.peak_mib - small.peak_mib);

    SIGNET_CHECK(receiver_->trade_with({std::string(Sender::kName), company->certificate()}));
    SIGNET_CHECK(company->trade_with({receiver_->name(), receiver_->certificate(), receiver_->url()}));
    SIGNET_TRY(const Ended both, company->send(large_document));
    figures_.row("large.exchange.seconds", "from signet send to signet serve, receipt verified", both.seconds,
                 "s");
    return {};
  }

  void large_section(const std::string& way, const std::string& title, const LargeFloor& floor,
                     double seconds, double cpu, double memory) {
    const double ratio = seconds / floor.seconds();
    figures_.section(fmt::format("{} MiB {}", options_.large_mib, title));
    figures_.row_with_floor("large." + way + ".seconds", "time", seconds, "s", floor.seconds(), ratio);
    figures_.keep("large." + way + ".floor_seconds", floor.seconds());
    figures_.keep("large." + way + ".time_ratio", ratio);
    figures_.row_with_floor("large." + way + ".cpu_seconds", "CPU (floor: AES and SHA)", cpu, "s",
                            floor.aes_seconds + floor.sha_seconds,
                            cpu / (floor.aes_seconds + floor.sha_seconds));
    figures_.row("large." + way + ".mib_per_second", "throughput",
                 static_cast<double>(options_.large_mib) / seconds, "MiB/s");
    figures_.row("large." + way + ".peak_over_idle_mib", "peak memory over idle", memory, "MiB");
  }

  /// Sends small messages and looks closely at a sample of the receipts.
  Result<LoadResult> send_small(std::size_t connections, double seconds) {
    SIGNET_TRY(LoadResult load,
               send_many(receiver_->port(), small_, connections, std::chrono::duration<double>(seconds)));
    sent_ += load.messages();
    SIGNET_CHECK(check(load, small_));
    return load;
  }

  Result<> check(const LoadResult& load, const std::vector<Prepared>& messages) const {
    for (const Sample& sample : load.samples) {
      auto checked = sender_->check_receipt(sample.answer, sample.message_id, messages[sample.message].mic);
      if (!checked) return fail(std::move(checked).error().within("the receipt for " + sample.message_id));
    }
    return {};
  }

  Result<> await_delivery() {
    const auto end = std::chrono::steady_clock::now() + kDeliveryTimeout;
    for (std::size_t delivered = 0; (delivered = receiver_->delivered()) < sent_;) {
      if (std::chrono::steady_clock::now() > end)
        return fail(ErrorKind::Unavailable,
                    fmt::format("{} messages were answered and {} of them handed over", sent_, delivered));
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return {};
  }

  Result<Slice> large_payload() const {
    auto spool = std::make_shared<Spool>(spool_);
    for (std::uint64_t i = 0; i < options_.large_mib; ++i) {
      Bytes part = edi(std::size_t{1} << 20, i);
      part.resize(std::size_t{1} << 20);
      SIGNET_CHECK(spool->write(part));
    }
    return Spool::finish(std::move(spool));
  }

  static Result<> write_file(const std::filesystem::path& path, const Slice& content) {
    return content.save_as(path);
  }

  void say(std::string_view what) const { fmt::print(stderr, "{}...\n", what); }

  const Options& options_;
  const std::filesystem::path directory_;
  SpoolArea spool_;
  Figures figures_;
  std::unique_ptr<Company> receiver_;
  std::optional<Sender> sender_;
  std::vector<Prepared> small_;
  double idle_mib_ = 0;
  std::size_t sent_ = 0;
};

int measure(const Options& options) {
  log::set_level(log::Level::Warning);
  const WorkDirectory directory(options.directory);
  if (directory.path().empty()) {
    fmt::print(stderr, "signet_bench: no directory can be made in {}\n", options.directory.string());
    return 1;
  }
  fmt::print("{} cores, {}; RSA-2048, SHA-256, AES-256-CBC, signed synchronous receipts, loopback HTTP\n",
             cores(), vault::openssl_version());
  if (const auto done = Bench(options, directory.path()).run(); !done) {
    fmt::print(stderr, "signet_bench: {}\n", done.error().detail);
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace signet::bench

int main(int argc, char** argv) {
  signet::bench::Options options;
  CLI::App app("Measures signet serve and signet send beside the bare arithmetic of the same messages.");
  app.add_option("--signet", options.signet, "The signet binary")->required()->check(CLI::ExistingFile);
  app.add_flag("--quick", options.quick, "Under a minute");
  app.add_option("--json", options.json, "Write every figure to this file");
  app.add_option("--directory", options.directory, "Where the homes are made: a real disk")
      ->capture_default_str();
  app.add_option("--connections", options.connections, "Keep-alive connections that send small messages")
      ->capture_default_str();
  app.add_option("--large-mib", options.large_mib, "Size of the large message")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return signet::bench::measure(options);
}
