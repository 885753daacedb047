#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"

/// The dates of the vault's keys and secrets, as options of commands and in their output.

namespace signet::gateway {

/// "none" where there is no date.
std::string date_text(const std::optional<Time>& date);
/// null where there is no date.
nlohmann::ordered_json date_json(const std::optional<Time>& date);
/// As the options take it: a time, or "none". @error InvalidInput
Result<std::optional<Time>> parse_date(const std::string& text);

}  // namespace signet::gateway
