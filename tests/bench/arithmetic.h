#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "base/result.h"
#include "base/stream.h"

/// The floor: what a message costs when nothing is done but the RSA, AES and SHA that it cannot do without,
/// by OpenSSL with everything prepared that can be prepared.

namespace signet::bench {

enum class Way { Inbound, Outbound };

/// Octets that the arithmetic of one message goes over.
struct MessageSizes {
  std::size_t encrypted = 0;  ///< AES-256-CBC
  std::size_t signed_content = 0;
  std::size_t receipt = 0;

  /// Of a message whose body has so many octets: a signature with its certificate in base64, and CMS around
  /// it, are 2.7 KB.
  static MessageSizes of_body(std::uint64_t octets) {
    return {static_cast<std::size_t>(octets), static_cast<std::size_t>(octets) - 2700, 900};
  }
};

struct SmallFloor {
  double per_second = 0;  ///< over all threads
  double cpu_ms = 0;      ///< of one message
  double median_ms = 0;   ///< of one message

  /// The mean of a measurement before something and one after it.
  static SmallFloor between(const SmallFloor& before, const SmallFloor& after);
};

/// Receives or sends messages without doing either, on so many threads at once, for so long. AES-256-CBC and
/// SHA-256 over the octets, and
///   - inbound: one RSA-2048 decryption, one signature (of the receipt) and one verification
///   - outbound: one RSA-2048 signature and one encryption; one verification by ECDSA P-256 (of the receipt)
Result<SmallFloor> small_floor(Way way, const MessageSizes& sizes, unsigned threads, double seconds);

struct LargeFloor {
  double aes_seconds = 0;    ///< AES-256-CBC, decrypting or encrypting
  double sha_seconds = 0;    ///< SHA-256
  double zlib_seconds = 0;   ///< expanding or compressing
  double write_seconds = 0;  ///< writing the octets into one file, and fsync

  [[nodiscard]] double cpu_seconds() const { return aes_seconds + sha_seconds + zlib_seconds; }
  [[nodiscard]] double seconds() const { return cpu_seconds() + write_seconds; }
};

/// What a large message goes through.
struct LargeSizes {
  std::uint64_t encrypted = 0;           ///< octets that are encrypted; 0 for none
  std::uint64_t hashed = 0;              ///< octets that are signed, or that a MIC is over
  std::uint64_t written = 0;             ///< octets that are to be on disk in the end
  std::optional<Slice> compressed = {};  ///< what zlib compresses
};

/// The same for one large message, a piece at a time. The file is made in `directory` and removed.
Result<LargeFloor> large_floor(Way way, const LargeSizes& sizes, const std::filesystem::path& directory);

}  // namespace signet::bench
