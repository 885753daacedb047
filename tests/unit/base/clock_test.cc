#include "base/clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace signet {
namespace {

using testing::HasSubstr;

std::string normal(std::string_view text) { return to_rfc3339(parse_time(text).value()); }

TEST(ParseTime, ReadsRfc3339InAnyZone) {
  EXPECT_EQ(normal("2026-11-21T08:30:00Z"), "2026-11-21T08:30:00.000Z");
  EXPECT_EQ(normal("2026-11-21t08:30:00z"), "2026-11-21T08:30:00.000Z");
  EXPECT_EQ(normal("2026-11-21 08:30:00Z"), "2026-11-21T08:30:00.000Z");
  EXPECT_EQ(normal("2026-11-21T08:30:00+05:30"), "2026-11-21T03:00:00.000Z");
  EXPECT_EQ(normal("2026-12-31T20:30:00-08:00"), "2027-01-01T04:30:00.000Z");
  EXPECT_EQ(normal("  2026-11-21T08:30:00-00:00\n"), "2026-11-21T08:30:00.000Z");
}

TEST(ParseTime, ReadsABareDateAsItsMidnight) {
  EXPECT_EQ(normal("2024-02-29"), "2024-02-29T00:00:00.000Z");
  EXPECT_EQ(normal("1969-12-31"), "1969-12-31T00:00:00.000Z");
}

TEST(ParseTime, KeepsMicrosecondsAndCutsWhatIsFiner) {
  EXPECT_EQ(parse_time("1970-01-01T00:00:00.5Z").value().time_since_epoch().count(), 500'000);
  EXPECT_EQ(parse_time("1970-01-01T00:00:00.000001Z").value().time_since_epoch().count(), 1);
  EXPECT_EQ(parse_time("1970-01-01T00:00:00.0000019999999999999999Z").value().time_since_epoch().count(), 1);
}

TEST(ParseTime, ReadsALeapSecondAsTheNextOne) {
  EXPECT_EQ(normal("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00.000Z");
}

TEST(ParseTime, RefusesEverythingElse) {
  for (const char* text : {"",
                           "2026",
                           "2026-11",
                           "2026-11-2",
                           "26-11-21",
                           "2026-13-01",
                           "2026-00-10",
                           "2026-02-29",
                           "2026-11-31",
                           "2026-11-00",
                           "2026-11-21T",
                           "2026-11-21T08",
                           "2026-11-21T08:30",
                           "2026-11-21T08:30:00",
                           "2026-11-21T24:00:00Z",
                           "2026-11-21T08:60:00Z",
                           "2026-11-21T08:30:61Z",
                           "2026-11-21T08:30:00.Z",
                           "2026-11-21T08:30:00,5Z",
                           "2026-11-21T08:30:00+24:00",
                           "2026-11-21T08:30:00+05:60",
                           "2026-11-21T08:30:00+0530",
                           "2026-11-21T08:30:00ZZ",
                           "2026-11-21T08:30:00Z+01:00",
                           "2026-11-21Z",
                           "2026/11/21",
                           "tomorrow",
                           "2026-11-21T-1:30:00Z",
                           "2026-11-21T-0:30:00Z",
                           "2026-11-21T+1:30:00Z",
                           "-026-11-21",
                           "2026- 1-21",
                           "2026-11-21x"}) {
    const auto parsed = parse_time(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::InvalidInput);
    EXPECT_THAT(parsed.error().detail, HasSubstr("expected a time such as"));
  }
}

TEST(FormatTime, HasTheFormsOfEachStandard) {
  const Time time = parse_time("2026-11-21T08:30:05.678Z").value();
  EXPECT_EQ(to_rfc3339(time), "2026-11-21T08:30:05.678Z");
  EXPECT_EQ(to_rfc5322(time), "Sat, 21 Nov 2026 08:30:05 +0000");
  EXPECT_EQ(to_http_date(time), "Sat, 21 Nov 2026 08:30:05 GMT");
  EXPECT_EQ(to_http_date(parse_time("1994-11-06T08:49:37Z").value()), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(FormatTime, RoundsDownBefore1970Too) {
  EXPECT_EQ(to_rfc3339(Time(std::chrono::microseconds(-1))), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(to_rfc5322(Time(std::chrono::microseconds(-1))), "Wed, 31 Dec 1969 23:59:59 +0000");
  EXPECT_EQ(to_rfc3339(Time(std::chrono::microseconds(999))), "1970-01-01T00:00:00.000Z");
}

TEST(FormatTime, SurvivesTheEndsOfTime) {
  EXPECT_FALSE(to_rfc3339(Time::min()).empty());
  EXPECT_FALSE(to_rfc3339(Time::max()).empty());
  EXPECT_FALSE(to_rfc5322(Time::min()).empty());
}

TEST(Clocks, TellTheTimeTheyAreGiven) {
  FixedClock fixed(parse_time("2026-11-21").value());
  EXPECT_EQ(to_rfc3339(fixed.now()), "2026-11-21T00:00:00.000Z");
  fixed.set(parse_time("2027-01-01").value());
  EXPECT_EQ(to_rfc3339(fixed.now()), "2027-01-01T00:00:00.000Z");
  EXPECT_GT(SystemClock().now(), parse_time("2024-01-01").value());
}

}  // namespace
}  // namespace signet
