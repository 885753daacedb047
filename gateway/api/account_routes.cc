#include "gateway/api/account_routes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "gateway/api/account_resource.h"
#include "gateway/api/arm_resource.h"
#include "gateway/api/callback_request.h"
#include "gateway/api/change_record.h"
#include "gateway/api/json_body.h"
#include "gateway/api/vault_json.h"

namespace signet::gateway::api {
namespace {

constexpr std::array<std::string_view, 4> kSkus = {"NotSpecified", "Free", "Basic", "Standard"};
constexpr std::array<std::string_view, 6> kStates = {"NotSpecified", "Completed", "Enabled",
                                                     "Disabled",     "Deleted",   "Suspended"};
constexpr std::size_t kKeysOnAPage = 25;
constexpr std::size_t kLongestEvent = 16 * 1024;  ///< octets of its JSON

template <std::size_t N>
Result<std::string> one_of(std::string_view member, const std::array<std::string_view, N>& words,
                           const std::string& word) {
  if (std::find(words.begin(), words.end(), word) != words.end()) return word;
  return fail(ErrorKind::InvalidInput, fmt::format("the member '{}' must be one of {}, not '{}'", member,
                                                   fmt::join(words, ", "), printable(word)));
}

/// What a request says of the account goes over what was said before.
Result<> merge(const Call& call, Json& document) {
  SIGNET_TRY(const Json envelope, read_envelope(call.body));
  document.update(envelope);
  SIGNET_TRY(const Json sku, object_member(call.body, "sku"));
  SIGNET_TRY(const auto sku_name, text_member(sku, "name"));
  if (sku_name) {
    SIGNET_TRY(document["sku"]["name"], one_of("sku.name", kSkus, *sku_name));
  }
  SIGNET_TRY(const Json properties, object_member(call.body, "properties"));
  SIGNET_TRY(const auto state, text_member(properties, "state"));
  if (state) {
    SIGNET_TRY(document["properties"]["state"], one_of("properties.state", kStates, *state));
  }
  return {};
}

Result<> record(Services& services, const Call& call, std::string_view operation, std::string_view name,
                std::string_view detail = {}) {
  return record_change(services.account, call, services.clock.now(), operation, {{}, std::string(name), {}},
                       detail);
}

/// @return whether it was made
Result<bool> keep(Services& services, const Call& call, const AccountResource& resource) {
  SIGNET_CHECK(record(services, call, "putAccount", resource.name));
  const Json stored = {{"group", resource.group}, {"document", resource.document}};
  return services.account.resources.put(ResourceKind::IntegrationAccount, resource.name, stored.dump(),
                                        services.clock.now());
}

/// The account under the name that the call gives it, where it may have that name.
Result<AccountResource> named_by(Services& services, const Call& call) {
  SIGNET_CHECK(check_subscription(services.account.installation, call));
  SIGNET_TRY(AccountResource resource, load_account_resource(services.account));
  const bool is_its_name = equal_ignoring_case(call.parameter("account"), resource.name) &&
                           equal_ignoring_case(call.parameter("group"), resource.group);
  if (is_its_name) return resource;
  if (resource.is_named)
    return fail(
        ErrorKind::AlreadyExists,
        fmt::format(
            "this gateway has one integration account, '{}' in the resource group '{}': use that one, or "
            "delete it when it is empty",
            resource.name, resource.group));
  SIGNET_CHECK(check_resource_name(call.parameter("account")));
  SIGNET_CHECK(check_resource_name(call.parameter("group")));
  resource.name = call.parameter("account");
  resource.group = call.parameter("group");
  return resource;
}

Result<Json> checked_event(const Json& event) {
  static constexpr std::array<std::string_view, 7> kLevels = {
      "LogAlways", "Critical", "Error", "Warning", "Informational", "Verbose", "NotSpecified"};
  if (!event.is_object()) return fail(ErrorKind::InvalidInput, "each of 'events' must be an object");
  SIGNET_TRY(const std::string level, required("eventLevel", text_member(event, "eventLevel")));
  SIGNET_CHECK(one_of("eventLevel", kLevels, level));
  SIGNET_TRY(const std::string time, required("eventTime", text_member(event, "eventTime")));
  if (!parse_time(time))
    return fail(ErrorKind::InvalidInput, "the member 'eventTime' must be a time (RFC 3339)");
  SIGNET_CHECK(required("recordType", text_member(event, "recordType")));
  SIGNET_CHECK(object_member(event, "record"));
  SIGNET_CHECK(object_member(event, "error"));
  return event;
}

/// Whether events are kept with where they are from. @error InvalidInput
Result<bool> wants_source(const Json& body) {
  SIGNET_TRY(const auto option, text_member(body, "trackEventsOptions"));
  if (!option || equal_ignoring_case(*option, "None")) return true;
  if (equal_ignoring_case(*option, "DisableSourceInfoEnrich")) return false;
  return fail(ErrorKind::InvalidInput,
              fmt::format("the member 'trackEventsOptions' must be None or DisableSourceInfoEnrich, not '{}'",
                          printable(*option)));
}

}  // namespace

Result<Answer> put_account(Services& services, const Call& call) {
  SIGNET_TRY(AccountResource resource, named_by(services, call));
  SIGNET_CHECK(merge(call, resource.document));
  SIGNET_TRY(const bool made, keep(services, call, resource));
  Answer answer = Answer::of(resource.json(services.account.installation));
  if (made) answer.status = 201;
  return answer;
}

Result<Answer> get_account(Services& services, const Call& call) {
  SIGNET_TRY(const AccountResource resource, account_of(services.account, call));
  return Answer::of(resource.json(services.account.installation));
}

Result<Answer> patch_account(Services& services, const Call& call) {
  SIGNET_TRY(AccountResource resource, account_of(services.account, call));
  SIGNET_CHECK(merge(call, resource.document));
  SIGNET_CHECK(keep(services, call, resource));
  return Answer::of(resource.json(services.account.installation));
}

/// The account itself stays, without its name; what it has is nobody's to lose by one call.
Result<Answer> delete_account(Services& services, const Call& call) {
  const auto resource = account_of(services.account, call);
  if (!resource && resource.error().kind == ErrorKind::NotFound) return Answer::no_content();
  if (!resource) return fail(resource.error());
  SIGNET_TRY(const agreements::StoredAccount stored, services.account.accounts.load());
  SIGNET_TRY(const auto others, services.account.resources.list(ResourceKind::OtherAgreement));
  const std::size_t entries = stored.account.partners.size() + stored.account.certificates.size() +
                              stored.account.agreements.size() + others.size();
  if (entries != 0)
    return fail(
        ErrorKind::AlreadyExists,
        fmt::format(
            "the integration account has {} partners, certificates and agreements: delete those first",
            entries));
  SIGNET_CHECK(record(services, call, "deleteAccount", resource->name));
  SIGNET_TRY(const bool was_there,
             services.account.resources.remove(ResourceKind::IntegrationAccount, resource->name));
  return was_there ? Answer{200, std::nullopt, {}} : Answer::no_content();
}

Result<Answer> list_accounts(Services& services, const Call& call) {
  SIGNET_CHECK(check_subscription(services.account.installation, call));
  SIGNET_TRY(const AccountResource resource, load_account_resource(services.account));
  std::vector<AccountResource> all;
  const std::string& group = call.parameter("group");
  if (group.empty() || equal_ignoring_case(group, resource.group)) all.push_back(resource);
  return arm_page(
      call, all, [](const AccountResource& account) { return account.name; },
      [&](const AccountResource& account) { return account.json(services.account.installation); });
}

Result<Answer> list_subscriptions(Services& services, const Call&) {
  const Installation& installation = services.account.installation;
  Json value = Json::array();
  value.push_back(Json{{"id", "/subscriptions/" + installation.subscription},
                       {"subscriptionId", installation.subscription},
                       {"tenantId", installation.tenant},
                       {"displayName", "Signet"},
                       {"state", "Enabled"}});
  return Answer::of({{"value", std::move(value)}});
}

Result<Answer> list_callback_url(Services& services, const Call& call) {
  SIGNET_TRY(const AccountResource resource, account_of(services.account, call));
  SIGNET_TRY(const CallbackUrl url,
             requested_callback_url(services, call, resource.id(services.account.installation)));
  return Answer::of({{"value", call.origin + url.text()}});
}

Result<Answer> regenerate_access_key(Services& services, const Call& call) {
  SIGNET_TRY(const AccountResource resource, account_of(services.account, call));
  SIGNET_TRY(const std::string word, required("keyType", text_member(call.body, "keyType")));
  SIGNET_TRY(const AccessKey key, parse_access_key(word));
  SIGNET_CHECK(record(services, call, "regenerateAccessKey", to_string(key)));
  SIGNET_CHECK(renew_access_key(services.account, key, services.clock.now()));
  return Answer::of(resource.json(services.account.installation));
}

/// What the caller may list in the vault, and not more.
Result<Answer> list_key_vault_keys(Services& services, const Call& call) {
  SIGNET_CHECK(account_of(services.account, call));
  SIGNET_TRY(const Json reference, object_member(call.body, "keyVault"));
  SIGNET_TRY(const std::string id, required("keyVault.id", text_member(reference, "id")));
  SIGNET_TRY(const std::string vault, vault_in_id(services.account.installation, id));
  SIGNET_TRY(const auto after, text_member(call.body, "skipToken"));
  SIGNET_TRY(const auto keys, services.keys.list(call.vault_principal(), vault));
  Json value = Json::array();
  Json next;
  for (const vault::KeyInfo& key : keys) {
    if (after && to_lower(key.id.name) <= to_lower(*after)) continue;
    if (value.size() == kKeysOnAPage) {
      next = value.back()["kid"].get<std::string>().substr(value.back()["kid"].get<std::string>().rfind('/') +
                                                           1);
      break;
    }
    value.push_back(
        {{"kid", fmt::format("{}/keys/{}", vault_origin(call, vault), key.id.name)},
         {"attributes", short_attributes_json(key.attributes.enabled, key.created, key.updated)}});
  }
  Json answer = {{"value", std::move(value)}};
  if (!next.is_null()) answer["skipToken"] = next;
  return Answer::of(std::move(answer));
}

Result<Answer> log_tracking_events(Services& services, const Call& call) {
  SIGNET_CHECK(account_of(services.account, call));
  SIGNET_TRY(const std::string source, required("sourceType", text_member(call.body, "sourceType")));
  SIGNET_TRY(const bool with_source, wants_source(call.body));
  if (!call.body.contains("events") || !call.body["events"].is_array())
    return fail(ErrorKind::InvalidInput, "the member 'events' must be an array");
  std::vector<LoggedEvent> events;
  for (const Json& event : call.body["events"]) {
    SIGNET_TRY(Json checked, checked_event(event));
    if (with_source) checked["sourceType"] = source;
    std::string text = checked.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (text.size() > kLongestEvent)
      return fail(ErrorKind::InvalidInput,
                  fmt::format("each of 'events' may have {} octets, not {}", kLongestEvent, text.size()));
    events.push_back({services.clock.now(), call.principal.name, std::move(text)});
  }
  SIGNET_CHECK(record(services, call, "logTrackingEvents", {}, fmt::format("events={}", events.size())));
  SIGNET_CHECK(services.account.resources.log_events(events, services.clock.now()));
  return Answer{200, std::nullopt, {}};
}

}  // namespace signet::gateway::api
