#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "certstore/vault/algorithms.h"

namespace signet::vault {

/// Encrypts for whoever has the private half: as KeyVault::encrypt(), with nothing but the public half at
/// hand.
///
/// @param public_key  SubjectPublicKeyInfo of an RSA key, DER
/// @error InvalidInput  it is no such key, or the plaintext is longer than it takes.
Result<Bytes> encrypt_for(ByteView public_key, const EncryptionAlgorithm& algorithm, ByteView plaintext);

}  // namespace signet::vault
