#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/exchange/lanes.h"
#include "gateway/pickup/pickup_folder.h"

namespace signet::gateway {

/// Watches the pick-up folders of all agreements, each in a lane of its own: a mount that hangs holds up
/// nobody else's documents. Folders that the account gains, changes or loses while it runs are noticed.
class PickupService {
 public:
  /// The pick-up folders as the account has them now.
  using FoldersNow = std::function<Result<std::vector<PickupSettings>>()>;

  /// Begins at once. Everything given by reference outlives the service.
  PickupService(FoldersNow folders_now, PickupPorts ports,
                std::chrono::milliseconds interval = std::chrono::seconds(1));
  /// As stop() and join().
  ~PickupService() = default;
  PickupService(const PickupService&) = delete;
  PickupService& operator=(const PickupService&) = delete;

  /// Lets nothing further be taken. Idempotent.
  void stop();
  /// Waits for what is being taken, after stop(). Idempotent.
  void join() { passes_.join(); }

 private:
  struct Watched {
    explicit Watched(PickupFolder made) : folder(std::move(made)) {}
    PickupFolder folder;
    std::string last_trouble;
  };

  LaneRunner::Finish look_into_account();
  LaneRunner::Finish pass(const std::string& agreement);

  const FoldersNow folders_now_;
  const PickupPorts ports_;
  const std::chrono::milliseconds interval_;
  std::string last_trouble_;  ///< with the account; of the lane that looks at it
  std::mutex mutex_;
  bool stopping_ = false;
  std::map<std::string, std::shared_ptr<Watched>, std::less<>> watched_;  ///< by agreement
  LaneRunner passes_;  ///< the last member: it uses the others
};

}  // namespace signet::gateway
