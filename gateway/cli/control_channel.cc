#include "gateway/cli/control_channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>

#include "base/file.h"
#include "base/file_descriptor.h"
#include "base/log.h"

namespace signet::gateway {
namespace {

using Steady = std::chrono::steady_clock;

constexpr const char* kSocketName = "control.sock";
constexpr std::size_t kLongestCall = 8 * 1024;
constexpr std::size_t kLongestAnswer = 64 * 1024;
constexpr std::chrono::seconds kCallTime{5};      ///< for a caller to say what he wants, and to hear
constexpr std::chrono::seconds kAnswerTime{300};  ///< for the work: a store with many keys is sealed anew
constexpr std::array kKinds = {
    ErrorKind::InvalidInput,     ErrorKind::NotFound,      ErrorKind::AlreadyExists,
    ErrorKind::PermissionDenied, ErrorKind::LimitExceeded, ErrorKind::Unsupported,
    ErrorKind::CryptoFailure,    ErrorKind::IoFailure,     ErrorKind::Unavailable};

/// An address has room for 107 octets, and a home may lie deeper: then through its directory's descriptor.
class Address {
 public:
  explicit Address(const std::filesystem::path& home)
      : directory_(::open(home.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    std::string path = (home / kSocketName).string();
    if (path.size() >= sizeof address_.sun_path)
      path = fmt::format("/proc/self/fd/{}/{}", directory_.get(), kSocketName);
    address_.sun_family = AF_UNIX;
    std::memcpy(address_.sun_path, path.c_str(), path.size() + 1);
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  static constexpr socklen_t kSize = sizeof(sockaddr_un);

 private:
  FileDescriptor directory_;
  sockaddr_un address_{};
};

/// @returns false when the time is over.
bool wait_for(int descriptor, short events, Steady::time_point end) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Steady::now());
    if (left.count() <= 0) return false;
    pollfd one{descriptor, events, 0};
    const int ready = ::poll(&one, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

/// Everything that the other side sends before it ends, in wiped memory.
///
/// @error Unavailable  it did not end in time, or sent more than may be.
Result<SecretBytes> receive_all(int connection, std::size_t most, Steady::time_point end) {
  SecretBytes buffer(most);
  std::size_t size = 0;
  while (size < most && wait_for(connection, POLLIN, end)) {
    const ssize_t got = ::recv(connection, buffer.writable().data() + size, most - size, 0);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return fail(errno_error("reading from the control socket"));
    if (got == 0) return SecretBytes::copy_of(buffer.view().first(size));
    size += static_cast<std::size_t>(got);
  }
  return fail(ErrorKind::Unavailable, "nothing whole came over the control socket in time");
}

Result<> send_all(int connection, ByteView octets, Steady::time_point end) {
  while (!octets.empty()) {
    if (!wait_for(connection, POLLOUT, end))
      return fail(ErrorKind::Unavailable, "the control socket took nothing in time");
    const ssize_t sent = ::send(connection, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (sent < 0) return fail(errno_error("writing to the control socket"));
    octets = octets.subspan(static_cast<std::size_t>(sent));
  }
  return {};
}

/// Whether the other side is this user, or root.
bool is_trusted(int connection) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

std::string answer_text(const Result<>& outcome) {
  if (outcome) return "ok\n";
  return fmt::format("{}\n{}", to_string(outcome.error().kind), outcome.error().detail);
}

Result<> outcome_of(std::string_view answer) {
  const std::size_t line = answer.find('\n');
  if (line == std::string_view::npos)
    return fail(ErrorKind::Unavailable, "the gateway ended before it had answered");
  const std::string_view word = answer.substr(0, line);
  if (word == "ok") return {};
  const std::string detail(answer.substr(line + 1));
  for (const ErrorKind kind : kKinds)
    if (to_string(kind) == word) return fail(kind, detail);
  return fail(ErrorKind::Internal, detail);
}

}  // namespace

Result<std::unique_ptr<ControlChannel>> ControlChannel::open(const std::filesystem::path& home,
                                                             Handler handler) {
  const std::filesystem::path path = home / kSocketName;
  FileDescriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  FileDescriptor wake(::eventfd(0, EFD_CLOEXEC));
  if (listener.get() < 0 || wake.get() < 0) return fail(errno_error("making the control socket"));
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return fail(errno_error("removing " + path.string() + ", which an earlier gateway left"));
  const Address address(home);
  // Nobody can connect before it listens.
  if (::bind(listener.get(), address.get(), Address::kSize) != 0 || ::chmod(path.c_str(), 0600) != 0 ||
      ::listen(listener.get(), 8) != 0)
    return fail(errno_error("making " + path.string()));
  return std::unique_ptr<ControlChannel>(
      new ControlChannel(path, listener.release(), wake.release(), std::move(handler)));
}

ControlChannel::ControlChannel(std::filesystem::path path, int listener, int wake, Handler handler)
    : path_(std::move(path)), listener_(listener), wake_(wake), handler_(std::move(handler)), thread_([this] {
        run();
      }) {}

ControlChannel::~ControlChannel() {
  static_cast<void>(::eventfd_write(wake_, 1));
  thread_.join();
  ::unlink(path_.c_str());
  ::close(listener_);
  ::close(wake_);
}

void ControlChannel::run() {
  for (;;) {
    std::array<pollfd, 2> both{pollfd{listener_, POLLIN, 0}, pollfd{wake_, POLLIN, 0}};
    if (::poll(both.data(), both.size(), -1) < 0 && errno != EINTR) return;
    if (both[1].revents != 0) return;
    const FileDescriptor connection(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (connection.get() >= 0) serve(connection.get());
  }
}

void ControlChannel::serve(int connection) {
  if (!is_trusted(connection)) return log::warning("control-call-refused", {{"reason", "of another user"}});
  const auto outcome = [&]() -> Result<> {
    try {
      SIGNET_TRY(const SecretBytes call, receive_all(connection, kLongestCall, Steady::now() + kCallTime));
      const std::string_view text = as_text(call.view());
      const std::size_t line = text.find('\n');
      if (line == std::string_view::npos) return fail(ErrorKind::InvalidInput, "this is no control call");
      return handler_(text.substr(0, line), SecretBytes::copy_of(text.substr(line + 1)));
    } catch (const std::exception& thrown) {
      return fail(ErrorKind::Internal, thrown.what());
    }
  }();
  const std::string answer = answer_text(outcome);
  if (const auto sent = send_all(connection, as_bytes(answer), Steady::now() + kCallTime); !sent)
    log::warning("control-call-not-answered", {{"reason", sent.error().detail}});
}

Result<> ask_gateway(const std::filesystem::path& home, std::string_view word, const SecretBytes& secret) {
  const FileDescriptor connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connection.get() < 0) return fail(errno_error("making a socket"));
  const Address address(home);
  if (::connect(connection.get(), address.get(), Address::kSize) != 0) {
    if (errno != ENOENT && errno != ECONNREFUSED)
      return fail(errno_error("connecting to " + (home / kSocketName).string()));
    return fail(ErrorKind::Unavailable,
                fmt::format("no gateway serves {}: start one with `signet serve`", home.string()));
  }
  const auto end = Steady::now() + kCallTime;
  SIGNET_CHECK(send_all(connection.get(), as_bytes(std::string(word) + "\n"), end));
  SIGNET_CHECK(send_all(connection.get(), secret.view(), end));
  if (::shutdown(connection.get(), SHUT_WR) != 0) return fail(errno_error("asking the gateway"));
  SIGNET_TRY(const SecretBytes answer,
             receive_all(connection.get(), kLongestAnswer, Steady::now() + kAnswerTime));
  return outcome_of(as_text(answer.view()));
}

}  // namespace signet::gateway
