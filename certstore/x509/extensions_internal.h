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

/// Basic constraints, key usage, extended key usage and alternative names (critical when there is no other
/// name), in this order. Errors as check_profile().
Result<ExtensionsPtr> extensions_of(const CertificateProfile& profile);

/// "192.0.2.1", "2001:db8:0:0:0:0:0:1"; nothing where the octets are those of neither.
std::optional<std::string> ip_text_of(const ASN1_OCTET_STRING* address);

/// Takes the names and identifiers away that check_profile() refuses, whatever octets a certificate has in
/// their places.
void leave_out_what_no_profile_says(CertificateProfile& profile);

/// RFC 5280 section 4.2.1.2, method (1): the SHA-1 of the public key's bits.
Result<> add_subject_key_identifier(STACK_OF(X509_EXTENSION) * extensions, EVP_PKEY* public_key);

}  // namespace signet::certstore
