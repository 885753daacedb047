#pragma once

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "certstore/vault/flag_set.h"

/// Internal: enums as words, in both directions, from one table.

namespace signet::vault {

template <class Enum>
struct Word {
  Enum value;
  std::string_view text;
};

template <class Enum, std::size_t N>
std::string_view word_of(const std::array<Word<Enum>, N>& table, Enum value) {
  for (const Word<Enum>& word : table)
    if (word.value == value) return word.text;
  return "?";
}

template <class Enum, std::size_t N>
std::string all_words(const std::array<Word<Enum>, N>& table) {
  std::string all;
  for (const Word<Enum>& word : table) all.append(all.empty() ? "" : ", ").append(word.text);
  return all;
}

/// `what` completes "... is no <what>".
template <class Enum, std::size_t N>
Result<Enum> find_word(const std::array<Word<Enum>, N>& table, std::string_view text, std::string_view what) {
  for (const Word<Enum>& word : table)
    if (equal_ignoring_case(word.text, text)) return word.value;
  return fail(ErrorKind::InvalidInput,
              fmt::format("'{}' is no {}; there are: {}", printable(text), what, all_words(table)));
}

template <class Enum, std::size_t N>
std::string join_words(const std::array<Word<Enum>, N>& table, FlagSet<Enum> set) {
  std::string words;
  for (const Word<Enum>& word : table)
    if (set.has(word.value)) words.append(words.empty() ? "" : ",").append(word.text);
  return words;
}

template <class Enum, std::size_t N>
Result<FlagSet<Enum>> split_words(const std::array<Word<Enum>, N>& table, std::string_view words,
                                  std::string_view what) {
  FlagSet<Enum> set;
  while (!trim(words).empty()) {
    const std::size_t comma = words.find(',');
    SIGNET_TRY(const Enum member, find_word(table, trim(words.substr(0, comma)), what));
    set.add(member);
    words.remove_prefix(comma == std::string_view::npos ? words.size() : comma + 1);
  }
  return set;
}

}  // namespace signet::vault
