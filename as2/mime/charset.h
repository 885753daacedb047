#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Internal to as2/mime: the few character sets in which file names come.

namespace signet::as2::mime {

void append_utf8(std::string& out, char32_t code_point);

/// UTF-8 stays as it is; anything else is read as windows-1252, of which ISO 8859-1 is nearly a part.
std::string guess_utf8(std::string_view octets);

/// To UTF-8, from utf-8, us-ascii, iso-8859-1 or windows-1252 by name; nothing for any other name.
std::optional<std::string> to_utf8(std::string_view octets, std::string_view charset);

}  // namespace signet::as2::mime
