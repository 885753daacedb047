#include "gateway/exchange/retry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "gateway/endpoint/post_fault.h"

namespace signet::gateway {
namespace {

std::string words_of(const HttpAnswer& answer) {
  if (const auto body = answer.body.sub(0, 200).to_bytes(200))
    if (std::string words = printable_line(as_text(*body)); !words.empty()) return words;
  return "(nothing)";
}

}  // namespace

bool is_transient(const Error& error) {
  // What is asked for, and whom it may be asked of, does not change by waiting.
  return error.kind != ErrorKind::InvalidInput && error.kind != ErrorKind::NotFound &&
         error.kind != ErrorKind::PermissionDenied && error.kind != ErrorKind::Disabled &&
         error.kind != ErrorKind::Unsupported;
}

bool is_transient(const Result<HttpAnswer>& answer) {
  if (!answer) return is_transient(answer.error());
  return answer->status == 408 || answer->status == 425 || answer->status == 429 || answer->status >= 500;
}

std::string refusal_of(const Result<HttpAnswer>& answer) {
  if (!answer) return answer.error().detail;
  if (answer->status >= 200 && answer->status < 300) return "";
  if (const auto location = answer->headers.value("Location"); location && answer->status / 100 == 3)
    return fmt::format(
        "the partner answered HTTP {} and points to {}: no redirect is followed; correct the agreement's URL",
        answer->status, printable(*location));
  if (answer->status == 401)
    return fmt::format(
        "{}: the partner answered HTTP 401: he does not take the user and the secret of the agreement's "
        "x:basicAuthentication, or wants some where it has none: {}",
        to_string(PostFault::Unauthorized), words_of(*answer));
  return fmt::format("the partner answered HTTP {}: {}", answer->status, words_of(*answer));
}

agreements::Retry retry_of(const CurrentAccount& account, std::string_view agreement) {
  if (const auto current = account())
    if (const auto* known = (*current)->directory().by_name(agreement)) return known->agreement.retry;
  return {};
}

std::optional<std::chrono::milliseconds> next_interval(const agreements::Retry& retry, std::uint32_t attempts,
                                                       std::chrono::milliseconds elapsed) {
  if (attempts >= retry.attempts) return std::nullopt;
  constexpr double kLongest = 24.0 * 3600 * 1000;
  const double grown = static_cast<double>(retry.first_interval.count()) *
                       std::pow(retry.factor, attempts == 0 ? 0 : attempts - 1);
  const double dice = random_bytes(1)[0] / 255.0;
  const std::chrono::milliseconds interval(
      static_cast<std::int64_t>(std::min(grown, kLongest) * (1.0 - 0.2 * dice)));
  if (elapsed + interval > retry.max_duration) return std::nullopt;
  return interval;
}

}  // namespace signet::gateway
