#pragma once

#include <string_view>

#include "base/stream.h"
#include "tests/fuzz/fuzz_target.h"

namespace signet::fuzz {

/// A slice of the input's octets, in memory.
inline Slice as_slice(ByteView input) { return Slice::of(Bytes(input.begin(), input.end())); }

/// Everything that a target makes stays in memory.
inline SpoolArea memory_area(std::uint64_t size_limit = std::uint64_t{16} << 20) {
  SpoolArea area;
  area.directory = "/nonexistent";
  area.memory_limit = std::size_t{64} << 20;
  area.size_limit = size_limit;
  return area;
}

/// A found part is a piece of the very octets that came.
inline void require_within(const Slice& part, const Slice& whole, std::string_view property) {
  if (part.empty()) return;
  const auto inner = part.in_memory();
  const auto outer = whole.in_memory();
  require(inner && outer && inner->data() >= outer->data() &&
              inner->data() + inner->size() <= outer->data() + outer->size(),
          property);
}

}  // namespace signet::fuzz
