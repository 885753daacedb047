#include <algorithm>

#include "as2/cms/compress.h"
#include "tests/fuzz/slices.h"

/// What is expanded stays within the limits, and survives being compressed by us and expanded again.

using namespace signet;
using namespace signet::as2;
using fuzz::require;

SIGNET_FUZZ_TARGET(cms_decompress) {
  constexpr cms::DecompressLimits kLimits{.max_size = 256 * 1024, .max_ratio = 100, .ratio_floor = 16 * 1024};
  MemorySink out;
  const auto done = cms::decompress(fuzz::as_slice(input), kLimits, out);
  require(out.bytes().size() <= kLimits.max_size, "what comes out is bounded");
  // The message may lie in base64 inside, so its own octets are the most that a ratio can be asked of.
  require(
      out.bytes().size() <= std::max<std::uint64_t>(kLimits.ratio_floor, input.size() * kLimits.max_ratio),
      "what comes out stays in proportion");
  if (!done) {
    require(done.error().fault == Fault::DecompressionFailed, "a broken message is the message's fault");
    return;
  }

  MemorySource expanded(out.bytes());
  MemorySink compressed;
  require(cms::compress(expanded, compressed).has_value(), "whatever came out can be compressed");
  MemorySink again;
  const cms::DecompressLimits wide{.max_size = kLimits.max_size, .max_ratio = 2000};
  require(cms::decompress(fuzz::as_slice(compressed.bytes()), wide, again).has_value() &&
              again.bytes() == out.bytes(),
          "what we compress expands to the same");
}
