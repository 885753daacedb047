#include "gateway/api/vault_json.h"

#include <fmt/format.h>

#include "gateway/api/json_body.h"

namespace signet::gateway::api {
namespace {

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

/// In Key Vault's words.
std::string recovery_level(const vault::VaultSettings& settings) {
  const std::string level =
      settings.retention_days == vault::kLongestRetention ? "Recoverable" : "CustomizedRecoverable";
  return settings.purge_protection ? level : level + "+Purgeable";
}

}  // namespace

std::int64_t seconds(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::string object_url(const Call& call, std::string_view collection, const vault::KeyId& id) {
  std::string url = fmt::format("{}/{}/{}", call.origin, collection, id.name);
  if (!id.version.empty()) url.append("/").append(id.version);
  return url;
}

vault::KeyId named_in(const Call& call) {
  return {call.vault, call.parameter("name"), call.parameter("version")};
}

Json short_attributes_json(bool enabled, Time created, Time updated) {
  return {{"enabled", enabled}, {"created", seconds(created)}, {"updated", seconds(updated)}};
}

Json attributes_json(const Call& call, const vault::KeyAttributes& attributes, Time created, Time updated) {
  Json json = {{"enabled", attributes.enabled}};
  if (attributes.not_before) json["nbf"] = seconds(*attributes.not_before);
  if (attributes.expires) json["exp"] = seconds(*attributes.expires);
  json["created"] = seconds(created);
  json["updated"] = seconds(updated);
  json["recoverableDays"] = call.settings.retention_days;
  json["recoveryLevel"] = recovery_level(call.settings);
  return json;
}

Json deletion_json(const Call& call, std::string_view collection, const vault::KeyId& id,
                   const vault::Deletion& deletion) {
  return {{"recoveryId", object_url(call, collection, {id.vault, id.name, {}})},
          {"deletedDate", seconds(deletion.deleted)},
          {"scheduledPurgeDate", seconds(deletion.scheduled_purge)}};
}

Result<Answer> backup_answer(ByteView blob) {
  constexpr std::size_t kAround = 64;  // {"value":"..."}, however it is written
  std::string text = base64url(blob);
  if (text.size() > kLongestBody - kAround)
    return fail(
        ErrorKind::LimitExceeded,
        fmt::format("the backup has {} characters, more than a request that restores it may have ({}): "
                    "make it at the command line (signet vault ... backup)",
                    text.size(), kLongestBody - kAround));
  return Answer::of({{"value", std::move(text)}});
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
