#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "gateway/exchange/account_snapshot.h"
#include "gateway/operations/metrics.h"

namespace signet::gateway {

/// What a certificate is used for, and under which agreement.
struct CertificateUse {
  std::string agreement;
  std::string role;  ///< "verifyMessage", "decrypt", "signMdn", "signMessage", "encrypt", "verifyMdn",
                     ///< "tlsClient", "tlsTrust"; "tlsServer", which is no agreement's

  friend bool operator==(const CertificateUse&, const CertificateUse&) = default;
};

struct CertificateExpiry {
  std::string name;
  bool has_key = false;  ///< ours; else a partner's
  Time not_after{};
  std::vector<CertificateUse> uses;

  /// Negative once it has expired.
  [[nodiscard]] double days_left(Time now) const;
};

/// Every certificate of the account, those that end first in front, with everything that it is used for now
/// or from some day on. `tls_servers` are the names of those that HTTPS listeners show.
///
/// @error InvalidInput  one that does not parse.
Result<std::vector<CertificateExpiry>> certificate_expiries(const AccountSnapshot& account,
                                                            const std::vector<std::string>& tls_servers);

/// "tlsServer, trade (encrypt, verifyMdn)"
std::string to_string(const std::vector<CertificateUse>& uses);

Reading reading_of(const std::vector<CertificateExpiry>& certificates, Time now);

}  // namespace signet::gateway
