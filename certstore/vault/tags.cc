#include "certstore/vault/tags.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace signet::vault {
namespace {

constexpr std::size_t kMostTags = 15;
constexpr std::ptrdiff_t kLongest = 256;

/// Of UTF-8: every octet but those that continue a character.
std::ptrdiff_t characters_of(std::string_view text) {
  constexpr unsigned kContinuationMask = 0xC0;
  constexpr unsigned kContinuation = 0x80;
  return std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & kContinuationMask) != kContinuation;
  });
}

bool fits(std::string_view text) { return is_utf8(text) && characters_of(text) <= kLongest; }

}  // namespace

Result<> check_tags(const Tags& tags, std::string_view what) {
  if (tags.size() > kMostTags)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a {} has up to {} tags, this one {}", what, kMostTags, tags.size()));
  for (const auto& [name, value] : tags)
    if (name.empty() || !fits(name) || !fits(value))
      return fail(
          ErrorKind::InvalidInput,
          fmt::format("the tag '{}' cannot be a {}'s: its name needs 1 to {} characters of UTF-8, its "
                      "value up to {}",
                      printable(name), what, kLongest, kLongest));
  return {};
}

}  // namespace signet::vault
