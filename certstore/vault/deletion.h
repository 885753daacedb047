#pragma once

#include <cstddef>

#include "base/clock.h"
#include "certstore/vault/key.h"

/// What was deleted and can still be recovered, and what can be restored.

namespace signet::vault {

inline constexpr int kShortestRetention = 7;  ///< days
inline constexpr int kLongestRetention = 90;

/// How a vault treats what is deleted in it.
struct VaultSettings {
  int retention_days =
      kLongestRetention;          ///< kShortestRetention to kLongestRetention; of what is deleted from now on
  bool purge_protection = false;  ///< nothing is purged before its retention is over; for good, once it is on

  friend bool operator==(const VaultSettings&, const VaultSettings&) = default;
};

/// Octets of a backup of a key, a secret or a certificate: none has more, and what takes files back takes as
/// many.
inline constexpr std::size_t kMaxBackupSize = 16 * 1024 * 1024;

struct Deletion {
  Time deleted{};
  Time scheduled_purge{};  ///< from then on it is gone

  friend bool operator==(const Deletion&, const Deletion&) = default;
};

/// A key or a secret that was deleted, by its newest version.
template <class Info>
struct Deleted {
  Info info;
  Deletion deletion;
};

using DeletedKey = Deleted<KeyInfo>;

}  // namespace signet::vault
