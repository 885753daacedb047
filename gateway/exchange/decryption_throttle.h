#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/throttle.h"

namespace signet::gateway {

/// In an hour, unless set otherwise: more than a partner who sends a message every four seconds, all of them
/// damaged, has; a thousandth of what is needed to read a single message.
inline constexpr unsigned kDecryptionFailures = 1000;

/// Holds back whoever posts too much that our keys do not decrypt. All ways to make a gateway decrypt other
/// people's messages ask it many thousands of questions that it cannot answer (RFC 3218: about a million); a
/// partner whose settings are wrong asks a few.
///
/// It counts by address and agreement together: by the agreement alone, anybody could have its real partner
/// held back. Of IPv6 an address counts as its /64, which is what one subscriber has. What names none of our
/// keys costs no use of one, tells nothing, and is not to be counted: so a partner with an outdated
/// certificate of ours is never held back. Thread-safe.
class DecryptionThrottle {
 public:
  using Moment = Throttle::Moment;

  /// `an_hour`: as many failures at once, and on the average as many in an hour; 0: any number.
  explicit DecryptionThrottle(unsigned an_hour);

  /// How long nothing that comes from there under the agreement is to be opened; nothing: it may be now.
  [[nodiscard]] std::optional<std::chrono::seconds> wait(std::string_view address, std::string_view agreement,
                                                         Moment now) const;

  /// A key of ours was used in vain. @returns how long to wait where this was the last that is let through.
  std::optional<std::chrono::seconds> failed(std::string_view address, std::string_view agreement,
                                             Moment now);

 private:
  const bool limited_;
  Throttle failures_;
};

}  // namespace signet::gateway
