#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "certstore/vault/key.h"

namespace CLI {
class App;
}

/// What is said of the vault's keys and secrets, as options of commands and in their output.

namespace signet::gateway {

/// "none" where there is no date.
std::string date_text(const std::optional<Time>& date);
/// null where there is no date.
nlohmann::ordered_json date_json(const std::optional<Time>& date);
/// One version of a key or a secret among others.
nlohmann::ordered_json version_json(const vault::KeyId& id, const vault::KeyAttributes& attributes,
                                    Time created);
/// What somebody should know who has just said when `what` ("key", "secret") may be used: that its time is
/// over. Empty: nothing.
std::vector<std::string> warnings_of(const vault::KeyAttributes& attributes, std::string_view what, Time now);
/// "a=1, b=2", or "none".
std::string tags_text(const vault::Tags& tags);
/// --tag NAME=VALUE, which may be given several times.
void add_tag_option(CLI::App& command, std::vector<std::string>& tags);
/// Tags as that option takes them; absent when it was not given, and none at all for the one word "none".
///
/// @error InvalidInput  a word without '=', or a name given twice.
Result<std::optional<vault::Tags>> read_tags(const std::vector<std::string>& words);
/// What the options of `update` say; a date that was not given is empty, and "none" takes one away.
Result<vault::AttributesUpdate> attributes_update(bool enable, bool disable, const std::string& not_before,
                                                  const std::string& expires);
/// As the options take it: a time, or "none". @error InvalidInput
Result<std::optional<Time>> parse_date(const std::string& text);

}  // namespace signet::gateway
