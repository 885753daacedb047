#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// Octets, and the text forms that the field writes them in.

namespace signet {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

/// The octets of a text, borrowed.
ByteView as_bytes(std::string_view text);
/// Octets looked at as text, borrowed.
std::string_view as_text(ByteView bytes);
/// A copy of the octets of a text.
Bytes to_bytes(std::string_view text);

std::string hex_lower(ByteView bytes);
std::string hex_upper(ByteView bytes);
/// @error InvalidInput  an odd number of digits, or a character that is no hexadecimal digit.
Result<Bytes> parse_hex(std::string_view text);

/// RFC 4648 section 4, with padding, on one line.
std::string base64(ByteView bytes);
/// RFC 2045 section 6.8: lines of 76 characters, each ended by CRLF, the last one too.
std::string base64_lines(ByteView bytes);
/// Reads base64, skipping white space anywhere. Padding may be absent.
///
/// @error InvalidInput  any other character, or a length that no octets give.
Result<Bytes> parse_base64(std::string_view text);
/// RFC 4648 section 5, without padding (Key Vault's encoding).
std::string base64url(ByteView bytes);
/// Reads that form alone: no white space, no padding.
///
/// @error InvalidInput  any other character, or a length that no octets give.
Result<Bytes> parse_base64url(std::string_view text);

/// ASCII only, whatever the locale.
std::string to_lower(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);
/// Without the spaces, tabs, CR and LF at either end.
std::string_view trim(std::string_view text);

/// Whether the octets are UTF-8 as RFC 3629 has it: shortest forms only, no surrogates, nothing above
/// U+10FFFF.
bool is_utf8(std::string_view text);

/// Whether two secrets are equal, in a time that tells nothing but their lengths.
bool equal_in_constant_time(ByteView a, ByteView b);

/// Text of a stranger made fit for one line of a log or a terminal: every control character and every octet
/// above 0x7E becomes \xNN, and more than `limit` characters become "...".
std::string printable(std::string_view text, std::size_t limit = 200);
/// The same of text on several lines: every run of white space becomes one space, none is at either end.
std::string printable_line(std::string_view text, std::size_t limit = 200);
/// The same of a name that may be in any script: UTF-8 stays, but for control characters and those that have
/// no width or turn the direction of writing, which make one name look like another.
std::string printable_name(std::string_view text, std::size_t limit = 200);

}  // namespace signet
