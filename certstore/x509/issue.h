#pragma once

#include "base/digest.h"
#include "base/result.h"
#include "certstore/x509/certificate.h"
#include "certstore/x509/key_handle.h"
#include "certstore/x509/profile.h"

/// New certificates and requests for them.

using OSSL_LIB_CTX = struct ossl_lib_ctx_st;

namespace signet::certstore {

/// What signs: a key with its public half, which a handle of the vault's does not give to OpenSSL's encoders.
struct SigningKey {
  KeyHandle key;
  Bytes public_key;          ///< SubjectPublicKeyInfo (RFC 5280 section 4.1), DER
  Hash hash = Hash::Sha256;  ///< SHA-256, SHA-384 or SHA-512
  /// OpenSSL's library context that the key lives in, borrowed; the default one when null.
  OSSL_LIB_CTX* library = nullptr;
};

/// Makes a certificate for a key, signed by the key itself (X.509 version 3, a serial number of 128 random
/// bits, a subject key identifier).
///
/// @error InvalidInput   the profile (check_profile()), or one without a subject; dates that leave no time; a
///                       public key that is none, or not the signing key's.
/// @error CryptoFailure  the key does not sign. Where it lies in a vault, vault::take_vault_refusal() says
///                       why.
Result<Certificate> make_self_signed(const SigningKey& key, const CertificateProfile& profile);

/// Makes a PKCS#10 request (RFC 2986), DER, which asks an authority for a certificate with the profile's
/// names, uses and constraints (extensionRequest, RFC 2985 section 5.4.2). The profile's dates are not part
/// of a request. It needs no subject where there are alternative names.
///
/// Errors as above.
Result<Bytes> make_certification_request(const SigningKey& key, const CertificateProfile& profile);

}  // namespace signet::certstore
