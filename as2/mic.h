#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/result.h"

namespace signet::as2 {

/// How the SHA-2 functions are spelt on the wire: Azure's sha2AlgorithmFormat. SHA-1 is `sha1` in all of
/// them, which is what the field agreed on (Drummond 3Q12#1).
enum class Sha2Format {
  Sha2,               ///< sha2, which says SHA-256; the others have no such name and are spelt sha384, sha512
  ShaHashSize,        ///< sha256
  ShaHyphenHashSize,  ///< sha-256 [RFC5751 3.4.3.2]
  Sha2UnderscoreHashSize,  ///< sha2_256
};

/// Reads the name of a hash function in any spelling that has been seen: sha1, SHA-1, sha_256, sha2,
/// sha2_256, rsa-sha256, md5, an OID... in any case, with or without quotes around it. Nothing for anything
/// else.
std::optional<Hash> parse_hash_name(std::string_view name);

/// The name as a micalg parameter and in a MIC.
std::string hash_name(Hash hash, Sha2Format format = Sha2Format::ShaHyphenHashSize);

/// A message integrity check [RFC4130 7.3.1]: which octets it is over is the caller's knowledge.
struct Mic {
  Hash hash = Hash::Sha256;
  Bytes value;

  friend bool operator==(const Mic&, const Mic&) = default;
};

/// Reads the value of a Received-Content-MIC field, e.g. "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=, sha1".
///
/// White space may stand anywhere, the space after the comma may be missing. At most 256 octets are looked
/// at.
///
/// @error InvalidInput  not base64, an unknown algorithm, or a digest of the wrong length.
/// @error Unsupported   MD5.
Result<Mic> parse_mic(std::string_view field_value);

/// "<base64>, <algorithm>", with the spelling that the partner asked for.
std::string to_string(const Mic& mic, std::string_view spelling);
std::string to_string(const Mic& mic, Sha2Format format = Sha2Format::ShaHyphenHashSize);

}  // namespace signet::as2
