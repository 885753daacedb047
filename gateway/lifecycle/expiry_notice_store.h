#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

/// What must be kept of the notices that certificates come to their end.

namespace signet::gateway {

/// That a certificate comes to its end.
struct ExpiryNotice {
  std::string thumbprint;  ///< SHA-256 of the certificate
  unsigned days = 0;       ///< which of the days before its end it is for
  Time queued{};
  bool mailed = false;
  bool settled = false;  ///< told, or nobody is to be told any more; kept, so that it is told once

  friend bool operator==(const ExpiryNotice&, const ExpiryNotice&) = default;
};

/// gateway/store implements it. Thread-safe; durable on return.
///
/// @error IoFailure, Unavailable  of every call
class ExpiryNoticeStore {
 public:
  virtual ~ExpiryNoticeStore() = default;
  /// All that there ever were, the oldest first.
  virtual Result<std::vector<ExpiryNotice>> notices() = 0;
  /// Those that are new; one that is there stays as it is.
  virtual Result<> queue(const std::vector<ExpiryNotice>& notices) = 0;
  /// Of one that is there.
  virtual Result<> put(const ExpiryNotice& notice) = 0;
};

}  // namespace signet::gateway
