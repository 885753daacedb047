#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

/// TCP as a partner can misuse it: octets one at a time, connections that are cut. The gateway's own front
/// and client cannot be made to do such things, and are not to be.

namespace signet::gateway::simulator {

/// Ends everything that waits. Thread-safe.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// From now on nothing waits any more. Idempotent.
  void stop();
  [[nodiscard]] bool stopped() const;
  /// @returns false when it was cut short by stop().
  [[nodiscard]] bool pause(std::chrono::milliseconds time) const;

 private:
  friend class WireSocket;
  int waiting_end_ = -1;  ///< of a pipe; readable once stopped
  int stopping_end_ = -1;
};

/// A TCP socket whose waits end by a time-out or a StopSignal.
class WireSocket {
 public:
  /// How long a peer may let us wait for an octet, or for room to write one.
  static constexpr std::chrono::milliseconds kPatience{60'000};

  /// Takes a descriptor. `stop` outlives the socket.
  WireSocket(int descriptor, const StopSignal& stop);
  WireSocket(WireSocket&& other) noexcept;
  WireSocket& operator=(WireSocket&&) = delete;
  ~WireSocket();

  /// @error Unavailable  no such host, refused, no answer in time.
  static Result<WireSocket> connect(const std::string& host, std::uint16_t port, const StopSignal& stop);
  /// A socket that listens; `address` is numeric. @error InvalidInput, Unavailable
  static Result<WireSocket> listen(const std::string& address, std::uint16_t port, const StopSignal& stop);

  /// The next connection to a listening socket, and its peer's address. Waits for ever. @error Unavailable
  /// stopped.
  Result<WireSocket> accept(std::string& peer_address) const;
  [[nodiscard]] std::uint16_t local_port() const;

  /// @returns how many octets came; 0 once the peer has closed. @error Unavailable  reset, nothing came in
  /// time, or stopped.
  Result<std::size_t> read(std::span<std::uint8_t> out, std::chrono::milliseconds patience = kPatience) const;
  /// Whether read() would not wait.
  [[nodiscard]] bool readable() const;
  /// @error Unavailable  as read().
  Result<> write(ByteView octets) const;
  /// Closes so that the peer sees a reset (RST), whatever is under way.
  void reset();

 private:
  enum class Awaited { Ready, TimedOut, Stopped };
  [[nodiscard]] Awaited wait(short events, std::chrono::milliseconds patience) const;
  [[nodiscard]] Result<> need(short events, std::chrono::milliseconds patience, std::string_view what) const;

  int descriptor_;
  const StopSignal* stop_;
};

}  // namespace signet::gateway::simulator
