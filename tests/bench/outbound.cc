#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "tests/bench/arithmetic.h"
#include "tests/bench/bench.h"
#include "tests/bench/company.h"
#include "tests/bench/messages.h"
#include "tests/bench/receiver.h"
#include "tests/bench/timing.h"
#include "tests/bench/trade.h"

namespace signet::bench {
namespace {

constexpr std::chrono::seconds kPatience{180};

/// Reads a gateway's log while it grows.
class LogWatch {
 public:
  explicit LogWatch(const std::filesystem::path& path) : file_(path) {}

  /// Reads what is new.
  void look() {
    file_.clear();
    for (char part[64 * 1024]; file_.read(part, sizeof part) || file_.gcount() > 0;)
      rest_.append(part, static_cast<std::size_t>(file_.gcount()));
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1)
      take(std::string_view(rest_).substr(begin, end - begin));
    rest_.erase(0, begin);
  }
  [[nodiscard]] std::size_t confirmed() const { return confirmed_; }
  /// The first line about a message that did not get there at once; empty while there is none.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  void take(std::string_view line) {
    if (line.find(R"("event":"message-confirmed")") != std::string_view::npos) ++confirmed_;
    for (const std::string_view event : {"message-failed", "message-postponed", "document-not-sendable"})
      if (trouble_.empty() && line.find(fmt::format(R"("event":"{}")", event)) != std::string_view::npos)
        trouble_ = line;
  }

  std::ifstream file_;
  std::string rest_;
  std::size_t confirmed_ = 0;
  std::string trouble_;
};

/// Documents for so many partners, each in the pick-up folder of his agreement, and a receiver for all of
/// them.
class Dispatch {
 public:
  static Result<std::unique_ptr<Dispatch>> make(const Bench& bench, const std::string& directory,
                                                std::size_t partners) {
    const Slice document = Slice::of(edi(kSmallSize, 1));
    SIGNET_TRY(ReceiptWriter writer, ReceiptWriter::make(document, bench.spool));
    SIGNET_TRY(auto company, Company::make(bench.options.signet, bench.directory / directory, "BenchSender"));
    std::unique_ptr<Dispatch> dispatch(new Dispatch(std::move(writer), std::move(company)));
    SIGNET_CHECK(dispatch->agree(partners));
    return dispatch;
  }

  Company& company() { return *company_; }
  Receiver& receiver() { return receiver_; }

  /// Puts so many documents into the folders, in turn. While no gateway serves.
  Result<> put(std::size_t count) {
    const Bytes document = edi(kSmallSize, 1);
    for (std::size_t i = 0; i < count; ++i) {
      const auto folder = company_->pickup_folder(partners_[i % partners_.size()]);
      std::filesystem::create_directories(folder);
      std::ofstream file(folder / fmt::format("orders-{:06}.edi", i), std::ios::binary);
      if (!file.write(reinterpret_cast<const char*>(document.data()),
                      static_cast<std::streamsize>(document.size())))
        return fail(ErrorKind::IoFailure, "no documents can be put into " + folder.string());
    }
    return {};
  }

  /// Documents that lie in the folders or are on their way.
  [[nodiscard]] std::size_t in_hand(const std::string& below) const {
    std::size_t count = 0;
    std::error_code error;
    for (const std::string& partner : partners_)
      for (const auto& entry :
           std::filesystem::directory_iterator(company_->pickup_folder(partner) / below, error))
        if (entry.is_regular_file(error)) ++count;
    return count;
  }

 private:
  Dispatch(ReceiptWriter writer, std::unique_ptr<Company> company)
      : writer_(std::move(writer)),
        company_(std::move(company)),
        receiver_([this](std::string_view head) { return writer_.answer(head); }) {}

  Result<> agree(std::size_t count) {
    std::vector<Partner> guests;
    for (const auto& [name, own] : make_partners(count)) {
      Partner& guest = guests.emplace_back(Partner{name, own.certificate, receiver_.url()});
      guest.receipt_certificate = writer_.certificate();
      guest.is_picked_up_for = true;
      guest.is_told_file_names = false;  // so that one MIC is every document's
      partners_.push_back(name);
    }
    SIGNET_CHECK(company_->trade_with(guests));
    return {};
  }

  const ReceiptWriter writer_;
  const std::unique_ptr<Company> company_;
  std::vector<std::string> partners_;
  Receiver receiver_;
};

