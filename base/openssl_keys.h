#pragma once

#include "base/bytes.h"
#include "base/openssl.h"
#include "base/result.h"

/// Public keys out of their numbers. For `.cc` files, as openssl.h.

namespace signet {

/// An RSA key of `library` (null: OpenSSL's default one) with this modulus and exponent, both unsigned and
/// with the most significant octet first.
///
/// @error CryptoFailure  they are no RSA key. OpenSSL's own error is in the text, and its queue is empty.
Result<EvpPkeyPtr> rsa_public_key(OSSL_LIB_CTX* library, ByteView modulus, ByteView exponent);

}  // namespace signet
