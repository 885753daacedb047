#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/arithmetic.h"
#include "tests/bench/bench.h"
#include "tests/bench/receiver.h"
#include "tests/bench/trade.h"

namespace signet::bench {
namespace {

/// One kind of large message.
struct Kind {
  Layers layers;
  std::uint64_t mib = 0;
  std::vector<Framing> framings = {Framing::ContentLength};  ///< in which it is received

  [[nodiscard]] bool is_usual() const {
    return layers.is_signed && layers.is_encrypted && !layers.is_compressed;
  }
};

/// The usual kind as large as it gets, in both framings. The others at a sixteenth, since zlib takes its
/// time, each in one of the two: what memory and time grow with shows there as well.
std::vector<Kind> kinds(const Bench& bench) {
  const std::uint64_t whole = bench.large_mib();
  std::vector<Kind> all = {{{}, whole, {Framing::ContentLength, Framing::Chunked}}};
  if (bench.options.quick) {
    all.push_back({{true, true, true}, whole, {Framing::Chunked}});
    return all;
  }
  const std::uint64_t part = bench.options.large_mib > 0 ? whole : whole / 16;
  Framing framing = Framing::ContentLength;
  for (const bool is_compressed : {false, true})
    for (const bool is_signed : {false, true})
      for (const bool is_encrypted : {false, true}) {
        const Kind kind{{is_signed, is_encrypted, is_compressed}, part, {framing}};
        if (kind.is_usual()) continue;
        all.push_back(kind);
        framing = framing == Framing::Chunked ? Framing::ContentLength : Framing::Chunked;
      }
  return all;
}

/// What was measured of one message.
struct Passage {
  double seconds = 0;
  double cpu_seconds = 0;
  double peak_over_idle_mib = 0;
};

/// The rows of each kind, and the worst of all.
class Rows {
 public:
  explicit Rows(Figures& figures) : figures_(figures) {}

  /// @param way  "in" or "out": the usual kind's figures stand under it in the JSON
  void add(const std::string& way, const Kind& kind, const std::string& how, const LargeFloor& floor,
           const Passage& passage) {
    const double ratio = passage.seconds / floor.seconds();
    worst_ratio_ = std::max(worst_ratio_, ratio);
    worst_peak_ = std::max(worst_peak_, passage.peak_over_idle_mib);
    const bool named = kind.is_usual() && !std::exchange(has_named_[way], true);
    const auto name = [&](const char* figure) {
      return named ? fmt::format("large.{}.{}", way, figure) : std::string();
    };
    const std::string title = fmt::format("{} MiB, {}{}", kind.mib, kind.layers.text(), how);
    figures_.row_with_floor(name("seconds"), title + ": time", passage.seconds, "s", floor.seconds(), ratio);
    figures_.row_with_floor(name("cpu_seconds"), "  CPU", passage.cpu_seconds, "s", floor.cpu_seconds(),
                            floor.cpu_seconds() > 0 ? passage.cpu_seconds / floor.cpu_seconds() : 0);
    figures_.row(name("mib_per_second"), "  throughput", static_cast<double>(kind.mib) / passage.seconds,
                 "MiB/s");
    figures_.row(name("peak_over_idle_mib"), "  peak memory over idle", passage.peak_over_idle_mib, "MiB");
    figures_.keep(name("time_ratio"), ratio);
    figures_.keep(name("floor_seconds"), floor.seconds());
  }

  void worst() {
    figures_.section("large messages, the worst of all");
    figures_.row("large.time_ratio", "time over its floor", worst_ratio_, "");
    figures_.row("large.peak_over_idle_mib", "peak memory over idle", worst_peak_, "MiB");
  }

