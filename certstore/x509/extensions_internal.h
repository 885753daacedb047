#pragma once

#include <optional>
#include <string>

#include "base/openssl.h"
#include "certstore/x509/profile.h"

/// Internal: the X.509 extensions of a profile, built from OpenSSL's own structures, never from its
/// configuration texts, in which a name could say more than it is.

namespace signet::certstore {

inline void free_extension_stack(STACK_OF(X509_EXTENSION) * stack) {
  sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
}
using ExtensionsPtr = Handle<STACK_OF(X509_EXTENSION), free_extension_stack>;

enum class Critical { No, Yes };

/// Basic constraints, key usage, extended key usage and alternative names (critical when there is no other
/// name), in this order. Errors as check_profile().
Result<ExtensionsPtr> extensions_of(const CertificateProfile& profile,
                                    Critical extended_key_usages = Critical::No);

/// Adds one more. `value` is what d2i of this extension would give.
Result<> add_extension(STACK_OF(X509_EXTENSION) * extensions, int nid, Critical critical, void* value);

/// What extensions say of alternative names, uses and constraints, whatever octets stand there.
void read_extensions(const STACK_OF(X509_EXTENSION) * extensions, CertificateProfile& profile);

using GeneralNamePtr = Handle<GENERAL_NAME, GENERAL_NAME_free>;
/// A name that is a string of some kind: a DNS name, a mail address, a URI. Null when memory is out.
GeneralNamePtr ia5_name(int kind, std::string_view text);

/// "192.0.2.1", "2001:db8:0:0:0:0:0:1"; nothing where the octets are those of neither.
std::optional<std::string> ip_text_of(const ASN1_OCTET_STRING* address);

/// Takes the names and identifiers away that check_profile() refuses, whatever octets a certificate has in
/// their places.
void leave_out_what_no_profile_says(CertificateProfile& profile);

/// That names and identifiers are what they are said to be: check_profile() without its rules of what belongs
/// together.
Result<> check_spelling(const CertificateProfile& profile);

/// RFC 5280 section 4.2.1.2, method (1): the SHA-1 of the public key's bits.
Result<> add_subject_key_identifier(STACK_OF(X509_EXTENSION) * extensions, EVP_PKEY* public_key);

/// RFC 5280 section 4.2.1.1: the issuer's key and, where `named` is given, the name and serial number of its
/// certificate. A revocation list has the key alone (section 5.2.1). Null when memory is out, or there is no
/// key identifier.
Handle<AUTHORITY_KEYID, AUTHORITY_KEYID_free> authority_key_identifier(const ASN1_OCTET_STRING* key,
                                                                       const X509* named = nullptr);

}  // namespace signet::certstore
