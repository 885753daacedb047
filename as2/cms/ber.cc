#include "as2/cms/ber.h"

#include <fmt/format.h>

#include <algorithm>

namespace signet::as2::cms::ber {
namespace {

constexpr std::size_t kWindowSize = 4096;
constexpr std::size_t kMaxPieceDepth = 8;
constexpr std::uint8_t kIndefinite = 0x80;
constexpr std::uint8_t kHighNumber = 0x1F;

/// A message cut into needlessly many pieces costs more to walk than to decrypt: one element per 16 octets is
/// more than any sender makes, and small messages get a start.
std::uint64_t elements_allowed(std::uint64_t size) { return 100'000 + size / 16; }

auto broken(std::uint64_t offset, std::string_view what) {
  return fail(ErrorKind::InvalidInput, fmt::format("BER: {} (at octet {})", what, offset));
}

}  // namespace

Walker::Walker(Slice octets)
    : octets_(std::move(octets)),
      memory_(octets_.in_memory()),
      elements_left_(elements_allowed(octets_.size())) {}

std::uint64_t Walker::open_end() const { return depth_ == 0 ? octets_.size() : open_[depth_ - 1].end; }

Result<> Walker::count_element() {
  if (elements_left_ == 0)
    return fail(ErrorKind::LimitExceeded, "BER: the message is cut into too many pieces for its size");
  --elements_left_;
  return {};
}

Result<std::uint8_t> Walker::octet(std::uint64_t offset, std::uint64_t end) {
  if (offset >= end) return broken(offset, "cut short");
  if (memory_) return (*memory_)[static_cast<std::size_t>(offset)];
  if (offset < window_begin_ || offset - window_begin_ >= window_.size()) {
    window_.resize(kWindowSize);
    SIGNET_TRY(const std::size_t count, octets_.read_at(offset, window_));
    window_.resize(count);
    window_begin_ = offset;
    if (count == 0) return broken(offset, "cut short");
  }
  return window_[static_cast<std::size_t>(offset - window_begin_)];
}

Result<Header> Walker::header_at(std::uint64_t offset, std::uint64_t end) {
  const std::uint64_t begin = offset;
  SIGNET_TRY(const std::uint8_t identifier, octet(offset++, end));
  if (identifier == 0) return broken(begin, "end-of-contents octets where an element was expected");
  if ((identifier & kHighNumber) == kHighNumber) {
    for (;;) {
      SIGNET_TRY(const std::uint8_t more, octet(offset++, end));
      if ((more & 0x80U) == 0) break;
      if (offset - begin > 5) return broken(begin, "a tag number of more than 28 bits");
    }
  }
  SIGNET_TRY(const std::uint8_t first, octet(offset++, end));
  Header header{identifier, 0, std::nullopt};
  if (first < 0x80U) {
    header.length = first;
  } else if (first == kIndefinite) {
    if (!header.constructed()) return broken(begin, "an indefinite length on a primitive element");
  } else {
    const std::size_t count = first & 0x7FU;
    if (count > 8) return broken(begin, "a length of more than 8 octets");
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < count; ++i) {
      SIGNET_TRY(const std::uint8_t next, octet(offset++, end));
      length = length << 8 | next;
    }
    header.length = length;
  }
  header.size = static_cast<std::uint8_t>(offset - begin);
  if (header.length && *header.length > end - offset)
    return broken(begin, "an element longer than what holds it");
  return header;
}

Result<bool> Walker::end_of_contents_at(std::uint64_t offset, std::uint64_t end) {
  SIGNET_TRY(const std::uint8_t first, octet(offset, end));
  if (first != 0) return false;
  SIGNET_TRY(const std::uint8_t second, octet(offset + 1, end));
  if (second != 0) return broken(offset, "end-of-contents octets with a length");
  return true;
}

Result<std::uint64_t> Walker::end_of_indefinite(std::uint64_t offset, std::uint64_t end) {
  // Elements of definite length are jumped over whatever is in them, so a count of the indefinite ones is all
  // there is to keep.
  std::size_t depth = 1;
  for (;;) {
    SIGNET_TRY(const bool ends, end_of_contents_at(offset, end));
    if (ends && --depth == 0) return offset;
    if (ends) {
      offset += 2;
      continue;
    }
    SIGNET_CHECK(count_element());
    SIGNET_TRY(const Header header, header_at(offset, end));
    if (!header.length && ++depth > kMaxDepth)
      return fail(ErrorKind::LimitExceeded, fmt::format("BER: nested deeper than {} levels", kMaxDepth));
    offset += header.size + header.length.value_or(0);
  }
}

Result<std::optional<Header>> Walker::peek() {
  const std::uint64_t end = open_end();
  if (depth_ > 0 && open_[depth_ - 1].indefinite) {
    SIGNET_TRY(const bool ends, end_of_contents_at(position_, end));
    if (ends) return std::optional<Header>();
  } else if (position_ == end) {
    return std::optional<Header>();
  }
  SIGNET_TRY(const Header header, header_at(position_, end));
  return std::optional<Header>(header);
}

Result<bool> Walker::next_is(std::uint8_t identifier) {
  SIGNET_TRY(const std::optional<Header> header, peek());
  return header && header->identifier == identifier;
}

Result<> Walker::enter(std::uint8_t identifier, std::string_view what) {
  SIGNET_TRY(const std::optional<Header> header, peek());
  if (!header) return broken(position_, fmt::format("expected {}, found the end", what));
  if (header->identifier != identifier || !header->constructed())
    return broken(position_, fmt::format("expected {} (tag {:02X}), found tag {:02X}", what, identifier,
                                         header->identifier));
  if (depth_ == kMaxDepth)
    return fail(ErrorKind::LimitExceeded, fmt::format("BER: nested deeper than {} levels", kMaxDepth));
  SIGNET_CHECK(count_element());
  const std::uint64_t end = header->length ? position_ + header->size + *header->length : open_end();
  open_[depth_++] = Open{end, !header->length};
  position_ += header->size;
  return {};
}

Result<> Walker::leave(std::string_view what) {
  SIGNET_TRY(const std::optional<Header> header, peek());
  if (header)
    return broken(position_, fmt::format("tag {:02X} after the last field of {}", header->identifier, what));
  if (depth_ == 0) return fail(ErrorKind::Internal, "BER: left more elements than were entered");
  if (open_[depth_ - 1].indefinite) position_ += 2;
  --depth_;
  return {};
}

Result<Element> Walker::skip_any(std::string_view what) {
  SIGNET_TRY(const std::optional<Header> header, peek());
  if (!header) return broken(position_, fmt::format("expected {}, found the end", what));
  SIGNET_CHECK(count_element());
  Element element;
  element.identifier = header->identifier;
  element.begin = position_;
  element.contents_begin = position_ + header->size;
  if (header->length) {
    element.contents_end = element.end = element.contents_begin + *header->length;
  } else {
    SIGNET_TRY(element.contents_end, end_of_indefinite(element.contents_begin, open_end()));
    element.end = element.contents_end + 2;
  }
  position_ = element.end;
  return element;
}

Result<Element> Walker::skip(std::uint8_t identifier, std::string_view what) {
  const std::uint64_t begin = position_;
  SIGNET_TRY(const Element element, skip_any(what));
  if (element.identifier != identifier)
    return broken(begin, fmt::format("expected {} (tag {:02X}), found tag {:02X}", what, identifier,
                                     element.identifier));
  return element;
}

Result<Bytes> Walker::take(std::uint8_t identifier, std::size_t limit, std::string_view what) {
  SIGNET_TRY(const Element element, skip(identifier, what));
  if (element.size() > limit)
    return fail(ErrorKind::LimitExceeded,
                fmt::format("BER: {} has {} octets where {} are allowed", what, element.size(), limit));
  return octets_.sub(element.begin, element.size()).to_bytes(limit);
}

Result<Bytes> Walker::take_contents(std::uint8_t identifier, std::size_t limit, std::string_view what) {
  SIGNET_TRY(const Element element, skip(identifier, what));
  const std::uint64_t size = element.contents_end - element.contents_begin;
  if (size > limit)
    return fail(ErrorKind::LimitExceeded,
                fmt::format("BER: {} has {} octets where {} are allowed", what, size, limit));
  return octets_.sub(element.contents_begin, size).to_bytes(limit);
}

OctetStringSource::OctetStringSource(const Slice& octets, const Element& string)
    : octets_(octets.sub(string.begin, string.size())), walker_(octets_) {}

Result<bool> OctetStringSource::next_piece() {
  for (;;) {
    SIGNET_TRY(const std::optional<Header> header, walker_.peek());
    if (!header) {
      if (depth_ == 0) return false;
      SIGNET_CHECK(walker_.leave("an OCTET STRING"));
      --depth_;
      continue;
    }
    // The outermost may carry any tag; the pieces in it are OCTET STRINGs (X.690 section 8.7.3.2).
    if (depth_ > 0 && (header->identifier & ~kConstructed) != kOctetString)
      return broken(walker_.position(), "an OCTET STRING in pieces, one of which is none");
    if (header->constructed()) {
      if (depth_ == kMaxPieceDepth)
        return fail(ErrorKind::LimitExceeded, "BER: an OCTET STRING in pieces of pieces, too deep");
      SIGNET_CHECK(walker_.enter(header->identifier, "an OCTET STRING"));
      ++depth_;
      continue;
    }
    SIGNET_TRY(const Element piece, walker_.skip_any("an OCTET STRING"));
    piece_ = piece.contents_begin;
    piece_end_ = piece.contents_end;
    if (piece_ != piece_end_) return true;
  }
}

Result<std::size_t> OctetStringSource::read(std::span<std::uint8_t> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    if (piece_ == piece_end_) {
      SIGNET_TRY(const bool more, next_piece());
      if (!more) break;
    }
    const std::uint64_t wanted = std::min<std::uint64_t>(out.size() - done, piece_end_ - piece_);
    SIGNET_TRY(const std::size_t count,
               octets_.read_at(piece_, out.subspan(done, static_cast<std::size_t>(wanted))));
    piece_ += count;
    done += count;
  }
  return done;
}

Bytes header(std::uint8_t identifier, std::uint64_t length) {
  Bytes out{identifier};
  if (length < 0x80U) {
    out.push_back(static_cast<std::uint8_t>(length));
    return out;
  }
  std::uint8_t count = 8;
  while (length >> (8 * (count - 1)) == 0) --count;
  out.push_back(static_cast<std::uint8_t>(0x80U | count));
  for (int shift = 8 * (count - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<std::uint8_t>(length >> shift));
  return out;
}

Bytes element(std::uint8_t identifier, std::initializer_list<ByteView> contents) {
  std::uint64_t length = 0;
  for (const ByteView part : contents) length += part.size();
  Bytes out = header(identifier, length);
  for (const ByteView part : contents) out.insert(out.end(), part.begin(), part.end());
  return out;
}

}  // namespace signet::as2::cms::ber
