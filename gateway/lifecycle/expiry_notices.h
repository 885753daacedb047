#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "gateway/lifecycle/expiry_notice_store.h"
#include "gateway/lifecycle/inventory.h"
#include "gateway/notices/notice_sender.h"

/// Tells people and programs, on certain days before its end, of every certificate that something would still
/// go by then.

namespace signet::gateway {

struct ExpiryNoticeSettings {
  std::vector<unsigned> days;         ///< before the end, in any order
  std::vector<std::string> contacts;  ///< mail addresses
};

struct ExpiryNoticePorts {
  std::function<Result<std::vector<InventoryEntry>>()> inventory;
  ExpiryNoticeStore& store;
  const Clock& clock;
  NoticeWays ways;
};

/// The notice that is due for a certificate now, out of the days that are asked for: that for the smallest
/// number of days that has been reached. None lies in the first half of a certificate's life: one that is
/// renewed every few weeks is no news then.
std::optional<unsigned> due_notice(const CertificateSummary& certificate, const std::vector<unsigned>& days,
                                   Time now);

/// Each notice is queued durably and told once, also over restarts and by whichever ways there are; after a
/// crash one may be told twice. A certificate that is gone, replaced, or retired before its end is not spoken
/// of any more. One that cannot be told is tried again at growing intervals, and given up after three days of
/// trying, with an error in the log: days on which the gateway did not run are none of them. A server that
/// does not answer is waited for once in a round, not once for each notice. For one thread.
class ExpiryNotices {
 public:
  /// Everything given by reference outlives this.
  ExpiryNotices(ExpiryNoticePorts ports, ExpiryNoticeSettings settings)
      : ports_(std::move(ports)), settings_(std::move(settings)) {}

  /// Looks, as often as it makes sense, what is due, and tells it.
  void work();

 private:
  using Key = std::pair<std::string, unsigned>;
  struct Turn {
    Time first_failed{};
    Time due{};
    unsigned failures = 0;
  };

  [[nodiscard]] bool can_tell() const;
  /// @return whether all could be told that was due
  Result<bool> round();
  Result<> queue_due(const std::vector<InventoryEntry>& inventory, Time now);
  bool settle(ExpiryNotice notice, const InventoryEntry* entry, Time now);
  Result<> tell(ExpiryNotice& notice, const InventoryEntry& entry, Time now);
  Result<> mail(ExpiryNotice& notice, const InventoryEntry& entry, Time now);
  void postpone(ExpiryNotice& notice, const InventoryEntry& entry, const Error& error, Time now);

  const ExpiryNoticePorts ports_;
  const ExpiryNoticeSettings settings_;
  Time last_round_{};
  Time next_round_{};
  std::map<Key, Turn> turns_;
};

}  // namespace signet::gateway
