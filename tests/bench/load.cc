#include "tests/bench/load.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cmath>

#include "base/file.h"
#include "tests/bench/socket.h"
#include "tests/bench/timing.h"

namespace signet::bench {
namespace {

constexpr int kPatience = 300'000;  // milliseconds: small messages may wait for large ones
constexpr std::size_t kSampleEvery = 50;
constexpr std::size_t kMaxSamples = 100;
constexpr std::string_view kProcessed = "Disposition: automatic-action/MDN-sent-automatically; processed\r\n";

std::string head_of(const Prepared& message, const std::string& message_id,
                    Framing framing = Framing::ContentLength) {
  const std::string length = framing == Framing::Chunked
                                 ? "Transfer-Encoding: chunked"
                                 : fmt::format("Content-Length: {}", message.body.size());
  return fmt::format("{}Message-ID: {}\r\n{}\r\n\r\n", message.head, message_id, length);
}

std::string next_message_id() {
  static const std::string run = as2::MessageId::generate("bench.example").text().substr(1, 12);
  static std::atomic<std::size_t> number = 0;
  return fmt::format("<{}.{}@bench.example>", run, ++number);
}

double milliseconds(Moment begin, Moment end) {
  return std::chrono::duration<double, std::milli>(end - begin).count();
}

/// One keep-alive connection and the message that is on it.
struct Lane {
  Socket socket;
  std::size_t message = 0;
  std::string message_id;
  Moment begin{};
  std::string answer;
  bool idle = false;
};

/// The closed loop of all lanes.
class Driver {
 public:
  Driver(const std::vector<Prepared>& messages, Moment end)
      : end_(end), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (const Prepared& message : messages) {
      const Bytes body = message.body.to_bytes(SIZE_MAX).value_or(Bytes());
      texts_.emplace_back(&message, std::string(as_text(body)));
    }
  }

  Result<> open(std::uint16_t port, std::size_t connections) {
    lanes_.reserve(connections);
    for (std::size_t i = 0; i < connections; ++i) {
      SIGNET_TRY(Socket socket, connect_to(port));
      lanes_.push_back({std::move(socket)});
      epoll_event event{EPOLLIN, {.u64 = i}};
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, lanes_.back().socket.get(), &event);
    }
    return {};
  }

  Result<LoadResult> run() {
    const Moment begin = std::chrono::steady_clock::now();
    const double cpu = thread_cpu_seconds();
    for (Lane& lane : lanes_) SIGNET_CHECK(next(lane));
    std::array<epoll_event, 64> events{};
    while (busy_ > 0) {
      const int ready = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), kPatience);
      if (ready == 0) return fail(ErrorKind::Unavailable, "the gateway has not answered for five minutes");
      for (int i = 0; i < ready; ++i)
        SIGNET_CHECK(read(lanes_[events[static_cast<std::size_t>(i)].data.u64]));
    }
    result_.seconds = seconds_since(begin);
    result_.driver_cpu_seconds = thread_cpu_seconds() - cpu;
    std::sort(result_.latencies_ms.begin(), result_.latencies_ms.end());
    return std::move(result_);
  }

 private:
  Result<> next(Lane& lane) {
    lane.message = sent_++ % texts_.size();
    lane.message_id = next_message_id();
    const std::string request =
        head_of(*texts_[lane.message].first, lane.message_id) + texts_[lane.message].second;
    lane.begin = std::chrono::steady_clock::now();
    // Small messages fit into the socket's buffer, and the gateway reads while it works.
    SIGNET_CHECK(write_all(lane.socket.get(), as_bytes(request)));
    ++busy_;
    return {};
  }

  Result<> read(Lane& lane) {
    char part[16 * 1024];
    const ssize_t got = ::recv(lane.socket.get(), part, sizeof part, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return {};
    if (got <= 0) return fail(ErrorKind::Unavailable, "the gateway closed a connection: " + lane.answer);
    lane.answer.append(part, static_cast<std::size_t>(got));
    const std::size_t size = message_size(lane.answer);
    if (size == 0) return {};
    const Moment now = std::chrono::steady_clock::now();
    result_.latencies_ms.push_back(milliseconds(lane.begin, now));
    --busy_;
    lane.answer.resize(size);
    SIGNET_CHECK(check_answer(lane.answer));
    if (result_.messages() % kSampleEvery == 0 && result_.samples.size() < kMaxSamples)
      result_.samples.push_back({lane.message, lane.message_id, lane.answer});
    lane.answer.clear();
    if (now >= end_) return {};
    return next(lane);
  }

  const Moment end_;
  Socket epoll_;
  std::vector<std::pair<const Prepared*, std::string>> texts_;
  std::vector<Lane> lanes_;
  std::size_t sent_ = 0;
  std::size_t busy_ = 0;
  LoadResult result_;
};

