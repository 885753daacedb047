#pragma once

#include <algorithm>
#include <chrono>

namespace signet {

/// How long to wait after so many failures in a row: `first` after one, twice as long after each that
/// follows, and never longer than `longest`.
///
/// @param first     more than nothing
/// @param failures  0 counts as 1
template <class Rep, class Period>
constexpr std::chrono::duration<Rep, Period> doubled(std::chrono::duration<Rep, Period> first,
                                                     std::chrono::duration<Rep, Period> longest,
                                                     unsigned failures) {
  auto wait = std::min(first, longest);
  for (unsigned i = 1; i < failures && wait < longest; ++i)
    wait += std::min(wait, longest - wait);  // no sum is too large for its type
  return wait;
}

}  // namespace signet
