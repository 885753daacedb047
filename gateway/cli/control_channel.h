#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>
#include <thread>

#include "base/result.h"
#include "base/secret.h"

/// The way from a command to the gateway that serves the same home: <home>/control.sock, of mode 0600, in a
/// directory that is the owner's alone. Who calls must be the same user, or root (SO_PEERCRED). A call is one
/// word and perhaps a secret, and gets "ok" or an error; one call after the other, each within a few seconds.

namespace signet::gateway {

class ControlChannel {
 public:
  /// Does what the word asks for. What it gets of the caller is wiped afterwards.
  using Handler = std::function<Result<>(std::string_view word, const SecretBytes& secret)>;

  /// Takes the place of a socket that an earlier gateway left: for who holds the home's ServeLock.
  ///
  /// @error IoFailure, ...  the socket cannot be made.
  static Result<std::unique_ptr<ControlChannel>> open(const std::filesystem::path& home, Handler handler);
  /// Waits for the call that is at hand.
  ~ControlChannel();
  ControlChannel(const ControlChannel&) = delete;
  ControlChannel& operator=(const ControlChannel&) = delete;

 private:
  ControlChannel(std::filesystem::path path, int listener, int wake, Handler handler);
  void run();
  void serve(int connection);

  const std::filesystem::path path_;
  const int listener_;
  const int wake_;  ///< readable when it is time to end
  const Handler handler_;
  std::thread thread_;
};

/// Asks the gateway that serves a home.
///
/// @error Unavailable  no gateway serves it, or it did not answer.  @error ...  what its handler returned
Result<> ask_gateway(const std::filesystem::path& home, std::string_view word, const SecretBytes& secret);

}  // namespace signet::gateway
