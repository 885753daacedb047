#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agreements/model.h"
#include "base/clock.h"
#include "gateway/evidence/evidence_store.h"
#include "gateway/exchange/account_snapshot.h"

/// Copies go when the agreement's time for them is over (x:retention). The records of the chain stay.

namespace signet::gateway {

/// What an account's agreements say, as it is at `now`. Messages of an agreement that is gone stay: nobody
/// says otherwise.
std::vector<ExpiryRule> expiry_rules(const agreements::Account& account, Time now);

/// Removes everything whose time is over, in small transactions, until there is no more of it or `stop` says
/// so.
///
/// @returns what went, for each rule.
/// @error  of the store; what went before stays gone.
Result<std::vector<Expiry>> expire_all(EvidenceStore& evidence, const std::vector<ExpiryRule>& rules,
                                       Time now, const std::function<bool()>& stop);

/// Does that once an hour, from its start on, and writes the head of the chain into the log, where it is out
/// of reach of whoever changes the database.
class Retention {
 public:
  /// Everything given by reference outlives this.
  Retention(EvidenceStore& evidence, CurrentAccount account, const Clock& clock,
            std::chrono::milliseconds interval = std::chrono::hours(1));
  /// As stop(), and waits for what is under way.
  ~Retention();
  Retention(const Retention&) = delete;
  Retention& operator=(const Retention&) = delete;

  /// Begins nothing any more. Idempotent.
  void stop();

 private:
  void run();
  void take_a_turn();
  [[nodiscard]] bool stopping();

  EvidenceStore& evidence_;
  const CurrentAccount account_;
  const Clock& clock_;
  const std::chrono::milliseconds interval_;
  std::mutex mutex_;
  std::condition_variable stopping_changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace signet::gateway
