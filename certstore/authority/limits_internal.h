#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "certstore/authority/authority_store.h"

/// Internal: lists that are long.

namespace signet::authority {

/// Rows that are read at once.
inline constexpr std::size_t kAtOnce = 200;

inline Result<> check_page(const PageRequest& page) {
  if (page.size >= 1 && page.size <= 1000) return {};
  return fail(ErrorKind::InvalidInput, fmt::format("a page has 1 to 1000 entries, not {}", page.size));
}

/// Every request that a filter wants.
inline Result<std::vector<Request>> all_requests(AuthorityStore& store, const RequestFilter& filter) {
  std::vector<Request> all;
  PageRequest page{0, kAtOnce};
  while (true) {
    SIGNET_TRY(Page<Request> some, store.requests(filter, page));
    std::move(some.items.begin(), some.items.end(), std::back_inserter(all));
    if (!some.next) return all;
    page.after = *some.next;
  }
}

}  // namespace signet::authority
