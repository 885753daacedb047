#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "certstore/x509/certificate.h"

namespace signet::certstore {

enum class ThumbprintAlgorithm { Sha1, Sha256 };

/// "sha1", "sha256": also the form that is stored.
std::string_view to_string(ThumbprintAlgorithm algorithm);
/// In any case, with or without a hyphen. @error InvalidInput  another word.
Result<ThumbprintAlgorithm> parse_thumbprint_algorithm(std::string_view word);

/// Which certificate is meant, by a hash of its DER.
struct Thumbprint {
  ThumbprintAlgorithm algorithm = ThumbprintAlgorithm::Sha256;
  std::string digits;  ///< upper-case hexadecimal: 40 of SHA-1, 64 of SHA-256

  /// Whether it is this certificate's. The hash is that of the certificate's own octets, made when they were
  /// read, never one that was stored beside them.
  [[nodiscard]] bool is_of(const Certificate& certificate) const;

  friend bool operator==(const Thumbprint&, const Thumbprint&) = default;
};

/// Reads hexadecimal digits in any case. Spaces, colons and U+200E are left out, the last of which Windows'
/// dialog puts in front of what is copied from it.
///
/// @param algorithm  what the caller says it is; absent: the number of digits says it
/// @error InvalidInput  another character, or another number of digits.
Result<Thumbprint> parse_thumbprint(std::string_view text,
                                    std::optional<ThumbprintAlgorithm> algorithm = std::nullopt);

/// "sha256 3F0A...".
std::string to_string(const Thumbprint& thumbprint);

}  // namespace signet::certstore
