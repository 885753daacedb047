#pragma once

#include <array>
#include <cstdint>

#include "base/stream.h"

namespace signet {

/// Room on the stack for what a copying loop moves at a time. It is not set to anything: to clear it would
/// take longer than a small message does.
using Chunk = std::array<std::uint8_t, kChunkSize>;

}  // namespace signet
