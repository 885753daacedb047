#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/digest.h"
#include "base/openssl.h"

/// Internal: what certificates, requests, revocation lists and OCSP messages are read and written with.

namespace signet::certstore {

/// Keeps what OpenSSL complains of here, be it in the end an error or not, apart from what others find in the
/// queue.
class OwnErrors {
 public:
  OwnErrors() { ERR_clear_error(); }
  ~OwnErrors() { ERR_clear_error(); }
  OwnErrors(const OwnErrors&) = delete;
  OwnErrors& operator=(const OwnErrors&) = delete;
};

/// Upper-case hexadecimal, of whole octets, as Certificate::serial().
std::string hex_of(const ASN1_INTEGER* number);
/// What hex_of() writes. Null where the text is none of its, or longer than 20 octets [RFC5280 4.1.2.2].
Handle<ASN1_INTEGER, ASN1_INTEGER_free> integer_of(std::string_view hex);

/// @error InvalidInput  names `which`.
Result<Time> time_of(const ASN1_TIME* field, std::string_view which);
/// UTCTime up to 2049, GeneralizedTime from 2050 on [RFC5280 4.1.2.5]; whole seconds.
bool set_time(ASN1_TIME* field, Time time);
using Asn1TimePtr = Handle<ASN1_TIME, ASN1_TIME_free>;
/// The same as a new field, for a setter that copies it. Null where set_time() fails.
Asn1TimePtr new_time(Time time);

/// Reads one object that fills the octets to the last.
template <class Owner, class T>
Result<Owner> decode_der(ByteView der, T* (*read)(T**, const unsigned char**, long), std::string_view what) {
  const unsigned char* at = der.data();
  Owner object(read(nullptr, &at, static_cast<long>(der.size())));
  if (!object)
    return fail(take_openssl_error(ErrorKind::InvalidInput,
                                   "this is no " + std::string(what) + ", or it is damaged"));
  if (const auto left = der.data() + der.size() - at; left != 0)
    return fail(ErrorKind::InvalidInput,
                std::to_string(left) + " octets follow the end of the " + std::string(what));
  return object;
}

/// What i2d writes.
template <class T>
Result<Bytes> encode(const T* object, int (*write)(const T*, unsigned char**)) {
  unsigned char* der = nullptr;
  const int size = write(object, &der);
  const OpensslMemory owner(der);
  if (size <= 0) return fail(take_openssl_error(ErrorKind::Internal, "encoding as DER"));
  return Bytes(der, der + size);
}

/// SubjectPublicKeyInfo. @error InvalidInput
Result<EvpPkeyPtr> read_public_key(ByteView der);

/// What signs with the hash. @error InvalidInput  neither SHA-256 nor SHA-384 nor SHA-512.
Result<const EVP_MD*> method_of(Hash hash);

/// That the hash of a signature is one whose collisions nobody can make: SHA-256, SHA-384 or SHA-512, with
/// RSA (PKCS#1 v1.5 or PSS) or ECDSA.
///
/// @param what  "the revocation list of 'CN=Acme'", for the error.  @error Unsupported
Result<> check_signature_algorithm(const X509_ALGOR* algorithm, std::string_view what);

/// The octets of a key identifier; none where there is none.
Bytes identifier_octets(const ASN1_OCTET_STRING* identifier);
/// Whether two key identifiers can be those of one key: one that is empty was not given.
bool identifiers_match(const Bytes& a, const Bytes& b);

/// Borrow from a parsed Certificate alone, whose caches are filled.
Bytes subject_key_identifier_of(const X509* certificate);    ///< empty where it has none
Bytes authority_key_identifier_of(const X509* certificate);  ///< empty where it has none

}  // namespace signet::certstore
