#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace signet::gateway {

/// Which messages are being worked on right now. A repeat that comes while the first is still in work waits
/// for its outcome without holding a thread, and is then answered from the store: it is neither a duplicate
/// yet nor a new message.
class InFlight {
 public:
  using Waiter = std::function<void()>;
  /// Runs a waiter, on another thread, soon.
  using Dispatch = std::function<void(Waiter)>;

  explicit InFlight(Dispatch dispatch) : dispatch_(std::move(dispatch)) {}

  /// Holds a key for as long as it lives.
  class Claim {
   public:
    Claim(InFlight& in_flight, std::string key) : in_flight_(in_flight), key_(std::move(key)) {}
    ~Claim() { in_flight_.release(key_); }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

   private:
    InFlight& in_flight_;
    const std::string key_;
  };

  /// Claims `key`. @returns nothing when somebody holds it; `waiter` is then dispatched once it is let go.
  std::shared_ptr<Claim> claim(const std::string& key, Waiter waiter) {
    {
      const std::lock_guard lock(mutex_);
      const auto [entry, is_new] = waiting_.try_emplace(key);
      if (!is_new) {
        entry->second.push_back(std::move(waiter));
        return nullptr;
      }
    }
    return std::make_shared<Claim>(*this, key);
  }

 private:
  void release(const std::string& key) {
    std::vector<Waiter> waiters;
    {
      const std::lock_guard lock(mutex_);
      const auto entry = waiting_.find(key);
      waiters = std::move(entry->second);
      waiting_.erase(entry);
    }
    for (Waiter& waiter : waiters) dispatch_(std::move(waiter));
  }

  const Dispatch dispatch_;
  std::mutex mutex_;
  std::map<std::string, std::vector<Waiter>> waiting_;
};

}  // namespace signet::gateway
