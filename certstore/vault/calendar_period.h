#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

/// Spans of time by the calendar, in ISO 8601's words.

namespace signet::vault {

/// "P90D", "P3M", "P1Y10D", "PT48H" (ISO 8601-1 section 5.5.2.3): years, months, days and hours. Weeks,
/// minutes and seconds are not for the life of a key.
struct CalendarPeriod {
  int years = 0;
  int months = 0;
  int days = 0;
  int hours = 0;

  friend bool operator==(const CalendarPeriod&, const CalendarPeriod&) = default;
};

/// The form that it is read from.
std::string to_string(const CalendarPeriod& period);
/// @error InvalidInput  not in this form, of no time at all, a number of more than 4 digits, or more than 100
/// years, be they given as years or as months.
Result<CalendarPeriod> parse_period(std::string_view text);

/// The same time of the day that many years and months later, or on the last day of a month that is too
/// short; and from there the days and hours.
Time operator+(Time time, const CalendarPeriod& period);
/// The same towards the past.
Time operator-(Time time, const CalendarPeriod& period);

/// How long a period is at least and at most, from whichever day it counts: P1M is 28 to 31 days.
std::chrono::hours shortest_length(const CalendarPeriod& period);
std::chrono::hours longest_length(const CalendarPeriod& period);

}  // namespace signet::vault
