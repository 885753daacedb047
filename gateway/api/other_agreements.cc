#include "gateway/api/other_agreements.h"

#include <fmt/format.h>

#include "gateway/api/arm_resource.h"
#include "gateway/api/change_record.h"
#include "gateway/api/entry_json.h"
#include "gateway/api/json_body.h"

namespace signet::gateway::api {
namespace {

constexpr std::string_view kAgreements = "agreements";

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

}  // namespace

std::string OtherAgreement::type() const { return text_of(properties, "agreementType"); }

bool OtherAgreement::names_partner(std::string_view partner) const {
  return text_of(properties, "hostPartner") == partner || text_of(properties, "guestPartner") == partner;
}

Result<Json> OtherAgreement::json(const AccountServices& services, const AccountResource& account) const {
  SIGNET_TRY(const Json envelope, envelope_of(services, account, kAgreements, name));
  return resource_json(services.installation, account, kAgreements, name, envelope, properties,
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

Result<bool> remove_other_agreement(const AccountServices& services, const Call& call, Time now) {
  SIGNET_TRY(const auto there, find_other_agreement(services, call.parameter("name")));
  if (!there) return false;
  SIGNET_CHECK(record_change(services, call, now, "changeAccount",
                             {{}, envelope_name(kAgreements, there->name), {}}, "removed"));
  return services.resources.remove(ResourceKind::OtherAgreement, there->name);
}

Result<Answer> put_other_agreement(Services& services, const Call& call, const AccountResource& account) {
  const std::string& name = call.parameter("name");
  SIGNET_CHECK(check_resource_name(name));
  Json properties = call.body["properties"];
  SIGNET_CHECK(check(properties));
  SIGNET_TRY(const Json envelope, read_envelope(call.body));
  SIGNET_TRY(const agreements::StoredAccount stored, services.account.accounts.load());
  for (const agreements::Agreement& as2 : stored.account.agreements)
    if (equal_ignoring_case(as2.name, name))
      return fail(ErrorKind::AlreadyExists,
                  fmt::format("'{}' is an AS2 agreement: delete that one first", as2.name));
  for (const char* member : {"hostPartner", "guestPartner"})
    if (agreements::find_partner(stored.account, text_of(properties, member)) == nullptr)
      return fail(ErrorKind::InvalidInput,
                  fmt::format("the member '{}' must name a partner of the account, and there is no '{}'",
                              member, printable(text_of(properties, member))));
  for (const char* read_only : {"createdTime", "changedTime"}) properties.erase(read_only);
  const Time now = services.clock.now();
  SIGNET_CHECK(record_change(services.account, call, now, "changeAccount",
                             {{}, envelope_name(kAgreements, name), {}}));
  SIGNET_TRY(const bool made,
             services.account.resources.put(ResourceKind::OtherAgreement, name, properties.dump(), now));
  SIGNET_CHECK(keep_envelope(services.account, call, now, kAgreements, name, envelope));
  SIGNET_TRY(const auto kept, find_other_agreement(services.account, name));
  if (!kept) return fail(ErrorKind::NotFound, "the agreement was deleted in the meantime");
  SIGNET_TRY(Json json, kept->json(services.account, account));
  return Answer{made ? 201 : 200, std::move(json), {}};
}

}  // namespace signet::gateway::api
