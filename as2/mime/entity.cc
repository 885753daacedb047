#include "as2/mime/entity.h"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <optional>
#include <string>

namespace signet::as2::mime {
namespace {

constexpr std::size_t kMaxBoundary = 200;
/// White space allowed behind a boundary; more, and the line is none.
constexpr std::size_t kMaxPadding = 256;

/// The first octets of a slice, borrowed from it or kept in `buffer`.
Result<std::string_view> front_of(const Slice& octets, std::size_t count, Bytes& buffer) {
  const Slice front = octets.sub(0, count);
  if (const auto memory = front.in_memory()) return as_text(*memory);
  SIGNET_TRY(buffer, front.to_bytes(count));
  return as_text(buffer);
}

bool is_mime_field(std::string_view name) {
  constexpr std::string_view content = "content-";
  return equal_ignoring_case(name.substr(0, content.size()), content) ||
         equal_ignoring_case(name, "MIME-Version");
}

/// The name of the field that the first line is, if it looks like one.
std::string_view first_field_name(std::string_view text) {
  const std::size_t end = text.find_first_of(":\r\n");
  if (end == std::string_view::npos || text[end] != ':') return {};
  return trim(text.substr(0, end));
}

/// Finds the delimiters of one multipart, from front to back.
class DelimiterScanner {
 public:
  struct Delimiter {
    std::uint64_t begin = 0;  ///< of the line end before it, which is part of it
    std::uint64_t end = 0;    ///< of the line end behind it
    bool closing = false;
  };

  DelimiterScanner(const Slice& body, std::string_view boundary)
      : body_(body), memory_(body.in_memory()), needle_("--" + std::string(boundary)) {}

  Result<std::optional<Delimiter>> next() {
    for (;;) {
      const std::uint64_t from = position_ - std::min<std::uint64_t>(position_, kLookBack);
      SIGNET_TRY(const ByteView window, octets_from(from));
      const std::uint64_t window_end = from + window.size();
      const auto skipped = static_cast<std::size_t>(position_ - from);
      if (window.size() - skipped < needle_.size()) return std::nullopt;
      const void* found =
          memmem(window.data() + skipped, window.size() - skipped, needle_.data(), needle_.size());
      if (found == nullptr) {
        if (window_end == body_.size()) return std::nullopt;
        position_ = window_end - (needle_.size() - 1);
        continue;
      }
      const auto index = static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - window.data());
      position_ = from + index;
      if (window_end < body_.size() && window_end - position_ < longest_line()) continue;
      if (const auto delimiter = delimiter_at(window, index, from)) {
        position_ = delimiter->end;
        return delimiter;
      }
      ++position_;
    }
  }

 private:
  /// CRLF before the boundary.
  static constexpr std::size_t kLookBack = 2;

  /// Boundary, "--", padding, CRLF.
  [[nodiscard]] std::size_t longest_line() const { return needle_.size() + 2 + kMaxPadding + 2; }

  /// Octets from `from` to the end, or to longest_line() behind the position at least.
  Result<ByteView> octets_from(std::uint64_t from) {
    if (memory_) return memory_->subspan(static_cast<std::size_t>(from));
    const std::uint64_t wanted_end = std::min(body_.size(), from + kLookBack + longest_line());
    if (from < buffer_start_ || buffer_start_ + buffer_.size() < wanted_end) {
      SIGNET_TRY(buffer_, body_.sub(from, kLargeChunkSize).to_bytes(kLargeChunkSize));
      buffer_start_ = from;
    }
    return ByteView(buffer_).subspan(static_cast<std::size_t>(from - buffer_start_));
  }

  [[nodiscard]] std::optional<Delimiter> delimiter_at(ByteView window, std::size_t index,
                                                      std::uint64_t from) const {
    std::size_t begin = index;
    if (index > 0) {
      if (window[--begin] != '\n') return std::nullopt;
      if (begin > 0 && window[begin - 1] == '\r') --begin;
    }
    const std::string_view rest = as_text(window.subspan(index + needle_.size()));
    const bool closing = rest.substr(0, 2) == "--";
    std::size_t end = closing ? 2 : 0;
    const std::size_t padding_limit = end + kMaxPadding;
    while (end < rest.size() && end < padding_limit && (rest[end] == ' ' || rest[end] == '\t')) ++end;
    const bool cr = end < rest.size() && rest[end] == '\r';
    if (cr) ++end;
    if (end < rest.size()) {
      if (rest[end] != '\n') return std::nullopt;
      ++end;
    }
    return Delimiter{from + begin, from + index + needle_.size() + end, closing};
  }

