#pragma once

#include <cstdint>

#include "as2/fault.h"
#include "base/stream.h"

/// CompressedData with zlib (RFC 3274, used as RFC 5402 says). Ours, since Debian's OpenSSL is built without
/// it.

namespace signet::as2::cms {

/// Compresses `content` into a ContentInfo with a CompressedData: DER when it fits into 64 KiB, BER of
/// indefinite length otherwise. Memory does not grow with the content.
///
/// @param level  zlib's: 1 (fast) to 9 (small); 6 is its own choice.
/// @error InvalidInput  another level.  Errors of `content` and `out` come through as they are.
Result<> compress(Source& content, Sink& out, int level = 6);

struct DecompressLimits {
  std::uint64_t max_size = std::uint64_t{1} << 40;     ///< octets that may come out
  std::uint64_t max_ratio = 200;                       ///< octets out per octet in...
  std::uint64_t ratio_floor = std::uint64_t{1} << 20;  ///< ...asked for only once this many have come out
};

/// Expands a CompressedData, DER or BER. A zlib stream in base64 inside of it (phpas2's habit) is expanded
/// too.
///
/// After a refusal `out` holds a beginning to be thrown away.
///
/// @fault DecompressionFailed  not a CompressedData with zlib, broken or cut short, a wrong checksum, octets
///     after its end, or beyond the limits.
/// @fault UnexpectedProcessingError  `compressed` could not be read or `out` not be written.
Step<> decompress(const Slice& compressed, const DecompressLimits& limits, Sink& out);

}  // namespace signet::as2::cms
