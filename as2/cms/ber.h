#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/stream.h"

/// Just enough of BER (X.690) to walk the outside of a CMS message that lies in a Slice, find where its
/// content is, and hand the small rest to OpenSSL. Total on any input: nothing recurses, depth and the number
/// of elements are bounded, and every length is checked against what is there.

namespace signet::as2::cms::ber {

inline constexpr std::uint8_t kInteger = 0x02;
inline constexpr std::uint8_t kOctetString = 0x04;
inline constexpr std::uint8_t kOid = 0x06;
inline constexpr std::uint8_t kSequence = 0x30;
inline constexpr std::uint8_t kSet = 0x31;
inline constexpr std::uint8_t kConstructed = 0x20;
/// [n], constructed.
constexpr std::uint8_t context(std::uint8_t number) { return static_cast<std::uint8_t>(0xA0U | number); }
/// [n] IMPLICIT of a primitive type.
constexpr std::uint8_t primitive_context(std::uint8_t number) {
  return static_cast<std::uint8_t>(0x80U | number);
}

inline constexpr std::size_t kMaxDepth = 32;

/// Identifier and length octets of one element.
struct Header {
  std::uint8_t identifier =
      0;  ///< the first identifier octet: class, constructed or not, and the number if below 31
  std::uint8_t size = 0;                ///< octets of the header itself
  std::optional<std::uint64_t> length;  ///< octets of the contents; absent when indefinite
  [[nodiscard]] bool constructed() const { return (identifier & kConstructed) != 0; }
};

/// Where an element lies in its slice. An indefinite one's contents end before its end-of-contents octets.
struct Element {
  std::uint8_t identifier = 0;
  std::uint64_t begin = 0;
  std::uint64_t contents_begin = 0;
  std::uint64_t contents_end = 0;
  std::uint64_t end = 0;
  [[nodiscard]] std::uint64_t size() const { return end - begin; }
};

/// Walks a slice from its front: enter() and leave() go into and out of constructed elements, skip() passes
/// one by.
///
/// All errors are InvalidInput (and say at which octet), LimitExceeded, or the spool's IoFailure.
class Walker {
 public:
  explicit Walker(Slice octets);

  /// The next element's header; none at the end of the open element. Does not move.
  Result<std::optional<Header>> peek();
  /// Whether the next element is there and has this identifier.
  Result<bool> next_is(std::uint8_t identifier);
  /// Opens the next element, which must be this constructed one.
  Result<> enter(std::uint8_t identifier, std::string_view what);
  /// Closes the element opened last, whose contents must have been walked to their end.
  Result<> leave(std::string_view what);
  /// Passes over the next element, which must have this identifier.
  Result<Element> skip(std::uint8_t identifier, std::string_view what);
  /// Passes over whatever comes next.
  Result<Element> skip_any(std::string_view what);
  /// Passes over the next element and gives it whole, header included. @error LimitExceeded  larger than
  /// `limit`.
  Result<Bytes> take(std::uint8_t identifier, std::size_t limit, std::string_view what);
  /// The same, without its header; only for a primitive one.
  Result<Bytes> take_contents(std::uint8_t identifier, std::size_t limit, std::string_view what);

  [[nodiscard]] std::uint64_t position() const { return position_; }
  [[nodiscard]] const Slice& octets() const { return octets_; }

 private:
  Result<std::uint8_t> octet(std::uint64_t offset, std::uint64_t end);
  Result<Header> header_at(std::uint64_t offset, std::uint64_t end);
  Result<std::uint64_t> end_of_indefinite(std::uint64_t offset, std::uint64_t end);
  Result<bool> end_of_contents_at(std::uint64_t offset, std::uint64_t end);
  [[nodiscard]] std::uint64_t open_end() const;
  Result<> count_element();

  struct Open {
    std::uint64_t end;  // for an indefinite one, its parent's
    bool indefinite;
  };
  Slice octets_;
  std::optional<ByteView> memory_;  // the octets, where they lie in memory
  Bytes window_;                    // otherwise the part of them read last
  std::uint64_t window_begin_ = 0;
  std::uint64_t position_ = 0;
  std::array<Open, kMaxDepth> open_{};
  std::size_t depth_ = 0;
  std::uint64_t elements_left_;
};

/// The value of an OCTET STRING, primitive or in (nested) pieces, as one stream. `string` may be tagged [n]
/// IMPLICIT.
class OctetStringSource final : public Source {
 public:
  OctetStringSource(const Slice& octets, const Element& string);
  Result<std::size_t> read(std::span<std::uint8_t> out) override;

 private:
  Result<bool> next_piece();

  Slice octets_;
  Walker walker_;
  std::size_t depth_ = 0;
  std::uint64_t piece_ = 0;      // what is left of the piece at hand: from here...
  std::uint64_t piece_end_ = 0;  // ...to here
};

/// Identifier and length octets in DER.
Bytes header(std::uint8_t identifier, std::uint64_t length);
/// An element in DER around parts that are elements themselves (or the contents of a primitive one).
Bytes element(std::uint8_t identifier, std::initializer_list<ByteView> contents);

}  // namespace signet::as2::cms::ber
