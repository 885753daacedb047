#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "certstore/vault/key.h"

/// What is said of the vault's keys and secrets, as options of commands and in their output.

namespace signet::gateway {

/// "none" where there is no date.
std::string date_text(const std::optional<Time>& date);
/// null where there is no date.
nlohmann::ordered_json date_json(const std::optional<Time>& date);
/// Of words with commas between them, an array.
nlohmann::ordered_json words_json(std::string_view words);
/// One version of a key or a secret among others.
nlohmann::ordered_json version_json(const vault::KeyId& id, const vault::KeyAttributes& attributes,
                                    Time created);
/// What somebody should know who has just said when `what` ("key", "secret") may be used: that its time is
/// over. Empty: nothing.
std::vector<std::string> warnings_of(const vault::KeyAttributes& attributes, std::string_view what, Time now);
/// As the options take it: a time, or "none". @error InvalidInput
Result<std::optional<Time>> parse_date(const std::string& text);

}  // namespace signet::gateway
