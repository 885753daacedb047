#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/chunk.h"
#include "base/result.h"
#include "base/stream.h"

/// The canonical form of text [RFC8551 3.1.1]: every line ends in CRLF.

namespace signet::as2::mime {

/// Turns each CR without LF and each LF without CR into CRLF; everything else flows through untouched.
class CanonicalLineEnds final : public Source {
 public:
  /// Borrows the source.
  explicit CanonicalLineEnds(Source& text) : text_(text) {}
  Result<std::size_t> read(std::span<std::uint8_t> out) override;

 private:
  Result<> fill();
  std::size_t copy_run(std::span<std::uint8_t> out);

  Source& text_;
  Chunk input_;
  std::size_t position_ = 0;
  std::size_t filled_ = 0;
  bool after_cr_ = false;  ///< a CR of the input went out; whether its own LF follows is not known yet
  bool owes_lf_ = false;   ///< a CR went out whose LF has not
  bool ended_ = false;
};

}  // namespace signet::as2::mime
