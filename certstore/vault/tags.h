#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

/// What owners note about their keys and secrets.

namespace signet::vault {

/// Notes by name, as Key Vault has them: at most 15; names and values of up to 256 characters, UTF-8, a name
/// of at least one. They are shown to whoever may see the object, so nothing secret belongs in them.
using Tags = std::map<std::string, std::string>;

/// @error InvalidInput  says which tag of a `what` ("key", "secret") breaks which of the rules above.
Result<> check_tags(const Tags& tags, std::string_view what);

}  // namespace signet::vault
