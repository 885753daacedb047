#include "base/percent_encoding.h"

#include "base/hex_value.h"

namespace signet {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

template <class Append>
void encode(std::string_view text, Append append) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (is_unreserved(c)) {
      append(c);
    } else {
      append('%');
      append(kDigits[octet >> 4U]);
      append(kDigits[octet & 15U]);
    }
  }
}

}  // namespace

std::string percent_encode(std::string_view text) {
  std::string encoded;
  encode(text, [&](char c) { encoded.push_back(c); });
  return encoded;
}

void append_percent_encoded(Bytes& octets, std::string_view text) {
  encode(text, [&](char c) { octets.push_back(static_cast<std::uint8_t>(c)); });
}

std::string percent_decode(std::string_view text) {
  std::string decoded;
  while (!text.empty()) {
    const auto octet = leading_percent_octet(text);
    decoded += octet ? static_cast<char>(*octet) : text.front();
    text.remove_prefix(octet ? 3 : 1);
  }
  return decoded;
}

std::optional<std::uint8_t> leading_percent_octet(std::string_view text) {
  if (text.size() < 3 || text.front() != '%') return std::nullopt;
  const int high = hex_value(text[1]);
  const int low = hex_value(text[2]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<std::uint8_t>(high * 16 + low);
}

}  // namespace signet
