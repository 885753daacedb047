#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/throttle.h"

/// Internal: answers of the OCSP responder, so that strangers do not have everything signed anew.

namespace signet::authority {

/// Thread-safe. Small: what does not fit is signed again when it is asked for.
class OcspCache {
 public:
  static constexpr std::chrono::hours kLifetime{8};  ///< from thisUpdate to nextUpdate
  static constexpr std::size_t kMostAnswers = 5000;
  static constexpr Rate kSignatures{10, 600};         ///< for all together
  static constexpr Rate kSignaturesOfNetwork{1, 60};  ///< for those who ask from one network

  /// What was answered, and what is needed to see whether it still holds.
  struct Answer {
    std::string group;
    std::string issuer_serial;
    bool is_revoked = false;  ///< the state of the certificate that it tells of
    Time made{};
    Bytes der;
  };

  /// An answer of which half the time is left. Whether the certificate is in that state still is asked of the
  /// store.
  std::optional<Answer> find(const Bytes& question, Time now);
  /// Where there is no room, those go whose time is over, or else the oldest.
  void put(const Bytes& question, Answer answer);
  /// Whether another signature may be spent on a stranger of that network now. One network's share is small,
  /// so that nobody uses up alone what is for all.
  bool may_sign(std::string_view network, Throttle::Moment now);

 private:
  std::mutex mutex_;
  std::map<std::string, Answer, std::less<>> answers_;  ///< by the question's octets
  Throttle signatures_{kSignatures};
  Throttle signatures_of_networks_{kSignaturesOfNetwork};
};

}  // namespace signet::authority
