#include "gateway/exchange/retry.h"

#include <gtest/gtest.h>

namespace signet::gateway {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

Result<HttpAnswer> status(int code) {
  HttpAnswer answer;
  answer.status = code;
  return answer;
}

TEST(Retry, IntervalsGrowByTheFactorAndAreShortenedByAFifthAtMost) {
  const agreements::Retry retry{
      .attempts = 10, .first_interval = minutes(1), .factor = 3, .max_duration = hours(1000)};
  milliseconds full = minutes(1);
  for (std::uint32_t attempts = 1; attempts < 6; ++attempts, full *= 3) {
    const auto interval = next_interval(retry, attempts, milliseconds(0));
    ASSERT_TRUE(interval);
    EXPECT_LE(*interval, full);
    EXPECT_GE(*interval, full * 4 / 5 - milliseconds(1));
  }
}

TEST(Retry, EndsAfterTheAgreedAttemptsAndTheAgreedTime) {
  const agreements::Retry retry{
      .attempts = 3, .first_interval = minutes(1), .factor = 1, .max_duration = hours(1)};
  EXPECT_TRUE(next_interval(retry, 2, milliseconds(0)));
  EXPECT_FALSE(next_interval(retry, 3, milliseconds(0)));
  EXPECT_TRUE(next_interval(retry, 2, minutes(58)));
  EXPECT_FALSE(next_interval(retry, 2, minutes(60)));
}

TEST(Retry, NoIntervalIsLongerThanADay) {
  const agreements::Retry retry{
      .attempts = 100, .first_interval = hours(1), .factor = 10, .max_duration = hours(100'000)};
  EXPECT_LE(*next_interval(retry, 50, milliseconds(0)), hours(24));
}

TEST(Retry, TimeOutsAndServerErrorsMayPass) {
  for (const int code : {408, 425, 429, 500, 502, 503, 504}) EXPECT_TRUE(is_transient(status(code))) << code;
  for (const int code : {301, 302, 307, 400, 401, 403, 404, 405, 413, 415})
    EXPECT_FALSE(is_transient(status(code))) << code;
}

TEST(Retry, AConnectionThatFailsMayPassAndARequestThatCannotBeMadeDoesNot) {
  for (const ErrorKind kind : {ErrorKind::Unavailable, ErrorKind::CryptoFailure, ErrorKind::IoFailure})
    EXPECT_TRUE(is_transient(Error{kind, ""})) << to_string(kind);
  for (const ErrorKind kind :
       {ErrorKind::InvalidInput, ErrorKind::PermissionDenied, ErrorKind::Disabled, ErrorKind::NotFound})
    EXPECT_FALSE(is_transient(Error{kind, ""})) << to_string(kind);
}

TEST(Retry, TellsWhatThePartnerSaid) {
  HttpAnswer answer;
  answer.status = 500;
  answer.body = Slice::of("no\r\nspace left");
  EXPECT_EQ(refusal_of(answer).find("the partner answered HTTP 500: no space left"), 0U);
  EXPECT_EQ(refusal_of(status(204)), "");
}

}  // namespace
}  // namespace signet::gateway
