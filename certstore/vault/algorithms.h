#pragma once

#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"

/// The algorithms of the vault's operations, by Key Vault's (RFC 7518's) names.

namespace signet::vault {

/// RS: RSASSA-PKCS1-v1_5. PS: RSASSA-PSS, MGF1 with the same hash, a salt as long as the digest. ES: ECDSA,
/// signatures as r || s. Azure binds ES256, ES384 and ES512 to one curve each; the embedded vault takes each
/// with any of its curves.
enum class SignatureAlgorithm { RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 };

std::string_view to_string(SignatureAlgorithm algorithm);
Result<SignatureAlgorithm> parse_signature_algorithm(std::string_view text);
/// The hash whose digest is signed.
Hash hash_of(SignatureAlgorithm algorithm);

/// RSAES-PKCS1-v1_5, or RSAES-OAEP (RFC 8017) with an empty label.
struct EncryptionAlgorithm {
  bool oaep = false;
  Hash hash = Hash::Sha1;       ///< OAEP's hash
  Hash mgf1_hash = Hash::Sha1;  ///< the hash of its mask generation function

  friend bool operator==(const EncryptionAlgorithm&, const EncryptionAlgorithm&) = default;
};

inline constexpr EncryptionAlgorithm kRsa15{};
inline constexpr EncryptionAlgorithm kRsaOaep{true, Hash::Sha1, Hash::Sha1};
inline constexpr EncryptionAlgorithm kRsaOaep256{true, Hash::Sha256, Hash::Sha256};
inline constexpr EncryptionAlgorithm kRsaOaep512{true, Hash::Sha512, Hash::Sha512};

/// "RSA1_5", "RSA-OAEP", "RSA-OAEP-256", "RSA-OAEP-512"; else "RSA-OAEP with sha-256 and MGF1 sha1".
/// sha-1".
std::string to_string(const EncryptionAlgorithm& algorithm);
/// Reads the first four of those names. @error Unsupported  lists them.
Result<EncryptionAlgorithm> parse_encryption_algorithm(std::string_view text);

}  // namespace signet::vault
