#pragma once

#include "base/result.h"
#include "base/secret.h"
#include "certstore/vault/import.h"
#include "certstore/vault/key.h"

/// Private keys as the numbers that they consist of, as a JSON Web Key has them: on their way into the vault.

namespace signet::vault {

/// RFC 8017 section 3.2, each big-endian. Leading zeros are passed over.
struct RsaNumbers {
  SecretBytes n;
  SecretBytes e;
  SecretBytes d;
  SecretBytes p;
  SecretBytes q;
  SecretBytes dp;
  SecretBytes dq;
  SecretBytes qi;
};

/// A point and its private key, each exactly as long as the coordinates of the curve (RFC 7518 section 6.2).
struct EcNumbers {
  KeyKind curve = KeyKind::EcP256;
  SecretBytes x;
  SecretBytes y;
  SecretBytes d;
};

/// @error InvalidInput  a number of a length that does not fit, or numbers that contradict one another.
/// @error Unsupported   a size of key that the vault does not have.
Result<KeyMaterial> read_rsa_key(const RsaNumbers& numbers);
Result<KeyMaterial> read_ec_key(const EcNumbers& numbers);

}  // namespace signet::vault
