#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "certstore/vault/tags.h"

/// Internal to gateway/store: what the rows of keys and of secrets have in common.

namespace signet::gateway {

inline std::int64_t flag(bool value) { return value ? 1 : 0; }

/// As the column `tags` has them: a JSON object.
std::string to_column(const vault::Tags& tags);
/// @error IoFailure  the column holds something else: the database is damaged.
Result<vault::Tags> tags_of(std::string_view column);

}  // namespace signet::gateway
