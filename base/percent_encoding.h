#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

/// Percent-encoding (RFC 3986 section 2.1). Written, of everything but the unreserved characters: letters,
/// digits and - . _ ~.

namespace signet {

/// "a b" as "a%20b".
std::string percent_encode(std::string_view text);

/// The same to the end of octets that can be wiped, for secrets.
void append_percent_encoded(Bytes& octets, std::string_view text);

/// "a%20b" as "a b". A "%" without two digits behind it is left as it is.
std::string percent_decode(std::string_view text);

/// The octet that "%xx" at the front of a text stands for; nothing where there is none.
std::optional<std::uint8_t> leading_percent_octet(std::string_view text);

}  // namespace signet
