#pragma once

#include "base/digest.h"
#include "base/result.h"
#include "certstore/x509/certificate.h"
#include "certstore/x509/key_handle.h"
#include "certstore/x509/profile.h"
#include "certstore/x509/publication.h"

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

/// What an authority says in a certificate besides the profile.
struct IssuingTerms {
  Publication publication;                    ///< of the authority that signs
  bool extended_key_usages_critical = false;  ///< whoever does not know them is to refuse the certificate
  /// For the certificate of a delegated OCSP responder, whose revocation nobody asks about (RFC 6960 section
  /// 4.2.2.2.1).
  bool ocsp_no_check = false;
};

/// Issues a certificate by an authority: serial number of 20 random octets, positive; subject and authority
/// key identifier, the latter with the issuer's name and serial number; everything else as the profile says.
/// With basic constraints of an authority and keyCertSign it makes a subordinate one.
///
/// @param key         the issuer's
/// @param issuer      the authority's certificate
/// @param public_key  the holder's, SubjectPublicKeyInfo (RFC 5280 section 4.1), DER
/// @error InvalidInput   the profile (check_profile()) or the terms (check_publication()); dates that leave
/// no
///                       time or are not within the issuer's; an issuer that is no authority, may not issue
///                       (keyCertSign, path length), has no subject key identifier or whose key is another;
///                       a subordinate authority that may go on farther than its issuer, or has no subject.
/// @error Unsupported    a public key that check_key_strength() would refuse.
/// @error CryptoFailure  the key does not sign. Where it lies in a vault, vault::take_vault_refusal() says
///                       why.
Result<Certificate> issue_certificate(const SigningKey& key, const Certificate& issuer, ByteView public_key,
                                      const CertificateProfile& profile, const IssuingTerms& terms = {});

/// Makes an authority's certificate, signed by its own key: as above, with itself for an issuer. The profile
/// is an authority's with keyCertSign and cRLSign.
///
/// Errors as above.
Result<Certificate> make_self_signed_authority(const SigningKey& key, const CertificateProfile& profile,
                                               const IssuingTerms& terms = {});

/// Makes a PKCS#10 request (RFC 2986), DER, which asks an authority for a certificate with the profile's
/// names, uses and constraints (extensionRequest, RFC 2985 section 5.4.2). The profile's dates are not part
/// of a request. It needs no subject where there are alternative names.
///
/// Errors as above.
Result<Bytes> make_certification_request(const SigningKey& key, const CertificateProfile& profile);

}  // namespace signet::certstore
