#pragma once

#include <cstdint>
#include <string>
#include <string_view>
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
  /// Counts another run to this one.
  void add(const LoadResult& other);
};

/// Sends the messages in turn over keep-alive connections, on each the next as soon as the last one is
/// answered, until the time is over. Every answer has to be 200 with a receipt that says processed.
///
/// @error InvalidInput  the first answer that is anything else.  @error Unavailable  a connection.
Result<LoadResult> send_many(std::uint16_t port, const std::vector<Prepared>& messages,
                             std::size_t connections, double seconds);

/// A small message as one text, under another Message-ID each time.
std::string request_text(const Prepared& message);
/// @error InvalidInput  the answer is anything but 200 with a receipt that says processed.
Result<> check_answer(std::string_view answer);

enum class Framing { ContentLength, Chunked };

/// Sends one message over a connection of its own. @returns how long it took, and the answer.
Result<LoadResult> send_one(std::uint16_t port, const Prepared& message,
                            Framing framing = Framing::ContentLength);

}  // namespace signet::bench
