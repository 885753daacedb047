#pragma once

#include <optional>
#include <string_view>

namespace signet {

/// Takes the first character off the front of `text`: well-formed UTF-8 as RFC 3629 section 4 has it, in its
/// shortest form and without surrogates. Nothing when `text` does not begin with one; one octet is taken off
/// then. `text` must not be empty.
std::optional<char32_t> take_code_point(std::string_view& text);

}  // namespace signet
