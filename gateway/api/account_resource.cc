#include "gateway/api/account_resource.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "gateway/api/arm_resource.h"

namespace signet::gateway::api {

namespace {

constexpr std::string_view kAccountType = "Microsoft.Logic/integrationAccounts";

}  // namespace

std::string AccountResource::id(const Installation& installation) const {
  return fmt::format("/subscriptions/{}/resourceGroups/{}/providers/{}/{}", installation.subscription, group,
                     kAccountType, name);
}

Json AccountResource::json(const Installation& installation) const {
  Json json = envelope_json(id(installation), name, kAccountType, document);
  json["sku"] = document.at("sku");
  json["properties"] = document.at("properties");
  return json;
}

Result<AccountResource> load_account_resource(const AccountServices& services) {
  SIGNET_TRY(const auto named, services.resources.list(ResourceKind::IntegrationAccount));
  AccountResource resource{std::string(kDefaultAccount), std::string(kDefaultGroup),
                           Json{{"location", kDefaultLocation},
                                {"tags", Json::object()},
                                {"sku", {{"name", "Standard"}}},
                                {"properties", {{"state", "Enabled"}}}},
                           false};
  if (named.empty()) return resource;
  Json stored = Json::parse(named.front().json, nullptr, /*allow_exceptions=*/false);
  if (!stored.is_object() || !stored.contains("group") || !stored.contains("document"))
    return fail(ErrorKind::Internal, "the stored resource of the integration account cannot be read");
  return AccountResource{named.front().name, stored["group"].get<std::string>(), stored["document"], true};
}

Result<AccountResource> account_of(const AccountServices& services, const Call& call) {
  SIGNET_CHECK(check_subscription(services.installation, call));
  SIGNET_TRY(AccountResource resource, load_account_resource(services));
  if (equal_ignoring_case(call.parameter("group"), resource.group) &&
      equal_ignoring_case(call.parameter("account"), resource.name))
    return resource;
  return fail(ErrorKind::NotFound,
              fmt::format("there is no integration account '{}' in the resource group '{}'; the one "
                          "of this gateway is '{}' in '{}'",
                          printable(call.parameter("account")), printable(call.parameter("group")),
                          resource.name, resource.group));
}

}  // namespace signet::gateway::api
