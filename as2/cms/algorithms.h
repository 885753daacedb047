#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"

/// The algorithms that Signet's CMS speaks. What is not listed here is neither made nor accepted: MD5
/// signatures, RC2, RC4, DES and the like are refused by having no name.

namespace signet::as2::cms {

/// How content is encrypted. CBC goes into EnvelopedData (RFC 5652 section 6, RFC 3565), GCM into
/// AuthEnvelopedData (RFC 5083, RFC 5084), where a changed octet is noticed.
enum class ContentCipher {
  Aes128Cbc,
  Aes192Cbc,
  Aes256Cbc,
  Aes128Gcm,
  Aes192Gcm,
  Aes256Gcm,
  Des3Cbc,  ///< only where an agreement makes an exception
};

/// How the content's key reaches a recipient with an RSA key. (To an EC key it always goes by
/// ephemeral-static ECDH, X9.63 KDF with SHA-256 and AES key wrap: RFC 5753.) For OAEP the hash is also that
/// of its MGF1.
enum class KeyTransport { Rsa15, OaepSha1, OaepSha256, OaepSha384, OaepSha512 };

enum class SignatureScheme {
  RsaPkcs1,  ///< RSASSA-PKCS1-v1_5, RFC 3370
  RsaPss,    ///< RSASSA-PSS with MGF1 over the same hash and a salt of the hash's length, RFC 4056
  Ecdsa,     ///< what an EC key signs with, whichever scheme was asked for; RFC 5753
};

/// For people: "AES-256-GCM", "3DES-CBC".
std::string_view to_string(ContentCipher cipher);
/// For people: "RSA PKCS#1 v1.5", "RSAES-OAEP SHA-256".
std::string_view to_string(KeyTransport transport);
/// For people: "RSASSA-PKCS1-v1_5", "RSASSA-PSS", "ECDSA".
std::string_view to_string(SignatureScheme scheme);

bool is_authenticated(ContentCipher cipher);  ///< GCM
std::size_t key_size(ContentCipher cipher);   ///< octets

}  // namespace signet::as2::cms