/// Writes a body into a socket.
class SocketSink final : public Sink {
 public:
  SocketSink(int socket, Framing framing) : socket_(socket), framing_(framing) {}

  Result<> write(ByteView bytes) override {
    if (framing_ == Framing::ContentLength || bytes.empty()) return write_all(socket_, bytes);
    SIGNET_CHECK(write_all(socket_, as_bytes(fmt::format("{:x}\r\n", bytes.size()))));
    SIGNET_CHECK(write_all(socket_, bytes));
    return write_all(socket_, as_bytes("\r\n"));
  }
  Result<> end() {
    return framing_ == Framing::Chunked ? write_all(socket_, as_bytes("0\r\n\r\n")) : Result<>();
  }

 private:
  int socket_;
  Framing framing_;
};

Result<std::string> read_answer(const Socket& socket) {
  std::string answer;
  char part[16 * 1024];
  while (message_size(answer) == 0) {
    const ssize_t got = ::recv(socket.get(), part, sizeof part, 0);
    if (got <= 0) return fail(ErrorKind::Unavailable, "the gateway closed the connection: " + answer);
    answer.append(part, static_cast<std::size_t>(got));
  }
  return answer;
}

}  // namespace

Result<> check_answer(std::string_view answer) {
  if (!answer.starts_with("HTTP/1.1 200 "))
    return fail(ErrorKind::InvalidInput, fmt::format("expected 200, got: {}", answer.substr(0, 2000)));
  if (answer.find(kProcessed) == std::string_view::npos)
    return fail(ErrorKind::InvalidInput,
                fmt::format("expected a receipt that says processed, got: {}", answer.substr(0, 4000)));
  return {};
}

std::string request_text(const Prepared& message) {
  const Bytes body = message.body.to_bytes(SIZE_MAX).value_or(Bytes());
  return head_of(message, next_message_id()) + std::string(as_text(body));
}

double LoadResult::percentile(double share) const {
  if (latencies_ms.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(latencies_ms.size())));
  return latencies_ms[std::clamp<std::size_t>(rank, 1, latencies_ms.size()) - 1];
}

void LoadResult::add(const LoadResult& other) {
  latencies_ms.insert(latencies_ms.end(), other.latencies_ms.begin(), other.latencies_ms.end());
  std::sort(latencies_ms.begin(), latencies_ms.end());
  seconds += other.seconds;
  driver_cpu_seconds += other.driver_cpu_seconds;
}

Result<LoadResult> send_many(std::uint16_t port, const std::vector<Prepared>& messages,
                             std::size_t connections, double seconds) {
  Driver driver(messages, after(seconds));
  SIGNET_CHECK(driver.open(port, connections));
  return driver.run();
}

Result<LoadResult> send_one(std::uint16_t port, const Prepared& message, Framing framing) {
  SIGNET_TRY(const Socket socket, connect_to(port));
  const std::string message_id = next_message_id();
  const double cpu = thread_cpu_seconds();
  const Moment begin = std::chrono::steady_clock::now();
  SIGNET_CHECK(write_all(socket.get(), as_bytes(head_of(message, message_id, framing))));
  SocketSink sink(socket.get(), framing);
  SIGNET_CHECK(message.body.copy_to(sink));
  SIGNET_CHECK(sink.end());
  SIGNET_TRY(std::string answer, read_answer(socket));
  LoadResult result;
  result.latencies_ms = {milliseconds(begin, std::chrono::steady_clock::now())};
  result.seconds = result.latencies_ms.front() / 1000;
  result.driver_cpu_seconds = thread_cpu_seconds() - cpu;
  SIGNET_CHECK(check_answer(answer));
  result.samples.push_back({0, message_id, std::move(answer)});
  return result;
}

}  // namespace signet::bench
