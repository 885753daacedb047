#pragma once

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <string_view>

#include "base/bytes.h"
#include "base/handle.h"
#include "base/result.h"

/// OpenSSL's objects as owned handles, and its error queue as an Error. Include from .cc files and internal
/// headers only: no public header of a module shows OpenSSL, but for the forward-declared EVP_PKEY and X509.

namespace signet {

inline void free_x509_stack(STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }
inline void free_openssl_memory(void* memory) { OPENSSL_free(memory); }

using Asn1ObjectPtr = Handle<ASN1_OBJECT, ASN1_OBJECT_free>;
using BignumPtr = Handle<BIGNUM, BN_free>;
using BioPtr = Handle<BIO, BIO_free_all>;
using CmsPtr = Handle<CMS_ContentInfo, CMS_ContentInfo_free>;
using EvpCipherCtxPtr = Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using EvpCipherPtr = Handle<EVP_CIPHER, EVP_CIPHER_free>;
using EvpMdCtxPtr = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using EvpMdPtr = Handle<EVP_MD, EVP_MD_free>;
using EvpPkeyCtxPtr = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using EvpPkeyPtr = Handle<EVP_PKEY, EVP_PKEY_free>;
using Pkcs12Ptr = Handle<PKCS12, PKCS12_free>;
using Pkcs7Ptr = Handle<PKCS7, PKCS7_free>;
using Pkcs8Ptr = Handle<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;
using OpensslMemory = Handle<unsigned char, free_openssl_memory>;
using X509Ptr = Handle<X509, X509_free>;
using X509StackPtr = Handle<STACK_OF(X509), free_x509_stack>;

/// Empties OpenSSL's error queue of this thread into one Error: "<what>: <first reason>; <next reason>...".
///
/// Call it at once after every call that failed, so that no reason is left behind for a later one to find.
[[nodiscard]] Error take_openssl_error(ErrorKind kind, std::string_view what);

/// A BIO that reads the bytes where they are; they must outlive it.
[[nodiscard]] BioPtr borrow_as_bio(ByteView bytes);

}  // namespace signet
