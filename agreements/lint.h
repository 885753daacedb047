#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agreements/model.h"
#include "agreements/problem.h"
#include "base/bytes.h"
#include "base/clock.h"

/// What an account means, checked: would messages under these agreements be secured, answered and delivered?

namespace signet::agreements {

/// What a certificate is asked to do.
enum class CertificatePurpose { Sign, Verify, Encrypt, Decrypt, TlsClient, TlsTrust };

/// What the linter has to know of a certificate, whoever parsed it.
struct CertificateFact {
  Time not_before{};
  Time not_after{};
  std::string key;           ///< for people: "RSA 2048", "EC P-256"
  std::string key_weakness;  ///< what is wrong with the key's type or size, empty: nothing
  std::string fingerprint;   ///< SHA-256 of the certificate, for "two names, one certificate"
};

/// What the linter has to know of a certificate that is to be looked up in revocation lists.
struct RevocationFact {
  bool self_signed = false;  ///< there is nothing to look up
  std::string never;         ///< why no list can be had for it; empty: one can, as far as is known
  std::string advice;        ///< with `never`: what would change that
};

/// Certificates as the linter sees them. The gateway answers from what it has parsed; agreements itself knows
/// them by name only.
class CertificateFacts {
 public:
  virtual ~CertificateFacts() = default;

  /// The facts of an entry of the account under check (not of the account that is stored). Nothing: it cannot
  /// be parsed, or there is none by this name; `why_not` then says why.
  [[nodiscard]] virtual std::optional<CertificateFact> find(const CertificateEntry& entry,
                                                            std::string& why_not) const = 0;
  /// What stands in the certificate (key usage, extended key usage) against the purpose; empty: nothing.
  [[nodiscard]] virtual std::string objection(const CertificateEntry& entry,
                                              CertificatePurpose purpose) const = 0;
  /// Of a certificate that can be parsed.
  [[nodiscard]] virtual RevocationFact revocation_of(const CertificateEntry& /*entry*/) const { return {}; }
};

/// What the linter has to know of a secret in a key vault.
struct SecretFact {
  std::string missing;   ///< why there is none by this name; empty: there is one
  std::string unusable;  ///< why it is not given out now; empty: it is
};

/// What the linter has to know of a private certificate's key in a key vault.
struct KeyFact {
  std::string missing;   ///< why there is none by these names; empty: there is one
  std::string mismatch;  ///< why it is not the certificate's; empty: it is
};

/// What the vaults hold, for whom has them at hand.
class VaultFacts {
 public:
  virtual ~VaultFacts() = default;
  /// @param entry  one that names a key, and whose certificate can be parsed
  [[nodiscard]] virtual KeyFact key_of(const CertificateEntry& entry) const = 0;
  [[nodiscard]] virtual SecretFact secret(std::string_view key_vault, std::string_view secret_name) const = 0;
};

/// How long before a certificate's end the linter begins to warn.
inline constexpr std::chrono::hours kExpiryWarning = std::chrono::hours(24) * 30;

/// Every problem of meaning, errors and warnings, in the order of the account. `positions` as parse_account()
/// gave them, or empty ones. Without `vaults`, nothing is said about which keys and secrets there are.
std::vector<Problem> lint(const Account& account, const CertificateFacts& facts, Time now,
                          const Positions& positions = Positions{}, const VaultFacts* vaults = nullptr);

}  // namespace signet::agreements
