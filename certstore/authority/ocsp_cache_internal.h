#pragma once

#include <map>
#include <mutex>
#include <optional>
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

  /// An answer of which half the time is left, for a certificate in that state.
  std::optional<Bytes> find(const Bytes& question, bool is_revoked, Time now);
  /// Where there is no room, those go whose time is over, or else the oldest.
  void put(const Bytes& question, bool is_revoked, Time now, const Bytes& answer);
  /// Whether another signature may be spent on a stranger of that network now. One network's share is small,
  /// so that nobody uses up alone what is for all.
  bool may_sign(std::string_view network, Throttle::Moment now);

 private:
  struct Answer {
    bool is_revoked = false;
    Time made{};
    Bytes der;
  };

  std::mutex mutex_;
  std::map<Bytes, Answer> answers_;
  Throttle signatures_{kSignatures};
  Throttle signatures_of_networks_{kSignaturesOfNetwork};
};

}  // namespace signet::authority
