#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace signet {

/// A moment in UTC, to the microsecond.
using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

/// Where the time comes from; everything that asks for it is given one, so that tests decide what day it is.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Time now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
};

class FixedClock final : public Clock {
 public:
  explicit FixedClock(Time time) : time_(time) {}
  [[nodiscard]] Time now() const override { return time_; }
  void set(Time time) { time_ = time; }

 private:
  Time time_;
};

/// RFC 3339 in UTC with milliseconds: "2026-11-21T08:30:00.000Z".
std::string to_rfc3339(Time time);
/// RFC 5322 section 3.3, in UTC: "Sat, 21 Nov 2026 08:30:00 +0000".
std::string to_rfc5322(Time time);
/// RFC 9110 section 5.6.7: "Sat, 21 Nov 2026 08:30:00 GMT".
std::string to_http_date(Time time);

/// Reads RFC 3339 ("2026-11-21T08:30:00Z", any fraction, any offset) or a bare date, which is its midnight in
/// UTC.
///
/// @error InvalidInput  anything else.
Result<Time> parse_time(std::string_view text);

}  // namespace signet
