#pragma once

#include "base/openssl.h"
#include "certstore/x509/crl.h"

/// Internal to reading and making revocation lists.

namespace signet::certstore {

using CrlPtr = Handle<X509_CRL, X509_CRL_free>;

inline constexpr std::size_t kMostCrlEntries = 200'000;

/// The reason with this number; none for removeFromCRL, and numbers that are nothing.
std::optional<RevocationReason> revocation_reason_of(long number);

/// That a list's signature is by an algorithm that counts, named alike inside and outside [RFC5280 5.1.1.2].
///
/// @error Unsupported  another.  @error CryptoFailure  two of them.
Result<> check_list_signature_algorithm(const Crl& list);

/// RFC 5280 section 4.2.1.3: by its key usage; a certificate without the extension may.
bool may_sign_lists(const Certificate& issuer);

}  // namespace signet::certstore
