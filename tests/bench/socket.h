#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace signet::bench {

/// A socket, or another descriptor, that is closed with its owner.
class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket();
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

/// A connection to this machine. @error Unavailable, IoFailure
Result<Socket> connect_to(std::uint16_t port);

/// The value of Content-Length in a request's or an answer's head; 0 when there is none.
std::uint64_t content_length(std::string_view head);

/// Octets of the first whole HTTP message, with a Content-Length, at the front of `text`; 0 when there is
/// none yet.
std::size_t message_size(std::string_view text);

}  // namespace signet::bench
