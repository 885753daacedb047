#pragma once

#include <chrono>
#include <cstddef>
#include <functional>

#include "base/result.h"

/// Clocks, and work that is repeated for a while.

namespace signet::bench {

using Moment = std::chrono::steady_clock::time_point;

double seconds_since(Moment begin);
/// So many seconds from now.
Moment after(double seconds);
/// User and system time of the calling thread so far.
double thread_cpu_seconds();

struct Repeated {
  std::size_t count = 0;
  double seconds = 0;
  [[nodiscard]] double per_second() const { return static_cast<double>(count) / seconds; }
};

/// Has so many threads do a step again and again for so many seconds. A thread's step is told the thread's
/// number.
///
/// @error  of the first thread whose step failed; that one ends, the others go on
Result<Repeated> repeat_on_threads(std::size_t threads, double seconds,
                                   const std::function<Result<>(std::size_t thread)>& step);

}  // namespace signet::bench
