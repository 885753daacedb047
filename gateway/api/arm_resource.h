#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "agreements/problem.h"
#include "gateway/api/call.h"
#include "gateway/api/paging.h"
#include "gateway/api/principal.h"

/// What all resources of the management plane have in common.

namespace signet::gateway::api {

/// @error NotFound  the call's {subscription} is not this installation's.
Result<> check_subscription(const Installation& installation, const Call& call);

/// Azure's rule for the names of accounts and resource groups.
///
/// @error InvalidInput  not 1 to 80 letters, digits and - _ . ( ).
Result<> check_resource_name(std::string_view name);

/// "https://VAULT.HOST:PORT" of a vault, seen from the management plane's origin.
std::string vault_origin(const Call& call, std::string_view vault);

/// A refusal of everything that is wrong at once: {"error": {"code", "message", "details": [{"code",
/// "target", "message"}]}}, 400. Warnings are left out.
Answer refusal_of(const std::vector<agreements::Problem>& problems);

/// The members "location" and "tags" of a request, as they are kept.
///
/// @error InvalidInput  of another type than Azure has them, or more than 15 tags.
Result<Json> read_envelope(const Json& body);

/// {"id", "name", "type", "location", "tags"}
Json envelope_json(const std::string& id, std::string_view name, std::string_view type, const Json& envelope);

/// The name in ".../providers/Microsoft.KeyVault/vaults/NAME" below our subscription. @error InvalidInput
Result<std::string> vault_in_id(const Installation& installation, std::string_view id);
/// What a vault's id begins with, up to its name, wherever in our subscription it is. Empty: it is no vault's
/// id.
std::string_view vaults_prefix(const Installation& installation, std::string_view id);

/// One page of a list in the order of its keys' octets: "$top" at most, and "nextLink" where there is more.
template <class Item, class KeyOf, class JsonOf>
Result<Answer> arm_page(const Call& call, const std::vector<Item>& items, KeyOf key_of, JsonOf json_of) {
  constexpr std::size_t kLargestPage = 1000;
  SIGNET_TRY(const PageRequest request, page_request(call, "$top", kLargestPage));
  Json value = Json::array();
  auto item = std::find_if(items.begin(), items.end(), [&](const Item& known) {
    return request.after.empty() || key_of(known) > request.after;
  });
  std::string last;
  for (; item != items.end() && value.size() < request.size; ++item) {
    SIGNET_TRY(Json json, Result<Json>(json_of(*item)));
    value.push_back(std::move(json));
    last = key_of(*item);
  }
  Json page = {{"value", std::move(value)}};
  if (item != items.end()) page["nextLink"] = next_link(call, last);
  return Answer::of(std::move(page));
}

}  // namespace signet::gateway::api
