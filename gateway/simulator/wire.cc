#include "gateway/simulator/wire.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "base/file.h"
#include "base/handle.h"

namespace signet::gateway::simulator {
namespace {

using AddressesPtr = Handle<addrinfo, ::freeaddrinfo>;
constexpr std::chrono::milliseconds kForEver{-1};

Error broken(std::string_view what) {
  Error error = errno_error(what);
  error.kind = ErrorKind::Unavailable;
  return error;
}

Result<AddressesPtr> look_up(const std::string& host, std::uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0)
    return fail((flags & AI_NUMERICHOST) != 0 ? ErrorKind::InvalidInput : ErrorKind::Unavailable,
                fmt::format("'{}' is no address: {}", printable(host), ::gai_strerror(failed)));
  return AddressesPtr(found);
}

int make_socket(const addrinfo& address) {
  return ::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address.ai_protocol);
}

std::string numeric(const sockaddr_storage& address, socklen_t size) {
  std::array<char, NI_MAXHOST> text{};
  ::getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, text.data(), text.size(), nullptr, 0,
                NI_NUMERICHOST);
  return text.data();
}

}  // namespace

// ---- StopSignal

StopSignal::StopSignal() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "making a pipe");
  waiting_end_ = ends[0];
  stopping_end_ = ends[1];
}

StopSignal::~StopSignal() {
  ::close(waiting_end_);
  ::close(stopping_end_);
}

void StopSignal::stop() {
  // One octet is enough: nobody ever reads it, so the pipe stays readable for all who wait.
  constexpr std::uint8_t kStop = 1;
  if (!stopped()) static_cast<void>(write_all(stopping_end_, {&kStop, 1}));
}

bool StopSignal::stopped() const { return !pause(std::chrono::milliseconds(0)); }

bool StopSignal::pause(std::chrono::milliseconds time) const {
  const auto end = std::chrono::steady_clock::now() + time;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd waited{waiting_end_, POLLIN, 0};
    const int ready = ::poll(&waited, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (ready > 0) return false;
    if (ready == 0) return true;
  }
}

// ---- WireSocket

WireSocket::WireSocket(int descriptor, const StopSignal& stop) : descriptor_(descriptor), stop_(&stop) {}

WireSocket::WireSocket(WireSocket&& other) noexcept : descriptor_(other.descriptor_), stop_(other.stop_) {
  other.descriptor_ = -1;
}

WireSocket::~WireSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<WireSocket> WireSocket::connect(const std::string& host, std::uint16_t port, const StopSignal& stop) {
  SIGNET_TRY(const AddressesPtr addresses, look_up(host, port, 0));
  Error last{ErrorKind::Unavailable, fmt::format("'{}' has no address", printable(host))};
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    WireSocket socket(make_socket(*address), stop);
    if (::connect(socket.descriptor_, address->ai_addr, address->ai_addrlen) == 0) return socket;
    if (errno == EINPROGRESS) {
      SIGNET_CHECK(socket.need(POLLOUT, kPatience, "connecting"));
      int failure = 0;
      socklen_t size = sizeof failure;
      ::getsockopt(socket.descriptor_, SOL_SOCKET, SO_ERROR, &failure, &size);
      if (failure == 0) return socket;
      errno = failure;
    }
    last = broken(fmt::format("connecting to {} port {}", printable(host), port));
  }
  return fail(std::move(last));
}

Result<WireSocket> WireSocket::listen(const std::string& address, std::uint16_t port,
                                      const StopSignal& stop) {
  SIGNET_TRY(const AddressesPtr addresses, look_up(address, port, AI_NUMERICHOST | AI_PASSIVE));
  WireSocket socket(make_socket(*addresses), stop);
  constexpr int kOn = 1;
  ::setsockopt(socket.descriptor_, SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn);
  if (::bind(socket.descriptor_, addresses->ai_addr, addresses->ai_addrlen) != 0 ||
      ::listen(socket.descriptor_, SOMAXCONN) != 0)
    return fail(broken(fmt::format("listening on {} port {}", address, port)));
  return socket;
}

Result<WireSocket> WireSocket::accept(std::string& peer_address) const {
  for (;;) {
    if (wait(POLLIN, kForEver) == Awaited::Stopped) return fail(ErrorKind::Unavailable, "stopped");
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const int accepted =
        ::accept4(descriptor_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (accepted >= 0) {
      peer_address = numeric(peer, size);
      return WireSocket(accepted, *stop_);
    }
    // Out of descriptors, say: whoever connected stays queued, and is tried again.
    if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED &&
        !stop_->pause(std::chrono::milliseconds(50)))
      return fail(ErrorKind::Unavailable, "stopped");
  }
}

std::uint16_t WireSocket::local_port() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

WireSocket::Awaited WireSocket::wait(short events, std::chrono::milliseconds patience) const {
  for (;;) {
    std::array<pollfd, 2> waited{{{descriptor_, events, 0}, {stop_->waiting_end_, POLLIN, 0}}};
    const int ready = ::poll(waited.data(), waited.size(), static_cast<int>(patience.count()));
    if (waited[1].revents != 0) return Awaited::Stopped;
    if (ready > 0) return Awaited::Ready;
    if (ready == 0) return Awaited::TimedOut;
  }
}

Result<> WireSocket::need(short events, std::chrono::milliseconds patience, std::string_view what) const {
  switch (wait(events, patience)) {
    case Awaited::Ready:
      return {};
    case Awaited::Stopped:
      return fail(ErrorKind::Unavailable, "stopped");
    case Awaited::TimedOut:
      break;
  }
  return fail(ErrorKind::Unavailable,
              fmt::format("{}: nothing happened for {} s", what, patience.count() / 1000));
}

bool WireSocket::readable() const { return wait(POLLIN, std::chrono::milliseconds(0)) == Awaited::Ready; }

Result<std::size_t> WireSocket::read(std::span<std::uint8_t> out, std::chrono::milliseconds patience) const {
  for (;;) {
    SIGNET_CHECK(need(POLLIN, patience, "reading"));
    const ssize_t got = ::recv(descriptor_, out.data(), out.size(), 0);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EAGAIN && errno != EINTR) return fail(broken("reading"));
  }
}

Result<> WireSocket::write(ByteView octets) const {
  while (!octets.empty()) {
    const ssize_t sent = ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      octets = octets.subspan(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EAGAIN)
      SIGNET_CHECK(need(POLLOUT, kPatience, "writing"));
    else if (errno != EINTR)
      return fail(broken("writing"));
  }
  return {};
}

void WireSocket::reset() {
  constexpr linger kAtOnce{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &kAtOnce, sizeof kAtOnce);
  ::close(descriptor_);
  descriptor_ = -1;
}

}  // namespace signet::gateway::simulator
