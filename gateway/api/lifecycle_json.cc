#include "gateway/api/lifecycle_json.h"

#include <cmath>

namespace signet::gateway::api {
namespace {

Json json_of(const std::optional<Time>& time) { return time ? Json(to_rfc3339(*time)) : Json(nullptr); }

}  // namespace

Json json_of(const InventoryEntry& entry, Time now) {
  const CertificateSummary& certificate = entry.certificate;
  Json places = Json::array();
  for (const CertificatePlace& place : entry.places)
    places.push_back({{"kind", to_string(place.kind)}, {"name", place.name}});
  Json uses = Json::array();
  for (const CertificateTask& task : entry.tasks)
    uses.push_back(
        {{"by", task.by}, {"role", task.role}, {"from", json_of(task.from)}, {"until", json_of(task.until)}});
  return {{"subject", certificate.subject},
          {"issuer", certificate.issuer},
          {"serial", certificate.serial},
          {"notBefore", to_rfc3339(certificate.not_before)},
          {"notAfter", to_rfc3339(certificate.not_after)},
          {"daysLeft", static_cast<long>(std::floor(entry.days_left(now)))},
          {"thumbprint", certificate.thumbprint_sha1},
          {"thumbprintSha256", certificate.thumbprint_sha256},
          {"owner", entry.has_key ? "us" : "other"},
          {"used", entry.is_used(now)},
          {"successorNeeded", entry.is_missed(now)},
          {"places", std::move(places)},
          {"uses", std::move(uses)}};
}

Json json_of(const Rollover& rollover, Time now) {
  Json roles = Json::array();
  for (const RoleRollover& role : rollover.roles)
    roles.push_back({{"role", to_string(role.role)},
                     {"replaces", role.replaced},
                     {"from", to_rfc3339(role.from)},
                     {"awaitsAcceptance", role.awaits_acceptance},
                     {"retiredAt", json_of(role.retired_at)}});
  return {{"agreement", rollover.agreement},
          {"certificate", rollover.successor},
          {"replaces", rollover.replaced()},
          {"owner", rollover.ours ? "us" : "partner"},
          {"state", to_string(rollover.state(now))},
          {"acceptFrom", json_of(rollover.accepted_from())},
          {"useFrom", json_of(rollover.used_from())},
          {"retireAt", json_of(rollover.retired_at())},
          {"awaitsAcceptance", rollover.awaits_acceptance()},
          {"roles", std::move(roles)}};
}

Json json_of(const RolloverOutcome& outcome) {
  Json changes = Json::array();
  for (const agreements::EntryChange& change : outcome.changes) {
    Json settings = Json::array();
    for (const agreements::SettingChange& setting : change.settings)
      settings.push_back({{"path", setting.path}, {"before", setting.before}, {"after", setting.after}});
    changes.push_back({{to_string(change.kind), change.name}, {"settings", std::move(settings)}});
  }
  return {{"changed", outcome.changed}, {"changes", std::move(changes)}, {"warnings", outcome.warnings}};
}

}  // namespace signet::gateway::api
