#include "certstore/vault/calendar_period.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "base/bytes.h"

namespace signet::vault {
namespace {

constexpr std::size_t kMostDigits = 4;
constexpr int kMostYears = 100;
constexpr int kMonthsPerYear = 12;

struct Unit {
  char letter;
  bool of_day;  ///< stands before the T
  int CalendarPeriod::*count;
};
constexpr std::array<Unit, 4> kUnits{{{'Y', true, &CalendarPeriod::years},
                                      {'M', true, &CalendarPeriod::months},
                                      {'D', true, &CalendarPeriod::days},
                                      {'H', false, &CalendarPeriod::hours}}};

/// Takes "90D" off the front where that is what stands there.
bool take(std::string_view& rest, const Unit& unit, CalendarPeriod& period) {
  int count = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
  const auto digits = static_cast<std::size_t>(end - rest.data());
  if (error != std::errc{} || rest.front() == '-' || digits > kMostDigits || digits == rest.size() ||
      rest[digits] != unit.letter)
    return false;
  period.*unit.count = count;
  rest.remove_prefix(digits + 1);
  return true;
}

/// Whether all of it was understood.
bool read(std::string_view rest, CalendarPeriod& period) {
  if (!rest.starts_with('P')) return false;
  rest.remove_prefix(1);
  bool after_t = false;
  for (const Unit& unit : kUnits) {
    if (!unit.of_day && !after_t) {
      after_t = rest.starts_with('T');
      if (after_t) rest.remove_prefix(1);
      if (after_t && rest.empty()) return false;
    }
    if (!rest.empty() && unit.of_day != after_t) take(rest, unit, period);
  }
  return rest.empty();
}

/// `sign` is 1 or -1.
Time shifted(Time time, const CalendarPeriod& period, int sign) {
  namespace chrono = std::chrono;
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(day);
  auto moved = date + chrono::months(sign * (period.years * kMonthsPerYear + period.months));
  if (!moved.ok()) moved = moved.year() / moved.month() / chrono::last;
  return chrono::sys_days(moved) + (time - day) + chrono::days(sign * period.days) +
         chrono::hours(sign * period.hours);
}

/// From each day of the four years in which the calendar comes again.
std::array<std::chrono::hours, 2> shortest_and_longest(const CalendarPeriod& period) {
  constexpr std::chrono::days kFourYears{4 * 365 + 1};
  std::chrono::hours shortest = std::chrono::hours::max();
  std::chrono::hours longest = std::chrono::hours::min();
  for (Time day{}; day < Time(kFourYears); day += std::chrono::days(1)) {
    const auto length = std::chrono::floor<std::chrono::hours>(shifted(day, period, 1) - day);
    shortest = std::min(shortest, length);
    longest = std::max(longest, length);
  }
  return {shortest, longest};
}

}  // namespace

std::string to_string(const CalendarPeriod& period) {
  std::string text = "P";
  for (const Unit& unit : kUnits) {
    if (period.*unit.count == 0) continue;
    text += fmt::format("{}{}{}", unit.of_day ? "" : "T", period.*unit.count, unit.letter);
  }
  return text;
}

Result<CalendarPeriod> parse_period(std::string_view text) {
  CalendarPeriod period;
  if (read(text, period) && period != CalendarPeriod() &&
      period.years * kMonthsPerYear + period.months <= kMostYears * kMonthsPerYear)
    return period;
  return fail(
      ErrorKind::InvalidInput,
      fmt::format("'{}' is no period of time: expected ISO 8601's form, such as P90D, P3M or P1Y, with "
                  "years and months (up to {} years), days and hours (PT48H) of up to {} digits each",
                  printable(text), kMostYears, kMostDigits));
}

Time operator+(Time time, const CalendarPeriod& period) { return shifted(time, period, 1); }
Time operator-(Time time, const CalendarPeriod& period) { return shifted(time, period, -1); }

std::chrono::hours shortest_length(const CalendarPeriod& period) { return shortest_and_longest(period)[0]; }
std::chrono::hours longest_length(const CalendarPeriod& period) { return shortest_and_longest(period)[1]; }

}  // namespace signet::vault
