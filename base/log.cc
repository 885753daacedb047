#include "base/log.h"

#include <poll.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "base/json_line.h"

namespace signet::log {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kBuffer = std::size_t{1} << 20;
constexpr milliseconds kNone{0};
constexpr milliseconds kLastPatience{1000};

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::Debug:
      return spdlog::level::debug;
    case Level::Info:
      return spdlog::level::info;
    case Level::Warning:
      return spdlog::level::warn;
    case Level::Error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string line_of(Level level, std::string_view event, std::initializer_list<Field> fields) {
  const auto name = spdlog::level::to_string_view(to_spdlog(level));
  JsonLine line;
  line.add("time", to_rfc3339(SystemClock().now()))
      .add("level", {name.data(), name.size()})
      .add("event", event);
  for (const auto& [key, value] : fields) line.add(key, value);
  return std::move(line).finish() + '\n';
}

/// Standard error, which is asked whether it takes something before it is given anything: a full pipe whose
/// reader sleeps must not stop the gateway. What says yes takes PIPE_BUF octets without waiting [pipe(7)], so
/// lines go in pieces.
class StandardError final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

  void let_out(milliseconds patience) {
    const std::lock_guard lock(mutex_);
    write_out(patience);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& line) override {
    write_out(kNone);
    if (waiting_.size() + line.payload.size() > kBuffer) {
      ++dropped_;
      return;
    }
    if (const std::uint64_t untold = dropped_ - told_; untold > 0) {
      waiting_ +=
          line_of(Level::Warning, "log-lines-dropped",
                  {{"count", std::to_string(untold)}, {"reason", "standard error did not take them"}});
      told_ = dropped_;
    }
    waiting_.append(line.payload.data(), line.payload.size());
    write_out(kNone);
  }
  void flush_() override {}

 private:
  /// What cannot be written, for whatever reason, waits for the next time.
  void write_out(milliseconds patience) {
    const auto end = steady_clock::now() + patience;
    std::size_t written = 0;
    while (written < waiting_.size() && is_ready(duration_cast<milliseconds>(end - steady_clock::now()))) {
      const std::size_t piece = std::min<std::size_t>(waiting_.size() - written, PIPE_BUF);
      const ssize_t size = ::write(STDERR_FILENO, waiting_.data() + written, piece);
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) break;
      written += static_cast<std::size_t>(size);
    }
    waiting_.erase(0, written);
  }

  static bool is_ready(milliseconds patience) {
    pollfd standard_error{STDERR_FILENO, POLLOUT, 0};
    return ::poll(&standard_error, 1, static_cast<int>(std::max(patience, kNone).count())) > 0;
  }

  std::string waiting_;  ///< whole lines, save for what was written of the first
  std::atomic<std::uint64_t> dropped_ = 0;
  std::uint64_t told_ = 0;  ///< how many of the dropped lines a line has told of
};

const std::shared_ptr<StandardError>& standard_error() {
  static const auto kSink = std::make_shared<StandardError>();
  return kSink;
}

spdlog::logger& logger() {
  static const auto kLogger = [] {
    auto made = std::make_shared<spdlog::logger>("signet", standard_error());
    made->set_level(spdlog::level::info);
    return made;
  }();
  return *kLogger;
}

}  // namespace

void set_level(Level level) { logger().set_level(to_spdlog(level)); }

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  const auto spd_level = to_spdlog(level);
  if (logger().should_log(spd_level))
    logger().log(spd_level, spdlog::string_view_t(line_of(level, event, fields)));
}

std::uint64_t dropped() { return standard_error()->dropped(); }

void flush() { standard_error()->let_out(kLastPatience); }

}  // namespace signet::log
