#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "gateway/api/call.h"

/// Keys as JSON Web Keys (RFC 7517, 7518 section 6).

namespace signet::gateway::api {

/// The members kty, n and e of an RSA key, or kty, crv, x and y of an EC key, from its SubjectPublicKeyInfo.
///
/// @error Internal  no key that the vault has.
Result<Json> public_jwk(ByteView subject_public_key_info);

}  // namespace signet::gateway::api
