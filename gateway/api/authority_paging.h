#pragma once

#include <charconv>

#include "base/clock.h"
#include "certstore/authority/authority_store.h"
#include "gateway/api/paging.h"

/// Pages of what the certificate service lists by number.

namespace signet::gateway::api {

inline constexpr std::size_t kLargestAuthorityPage = 1000;

/// The number that a page begins behind, as the page before it said.
template <class Number>
Result<Number> number_of(const PageRequest& page) {
  Number number{};
  const char* end = page.after.data() + page.after.size();
  const auto [rest, error] = std::from_chars(page.after.data(), end, number);
  if (!page.after.empty() && (error != std::errc{} || rest != end || number < Number{}))
    return fail(ErrorKind::InvalidInput, "this $skiptoken was not given by a list");
  return number;
}

/// "$top" and "$skiptoken" of a query.
inline Result<authority::PageRequest> authority_page(const Call& call) {
  SIGNET_TRY(const PageRequest page, page_request(call, "$top", kLargestAuthorityPage));
  SIGNET_TRY(const std::int64_t after, number_of<std::int64_t>(page));
  return authority::PageRequest{after, page.size};
}

/// A moment in a query: RFC 3339. @error InvalidInput
inline Result<std::optional<Time>> time_parameter(const Call& call, std::string_view name) {
  SIGNET_TRY(const auto text, call.target.parameter(name));
  if (!text) return std::nullopt;
  auto time = parse_time(*text);
  if (!time) return fail(std::move(time).error().within(name));
  return *time;
}

/// {"value": [...], "nextLink": "..."}, the second only where there is more.
template <class Items, class Next>
Answer authority_page_answer(const Call& call, const Items& items, const Next& next) {
  Json page = {{"value", Json::array()}};
  for (const auto& item : items) page["value"].push_back(json_of(item));
  if (next) page["nextLink"] = next_link(call, std::to_string(*next));
  return Answer::of(std::move(page));
}

}  // namespace signet::gateway::api