 private:
  Figures& figures_;
  std::map<std::string, bool> has_named_;
  double worst_ratio_ = 0;
  double worst_peak_ = 0;
};

/// @param body  octets that travel: after all layers
LargeSizes sizes_of(const Kind& kind, const Slice& payload, std::uint64_t body) {
  LargeSizes sizes;
  if (kind.layers.is_encrypted) sizes.encrypted = body;
  sizes.hashed = kind.layers.is_compressed ? body : payload.size();
  if (kind.layers.is_compressed) sizes.compressed = payload;
  return sizes;
}

/// Received messages: each prepared, its floor measured, then sent over one connection.
Result<> inbound(Bench& bench, Rows& rows) {
  SIGNET_TRY(const auto trade, Trade::make(bench, "large-in", 1, Layers::none()));
  Company& receiver = trade->receiver();
  SIGNET_CHECK(receiver.serve());
  SIGNET_CHECK(trade->send_small(1, 0.5));  // it warms up
  bench.figures.section("large inbound, one at a time, until its receipt");
  for (const Kind& kind : kinds(bench)) {
    say(fmt::format("{} MiB in, {}", kind.mib, kind.layers.text()));
    SIGNET_TRY(const Slice payload, large_edi(kind.mib, bench.spool));
    SIGNET_TRY(const Prepared message, trade->sender().prepare(payload, kind.layers));
    LargeSizes sizes = sizes_of(kind, payload, message.body.size());
    sizes.written = payload.size();
    SIGNET_TRY(const LargeFloor floor, large_floor(Way::Inbound, sizes, bench.directory));
    for (const Framing framing : kind.framings) {
      receiver.gateway().reset_peak();
      const double cpu = receiver.gateway().cpu_seconds();
      SIGNET_TRY(const LoadResult load, trade->send_large(message, framing));
      SIGNET_CHECK(trade->await_delivery());
      rows.add("in", kind, framing == Framing::Chunked ? ", chunked" : "", floor,
               {load.seconds, receiver.gateway().cpu_seconds() - cpu,
                receiver.gateway().peak_mib() - receiver.idle_mib()});
    }
  }
  return {};
}

Result<Ended> send(Company& company, const std::filesystem::path& file, const Slice& content) {
  std::filesystem::remove(file);
  SIGNET_CHECK(content.save_as(file));
  return company.send("BenchReceiver", file);
}

/// Documents sent by `signet send`, to a receiver that throws them away; less what a small document takes.
Result<> outbound(Bench& bench, Rows& rows) {
  SIGNET_TRY(const auto company,
             Company::make(bench.options.signet, bench.directory / "large-out", "BenchSender"));
  const Receiver nobody;
  const auto partner = make_partners(1).front().second.certificate;
  const auto document = bench.directory / "document.edi";
  bench.figures.section("large outbound by signet send, to a receiver that costs nothing");
  for (const Kind& kind : kinds(bench)) {
    say(fmt::format("{} MiB out, {}", kind.mib, kind.layers.text()));
    Partner guest{"BenchReceiver", partner, nobody.url(), false};
    guest.applied = kind.layers;
    SIGNET_CHECK(company->trade_with({guest}));
    SIGNET_TRY(const Ended small, send(*company, document, Slice::of(edi(kSmallSize, 1))));
    SIGNET_TRY(const Slice payload, large_edi(kind.mib, bench.spool));
    const std::uint64_t before = nobody.octets();
    SIGNET_TRY(const Ended large, send(*company, document, payload));
    const std::uint64_t body = nobody.octets() - before;
    LargeSizes sizes = sizes_of(kind, payload, body);
    sizes.written = body;
    SIGNET_TRY(const LargeFloor floor, large_floor(Way::Outbound, sizes, bench.directory));
    rows.add("out", kind, "", floor,
             {large.seconds - small.seconds, large.cpu_seconds - small.cpu_seconds,
              large.peak_mib - small.peak_mib});
  }
  return {};
}

/// Both sides at once.
Result<> exchange(Bench& bench) {
  say("a large document from gateway to gateway");
  SIGNET_TRY(const auto sender,
             Company::make(bench.options.signet, bench.directory / "exchange-out", "BenchSender"));
  SIGNET_TRY(const auto receiver,
             Company::make(bench.options.signet, bench.directory / "exchange-in", "BenchReceiver"));
  SIGNET_CHECK(receiver->trade_with({{sender->name(), sender->certificate()}}));
  SIGNET_CHECK(receiver->serve());
  SIGNET_CHECK(sender->trade_with({{receiver->name(), receiver->certificate(), receiver->url()}}));
  constexpr std::uint64_t kMib = 100;  // as others are measured
  SIGNET_TRY(const Slice payload, large_edi(kMib, bench.spool));
  SIGNET_TRY(const Ended both, send(*sender, bench.directory / "document.edi", payload));
  bench.figures.section(fmt::format("{} MiB from signet send to signet serve", kMib));
  bench.figures.row("large.exchange.seconds", "until the receipt is verified", both.seconds, "s");
  return {};
}

}  // namespace

Result<> measure_large(Bench& bench) {
  Rows rows(bench.figures);
  SIGNET_CHECK(inbound(bench, rows));
  SIGNET_CHECK(outbound(bench, rows));
  rows.worst();
  return exchange(bench);
}

}  // namespace signet::bench
