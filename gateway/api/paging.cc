#include "gateway/api/paging.h"
#include "base/percent_encoding.h"

#include <fmt/format.h>

#include <charconv>

namespace signet::gateway::api {
namespace {

constexpr std::string_view kSkipToken = "$skiptoken";

Result<std::size_t> read_size(const std::string& text, std::string_view parameter, std::size_t largest) {
  std::size_t size = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, size);
  if (error != std::errc{} || rest != end || size < 1 || size > largest)
    return fail(ErrorKind::InvalidInput, fmt::format("{} must be a number from 1 to {}, not '{}'", parameter,
                                                     largest, printable(text)));
  return size;
}

}  // namespace

Result<PageRequest> page_request(const Call& call, std::string_view size_parameter, std::size_t largest) {
  PageRequest request;
  request.size = largest;
  SIGNET_TRY(const auto size, call.target.parameter(size_parameter));
  if (size) {
    SIGNET_TRY(request.size, read_size(*size, size_parameter, largest));
  }
  SIGNET_TRY(const auto token, call.target.parameter(kSkipToken));
  if (!token) return request;
  const auto after = parse_base64url(*token);
  if (!after || after->empty())
    return fail(ErrorKind::InvalidInput, fmt::format("this {} was not given by a list", kSkipToken));
  request.after = as_text(*after);
  return request;
}

std::string next_link(const Call& call, std::string_view last) {
  std::string link = call.origin + call.path + "?";
  for (const auto& [name, value] : call.target.query) {
    if (equal_ignoring_case(name, kSkipToken)) continue;
    link += fmt::format("{}={}&", percent_encode(name), percent_encode(value));
  }
  return link + std::string(kSkipToken) + "=" + base64url(as_bytes(last));
}

}  // namespace signet::gateway::api
