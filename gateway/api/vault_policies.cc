#include "gateway/api/vault_policies.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/bytes.h"
#include "gateway/api/json_body.h"

namespace signet::gateway::api {
namespace {

using vault::AccessPolicy;

bool is_our_own(const AccessPolicy& policy) {
  return policy.principal == vault::Principal::gateway() ||
         policy.principal == vault::Principal::authority() ||
         policy.principal == vault::Principal::local_operator();
}

/// The name that access policies know the holder of an object id by.
std::string name_of(const std::vector<Principal>& principals, const std::string& object_id) {
  const auto holder = std::find_if(principals.begin(), principals.end(), [&](const Principal& principal) {
    return equal_ignoring_case(principal.id, object_id);
  });
  return holder == principals.end() ? to_lower(object_id) : holder->name;
}

std::string object_id_of(const std::vector<Principal>& principals, const std::string& name) {
  const auto holder = std::find_if(principals.begin(), principals.end(), [&](const Principal& principal) {
    return equal_ignoring_case(principal.name, name);
  });
  return holder == principals.end() ? name : holder->id;
}

bool is_guid(std::string_view text) {
  constexpr std::string_view kForm = "00000000-0000-0000-0000-000000000000";
  return text.size() == kForm.size() &&
         std::equal(text.begin(), text.end(), kForm.begin(), [](char c, char form) {
           return form == '-' ? c == '-'
                              : std::string_view("0123456789abcdefABCDEF").find(c) != std::string_view::npos;
         });
}

Result<std::string> words_of(const Json& permissions, std::string_view member) {
  SIGNET_TRY(const auto words, words_member(permissions, member));
  return words ? fmt::format("{}", fmt::join(*words, ",")) : std::string();
}

Result<AccessPolicy> read_policy(const Services& services, const std::vector<Principal>& principals,
                                 const Json& entry, std::string_view vault) {
  if (!entry.is_object()) return fail(ErrorKind::InvalidInput, "each of 'accessPolicies' must be an object");
  SIGNET_TRY(const std::string tenant, required("tenantId", text_member(entry, "tenantId")));
  if (!equal_ignoring_case(tenant, services.account.installation.tenant))
    return fail(ErrorKind::InvalidInput, fmt::format("the member 'tenantId' must be this installation's, {}",
                                                     services.account.installation.tenant));
  SIGNET_TRY(const std::string object_id, required("objectId", text_member(entry, "objectId")));
  if (!is_guid(object_id))
    return fail(ErrorKind::InvalidInput,
                fmt::format("the member 'objectId' must be a GUID, not '{}'", printable(object_id)));
  // Who is meant by it is the principal through that program alone, and here nobody can tell.
  if (const auto application = entry.find("applicationId");
      application != entry.end() && !application->is_null())
    return fail(
        ErrorKind::InvalidInput,
        "the member 'applicationId' is not kept to, so leave it out: a policy is a principal's, whatever "
        "program it calls by");
  SIGNET_TRY(const Json permissions, object_member(entry, "permissions"));
  AccessPolicy policy{std::string(vault), {name_of(principals, object_id)}};
  SIGNET_TRY(const std::string keys, words_of(permissions, "keys"));
  SIGNET_TRY(policy.keys, vault::parse_key_permissions(keys));
  SIGNET_TRY(const std::string secrets, words_of(permissions, "secrets"));
  SIGNET_TRY(policy.secrets, vault::parse_secret_permissions(secrets));
  SIGNET_TRY(const std::string certificates, words_of(permissions, "certificates"));
  SIGNET_TRY(policy.certificates, vault::parse_certificate_permissions(certificates));
  return policy;
}

/// One principal's policy after a change; `now` and `given` are both that principal's.
AccessPolicy changed(AccessPolicy now, const AccessPolicy& given, PolicyChange change) {
  switch (change) {
    case PolicyChange::Add:
      now.keys.add_all(given.keys);
      now.secrets.add_all(given.secrets);
      now.certificates.add_all(given.certificates);
      return now;
    case PolicyChange::Remove:
      now.keys.remove_all(given.keys);
      now.secrets.remove_all(given.secrets);
      now.certificates.remove_all(given.certificates);
      return now;
    case PolicyChange::Replace:
      return given;
  }
  return now;
}

const AccessPolicy* policy_of(const std::vector<AccessPolicy>& policies, const vault::Principal& principal) {
  const auto found = std::find_if(policies.begin(), policies.end(),
                                  [&](const AccessPolicy& policy) { return policy.principal == principal; });
  return found == policies.end() ? nullptr : &*found;
}

}  // namespace

Result<std::vector<AccessPolicy>> read_policies(const Services& services, const Json& properties,
                                                std::string_view vault) {
  std::vector<AccessPolicy> policies;
  const auto list = properties.find("accessPolicies");
  if (list == properties.end() || list->is_null()) return policies;
  if (!list->is_array()) return fail(ErrorKind::InvalidInput, "the member 'accessPolicies' must be an array");
  SIGNET_TRY(const auto principals, services.vaults.principals.list());
  for (const Json& entry : *list) {
    SIGNET_TRY(AccessPolicy policy, read_policy(services, principals, entry, vault));
    if (policy_of(policies, policy.principal) != nullptr)
      return fail(ErrorKind::InvalidInput,
                  fmt::format("there are two entries for the objectId {}: join them",
                              printable(object_id_of(principals, policy.principal.name))));
    policies.push_back(std::move(policy));
  }
  return policies;
}

Result<> change_policies(Services& services, std::string_view vault, PolicyChange change,
                         const std::vector<AccessPolicy>& given) {
  SIGNET_TRY(const auto before, services.vaults.administration.policies(vault));
  for (const AccessPolicy& policy : given) {
    const AccessPolicy* now = policy_of(before, policy.principal);
    const AccessPolicy nothing{policy.vault, policy.principal};
    SIGNET_CHECK(
        services.vaults.administration.set_policy(changed(now != nullptr ? *now : nothing, policy, change)));
  }
  if (change != PolicyChange::Replace) return {};
  for (const AccessPolicy& policy : before)
    if (!is_our_own(policy) && policy_of(given, policy.principal) == nullptr)
      SIGNET_CHECK(services.vaults.administration.set_policy({policy.vault, policy.principal}));
  return {};
}

Result<Json> policies_json(const Services& services, std::string_view vault) {
  SIGNET_TRY(const auto policies, services.vaults.administration.policies(vault));
  SIGNET_TRY(const auto principals, services.vaults.principals.list());
  Json list = Json::array();
  for (const AccessPolicy& policy : policies) {
    if (is_our_own(policy)) continue;
    list.push_back({{"tenantId", services.account.installation.tenant},
                    {"objectId", object_id_of(principals, policy.principal.name)},
                    {"permissions",
                     {{"keys", words_json(vault::to_string(policy.keys))},
                      {"secrets", words_json(vault::to_string(policy.secrets))},
                      {"certificates", words_json(vault::to_string(policy.certificates))},
                      {"storage", Json::array()}}}});
  }
  return list;
}

}  // namespace signet::gateway::api
