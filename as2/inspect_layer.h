#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "as2/inspect.h"

/// How inspect() writes into a layer. Internal to as2.

namespace signet::as2 {

inline std::string octets_text(std::uint64_t size) { return fmt::format("{} octets", size); }

/// Where there is no value there is no fact.
inline void add_fact(ExplainedLayer& layer, std::string name, std::string value) {
  if (!value.empty()) layer.facts.push_back({std::move(name), std::move(value)});
}
/// The first field of that name, if there is one.
inline void add_header_fact(ExplainedLayer& layer, const mime::Headers& headers, std::string_view name) {
  if (const auto value = headers.value(name)) add_fact(layer, to_lower(name), printable(*value, 998));
}
inline void add_failed_check(ExplainedLayer& layer, std::string text) {
  layer.checks.push_back({CheckResult::Failed, std::move(text)});
}

}  // namespace signet::as2