  const Slice& body_;
  std::optional<ByteView> memory_;
  std::string needle_;
  std::uint64_t position_ = 0;
  Bytes buffer_;
  std::uint64_t buffer_start_ = 0;
};

/// A multipart taken apart.
struct Multipart {
  std::vector<Slice> parts;
  Slice epilogue;  ///< what follows the closing boundary's line
};

Result<> check_boundary(std::string_view boundary) {
  const bool printable_only =
      std::all_of(boundary.begin(), boundary.end(), [](char c) { return c >= ' ' && c != 0x7F; });
  if (boundary.empty() || boundary.size() > kMaxBoundary || !printable_only)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a multipart's boundary should be 1 to {} printable characters and is '{}'",
                            kMaxBoundary, printable(boundary, 80)));
  return {};
}

Result<Multipart> take_apart(const Slice& body, std::string_view boundary, std::size_t max_parts) {
  while (!boundary.empty() && (boundary.back() == ' ' || boundary.back() == '\t')) boundary.remove_suffix(1);
  SIGNET_CHECK(check_boundary(boundary));
  DelimiterScanner scanner(body, boundary);
  SIGNET_TRY(std::optional<DelimiterScanner::Delimiter> delimiter, scanner.next());
  if (!delimiter)
    return fail(ErrorKind::InvalidInput,
                fmt::format("no line of the multipart is its boundary '--{}'", printable(boundary)));
  Multipart multipart;
  while (!delimiter->closing) {
    if (multipart.parts.size() == max_parts)
      return fail(ErrorKind::LimitExceeded, fmt::format("a multipart of more than {} parts", max_parts));
    const std::uint64_t start = delimiter->end;
    SIGNET_TRY(delimiter, scanner.next());
    if (!delimiter)
      return fail(ErrorKind::InvalidInput,
                  fmt::format("the multipart is cut off: its closing boundary '--{}--' is missing",
                              printable(boundary)));
    multipart.parts.push_back(body.sub(start, delimiter->begin > start ? delimiter->begin - start : 0));
  }
  multipart.epilogue = body.sub(delimiter->end);
  return multipart;
}

/// Nothing, or the line end or two that some senders put there.
Result<bool> is_null(const Slice& epilogue) {
  constexpr std::size_t kLineEnds = 4;
  if (epilogue.size() > kLineEnds) return false;
  SIGNET_TRY(const Bytes octets, epilogue.to_bytes(kLineEnds));
  return trim(as_text(octets)).empty();
}

}  // namespace

Result<Entity> read_entity(const Slice& octets) {
  const HeaderRules rules = HeaderRules::body();
  Entity entity;
  entity.whole = octets;
  Bytes buffer;
  SIGNET_TRY(const std::string_view front, front_of(octets, rules.max_octets + 1, buffer));
  const std::string_view first_name = first_field_name(front);
  if (first_name.empty()) {
    const std::size_t empty_line = front.substr(0, 2) == "\r\n" ? 2 : front.substr(0, 1) == "\n" ? 1 : 0;
    entity.body = octets.sub(empty_line);
    return entity;
  }
  auto block = parse_headers(front, rules);
  if (!block && is_mime_field(first_name)) return fail(std::move(block).error());
  const bool has_headers =
      block && std::any_of(block->headers.begin(), block->headers.end(),
                           [](const Header& field) { return is_mime_field(field.name); });
  if (!has_headers) {
    entity.body = octets;
    return entity;
  }
  entity.headers = std::move(block->headers);
  entity.body = octets.sub(block->octets);
  return entity;
}

Result<std::vector<Slice>> split_multipart(const Slice& body, std::string_view boundary,
                                           std::size_t max_parts) {
  SIGNET_TRY(Multipart multipart, take_apart(body, boundary, max_parts));
  return std::move(multipart.parts);
}

Result<SignedParts> split_signed(const Slice& body, std::string_view boundary) {
  auto multipart = take_apart(body, boundary, 2);
  if (!multipart && multipart.error().kind == ErrorKind::LimitExceeded)
    return fail(ErrorKind::InvalidInput, "a multipart/signed has more than two parts");
  if (!multipart) return fail(std::move(multipart).error());
  if (multipart->parts.size() != 2)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a multipart/signed has {} parts instead of two", multipart->parts.size()));
  SIGNET_TRY(Entity signature, read_entity(multipart->parts[1]));
  SIGNET_TRY(const bool null_epilogue, is_null(multipart->epilogue));
  return SignedParts{multipart->parts[0], std::move(signature), null_epilogue};
}

}  // namespace signet::as2::mime
