#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "certstore/vault/import.h"
#include "gateway/api/call.h"

/// Keys as JSON Web Keys (RFC 7517, 7518 section 6).

namespace signet::gateway::api {

/// The members kty, n and e of an RSA key, or kty, crv, x and y of an EC key, from its SubjectPublicKeyInfo.
///
/// @error Internal  no key that the vault has.
Result<Json> public_jwk(ByteView subject_public_key_info);

/// A whole key: an RSA key with all that RFC 7518 section 6.3.2 names, or an EC key. What its numbers pass
/// through is wiped.
///
/// @error InvalidInput, Unsupported  a member that is missing or says nothing; numbers that make no key; a
/// key
///                                   that the vault does not take.
Result<vault::KeyMaterial> read_private_jwk(const Json& jwk);

/// "P-256", "P-384" and "P-521". @error InvalidInput
Result<vault::KeyKind> ec_kind(std::string_view curve);
/// "RSA" of "RSA-HSM", by which a key in a token is meant.
struct KeyType {
  std::string type;
  bool in_token = false;
};
KeyType key_type(std::string word);
/// What is said of a kty that the vault does not have.
Error unknown_key_type(std::string_view type);

}  // namespace signet::gateway::api
