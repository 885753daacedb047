#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace signet {

/// How often somebody may do something: `burst` times at once, and on the average `per_second`.
struct Rate {
  double per_second = 100;
  double burst = 200;
};

/// Counts what each of many does, in a bucket of tokens that fills up again. Thread-safe; what it holds is
/// bounded, whoever comes.
class Throttle {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  explicit Throttle(Rate rate) : rate_(rate) {}

  /// `who` does it once. @returns nothing when it may be done, or else how long to wait, a second or more.
  std::optional<std::chrono::seconds> take(std::string_view who, Moment now);

  /// What take() would say, without its being done.
  [[nodiscard]] std::optional<std::chrono::seconds> wait(std::string_view who, Moment now) const;

 private:
  struct Bucket {
    double tokens;
    Moment filled;
  };

  void refill(Bucket& bucket, Moment now) const;
  [[nodiscard]] std::optional<std::chrono::seconds> wait(const Bucket& bucket) const;
  void forget_idle(Moment now);

  const Rate rate_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;
  Moment next_sweep_{};
};

}  // namespace signet
