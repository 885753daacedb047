#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "base/stream.h"

namespace signet {

/// Room on the stack for what a copying loop moves at a time. It is not set to anything: to clear it would
/// take longer than a small message does.
using Chunk = std::array<std::uint8_t, kChunkSize>;

/// The same on the heap, for what is large; it is not set to anything either.
class LargeChunk {
 public:
  explicit LargeChunk(std::size_t size)
      : octets_(std::make_unique_for_overwrite<std::uint8_t[]>(size)), size_(size) {}
  [[nodiscard]] std::uint8_t* data() { return octets_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  operator std::span<std::uint8_t>() {
    return {octets_.get(), size_};
  }  // NOLINT(google-explicit-constructor)
  [[nodiscard]] ByteView first(std::size_t count) const { return {octets_.get(), count}; }

 private:
  std::unique_ptr<std::uint8_t[]> octets_;
  std::size_t size_;
};

}  // namespace signet
