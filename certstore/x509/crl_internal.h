#pragma once

#include "base/openssl.h"
#include "certstore/x509/crl.h"

/// Internal to reading and making revocation lists.

namespace signet::certstore {

using CrlPtr = Handle<X509_CRL, X509_CRL_free>;

inline constexpr std::size_t kMostCrlEntries = 200'000;

/// RFC 5280 section 4.2.1.3: by its key usage; a certificate without the extension may.
bool may_sign_lists(const Certificate& issuer);

}  // namespace signet::certstore
