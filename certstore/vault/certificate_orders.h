#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "certstore/vault/certificate_provider.h"
#include "certstore/vault/vault_certificate.h"

/// Operations that wait for an issuer of their vault, for the gateway that orders the certificates there.

namespace signet::vault {

/// An operation in progress at an issuer of the vault.
struct PendingOrder {
  CertificateOperation operation;
  OrderedCertificate wanted;
  std::string order;  ///< what the issuer calls it; empty until it is placed there
  Time begun{};
};

/// What the gateway does with such operations, in its own name. It needs no permission for that: who began
/// the operation had it. Thread-safe.
///
/// @error NotFound  the operation, or the issuer, is gone: somebody deleted it.
class CertificateOrders {
 public:
  virtual ~CertificateOrders() = default;

  /// Of every vault.
  virtual Result<std::vector<PendingOrder>> pending_orders() = 0;
  /// The account at an issuer; its key is made now if there is none.
  ///
  /// @error Disabled  the issuer is.  @error Unavailable  password or key at rest cannot be opened.
  virtual Result<std::unique_ptr<IssuerAccount>> open_issuer_account(std::string_view vault,
                                                                     std::string_view issuer) = 0;
  /// Keeps `order` and the operation's `details`, durably.
  virtual Result<> note_order(const PendingOrder& order) = 0;
  /// Makes the new version of what was issued.
  ///
  /// @error InvalidInput  it is not for the request's key.
  virtual Result<VaultCertificate> complete_order(const PendingOrder& order,
                                                  const std::vector<certstore::Certificate>& chain) = 0;
  /// Ends the operation without a version, and forgets its key.
  virtual Result<> fail_order(const PendingOrder& order, const OperationFailure& failure) = 0;
  /// The same for one whose end was wished for.
  virtual Result<> cancel_order(const PendingOrder& order) = 0;

  /// What asks an issuer for a revocation.
  using Revoke = std::function<Result<>(IssuerAccount&, const certstore::Certificate&)>;
  /// Has a version revoked by the issuer that the certificate's policy names. Nothing is changed in the
  /// vault.
  ///
  /// @error PermissionDenied  the principal lacks `update`; or as `revoke` says.
  /// @error InvalidInput      the policy names none: Self and Unknown revoke nothing.
  virtual Result<> revoke_certificate(const Principal& principal, const CertificateId& id,
                                      RevocationReason reason, const Revoke& revoke) = 0;
};

}  // namespace signet::vault