Result<> await(const LogWatch& log, const std::function<bool()>& reached) {
  const Moment begin = std::chrono::steady_clock::now();
  while (!reached()) {
    if (!log.trouble().empty())
      return fail(ErrorKind::InvalidInput, "a document was not confirmed at once: " + log.trouble());
    if (std::chrono::steady_clock::now() - begin > kPatience)
      return fail(ErrorKind::Unavailable, fmt::format("the documents took more than {} s; {} were confirmed",
                                                      kPatience.count(), log.confirmed()));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return {};
}

struct Dispatched {
  double seconds = 0;  ///< from the first document taken to the last one confirmed
  double cpu_seconds = 0;
  double receiver_cpu_seconds = 0;
  double peak_over_idle_mib = 0;
  std::uint64_t syncs = 0;
};

/// Has a gateway send all that lies in the folders.
Result<Dispatched> send_all(Dispatch& dispatch, std::size_t count) {
  Company& company = dispatch.company();
  SIGNET_CHECK(company.serve());
  LogWatch log(company.log());
  SIGNET_CHECK(await(log, [&] { return dispatch.in_hand("processing") > 0; }));
  const Moment begin = std::chrono::steady_clock::now();
  const double cpu = company.gateway().cpu_seconds();
  const double receiver_cpu = dispatch.receiver().cpu_seconds();
  const std::uint64_t syncs = company.syncs();
  SIGNET_CHECK(await(log, [&] {
    log.look();
    return log.confirmed() >= count;
  }));
  Dispatched result;
  result.seconds = seconds_since(begin);
  SIGNET_CHECK(await(log, [&] { return dispatch.in_hand("processing") + dispatch.in_hand("") == 0; }));
  result.cpu_seconds = company.gateway().cpu_seconds() - cpu;
  result.receiver_cpu_seconds = dispatch.receiver().cpu_seconds() - receiver_cpu;
  result.peak_over_idle_mib = company.gateway().peak_mib() - company.idle_mib();
  result.syncs = company.syncs() - syncs;
  if (dispatch.receiver().answered() != count)
    return fail(ErrorKind::InvalidInput, fmt::format("{} documents were confirmed, and {} messages sent",
                                                     count, dispatch.receiver().answered()));
  return result;
}

}  // namespace

Result<> measure_outbound(Bench& bench) {
  const auto seconds = bench.quick_or(4.0, 15.0);
  say("small documents out");
  const MessageSizes sizes = MessageSizes::of_body(kSmallSize + 3300);
  SIGNET_TRY(const SmallFloor before, small_floor(Way::Outbound, sizes, cores(), seconds / 5));
  const std::size_t partners = bench.options.connections;
  const auto count = static_cast<std::size_t>(before.per_second * seconds / 3);
  SIGNET_TRY(const auto dispatch, Dispatch::make(bench, "outbound", partners));
  SIGNET_CHECK(dispatch->put(count));
  SIGNET_TRY(const Dispatched sent, send_all(*dispatch, count));
  SIGNET_TRY(const SmallFloor after, small_floor(Way::Outbound, sizes, cores(), seconds / 5));
  const SmallFloor floor = SmallFloor::between(before, after);

  const auto messages = static_cast<double>(count);
  const double rate = messages / sent.seconds;
  const double cpu_ms = sent.cpu_seconds / messages * 1000;
  Figures& figures = bench.figures;
  figures.section(
      fmt::format("10 KB outbound from the pick-up folders of {} partners, {} messages", partners, count));
  figures.row_with_floor("outbound.messages_per_second", "confirmed by a verified receipt, per second", rate,
                         "/s", floor.per_second, rate / floor.per_second);
  figures.keep("outbound.floor_messages_per_second", floor.per_second);
  figures.keep("outbound.floor_ratio", rate / floor.per_second);
  figures.row_with_floor("outbound.cpu_ms_per_message", "CPU of the gateway per message, pick-up included",
                         cpu_ms, "ms", floor.cpu_ms, cpu_ms / floor.cpu_ms);
  figures.keep("outbound.floor_cpu_ms", floor.cpu_ms);
  figures.row("outbound.receiver_cpu_ms_per_message", "CPU of the receiving side per message",
              sent.receiver_cpu_seconds / messages * 1000, "ms");
  figures.row("outbound.syncs_per_message", "fsync and fdatasync per message",
              static_cast<double>(sent.syncs) / messages, "");
  figures.row("outbound.peak_over_idle_mib", "peak memory over idle", sent.peak_over_idle_mib, "MiB");
  return {};
}

}  // namespace signet::bench
