#include "as2/mime/charset.h"

#include <array>

#include "base/bytes.h"
#include "base/utf8.h"

namespace signet::as2::mime {
namespace {

/// windows-1252 from 0x80 to 0x9F.
constexpr std::array<char32_t, 32> kWindows1252 = {
    0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};

std::string from_single_octets(std::string_view octets) {
  std::string out;
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    append_utf8(out, octet >= 0x80 && octet < 0xA0 ? kWindows1252[octet - 0x80U] : octet);
  }
  return out;
}

}  // namespace

void append_utf8(std::string& out, char32_t code_point) {
  const auto continuation = [&](unsigned shift) {
    out.push_back(static_cast<char>(0x80U | ((code_point >> shift) & 0x3FU)));
  };
  if (code_point < 0x80) {
    out.push_back(static_cast<char>(code_point));
  } else if (code_point < 0x800) {
    out.push_back(static_cast<char>(0xC0U | (code_point >> 6U)));
    continuation(0);
  } else if (code_point < 0x10000) {
    out.push_back(static_cast<char>(0xE0U | (code_point >> 12U)));
    continuation(6);
    continuation(0);
  } else {
    out.push_back(static_cast<char>(0xF0U | (code_point >> 18U)));
    continuation(12);
    continuation(6);
    continuation(0);
  }
}

std::string guess_utf8(std::string_view octets) {
  return is_utf8(octets) ? std::string(octets) : from_single_octets(octets);
}

std::optional<std::string> to_utf8(std::string_view octets, std::string_view charset) {
  for (const std::string_view name : {"utf-8", "utf8", "us-ascii", "ascii", ""})
    if (equal_ignoring_case(charset, name)) return guess_utf8(octets);
  for (const std::string_view name : {"iso-8859-1", "iso8859-1", "latin1", "windows-1252", "cp1252"})
    if (equal_ignoring_case(charset, name)) return from_single_octets(octets);
  return std::nullopt;
}

}  // namespace signet::as2::mime
