#pragma once

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

/// Internal: the words for the values of an enum.

namespace signet::authority {

template <class Enum, std::size_t N>
using Words = std::array<std::pair<Enum, std::string_view>, N>;

template <class Enum, std::size_t N>
std::string_view word_of(const Words<Enum, N>& words, Enum value) {
  for (const auto& [known, word] : words)
    if (known == value) return word;
  return "unknown";
}

/// In any case. @error InvalidInput  lists the words.
template <class Enum, std::size_t N>
Result<Enum> value_of(const Words<Enum, N>& words, std::string_view text, std::string_view what) {
  std::string all;
  for (const auto& [value, word] : words) {
    if (equal_ignoring_case(word, text)) return value;
    all.append(all.empty() ? "" : ", ").append(word);
  }
  return fail(ErrorKind::InvalidInput, fmt::format("'{}' is no {}: one of {}", printable(text), what, all));
}

}  // namespace signet::authority
