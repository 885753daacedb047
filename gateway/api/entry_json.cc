#include "gateway/api/entry_json.h"

#include <fmt/format.h>

#include "gateway/api/change_record.h"

namespace signet::gateway::api {

std::string envelope_name(std::string_view collection, std::string_view name) {
  return fmt::format("{}/{}", collection, name);
}

Result<Json> envelope_of(const AccountServices& services, const AccountResource& account,
                         std::string_view collection, std::string_view name) {
  SIGNET_TRY(const auto kept,
             services.resources.find(ResourceKind::Envelope, envelope_name(collection, name)));
  Json envelope = kept ? Json::parse(kept->json, nullptr, /*allow_exceptions=*/false) : Json::object();
  if (!envelope.is_object()) envelope = Json::object();
  if (!envelope.contains("location")) envelope["location"] = account.document["location"];
  return envelope;
}

Result<> keep_envelope(const AccountServices& services, const Call& call, Time now,
                       std::string_view collection, std::string_view name, const Json& envelope) {
  const std::string resource = envelope_name(collection, name);
  SIGNET_TRY(const auto kept, services.resources.find(ResourceKind::Envelope, resource));
  if (kept ? kept->json == envelope.dump() : envelope.empty()) return {};
  SIGNET_CHECK(record_change(services, call, now, "changeAccount", {{}, resource, {}}, "location and tags"));
  SIGNET_CHECK(services.resources.put(ResourceKind::Envelope, resource, envelope.dump(), now));
  return {};
}

Json resource_json(const Installation& installation, const AccountResource& account,
                   std::string_view collection, std::string_view name, const Json& envelope, Json properties,
                   const std::optional<agreements::EntryTimes>& times) {
  if (times) {
    properties["createdTime"] = to_rfc3339(times->created);
    properties["changedTime"] = to_rfc3339(times->changed);
  }
  Json json = envelope_json(fmt::format("{}/{}/{}", account.id(installation), collection, name), name,
                            fmt::format("Microsoft.Logic/integrationAccounts/{}", collection), envelope);
  json["properties"] = std::move(properties);
  return json;
}

std::string default_vaults(const Installation& installation) {
  return fmt::format("/subscriptions/{}/resourceGroups/{}/providers/Microsoft.KeyVault/vaults/",
                     installation.subscription, kDefaultGroup);
}

}  // namespace signet::gateway::api
