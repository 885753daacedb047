#include "gateway/api/vault_json.h"

#include <fmt/format.h>

#include "gateway/api/json_body.h"

namespace signet::gateway::api {
namespace {

std::int64_t seconds(Time time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

/// SDKs that cut a date to 32 bits send it negative.
Result<std::optional<Time>> date_member(const Json& object, std::string_view name) {
  constexpr std::int64_t kEndOfDates = 253'402'300'800;  // the year 10000
  SIGNET_TRY(const auto value, integer_member(object, name));
  if (!value) return std::nullopt;
  if (*value < 0 || *value >= kEndOfDates)
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("the member '{}' must be a time between 1970 and 9999 in seconds since 1970, not {}",
                    name, *value));
  return Time(std::chrono::seconds(*value));
}

}  // namespace

std::string object_url(const Call& call, std::string_view collection, const vault::KeyId& id) {
  std::string url = fmt::format("{}/{}/{}", call.origin, collection, id.name);
  if (!id.version.empty()) url.append("/").append(id.version);
  return url;
}

vault::KeyId named_in(const Call& call) {
  return {call.vault, call.parameter("name"), call.parameter("version")};
}

Json attributes_json(const vault::KeyAttributes& attributes, Time created, Time updated) {
  Json json = {{"enabled", attributes.enabled}};
  if (attributes.not_before) json["nbf"] = seconds(*attributes.not_before);
  if (attributes.expires) json["exp"] = seconds(*attributes.expires);
  json["created"] = seconds(created);
  json["updated"] = seconds(updated);
  return json;
}

Result<vault::AttributesUpdate> read_attributes_update(const Json& body) {
  SIGNET_TRY(const Json given, object_member(body, "attributes"));
  vault::AttributesUpdate update;
  SIGNET_TRY(update.enabled, flag_member(given, "enabled"));
  SIGNET_TRY(const auto not_before, date_member(given, "nbf"));
  SIGNET_TRY(const auto expires, date_member(given, "exp"));
  if (not_before) update.not_before = not_before;
  if (expires) update.expires = expires;
  return update;
}

Result<vault::KeyAttributes> read_attributes(const Json& body) {
  SIGNET_TRY(const vault::AttributesUpdate given, read_attributes_update(body));
  vault::KeyAttributes attributes;
  given.apply_to(attributes);
  return attributes;
}

void add_tags(Json& json, const vault::Tags& tags) {
  if (!tags.empty()) json["tags"] = tags;
}

}  // namespace signet::gateway::api
