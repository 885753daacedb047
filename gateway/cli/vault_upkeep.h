#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "gateway/cli/home.h"
#include "gateway/cli/serve_settings.h"

namespace signet::gateway {

/// Looks after a home's vaults, at once and daily, for as long as it lives: purges what is overdue, also
/// whole vaults, and rotates what is due. In a thread of its own, since many keys take minutes; it ends
/// between two of them. The log says what was done and what failed.
class VaultUpkeep {
 public:
  /// The home outlives this. `given` are the options that the service runs with; serve.toml has the others.
  VaultUpkeep(Home& home, GivenOptions given);
  /// Waits for the key that is at hand.
  void stop();

 private:
  void run(const std::stop_token& stop);

  Home& home_;
  const GivenOptions given_;
  std::mutex mutex_;
  std::condition_variable_any woken_;
  std::jthread thread_;
};

}  // namespace signet::gateway
