#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace signet::gateway {

/// Which messages are being worked on right now. A repeat that comes while the first is still in work waits for its
/// outcome without holding a thread, and is then answered from the store: it is neither a duplicate yet nor a new message.
class InFlight {
 public:
  using Waiter = std::function<void()>;

  /// Claims `key`. @returns false when somebody holds it; `waiter` then runs once it is released.
  bool claim(const std::string& key, Waiter waiter) {
    const std::lock_guard lock(mutex_);
    const auto [entry, is_new] = waiting_.try_emplace(key);
    if (!is_new) entry->second.push_back(std::move(waiter));
    return is_new;
  }

  /// Lets go of `key` and runs whoever waits for it, on this thread.
  void release(const std::string& key) {
    std::vector<Waiter> waiters;
    {
      const std::lock_guard lock(mutex_);
      const auto entry = waiting_.find(key);
      waiters = std::move(entry->second);
      waiting_.erase(entry);
    }
    for (const Waiter& waiter : waiters) waiter();
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<Waiter>> waiting_;
};

}  // namespace signet::gateway
