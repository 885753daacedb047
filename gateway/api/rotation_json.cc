#include "gateway/api/rotation_json.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "gateway/api/json_body.h"
#include "gateway/api/vault_json.h"

namespace signet::gateway::api {
namespace {

using From = vault::RotationTrigger::From;

constexpr const char* kAfterCreation = "timeAfterCreate";
constexpr const char* kBeforeExpiry = "timeBeforeExpiry";

Json action_json(const vault::RotationTrigger& trigger, std::string_view action) {
  const char* const when = trigger.from == From::Creation ? kAfterCreation : kBeforeExpiry;
  return {{"trigger", {{when, vault::to_string(trigger.period)}}}, {"action", {{"type", action}}}};
}

Result<vault::RotationTrigger> read_trigger(const Json& action) {
  SIGNET_TRY(const Json trigger, object_member(action, "trigger"));
  SIGNET_TRY(const auto after, text_member(trigger, kAfterCreation));
  SIGNET_TRY(const auto before, text_member(trigger, kBeforeExpiry));
  if (after.has_value() == before.has_value())
    return fail(ErrorKind::InvalidInput, fmt::format("a 'trigger' has one of the members '{}' and '{}'",
                                                     kAfterCreation, kBeforeExpiry));
  SIGNET_TRY(const vault::CalendarPeriod period, vault::parse_period(after ? *after : *before));
  return vault::RotationTrigger{after ? From::Creation : From::Expiry, period};
}

/// Puts one of the lifetimeActions where it belongs.
Result<> take(const Json& given, vault::RotationPolicy& policy) {
  SIGNET_TRY(const Json action, object_member(given, "action"));
  SIGNET_TRY(const std::string type, required("type", text_member(action, "type")));
  const bool rotates = equal_ignoring_case(type, "Rotate");
  if (!rotates && !equal_ignoring_case(type, "Notify"))
    return fail(ErrorKind::InvalidInput,
                fmt::format("a lifetime action's type is Rotate or Notify, not '{}'", printable(type)));
  auto& place = rotates ? policy.rotate : policy.notify;
  if (place)
    return fail(ErrorKind::InvalidInput,
                fmt::format("there can be one lifetime action of the type {}", type));
  SIGNET_TRY(place, read_trigger(given));
  return {};
}

}  // namespace

Json rotation_policy_json(const Call& call, const vault::KeyId& key, const vault::RotationPolicy& policy) {
  Json actions = Json::array();
  if (policy.rotate) actions.push_back(action_json(*policy.rotate, "Rotate"));
  if (policy.notify) actions.push_back(action_json(*policy.notify, "Notify"));
  Json attributes = Json::object();
  if (policy.expiry_time) attributes["expiryTime"] = vault::to_string(*policy.expiry_time);
  if (policy.created != Time{}) {
    attributes["created"] = seconds(policy.created);
    attributes["updated"] = seconds(policy.updated);
  }
  return {{"id", object_url(call, "keys", {key.vault, key.name, {}}) + "/rotationpolicy"},
          {"lifetimeActions", std::move(actions)},
          {"attributes", std::move(attributes)}};
}

Result<vault::RotationPolicy> read_rotation_policy(const Json& body) {
  vault::RotationPolicy policy;
  SIGNET_TRY(const Json attributes, object_member(body, "attributes"));
  SIGNET_TRY(const auto expiry, text_member(attributes, "expiryTime"));
  if (expiry) {
    SIGNET_TRY(policy.expiry_time, vault::parse_period(*expiry));
  }
  SIGNET_TRY(const std::vector<Json> actions, objects_member(body, "lifetimeActions"));
  for (const Json& action : actions) SIGNET_CHECK(take(action, policy));
  return policy;
}

}  // namespace signet::gateway::api
