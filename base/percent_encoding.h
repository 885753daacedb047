#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

/// Percent-encoding of everything but RFC 3986's unreserved characters: letters, digits and - . _ ~.

namespace signet {

/// "a b" as "a%20b".
std::string percent_encode(std::string_view text);

/// The same to the end of octets that can be wiped, for secrets.
void append_percent_encoded(Bytes& octets, std::string_view text);

}  // namespace signet
