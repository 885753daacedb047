#include "base/utf8.h"

#include <array>
#include <cstddef>

namespace signet {

std::optional<char32_t> take_code_point(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  if (length == 0 || text.size() < length) {
    text.remove_prefix(1);
    return std::nullopt;
  }
  constexpr std::array<unsigned char, 5> first_bits = {0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t code_point = first & first_bits[length];
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0U) != 0x80U) {
      text.remove_prefix(1);
      return std::nullopt;
    }
    code_point = (code_point << 6U) | (next & 0x3FU);
  }
  constexpr std::array<char32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (code_point < smallest[length] || surrogate || code_point > 0x10FFFF) {
    text.remove_prefix(1);
    return std::nullopt;
  }
  text.remove_prefix(length);
  return code_point;
}

}  // namespace signet
