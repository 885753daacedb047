#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "base/bytes.h"

namespace signet {

/// Octets that must not be seen: held in OpenSSL's secure heap (locked, guarded, left out of core dumps)
/// where enable_secure_heap() was called, wiped on destruction, moved but never copied by accident, and
/// without any way to print them.
class SecretBytes {
 public:
  SecretBytes() = default;
  /// `size` octets of zero.
  explicit SecretBytes(std::size_t size);
  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes();

  /// A deliberate copy.
  static SecretBytes copy_of(ByteView bytes);
  static SecretBytes copy_of(std::string_view text) { return copy_of(as_bytes(text)); }

  [[nodiscard]] ByteView view() const { return {data_, size_}; }
  [[nodiscard]] std::span<std::uint8_t> writable() { return {data_, size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Overwrites memory in a way that no optimiser removes.
void wipe(std::span<std::uint8_t> memory);

/// Sets up the secure heap that SecretBytes and OpenSSL's private keys live in. Once, at the start of `main`.
///
/// @error Unavailable  the memory cannot be locked (RLIMIT_MEMLOCK); secrets then live on the ordinary heap.
Result<> enable_secure_heap(std::size_t size_in_bytes);

/// Has OpenSSL wipe all the memory that it gives back: its decoders and encoders leave copies of private keys
/// in the ordinary heap. Before anything else asks OpenSSL for memory: the first thing in `main`.
///
/// @error Internal  something has asked already.
Result<> wipe_what_openssl_gives_back();

/// Switches core dumps and debugger attachment off for this process.
void forbid_core_dumps();

}  // namespace signet
