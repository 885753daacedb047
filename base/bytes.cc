#include "base/bytes.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <array>
#include <optional>

#include "base/hex_value.h"
#include "base/utf8.h"

namespace signet {
namespace {

constexpr std::string_view kBase64Alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64UrlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kBase64LineLength = 76;

std::string hex(ByteView bytes, std::string_view digits) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    out.push_back(digits[byte >> 4U]);
    out.push_back(digits[byte & 0x0FU]);
  }
  return out;
}

std::string encode_base64(ByteView bytes, std::string_view alphabet, bool pad) {
  const std::size_t full = bytes.size() / 3;
  std::string out(full * 4, '\0');
  const std::uint8_t* from = bytes.data();
  char* to = out.data();
  for (std::size_t i = 0; i < full; ++i, from += 3) {
    const std::uint32_t group =
        (std::uint32_t{from[0]} << 16U) | (std::uint32_t{from[1]} << 8U) | std::uint32_t{from[2]};
    *to++ = alphabet[group >> 18U];
    *to++ = alphabet[(group >> 12U) & 63U];
    *to++ = alphabet[(group >> 6U) & 63U];
    *to++ = alphabet[group & 63U];
  }
  const std::size_t left = bytes.size() - full * 3;
  if (left == 0) return out;
  const std::uint32_t group =
      (std::uint32_t{from[0]} << 16U) | (left > 1 ? std::uint32_t{from[1]} << 8U : 0U);
  out.push_back(alphabet[group >> 18U]);
  out.push_back(alphabet[(group >> 12U) & 63U]);
  if (left > 1) out.push_back(alphabet[(group >> 6U) & 63U]);
  if (pad) out.append(3 - left, '=');
  return out;
}

constexpr std::array<std::int8_t, 256> make_base64_values() {
  std::array<std::int8_t, 256> values{};
  for (auto& value : values) value = -1;
  for (std::size_t i = 0; i < kBase64Alphabet.size(); ++i)
    values[static_cast<unsigned char>(kBase64Alphabet[i])] = static_cast<std::int8_t>(i);
  return values;
}
constexpr auto kBase64Values = make_base64_values();

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Whether a character above ASCII shows, as itself and in its place: not a control character (C1, U+2028 and
/// U+2029), nor one without width, nor one that turns the direction of writing, nor a tag.
bool is_visible(char32_t code) {
  const auto within = [code](char32_t first, char32_t last) { return first <= code && code <= last; };
  return !within(0x80, 0x9F) && code != 0xAD && code != 0x61C && !within(0x200B, 0x200F) &&
         !within(0x2028, 0x202E) && !within(0x2060, 0x206F) && code != 0xFEFF && !within(0xE0000, 0xE0FFF);
}

void append_printable(std::string& out, char octet) {
  const auto c = static_cast<unsigned char>(octet);
  if (c >= 0x20 && c <= 0x7E)
    out.push_back(octet);
  else
    out += fmt::format("\\x{:02x}", c);
}

}  // namespace

ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
Bytes to_bytes(std::string_view text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}

std::string hex_lower(ByteView bytes) { return hex(bytes, "0123456789abcdef"); }
std::string hex_upper(ByteView bytes) { return hex(bytes, "0123456789ABCDEF"); }

Result<Bytes> parse_hex(std::string_view text) {
  if (text.size() % 2 != 0)
    return fail(ErrorKind::InvalidInput, "hexadecimal text has an odd number of digits");
  Bytes out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0)
      return fail(ErrorKind::InvalidInput, fmt::format("no hexadecimal digit at position {}", i));
    out.push_back(static_cast<std::uint8_t>(high * 16 + low));
  }
  return out;
}

std::string base64(ByteView bytes) { return encode_base64(bytes, kBase64Alphabet, true); }
std::string base64url(ByteView bytes) { return encode_base64(bytes, kBase64UrlAlphabet, false); }

std::string base64_lines(ByteView bytes) {
  const std::string text = base64(bytes);
  std::string out;
  out.reserve(text.size() + text.size() / kBase64LineLength * 2 + 2);
  for (std::size_t i = 0; i < text.size(); i += kBase64LineLength)
    out.append(text, i, kBase64LineLength).append("\r\n");
  return out;
}

Result<Bytes> parse_base64(std::string_view text) {
  Bytes out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  unsigned count = 0;
  bool padded = false;
  for (const char c : text) {
    if (is_space(c)) continue;
    if (c == '=') {
      padded = true;
      continue;
    }
    const std::int8_t value = kBase64Values[static_cast<unsigned char>(c)];
    if (value < 0) return fail(ErrorKind::InvalidInput, "base64 text holds a character outside its alphabet");
    if (padded) return fail(ErrorKind::InvalidInput, "base64 text goes on after its padding");
    group = (group << 6U) | static_cast<std::uint32_t>(value);
    if (++count == 4) {
      out.push_back(static_cast<std::uint8_t>(group >> 16U));
      out.push_back(static_cast<std::uint8_t>(group >> 8U));
      out.push_back(static_cast<std::uint8_t>(group));
      group = 0;
      count = 0;
    }
  }
  if (count == 1) return fail(ErrorKind::InvalidInput, "base64 text is cut off");
  if (count >= 2) out.push_back(static_cast<std::uint8_t>(group >> (count == 2 ? 4U : 10U)));
  if (count == 3) out.push_back(static_cast<std::uint8_t>(group >> 2U));
  return out;
}

Result<Bytes> parse_base64url(std::string_view text) {
  std::string standard(text);
  for (char& c : standard) {
    if (kBase64UrlAlphabet.find(c) == std::string_view::npos)
      return fail(ErrorKind::InvalidInput, "base64url text holds a character outside its alphabet");
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  return parse_base64(standard);
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool is_utf8(std::string_view text) {
  while (!text.empty())
    if (!take_code_point(text)) return false;
  return true;
}

bool equal_in_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == limit) return out + "...";
    append_printable(out, text[i]);
  }
  return out;
}

std::string printable_line(std::string_view text, std::size_t limit) {
  std::string line;
  bool between = false;
  for (const char c : trim(text)) {
    const bool is_space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (is_space && between) continue;
    line.push_back(is_space ? ' ' : c);
    between = is_space;
  }
  return printable(line, limit);
}

std::string printable_name(std::string_view text, std::size_t limit) {
  std::string out;
  const std::size_t size = text.size();
  while (!text.empty()) {
    std::string_view rest = text;
    const std::optional<char32_t> code = take_code_point(rest);
    if (size - rest.size() > limit) return out + "...";
    const std::string_view octets = text.substr(0, text.size() - rest.size());
    if (code && octets.size() > 1 && is_visible(*code))
      out += octets;
    else
      for (const char octet : octets) append_printable(out, octet);
    text = rest;
  }
  return out;
}

}  // namespace signet
