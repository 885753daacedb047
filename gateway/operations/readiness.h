#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace signet::gateway {

/// Whether the gateway can take messages at the moment: a list of checks, each of which may touch a disk.
/// Thread-safe.
class Readiness {
 public:
  /// Whoever asks again within `kept` gets the answer of before, so that asking costs little.
  explicit Readiness(std::chrono::milliseconds kept = std::chrono::seconds(1)) : kept_(kept) {}

  using Check = std::function<Result<>()>;
  struct Finding {
    std::string name;
    Result<> outcome;  ///< the error says what is wrong and what to do
  };

  /// Before the first examine().
  void add(std::string name, Check check) { checks_.emplace_back(std::move(name), std::move(check)); }

  /// What each check says, in the order in which they were added. A check that throws has failed.
  std::vector<Finding> examine();

 private:
  using Clock = std::chrono::steady_clock;

  const std::chrono::milliseconds kept_;
  std::vector<std::pair<std::string, Check>> checks_;
  std::mutex mutex_;
  std::vector<Finding> findings_;
  Clock::time_point examined_{};
};

bool all_well(const std::vector<Readiness::Finding>& findings);

}  // namespace signet::gateway
