#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "certstore/vault/vault_certificate.h"

/// What an issuer of a vault is to the vault: somebody at whom certificates are ordered. gateway/issuance
/// implements it.

namespace signet::vault {

/// The provider that is the certificate service of this installation: the issuer's organisation names one of
/// its groups, its account an application there.
inline constexpr std::string_view kOwnService = "Signet";
/// Whether that is meant, in any case.
bool is_own_service(std::string_view provider);
/// Whether orders can be placed at issuers of this provider: "Signet", "ACME", "DigiCert" or "GlobalSign", in
/// any case.
bool is_served(std::string_view provider);

/// Our account at an issuer, for the gateway while it deals with it.
class IssuerAccount {
 public:
  virtual ~IssuerAccount() = default;
  [[nodiscard]] virtual const CertificateIssuer& issuer() const = 0;
  [[nodiscard]] virtual const SecretBytes& password() const = 0;
  /// Of the account's own key, EC on P-256, which was made for it and is never replaced:
  /// SubjectPublicKeyInfo.
  [[nodiscard]] virtual const Bytes& public_key() const = 0;
  /// ES256 with that key: r || s over a SHA-256 digest.
  virtual Result<Bytes> sign(ByteView digest) = 0;
  /// What the issuer calls the account; empty until it is registered.
  [[nodiscard]] virtual const std::string& url() const = 0;
  /// Keeps that, durably; empty for one that has to be registered again.
  virtual Result<> keep_url(std::string url) = 0;
};

/// What is ordered.
struct OrderedCertificate {
  Bytes request;  ///< PKCS#10, DER
  CertificatePolicy policy;
  std::string begun_by;  ///< as StoredOperation has it
};

/// The issuer is at it, or waits for somebody.
struct StillOrdering {
  std::chrono::seconds again_in{};  ///< when to ask again
  std::string details;              ///< what is waited for
};
/// The certificate, then those of its issuers as far as they are given.
struct Issued {
  std::vector<certstore::Certificate> chain;
};
using OrderProgress = std::variant<StillOrdering, Issued, OperationFailure>;

/// Reasons of RFC 5280 section 5.3.1 that a certificate's owner can have.
enum class RevocationReason {
  Unspecified = 0,
  KeyCompromise = 1,
  AffiliationChanged = 3,
  Superseded = 4,
  CessationOfOperation = 5,
};
/// "unspecified", "keyCompromise"...
std::string_view to_string(RevocationReason reason);
/// @error InvalidInput  lists those there are.
Result<RevocationReason> parse_revocation_reason(std::string_view text);

/// The way to issuers of one kind. An order is known by the name that order() gives, which is kept;
/// everything else is asked for again each time, so that it can go on after any interruption. For one thread.
///
/// Errors of every operation:
/// @error Unavailable       the issuer cannot be reached, or says to come again later.
/// @error CryptoFailure     its TLS certificate is not trusted.
/// @error PermissionDenied  the issuer refuses this certificate.
/// @error Unsupported, ...  the issuer and we do not come together: its settings have to be corrected.
class CertificateProvider {
 public:
  virtual ~CertificateProvider() = default;
  /// @returns what the issuer calls the order.
  virtual Result<std::string> order(IssuerAccount& account, const OrderedCertificate& wanted) = 0;
  /// What the issuer calls an order that may have been placed already, by a process that ended before it
  /// could note that; empty where there is none, or the issuer cannot be asked such a thing.
  virtual Result<std::string> find(IssuerAccount& /*account*/, const OrderedCertificate& /*wanted*/) {
    return std::string();
  }
  /// Looks how an order is getting on, and does what it waits for.
  virtual Result<OrderProgress> poll(IssuerAccount& account, const std::string& order,
                                     const OrderedCertificate& wanted) = 0;
  /// Calls an order off, as far as the issuer knows such a thing.
  virtual Result<> cancel(IssuerAccount& account, const std::string& order) = 0;
  /// Whether an order can fail only because nobody was here to answer for it, so that it is worth a second
  /// one.
  [[nodiscard]] virtual bool orders_lapse() const = 0;
  virtual Result<> revoke(IssuerAccount& account, const certstore::Certificate& certificate,
                          RevocationReason reason) = 0;
};

/// A failure of a provider that trying again does not mend, as an operation has it.
OperationFailure failure_of(const Error& error);
/// Whether trying again may help.
bool may_pass(const Error& error);

}  // namespace signet::vault
