#pragma once

#include <string>
#include <string_view>

#include "certstore/x509/certificate.h"

/// Internal: what is asked of a public key, be it in a certificate or in a request for one.

namespace signet::certstore {

struct KeyFacts {
  KeyType type = KeyType::Other;
  int bits = 0;       ///< RSA modulus or EC field size
  std::string curve;  ///< as Certificate::curve()
};

/// Null is a key that OpenSSL does not know.
KeyFacts key_facts_of(const EVP_PKEY* key);

/// check_key_strength() of certificate.h. @param whose  "certificate 'CN=Acme'", for the error
Result<> check_key_strength(const KeyFacts& facts, std::string_view whose);

/// That the public exponent of an RSA key is odd, and of 17 to 256 bits (FIPS 186-5 section 5.4). With a
/// smaller one signatures have been forged; 1 makes everybody's signature good. Other keys have none.
///
/// @error Unsupported
Result<> check_exponent(const EVP_PKEY* key, std::string_view whose);

}  // namespace signet::certstore
