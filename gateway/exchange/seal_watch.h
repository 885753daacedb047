#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <utility>

namespace signet::gateway {

/// Whether the vault is sealed, so that nothing can be begun that needs a key; and whether it was a moment
/// ago: what waited meanwhile is not given up for the time that passed, but tried once more. Thread-safe.
class SealWatch {
 public:
  explicit SealWatch(std::function<bool()> is_sealed) : is_sealed_(std::move(is_sealed)) {}

  bool sealed() {
    const bool now = is_sealed_();
    if (now) seen_ = Steady::now().time_since_epoch().count();
    return now;
  }
  [[nodiscard]] bool was_sealed_lately() const {
    const Steady::rep seen = seen_;
    return seen != 0 && Steady::now() - Steady::time_point(Steady::duration(seen)) < kLately;
  }

 private:
  using Steady = std::chrono::steady_clock;
  /// As long as what waits may take to be looked at again.
  static constexpr std::chrono::minutes kLately{1};

  const std::function<bool()> is_sealed_;
  std::atomic<Steady::rep> seen_{0};
};

}  // namespace signet::gateway
