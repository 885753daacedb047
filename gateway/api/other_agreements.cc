#include "gateway/api/other_agreements.h"

#include <fmt/format.h>

#include "gateway/api/arm_resource.h"
#include "gateway/api/entry_json.h"
#include "gateway/api/json_body.h"

namespace signet::gateway::api {
namespace {

constexpr std::string_view kCollection = "agreements";

std::string text_of(const Json& properties, const char* member) {
  const auto found = properties.find(member);
  return found != properties.end() && found->is_string() ? found->get<std::string>() : std::string();
}

OtherAgreement read(const Resource& resource) {
  Json properties = Json::parse(resource.json, nullptr, /*allow_exceptions=*/false);
  if (!properties.is_object()) properties = Json::object();
  return {resource.name, std::move(properties), resource.created, resource.changed};
}

/// What all agreements have.
Result<> check(const Json& properties) {
  for (const char* member : {"hostPartner", "guestPartner"})
    SIGNET_CHECK(required(member, text_member(properties, member)));
  for (const char* member : {"hostIdentity", "guestIdentity"}) {
    SIGNET_TRY(const Json identity, object_member(properties, member));
    for (const char* part : {"qualifier", "value"}) SIGNET_CHECK(required(part, text_member(identity, part)));
  }
  SIGNET_TRY(const Json content, object_member(properties, "content"));
  if (content.empty()) return fail(ErrorKind::InvalidInput, "the request's body lacks the member 'content'");
  return {};
}

Result<> record(const AccountServices& services, const Call& call, Time now) {
  vault::AuditRecord record;
  record.time = now;
  record.principal = call.principal.name;
  record.operation = "changeAccount";
  record.object = vault::AuditObject::Call;
  record.key.name = fmt::format("{}/{}", kCollection, call.parameter("name"));
  record.message = vault::audited_message();
  record.result = vault::AuditResult::Success;
  return services.audit.append(record);
}

}  // namespace

std::string OtherAgreement::type() const { return text_of(properties, "agreementType"); }

bool OtherAgreement::names_partner(std::string_view partner) const {
  return text_of(properties, "hostPartner") == partner || text_of(properties, "guestPartner") == partner;
}

Result<Json> OtherAgreement::json(const AccountServices& services, const AccountResource& account) const {
  SIGNET_TRY(const Json envelope, envelope_of(services, account, kCollection, name));
  return resource_json(services.installation, account, kCollection, name, envelope, properties,
                       agreements::EntryTimes{created, changed});
}

bool is_other_agreement(const Json& body) {
  const auto properties = body.find("properties");
  if (properties == body.end() || !properties->is_object()) return false;
  const std::string type = text_of(*properties, "agreementType");
  return type == "X12" || type == "Edifact";
}

Result<std::vector<OtherAgreement>> other_agreements(const AccountServices& services) {
  SIGNET_TRY(const auto resources, services.resources.list(ResourceKind::OtherAgreement));
  std::vector<OtherAgreement> all;
  for (const Resource& resource : resources) all.push_back(read(resource));
  return all;
}

Result<std::optional<OtherAgreement>> find_other_agreement(const AccountServices& services,
                                                           std::string_view name) {
  SIGNET_TRY(const auto resource, services.resources.find(ResourceKind::OtherAgreement, name));
  if (!resource) return std::optional<OtherAgreement>();
  return std::optional<OtherAgreement>(read(*resource));
}

Result<Answer> put_other_agreement(Services& services, const Call& call, const AccountResource& account) {
  const std::string& name = call.parameter("name");
  SIGNET_CHECK(check_resource_name(name));
  Json properties = call.body["properties"];
  SIGNET_CHECK(check(properties));
  SIGNET_TRY(const Json envelope, read_envelope(call.body));
  SIGNET_TRY(const agreements::StoredAccount stored, services.account.accounts.load());
  if (agreements::find_agreement(stored.account, name) != nullptr)
    return fail(ErrorKind::AlreadyExists,
                fmt::format("'{}' is an AS2 agreement: delete that one first", name));
  for (const char* read_only : {"createdTime", "changedTime"}) properties.erase(read_only);
  const Time now = services.clock.now();
  SIGNET_CHECK(record(services.account, call, now));
  SIGNET_TRY(const bool made,
             services.account.resources.put(ResourceKind::OtherAgreement, name, properties.dump(), now));
  SIGNET_CHECK(services.account.resources.put(ResourceKind::Envelope, envelope_name(kCollection, name),
                                              envelope.dump(), now));
  SIGNET_TRY(const auto kept, find_other_agreement(services.account, name));
  if (!kept) return fail(ErrorKind::NotFound, "the agreement was deleted in the meantime");
  SIGNET_TRY(Json json, kept->json(services.account, account));
  return Answer{made ? 201 : 200, std::move(json), {}};
}

}  // namespace signet::gateway::api
