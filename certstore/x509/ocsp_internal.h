#pragma once

#include <openssl/ocsp.h>

#include "certstore/x509/asn1_internal.h"
#include "certstore/x509/crl_internal.h"
#include "certstore/x509/ocsp.h"

/// Internal to the two sides of OCSP.

namespace signet::certstore {

using OcspRequestPtr = Handle<OCSP_REQUEST, OCSP_REQUEST_free>;
using OcspResponsePtr = Handle<OCSP_RESPONSE, OCSP_RESPONSE_free>;
using OcspBasicPtr = Handle<OCSP_BASICRESP, OCSP_BASICRESP_free>;
using OcspCertIdPtr = Handle<OCSP_CERTID, OCSP_CERTID_free>;

inline constexpr std::size_t kLongestNonce = 32;  // RFC 8954 section 2.1

/// The octets of a nonce. @error InvalidInput  none, over 32, or no OCTET STRING in the extension.
Result<Bytes> nonce_of(X509_EXTENSION* extension);

/// What the extensions of a request or a response say, of which only the nonce is known. `Object` is what
/// holds them, `count` and `at` are OpenSSL's accessors.
///
/// @error Unsupported  a critical one that is not known.  @error InvalidInput  a nonce that is none, or two.
template <class Object>
Result<Bytes> read_nonce(Object* object, int (*count)(Object*), X509_EXTENSION* (*at)(Object*, int)) {
  Bytes nonce;
  for (int i = 0; i < count(object); ++i) {
    X509_EXTENSION* const extension = at(object, i);
    if (OBJ_obj2nid(X509_EXTENSION_get_object(extension)) == NID_id_pkix_OCSP_Nonce) {
      if (!nonce.empty()) return fail(ErrorKind::InvalidInput, "there are two nonces");
      SIGNET_TRY(nonce, nonce_of(extension));
    } else if (X509_EXTENSION_get_critical(extension) == 1) {
      return fail(ErrorKind::Unsupported, "there is a critical extension that is not known here");
    }
  }
  return nonce;
}

/// Whether the extended key usages of a certificate have OCSPSigning.
bool is_ocsp_delegate(const Certificate& certificate);

}  // namespace signet::certstore
