#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/api/lifecycle_services.h"
#include "gateway/exchange/certificate_exchange_store.h"

namespace signet::gateway::api {

/// How a partner's certificate is accepted.
struct ExchangeAcceptance {
  std::string id;                 ///< of the record, or its first 8 digits or more
  std::string name;               ///< that it gets in the account; empty: one is made
  std::optional<Time> use_from;   ///< when we encrypt for it; absent: at once
  std::optional<Time> retire_at;  ///< the end of the one whose place it takes; absent: 30 days after that
};

/// Certificates that are exchanged by messages (CEM). A decision is durable before anything follows from it,
/// and what follows is done by whoever comes first, the caller or a running gateway: the account's change,
/// and then the answer. Thread-safe.
///
/// @error NotFound  no such record, agreement or rollover.  @error AlreadyExists  it was decided before.
/// @error ...       of the stores.
class CertificateExchangeAdministration {
 public:
  virtual ~CertificateExchangeAdministration() = default;
  /// The newest first.
  virtual Result<std::vector<CertificateExchangeRecord>> list() = 0;
  virtual Result<CertificateExchangeRecord> show(std::string_view id) = 0;
  /// The partner's certificate goes into the account and, by a planned rollover, into the agreement, and the
  /// partner hears so. With errors in the outcome nothing was decided.
  ///
  /// @error InvalidInput  it is ours.  @error Unsupported  it is for TLS, whose certificates have no dates.
  virtual Result<RolloverOutcome> accept(const vault::Principal& principal,
                                         const ExchangeAcceptance& acceptance, bool dry_run) = 0;
  /// @param reason  told to the partner
  virtual Result<CertificateExchangeRecord> reject(const vault::Principal& principal, std::string_view id,
                                                   std::string_view reason) = 0;
  /// Tells the partner of our certificate in a rollover, which is then used only once he accepts it.
  ///
  /// @param respond_by  absent: when its use is to begin
  /// @error Unsupported  the agreement does not exchange certificates, or the partner does not advertise that
  ///                     he does.
  /// @error InvalidInput  the rollover is the partner's, or does not accept the certificate yet.
  virtual Result<CertificateExchangeRecord> announce(const vault::Principal& principal,
                                                     std::string_view agreement, std::string_view successor,
                                                     std::optional<Time> respond_by) = 0;
};

}  // namespace signet::gateway::api
