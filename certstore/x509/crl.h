#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "certstore/x509/certificate.h"
#include "certstore/x509/distinguished_name.h"
#include "certstore/x509/issue.h"

/// Certificate revocation lists (RFC 5280 section 5): complete ones, each signed by the issuer of the
/// certificates that it is for.

using X509_CRL = struct X509_crl_st;

namespace signet::certstore {

/// RFC 5280 section 5.3.1; the values are the standard's numbers.
enum class RevocationReason {
  Unspecified = 0,
  KeyCompromise = 1,
  CaCompromise = 2,
  AffiliationChanged = 3,
  Superseded = 4,
  CessationOfOperation = 5,
  CertificateHold = 6,
  PrivilegeWithdrawn = 9,
  AaCompromise = 10,
};

/// "keyCompromise", "cACompromise": the standard's words.
std::string_view to_string(RevocationReason reason);
/// Reads them, in any case. @error InvalidInput  names those there are.
Result<RevocationReason> parse_revocation_reason(std::string_view text);

struct RevokedCertificate {
  std::string serial;  ///< upper-case hexadecimal, as Certificate::serial()
  Time revoked{};      ///< whole seconds
  RevocationReason reason = RevocationReason::Unspecified;

  friend bool operator==(const RevokedCertificate&, const RevokedCertificate&) = default;
};

/// A revocation list, parsed once and then shared: immutable, cheap to copy, safe to use from any thread. A
/// parsed one is not yet to be believed: verify() says whether its issuer signed it.
class Crl {
 public:
  /// Reads exactly one list, DER or PEM, from a stranger: of at most 8 MiB, 200,000 entries and 32
  /// names of its own place.
  ///
  /// @error InvalidInput   none; octets after its end; no issuer, no nextUpdate [RFC5280 5.1.2.5], times that
  ///                       are none or end before they begin; extensions in version 1, or one twice.
  /// @error Unsupported    a delta list, one for other issuers' certificates (indirect), for some reasons or
  ///                       for attribute certificates alone, or a critical extension that is not known.
  /// @error LimitExceeded
  static Result<Crl> parse(ByteView pem_or_der);

  [[nodiscard]] const Bytes& der() const;
  [[nodiscard]] std::string pem() const;
  [[nodiscard]] const DistinguishedName& issuer() const;
  [[nodiscard]] const Bytes& authority_key_id() const;  ///< of the key that signed it; empty when it has none
  /// cRLNumber, upper-case hexadecimal of whole octets; empty when it has none.
  [[nodiscard]] const std::string& number() const;
  [[nodiscard]] Time this_update() const;
  [[nodiscard]] Time next_update() const;
  [[nodiscard]] bool current_at(Time time) const { return this_update() <= time && time <= next_update(); }
  [[nodiscard]] const std::vector<RevokedCertificate>& entries() const;  ///< by serial number, each once
  /// The entry of a serial number as Certificate::serial() writes it, borrowed; null when there is none.
  [[nodiscard]] const RevokedCertificate* find(const std::string& serial) const;

  /// Whether the list says of this certificate if it is revoked: the same issuer's name and, where both name
  /// one, key; within what issuingDistributionPoint leaves of it (RFC 5280 section 6.3.3 (b)). Where an
  /// authority has renewed its key, each key has lists of its own.
  [[nodiscard]] bool covers(const Certificate& certificate) const;

  /// Whether this list is older than the other of the same issuer: by number, or by thisUpdate where one has
  /// no number.
  [[nodiscard]] bool older_than(const Crl& other) const;

  /// Whether the issuer signed it: the names and key identifiers match, the issuer is an authority whose key
  /// usage, where it says one, has cRLSign, and the signature holds. Dates are not looked at.
  ///
  /// @error CryptoFailure  it did not, or may not have.  @error Unsupported  a signature by SHA-1 and the
  ///                       like.
  [[nodiscard]] Result<> verify(const Certificate& issuer) const;

  /// Borrowed; for calls into OpenSSL, which must not change it.
  [[nodiscard]] X509_CRL* native() const;

  friend bool operator==(const Crl& a, const Crl& b) { return a.der() == b.der(); }

 private:
  struct Facts;
  explicit Crl(std::shared_ptr<const Facts> facts) : facts_(std::move(facts)) {}
  std::shared_ptr<const Facts> facts_;
};

/// What a new list says.
struct CrlContents {
  std::uint64_t number = 1;                 ///< cRLNumber: greater than that of every list before, for ever
  Time this_update{};                       ///< whole seconds
  Time next_update{};                       ///< when the next one is there at the latest
  std::vector<RevokedCertificate> entries;  ///< in any order; may be empty
};

/// Makes a list, version 2, with authorityKeyIdentifier and cRLNumber. The reason "unspecified" is left out,
/// as RFC 5280 section 5.3.1 asks.
///
/// @param issuer  an authority's certificate with a subject key identifier, whose key `key` is
/// @error InvalidInput   dates that leave no time; a serial number that is none, or twice; an issuer that may
///                       not sign lists, or whose key is another.  @error LimitExceeded  over 200,000
///                       entries.
/// @error CryptoFailure  the key does not sign. Where it lies in a vault, vault::take_vault_refusal() says
///                       why.
Result<Crl> make_crl(const SigningKey& key, const Certificate& issuer, const CrlContents& contents);

}  // namespace signet::certstore
