#pragma once

#include <deque>
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

  /// Lets go of a claimed key at the end of its life, also when something is thrown.
  class Release {
   public:
    Release(InFlight& in_flight, const std::string& key) : in_flight_(in_flight), key_(key) {}
    ~Release() { in_flight_.release(key_); }
    Release(const Release&) = delete;
    Release& operator=(const Release&) = delete;

   private:
    InFlight& in_flight_;
    const std::string& key_;
  };

 private:
  /// Runs whoever waits for the key, on this thread; waiters throw nothing. A waiter claims and releases in its turn, so those
  /// that its release sets free are run by the outermost call: repeats must not be able to nest on the stack.
  void release(const std::string& key) {
    thread_local std::deque<Waiter> ready;
    thread_local bool running = false;
    {
      const std::lock_guard lock(mutex_);
      const auto entry = waiting_.find(key);
      for (Waiter& waiter : entry->second) ready.push_back(std::move(waiter));
      waiting_.erase(entry);
    }
    if (running) return;
    running = true;
    for (; !ready.empty(); ready.pop_front()) ready.front()();
    running = false;
  }

  std::mutex mutex_;
  std::map<std::string, std::vector<Waiter>> waiting_;
};

}  // namespace signet::gateway
