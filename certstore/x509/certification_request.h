#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "certstore/x509/certificate.h"
#include "certstore/x509/profile.h"

namespace signet::certstore {

/// A request for a certificate (PKCS#10, RFC 2986) whose signature holds: whoever made it had the private
/// key. What it asks for is a wish; the authority decides.
struct CertificationRequest {
  Bytes der;
  Bytes public_key;  ///< SubjectPublicKeyInfo (RFC 5280 section 4.1), DER
  KeyType key_type = KeyType::Other;
  int key_bits = 0;   ///< RSA modulus or EC field size
  std::string curve;  ///< as Certificate::curve()
  /// Subject, alternative names, key uses and constraints as far as a profile can say them: names of other
  /// kinds (directory names, registered ids, other otherNames) are not in it. Without dates.
  CertificateProfile profile;
  bool has_challenge_password = false;  ///< RFC 2985 section 5.4.1; the password itself is not kept

  /// Reads exactly one request, DER or PEM, from a stranger: of at most 64 KiB.
  ///
  /// @error InvalidInput   none; octets after its end; an extension that is there twice or cannot be read, or
  ///                       asked for in two places; a DNS name, mail address, URI or IP address that is none.
  /// @error Unsupported    a key that check_key_strength() would refuse of a certificate, an RSA exponent
  ///                       that is even or not of 17 to 256 bits, or a signature by SHA-1 and the like.
  /// @error CryptoFailure  the signature does not hold.  @error LimitExceeded
  static Result<CertificationRequest> parse(ByteView pem_or_der);
};

}  // namespace signet::certstore
