#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "gateway/api/call.h"

/// Long lists in pages: {"value": [...], "nextLink": "https://..."}.

namespace signet::gateway::api {

struct PageRequest {
  std::size_t size = 25;
  std::string after;  ///< the key of the last item that was shown; empty: none was
};

/// "maxresults" (1 to 25, or as many as `largest`) and "$skiptoken" of a query.
///
/// @error InvalidInput  another number, or a token that is none of ours.
Result<PageRequest> page_request(const Call& call, std::string_view size_parameter = "maxresults",
                                 std::size_t largest = 25);

/// The address of the page behind the item `last`: the call's own, with everything that its query had.
std::string next_link(const Call& call, std::string_view last);

/// What `items` are in order of.
enum class Order {
  Key,    ///< a page begins behind its token also when that item is gone
  Other,  ///< it ends the list
};

/// The page that a call asks for. `key_of` tells items apart, without regard to ASCII case; `json_of` shows
/// one.
template <class Item, class KeyOf, class JsonOf>
Result<Answer> page_of(const Call& call, const std::vector<Item>& items, Order order, KeyOf key_of,
                       JsonOf json_of) {
  SIGNET_TRY(const PageRequest request, page_request(call));
  auto item = items.begin();
  if (!request.after.empty()) {
    const std::string after = to_lower(request.after);
    item = std::find_if(items.begin(), items.end(), [&](const Item& known) {
      const std::string key = to_lower(key_of(known));
      return key == after || (order == Order::Key && key > after);
    });
    if (item != items.end() && to_lower(key_of(*item)) == after) ++item;
  }
  Json value = Json::array();
  for (; item != items.end() && value.size() < request.size; ++item) value.push_back(json_of(*item));
  Json page = {{"value", std::move(value)}};
  page["nextLink"] = item == items.end() ? Json() : Json(next_link(call, key_of(*std::prev(item))));
  return Answer::of(std::move(page));
}

}  // namespace signet::gateway::api
