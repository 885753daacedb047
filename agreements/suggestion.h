#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Internal: what somebody who wrote a wrong name may have meant.

namespace signet::agreements {

/// How many characters must be changed, added or removed to make one of the other (Levenshtein).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate nearest to the name, case not counting; empty when none is near.
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace signet::agreements
