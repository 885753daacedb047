#include <fmt/format.h>

#include "base/bytes.h"
#include "certstore/authority/pattern_internal.h"

namespace signet::authority {
namespace {

constexpr std::size_t kLongestPattern = 1000;

/// "13-68" is 1, 3, 4, 5, 6, 8.
std::string with_ranges(std::string_view list) {
  std::string all;
  for (std::size_t at = 0; at < list.size(); ++at) {
    all += list[at];
    if (at + 2 >= list.size() || list[at + 1] != '-') continue;
    for (int one = static_cast<unsigned char>(list[at]) + 1; one < static_cast<unsigned char>(list[at + 2]);
         ++one)
      all += static_cast<char>(one);
    ++at;  // the end of the range is the next character
  }
  return all;
}

}  // namespace

Result<Pattern> Pattern::parse(std::string_view text) {
  const auto refused = [&](std::string_view why) {
    return fail(ErrorKind::InvalidInput, fmt::format("the pattern '{}' {}", printable(text), why));
  };
  if (text.size() > kLongestPattern) return refused("is longer than 1000 characters");
  const std::string lower = to_lower(text);
  Pattern pattern;
  for (std::size_t at = 0; at < lower.size(); ++at) {
    Part part;
    if (lower[at] == '%') {
      part.kind = Part::Kind::AnyText;
    } else if (lower[at] == '_') {
      part.kind = Part::Kind::AnyOne;
    } else if (lower[at] == '[') {
      const std::size_t end = lower.find(']', at + 1);
      if (end == std::string::npos) return refused("has a [ without its ]");
      std::string_view list = std::string_view(lower).substr(at + 1, end - at - 1);
      at = end;
      if (list.starts_with('^')) {
        part.kind = Part::Kind::NoneOf;
        list.remove_prefix(1);
      }
      part.characters = with_ranges(list);
    } else {
      if (lower[at] == '\\' && ++at == lower.size()) return refused("ends in a backslash");
      part.characters = lower[at];
    }
    pattern.parts_.push_back(std::move(part));
  }
  return pattern;
}

bool Pattern::takes(const Part& part, char character) {
  if (part.kind == Part::Kind::AnyOne) return true;
  const bool is_among = part.characters.find(character) != std::string::npos;
  return is_among == (part.kind == Part::Kind::OneOf);
}

bool Pattern::matches(std::string_view text) const {
  if (parts_.empty()) return true;
  const std::string lower = to_lower(text);
  // The last %, and where the text behind it may begin next: earlier ones need never be tried again.
  std::size_t part = 0;
  std::size_t at = 0;
  std::size_t after_percent = std::string::npos;
  std::size_t begin = 0;
  while (at < lower.size()) {
    if (part < parts_.size() && parts_[part].kind == Part::Kind::AnyText) {
      after_percent = ++part;
      begin = at;
    } else if (part < parts_.size() && takes(parts_[part], lower[at])) {
      ++part;
      ++at;
    } else if (after_percent != std::string::npos) {
      part = after_percent;
      at = ++begin;
    } else {
      return false;
    }
  }
  while (part < parts_.size() && parts_[part].kind == Part::Kind::AnyText) ++part;
  return part == parts_.size();
}

}  // namespace signet::authority
