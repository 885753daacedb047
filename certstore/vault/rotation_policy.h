#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "certstore/vault/calendar_period.h"
#include "certstore/vault/key.h"

/// When a key gets a new version by itself, and when somebody is told that its end is near.

namespace signet::vault {

/// A moment in the life of a key's version.
struct RotationTrigger {
  enum class From { Creation, Expiry };
  From from = From::Expiry;
  CalendarPeriod period;  ///< after its creation, or before it expires

  friend bool operator==(const RotationTrigger&, const RotationTrigger&) = default;
};

/// In Key Vault's words: "timeAfterCreate P60D", "timeBeforeExpiry P30D". Also the form that is stored.
std::string to_string(const RotationTrigger& trigger);
/// @error InvalidInput  says what is expected.
Result<RotationTrigger> parse_rotation_trigger(std::string_view text);

/// Key Vault's lifetimeActions, of which it has at most one of either type.
struct RotationPolicy {
  std::optional<CalendarPeriod>
      expiry_time;  ///< how long a version made by rotation lasts; for ever without one
  std::optional<RotationTrigger> rotate;
  std::optional<RotationTrigger> notify;
  Time created{};  ///< 1970 for a policy that was never set
  Time updated{};
};

/// That of a key for which none was set: a notice 30 days before a version expires.
RotationPolicy default_rotation_policy();

/// "expiry P90D, rotate timeBeforeExpiry P30D, notify timeBeforeExpiry P10D".
std::string to_string(const RotationPolicy& policy);

/// @error InvalidInput  an expiry time of less than 28 days; a rotation less than 7 days, in any month, after
///                      the creation or before the expiry, or before the expiry of versions that never
///                      expire; a notice that counts from the creation.
Result<> check_rotation_policy(const RotationPolicy& policy);

/// When a trigger acts on a version of a key; never where it counts from an expiry that the version does not
/// have.
std::optional<Time> due_time(const RotationTrigger& trigger, const KeyInfo& info);

}  // namespace signet::vault
