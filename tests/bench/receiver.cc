#include "tests/bench/receiver.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <map>
#include <system_error>
#include <vector>

#include "base/file.h"

namespace signet::bench {
namespace {

constexpr std::string_view kNothing = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

void watch(const Socket& epoll, int descriptor) {
  epoll_event event{EPOLLIN, {.fd = descriptor}};
  ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, descriptor, &event);
}

}  // namespace

struct Receiver::Connection {
  Socket socket;
  std::string head;             ///< of the request that is being read, and octets behind it
  std::uint64_t body_left = 0;  ///< to be thrown away
};

Receiver::Receiver(Answer answer)
    : answer_(std::move(answer)),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      ending_(::eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_.get(), 256) != 0)
    throw std::system_error(errno, std::generic_category(), "the receiver cannot listen");
  socklen_t size = sizeof address;
  ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

Receiver::~Receiver() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(ending_.get(), &one, sizeof one);
  thread_.join();
}

std::string Receiver::url() const { return fmt::format("http://127.0.0.1:{}/as2", port_); }

double Receiver::cpu_seconds() const {
  clockid_t clock{};
  timespec time{};
  if (::pthread_getcpuclockid(thread_.native_handle(), &clock) == 0) ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

void Receiver::run() {
  const Socket epoll(::epoll_create1(EPOLL_CLOEXEC));
  watch(epoll, listener_.get());
  watch(epoll, ending_.get());
  std::map<int, Connection> connections;
  std::array<epoll_event, 64> events{};
  for (;;) {
    const int ready = ::epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
      if (descriptor == ending_.get()) return;
      if (descriptor == listener_.get()) {
        Socket peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (peer.get() < 0) continue;
        const int on = 1;
        ::setsockopt(peer.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(epoll, peer.get());
        const int number = peer.get();
        connections.emplace(number, Connection{std::move(peer), {}, 0});
      } else if (const auto found = connections.find(descriptor);
                 found != connections.end() && !read(found->second)) {
        connections.erase(found);
      }
    }
  }
}

/// @returns false when the connection is over.
bool Receiver::read(Connection& connection) {
  char part[16 * 1024];
  constexpr std::size_t kMost = std::size_t{1} << 20;
  if (connection.body_left > 0) {
    // MSG_TRUNC: the kernel throws the octets of a stream away without copying them [tcp(7)].
    const ssize_t got = ::recv(connection.socket.get(), nullptr,
                               static_cast<std::size_t>(std::min<std::uint64_t>(connection.body_left, kMost)),
                               MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    connection.body_left -= static_cast<std::uint64_t>(got);
    octets_ += static_cast<std::uint64_t>(got);
    return connection.body_left > 0 || answer(connection);
  }
  const ssize_t got = ::recv(connection.socket.get(), part, sizeof part, MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  connection.head.append(part, static_cast<std::size_t>(got));
  return take_head(connection);
}

bool Receiver::take_head(Connection& connection) {
  const std::size_t end = connection.head.find("\r\n\r\n");
  if (end == std::string::npos) return true;
  const std::uint64_t body = content_length(std::string_view(connection.head).substr(0, end + 2));
  const std::uint64_t here = std::min<std::uint64_t>(body, connection.head.size() - end - 4);
  connection.head.resize(end + 4);
  connection.body_left = body - here;
  octets_ += here;
  return connection.body_left > 0 || answer(connection);
}

bool Receiver::answer(Connection& connection) {
  const auto text = answer_ ? answer_(connection.head) : Result<std::string>(kNothing);
  connection.head.clear();
  if (!text) {
    fmt::print(stderr, "signet_bench: the receiver has no answer: {}\n", text.error().detail);
    return false;
  }
  ++answered_;
  return write_all(connection.socket.get(), as_bytes(*text)).has_value();
}

}  // namespace signet::bench
