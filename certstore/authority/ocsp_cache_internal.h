#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "base/bytes.h"
#include "base/clock.h"

/// Internal: answers of the OCSP responder, so that strangers do not have everything signed anew.

namespace signet::authority {

/// Thread-safe. Small: what does not fit is signed again when it is asked for.
class OcspCache {
 public:
  static constexpr std::chrono::hours kLifetime{8};  ///< from thisUpdate to nextUpdate

  /// An answer of which half the time is left, for a certificate in that state.
  std::optional<Bytes> find(const Bytes& question, bool is_revoked, Time now);
  void put(const Bytes& question, bool is_revoked, Time now, const Bytes& answer);
  /// Whether another signature may be spent on a stranger now: kMostPerMinute in a minute.
  bool may_sign(Time now);

 private:
  static constexpr std::size_t kMostAnswers = 5000;
  static constexpr int kMostPerMinute = 600;
  struct Answer {
    bool is_revoked = false;
    Time made{};
    Bytes der;
  };

  std::mutex mutex_;
  std::map<Bytes, Answer> answers_;
  Time minute_{};
  int signed_in_minute_ = 0;
};

}  // namespace signet::authority
