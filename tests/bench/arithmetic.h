#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"
#include "certstore/x509/key_handle.h"

/// The floor: what a message costs when nothing is done but the RSA, AES and SHA that it cannot do without,
/// by OpenSSL with everything prepared that can be prepared.

namespace signet::bench {

/// Octets that the arithmetic of one received message goes over.
struct MessageSizes {
  std::size_t encrypted = 0;  ///< AES-256-CBC
  std::size_t signed_content = 0;
  std::size_t receipt = 0;
};

struct SmallFloor {
  double per_second = 0;  ///< over all threads
  double cpu_ms = 0;      ///< of one message
  double median_ms = 0;   ///< of one message
};

/// Receives messages without receiving any: one RSA-2048 decryption, one signature and one verification,
/// AES-256-CBC and SHA-256 over the octets; on so many threads at once, for so long.
Result<SmallFloor> receive_floor(const MessageSizes& sizes, unsigned threads, double seconds);

struct LargeFloor {
  double aes_seconds = 0;    ///< AES-256-CBC, decrypting or encrypting
  double sha_seconds = 0;    ///< SHA-256
  double write_seconds = 0;  ///< writing the octets into one file, and fsync

  [[nodiscard]] double seconds() const { return aes_seconds + sha_seconds + write_seconds; }
};

/// The same for one large message, a piece at a time. The file is made in `directory` and removed.
Result<LargeFloor> large_floor(std::uint64_t size, bool encrypting, const std::filesystem::path& directory);

}  // namespace signet::bench
