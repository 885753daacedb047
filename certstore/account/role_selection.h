#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

/// Rollover: a role of an agreement (sign message, sign MDN, encrypt, decrypt, verify message, verify MDN)
/// may name several certificates, each with the time in which it is active. One is used to send; on receipt
/// each active one is accepted.

namespace signet::certstore {

struct CertificateChoice {
  std::string certificate;                ///< its name in the integration account
  Time active_from = Time::min();         ///< the first moment; unless set, it always was
  std::optional<Time> active_until = {};  ///< the first moment after it; absent: for ever

  [[nodiscard]] bool active_at(Time time) const {
    return active_from <= time && (!active_until || time < *active_until);
  }
};

/// The one to send with: of the active ones the one that became active last; of equals the last listed.
///
/// @error NotFound  none is named, or none is active: says at what time, and when the next one will be, for
/// the caller
///                  to put "certificate role 'encrypt' of agreement 'X'" before it with Error::within().
Result<CertificateChoice> newest_active(const std::vector<CertificateChoice>& choices, Time now);

/// Those to accept on receipt, the one that newest_active() gives first.
///
/// @error NotFound  as above; so the result is never empty.
Result<std::vector<CertificateChoice>> all_active(const std::vector<CertificateChoice>& choices, Time now);

}  // namespace signet::certstore
