#pragma once

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "certstore/vault/key.h"
#include "certstore/x509/certificate.h"

/// Keys that are made for somebody else, who gets them in a file. They are none of a vault.

namespace signet::vault {

/// Rounds of PBKDF2 and of the key derivation of a PFX's MAC.
inline constexpr int kKeyFileRounds = 600'000;

/// A new key, in the secure heap while this lives.
class KeyPair {
 public:
  static Result<KeyPair> generate(KeyKind kind);
  KeyPair(KeyPair&&) noexcept;
  KeyPair& operator=(KeyPair&&) noexcept;
  ~KeyPair();

  /// SubjectPublicKeyInfo (RFC 5280 section 4.1), DER.
  [[nodiscard]] const Bytes& public_key() const;

  /// A PFX file (RFC 7292) with the key and the certificates, the key's own first: PBES2 with AES-256 and
  /// HMAC-SHA-256, and a MAC of SHA-256, kKeyFileRounds each.
  Result<SecretBytes> to_pfx(const std::vector<certstore::Certificate>& chain,
                             const SecretBytes& password) const;
  /// "ENCRYPTED PRIVATE KEY" (RFC 5958), under PBES2 as above, then the certificates.
  Result<SecretBytes> to_pem(const std::vector<certstore::Certificate>& chain,
                             const SecretBytes& password) const;

 private:
  class Secret;
  explicit KeyPair(std::unique_ptr<Secret> secret);
  std::unique_ptr<Secret> secret_;
};

}  // namespace signet::vault
