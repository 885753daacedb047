#include "gateway/operations/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>

#include "base/file.h"
#include "base/log.h"

namespace signet::gateway {
namespace {

/// A path, or with "@" before it a name in the abstract name space.
Result<> send_to(std::string_view name, std::string_view state) {
  sockaddr_un address{};
  if (name.size() < 2 || name.size() > sizeof address.sun_path ||
      (name.front() != '/' && name.front() != '@'))
    return fail(ErrorKind::InvalidInput, "NOTIFY_SOCKET is neither a path nor an abstract name");
  address.sun_family = AF_UNIX;
  std::copy(name.begin(), name.end(), address.sun_path);
  if (name.front() == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());

  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) return fail(errno_error("making a socket for NOTIFY_SOCKET"));
  const ssize_t sent = ::sendto(socket, state.data(), state.size(), MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&address), size);
  Result<> outcome;
  if (sent < 0) outcome = fail(errno_error("sending to NOTIFY_SOCKET"));
  ::close(socket);
  return outcome;
}

void notify(std::string_view state) {
  const char* name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr || *name == '\0') return;
  if (const auto sent = send_to(name, state); !sent)
    log::warning("service-manager-not-told",
                 {{"state", std::string(state)}, {"reason", sent.error().detail}});
}

}  // namespace

void notify_ready() { notify("READY=1"); }
void notify_reloading() { notify("RELOADING=1"); }
void notify_stopping() { notify("STOPPING=1"); }

}  // namespace signet::gateway
