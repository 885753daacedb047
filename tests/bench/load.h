#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "tests/bench/messages.h"

/// Partners that send: one thread that keeps many connections busy, and one connection that carries a large
/// message.

namespace signet::bench {

/// An answer kept for a closer look.
struct Sample {
  std::size_t message = 0;  ///< index of the prepared message
  std::string message_id;
  std::string answer;
};

struct LoadResult {
  std::vector<double> latencies_ms;  ///< from the request's first octet to the answer's last, sorted
  double seconds = 0;
  double driver_cpu_seconds = 0;
  std::vector<Sample> samples;

  [[nodiscard]] std::size_t messages() const { return latencies_ms.size(); }
  [[nodiscard]] double per_second() const { return static_cast<double>(messages()) / seconds; }
  /// @param share  0.5 for the median
  [[nodiscard]] double percentile(double share) const;
};

/// Sends the messages in turn over keep-alive connections, on each the next as soon as the last one is
/// answered, until the time is over. Every answer has to be 200 with a receipt that says processed.
///
/// @error InvalidInput  the first answer that is anything else.  @error Unavailable  a connection.
Result<LoadResult> send_many(std::uint16_t port, const std::vector<Prepared>& messages,
                             std::size_t connections, std::chrono::duration<double> duration);

/// Sends one message over a connection of its own. @returns how long it took, and the answer.
Result<LoadResult> send_one(std::uint16_t port, const Prepared& message);

/// A receiver that costs next to nothing: takes any request, throws its body away and answers 200 with
/// nothing. Runs on a thread of its own until it is destroyed.
class NullReceiver {
 public:
  NullReceiver();
  ~NullReceiver();
  NullReceiver(const NullReceiver&) = delete;
  NullReceiver& operator=(const NullReceiver&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  int socket_ = -1;
  std::uint16_t port_ = 0;
  struct Thread;
  std::unique_ptr<Thread> thread_;
};

}  // namespace signet::bench
