#include "base/clock.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <ctime>

#include "base/bytes.h"

namespace signet {
namespace {

constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::tm broken_down(Time time) {
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(
                                  std::chrono::floor<std::chrono::seconds>(time).time_since_epoch())
                                  .count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return parts;
}

std::string in_words(Time time, const char* zone) {
  const std::tm t = broken_down(time);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} {}", kDays[static_cast<std::size_t>(t.tm_wday)],
                     t.tm_mday, kMonths[static_cast<std::size_t>(t.tm_mon)], t.tm_year + 1900, t.tm_hour,
                     t.tm_min, t.tm_sec, zone);
}

/// Takes `digits` decimal digits off the front of `text`; -1 when they are not there.
int take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return -1;
  int value = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

/// Writes a number over zeros, its last digit at `end`.
void put_digits(std::string& text, std::size_t end, int number) {
  for (; number > 0; number /= 10) text[end--] = static_cast<char>('0' + number % 10);
}

}  // namespace

std::string to_rfc3339(Time time) {
  const std::tm t = broken_down(time);
  // Not by subtracting the whole seconds: for Time::min() those are out of range.
  constexpr std::int64_t kMicros = 1'000'000;
  const auto millis =
      static_cast<int>((time.time_since_epoch().count() % kMicros + kMicros) % kMicros / 1000);
  const int year = t.tm_year + 1900;
  if (year < 0 || year > 9999)
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", year, t.tm_mon + 1, t.tm_mday, t.tm_hour,
                       t.tm_min, t.tm_sec, millis);
  // Two dozen times stand in what is written about one message, so they are put together by hand.
  std::string text = "0000-00-00T00:00:00.000Z";
  put_digits(text, 3, year);
  put_digits(text, 6, t.tm_mon + 1);
  put_digits(text, 9, t.tm_mday);
  put_digits(text, 12, t.tm_hour);
  put_digits(text, 15, t.tm_min);
  put_digits(text, 18, t.tm_sec);
  put_digits(text, 22, millis);
  return text;
}

std::string to_rfc5322(Time time) { return in_words(time, "+0000"); }
std::string to_http_date(Time time) { return in_words(time, "GMT"); }

Result<Time> parse_time(std::string_view text) {
  const auto wrong = [whole = text] {
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("expected a time such as 2026-11-21T08:30:00Z or a date such as 2026-11-21, got '{}'",
                    whole));
  };
  using namespace std::chrono;
  std::string_view rest = trim(text);
  const int y = take_number(rest, 4);
  if (y < 0 || !take(rest, '-')) return wrong();
  const int mon = take_number(rest, 2);
  if (mon < 0 || !take(rest, '-')) return wrong();
  const int d = take_number(rest, 2);
  const year_month_day date{year{y}, month{static_cast<unsigned>(mon)}, day{static_cast<unsigned>(d)}};
  if (d < 0 || !date.ok()) return wrong();
  Time time{sys_days{date}.time_since_epoch()};
  if (rest.empty()) return time;

  if (!take(rest, 'T') && !take(rest, 't') && !take(rest, ' ')) return wrong();
  const int h = take_number(rest, 2);
  if (h < 0 || h > 23 || !take(rest, ':')) return wrong();
  const int m = take_number(rest, 2);
  if (m < 0 || m > 59 || !take(rest, ':')) return wrong();
  const int s = take_number(rest, 2);
  if (s < 0 || s > 60) return wrong();
  time += hours{h} + minutes{m} + seconds{s};

  if (take(rest, '.')) {
    int scale = 100'000;
    if (rest.empty() || rest.front() < '0' || rest.front() > '9') return wrong();
    while (!rest.empty() && rest.front() >= '0' && rest.front() <= '9') {
      time += microseconds{(rest.front() - '0') * scale};
      scale /= 10;
      rest.remove_prefix(1);
    }
  }
  if (take(rest, 'Z') || take(rest, 'z')) return rest.empty() ? Result<Time>(time) : wrong();
  const bool east = take(rest, '+');
  if (!east && !take(rest, '-')) return wrong();
  const int zh = take_number(rest, 2);
  if (zh < 0 || zh > 23 || !take(rest, ':')) return wrong();
  const int zm = take_number(rest, 2);
  if (zm < 0 || zm > 59 || !rest.empty()) return wrong();
  const auto offset = hours{zh} + minutes{zm};
  return east ? time - offset : time + offset;
}

}  // namespace signet
