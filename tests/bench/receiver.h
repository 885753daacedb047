#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.h"
#include "tests/bench/socket.h"

namespace signet::bench {

/// A partner's receiving side that costs next to nothing: any number of keep-alive connections on one thread,
/// bodies thrown away by the kernel before anybody has seen them. Runs until it is destroyed.
class Receiver {
 public:
  /// The whole answer, status line and all, to the request with this head. Called on the receiver's thread.
  using Answer = std::function<Result<std::string>(std::string_view head)>;

  /// @param answer  empty: 200 with nothing
  explicit Receiver(Answer answer = {});
  ~Receiver();
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const;
  /// Requests answered so far.
  [[nodiscard]] std::size_t answered() const { return answered_; }
  /// Octets of the bodies so far.
  [[nodiscard]] std::uint64_t octets() const { return octets_; }
  /// User and system time of its thread so far.
  [[nodiscard]] double cpu_seconds() const;

 private:
  struct Connection;
  void run();
  bool read(Connection& connection);
  bool take_head(Connection& connection);
  bool answer(Connection& connection);

  const Answer answer_;
  const Socket listener_;
  const Socket ending_;  ///< an eventfd
  std::uint16_t port_ = 0;
  std::atomic<std::size_t> answered_ = 0;
  std::atomic<std::uint64_t> octets_ = 0;
  mutable std::thread thread_;
};

}  // namespace signet::bench
