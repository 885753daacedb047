#pragma once

#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "certstore/vault/key.h"
#include "certstore/x509/certificate.h"

/// Private keys from files: on their way into the vault.

namespace signet::vault {

/// A private key outside of the vault, checked, not yet imported.
struct KeyMaterial {
  KeyKind kind = KeyKind::Rsa2048;
  SecretBytes pkcs8;  ///< PrivateKeyInfo (RFC 5208), DER
};

struct ImportedKey {
  KeyMaterial key;
  /// The certificates of the file, the key's own first; none in a PEM file with nothing but a key.
  std::vector<certstore::Certificate> certificates;
};

/// Octets of a key file that are looked at, and rounds of key derivation that a file may ask for, over all
/// its parts.
inline constexpr std::size_t kMaxKeyFileSize = 1024 * 1024;
inline constexpr std::int64_t kMaxKeyDerivationRounds = 10'000'000;

/// Reads a PKCS#12 (PFX) or PEM file, encrypted or not.
///
/// @param passphrase  nothing where none was given; an empty one is tried as such.
/// @error InvalidInput   neither form; no private key, or more than one; a key that contradicts itself; none
/// of the
///                       certificates is the key's.
/// @error CryptoFailure  the passphrase is missing or wrong.
/// @error Unsupported    a key or an encryption that Signet does not take, such as PKCS#1 keys and RC2.
/// @error LimitExceeded  over 1 MiB, more than 100 certificates, or more than 10,000,000 rounds of key
/// derivation.
Result<ImportedKey> read_key_file(ByteView file, const std::optional<SecretBytes>& passphrase);

/// Checks a PKCS#8 key. @error InvalidInput, Unsupported  as above.
Result<KeyMaterial> read_pkcs8(ByteView der);

}  // namespace signet::vault
