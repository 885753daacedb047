#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace signet::gateway::api {

/// How many calls somebody may make: `burst` at once, and on the average `per_second`.
struct CallRate {
  double per_second = 100;
  double burst = 200;
};

/// Counts the calls of each principal, or of each address, in a bucket of tokens that fills up again.
/// Thread-safe; what it holds is bounded, whoever calls.
class Throttle {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  explicit Throttle(CallRate rate) : rate_(rate) {}

  /// One call of `who`. @returns nothing when it may be made, or else how long to wait, a second or more.
  std::optional<std::chrono::seconds> take(std::string_view who, Moment now);

 private:
  struct Bucket {
    double tokens;
    Moment filled;
  };

  void refill(Bucket& bucket, Moment now) const;
  void forget_idle(Moment now);

  const CallRate rate_;
  std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;
  Moment next_sweep_{};
};

}  // namespace signet::gateway::api
