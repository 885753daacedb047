#include "gateway/api/vault_resource_routes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <regex>

#include "base/bytes.h"
#include "gateway/api/arm_resource.h"
#include "gateway/api/json_body.h"
#include "gateway/api/vault_policies.h"
#include "gateway/api/vault_resource.h"

namespace signet::gateway::api {
namespace {

constexpr std::string_view kType = "Microsoft.KeyVault/vaults";

/// Azure's rule. Ours for vaults that the command line makes is wider.
bool is_vault_name(const std::string& name) {
  static const std::regex kRule("[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]");
  return name.size() <= 24 && std::regex_match(name, kRule);
}

Answer refusal(int status, std::string code, std::string message) {
  return answer_of(Problem{status, std::move(code), std::move(message)});
}

/// The vault that the call's path names. @error NotFound  there is none, or it is in another group.
Result<VaultResource> vault_of(Services& services, const Call& call) {
  SIGNET_CHECK(check_subscription(services.account.installation, call));
  SIGNET_TRY(const auto vault, find_vault(services, call.parameter("name")));
  if (vault && equal_ignoring_case(vault->group, call.parameter("group"))) return *vault;
  return fail(ErrorKind::NotFound,
              fmt::format("there is no vault '{}' in the resource group '{}'",
                          printable(call.parameter("name")), printable(call.parameter("group"))));
}

Result<> record(Services& services, const Call& call, std::string_view operation, const std::string& vault) {
  vault::AuditRecord record;
  record.time = services.clock.now();
  record.principal = call.principal.name;
  record.operation = operation;
  record.object = vault::AuditObject::Call;
  record.key.vault = vault;
  record.message = vault::audited_message();
  record.result = vault::AuditResult::Success;
  return services.account.audit.append(record);
}

/// Policies decide who uses keys, so they are for administrators, also beside a vault's other settings.
Result<bool> changes_policies(const Call& call) {
  SIGNET_TRY(const Json properties, object_member(call.body, "properties"));
  const auto given = properties.find("accessPolicies");
  if (given == properties.end() || given->is_null()) return false;
  if (call.principal.roles.has(Role::Administrator)) return true;
  return fail(ErrorKind::PermissionDenied,
              fmt::format("principal '{}' lacks the role Administrator, which access policies take",
                          call.principal.name));
}

/// Makes of a vault what the call says.
Result<> take_up(Services& services, const Call& call, VaultResource& vault, PolicyChange change) {
  SIGNET_TRY(const bool with_policies, changes_policies(call));
  SIGNET_TRY(const Json properties, object_member(call.body, "properties"));
  SIGNET_TRY(const auto policies, read_policies(services, properties, vault.name));
  SIGNET_CHECK(merge_vault(services, call.body, vault));
  SIGNET_CHECK(record(services, call, "putVault", vault.name));
  SIGNET_CHECK(keep_vault(services, vault));
  if (with_policies) SIGNET_CHECK(change_policies(services, vault.name, change, policies));
  return {};
}

/// A new vault lets the gateway use its keys, as the first one does.
Result<> let_gateway_in(Services& services, const std::string& vault) {
  vault::AccessPolicy policy{vault, vault::Principal::gateway()};
  policy.keys = vault::gateway_key_permissions();
  policy.secrets = vault::gateway_secret_permissions();
  return services.vaults.administration.set_policy(policy);
}

/// The policies that a deleted vault had come back.
Result<> restore_policies(Services& services, const std::string& vault, const Json& saved) {
  for (const Json& entry : saved) {
    vault::AccessPolicy policy{vault, {entry.at("principal").get<std::string>()}};
    SIGNET_TRY(policy.keys, vault::parse_key_permissions(entry.at("keys").get<std::string>()));
    SIGNET_TRY(policy.secrets, vault::parse_secret_permissions(entry.at("secrets").get<std::string>()));
    SIGNET_TRY(policy.certificates,
               vault::parse_certificate_permissions(entry.at("certificates").get<std::string>()));
    SIGNET_CHECK(services.vaults.administration.set_policy(policy));
  }
  return {};
}

/// What of the account has its key, or a secret, in the vault.
std::vector<std::string> users_of(const agreements::Account& account, std::string_view vault) {
  std::vector<std::string> users;
  const auto is_it = [&](const auto& reference) {
    return reference && equal_ignoring_case(reference->key_vault, vault);
  };
  for (const agreements::CertificateEntry& certificate : account.certificates)
    if (is_it(certificate.key)) users.push_back(fmt::format("certificate '{}'", certificate.name));
  for (const agreements::Agreement& agreement : account.agreements)
    if (is_it(agreement.connection.basic_authentication) ||
        is_it(agreement.receive_agreement.required_basic_authentication) ||
        is_it(agreement.receive_agreement.delivery.webhook))
      users.push_back(fmt::format("agreement '{}'", agreement.name));
  return users;
}

Json deleted_json(const Services& services, const Resource& resource) {
  const Json stored = Json::parse(resource.json);
  const VaultResource vault{
      resource.name, stored.at("group").get<std::string>(), stored.at("document"), {}, {}};
  const Installation& installation = services.account.installation;
  const auto location = vault.document.value("location", std::string(kDefaultLocation));
  Json properties = {{"vaultId", vault.id(installation)},
                     {"location", location},
                     {"deletionDate", stored.at("deletionDate")},
                     {"scheduledPurgeDate", stored.at("scheduledPurgeDate")},
                     {"tags", vault.document.value("tags", Json::object())}};
  if (vault.document["properties"].contains("enablePurgeProtection"))
    properties["purgeProtectionEnabled"] = true;
  return {{"id", fmt::format("/subscriptions/{}/providers/Microsoft.KeyVault/locations/{}/deletedVaults/{}",
                             installation.subscription, location, vault.name)},
          {"name", vault.name},
          {"type", "Microsoft.KeyVault/deletedVaults"},
          {"properties", std::move(properties)}};
}

Result<Answer> recover(Services& services, const Call& call, const Resource& deleted) {
  const Json stored = Json::parse(deleted.json);
  const VaultResource vault{deleted.name, stored.at("group").get<std::string>(), stored.at("document"),
                            deleted.created, services.clock.now()};
  SIGNET_CHECK(record(services, call, "recoverVault", vault.name));
  SIGNET_CHECK(keep_vault(services, vault));
  SIGNET_CHECK(restore_policies(services, vault.name, stored.at("policies")));
  SIGNET_CHECK(services.account.resources.remove(ResourceKind::DeletedVault, vault.name));
  SIGNET_TRY(Json json, vault_json(services, call, vault));
  return Answer::of(std::move(json));
}

}  // namespace

Result<Answer> put_vault(Services& services, const Call& call) {
  const std::string& name = call.parameter("name");
  SIGNET_CHECK(check_subscription(services.account.installation, call));
  if (!is_vault_name(name))
    return refusal(
        400, "VaultNameNotValid",
        "a vault's name has 3 to 24 letters, digits and hyphens, begins with a letter, ends with none of the "
        "last, and has no two of them together");
  SIGNET_CHECK(check_resource_name(call.parameter("group")));
  SIGNET_TRY(const Json properties, object_member(call.body, "properties"));
  SIGNET_TRY(const auto mode, text_member(properties, "createMode"));
  SIGNET_TRY(const auto deleted, services.account.resources.find(ResourceKind::DeletedVault, name));
  if (deleted && mode == "recover") return recover(services, call, *deleted);
  if (deleted)
    return refusal(409, "ConflictError",
                   fmt::format("the vault '{}' was deleted: recover it (createMode recover)", name));
  SIGNET_TRY(const auto before, find_vault(services, name));
  SIGNET_TRY(const auto was_put, services.account.resources.find(ResourceKind::Vault, name));
  if (was_put && !equal_ignoring_case(before->group, call.parameter("group")))
    return refusal(409, "VaultAlreadyExists",
                   fmt::format("there is a vault '{}' in another resource group", name));
  VaultResource vault = before ? *before : new_vault(services, name, call.parameter("group"));
  vault.group = call.parameter("group");  // that of a vault which nobody has put yet is the first PUT's
  SIGNET_CHECK(take_up(services, call, vault, PolicyChange::Replace));
  if (!before) SIGNET_CHECK(let_gateway_in(services, vault.name));
  SIGNET_TRY(Json json, vault_json(services, call, vault));
  return Answer{before ? 200 : 201, std::move(json), {}};
}

Result<Answer> get_vault(Services& services, const Call& call) {
  SIGNET_TRY(const VaultResource vault, vault_of(services, call));
  SIGNET_TRY(Json json, vault_json(services, call, vault));
  return Answer::of(std::move(json));
}

Result<Answer> patch_vault(Services& services, const Call& call) {
  SIGNET_TRY(VaultResource vault, vault_of(services, call));
  SIGNET_CHECK(take_up(services, call, vault, PolicyChange::Replace));
  SIGNET_TRY(Json json, vault_json(services, call, vault));
  return Answer::of(std::move(json));
}

/// Soft: nobody may do anything with it any more, and everything in it stays until it is recovered.
Result<Answer> delete_vault(Services& services, const Call& call) {
  const auto vault = vault_of(services, call);
  if (!vault && vault.error().kind == ErrorKind::NotFound) return Answer::no_content();
  if (!vault) return fail(vault.error());
  SIGNET_TRY(const agreements::StoredAccount stored, services.account.accounts.load());
  if (const auto users = users_of(stored.account, vault->name); !users.empty())
    return refusal(
        409, "Conflict",
        fmt::format("'{}' is used by {}: change those first", vault->name, fmt::join(users, ", ")));
  SIGNET_TRY(const auto policies, services.vaults.administration.policies(vault->name));
  Json saved = Json::array();
  for (const vault::AccessPolicy& policy : policies)
    saved.push_back({{"principal", policy.principal.name},
                     {"keys", vault::to_string(policy.keys)},
                     {"secrets", vault::to_string(policy.secrets)},
                     {"certificates", vault::to_string(policy.certificates)}});
  const Time now = services.clock.now();
  const std::chrono::days retention(vault->document["properties"].value("softDeleteRetentionInDays", 90));
  const Json deleted = {{"group", vault->group},
                        {"document", vault->document},
                        {"policies", std::move(saved)},
                        {"deletionDate", to_rfc3339(now)},
                        {"scheduledPurgeDate", to_rfc3339(now + retention)}};
  SIGNET_CHECK(record(services, call, "deleteVault", vault->name));
  SIGNET_CHECK(services.account.resources.put(ResourceKind::DeletedVault, vault->name, deleted.dump(), now));
  for (const vault::AccessPolicy& policy : policies)
    SIGNET_CHECK(services.vaults.administration.set_policy({policy.vault, policy.principal}));
  SIGNET_CHECK(services.account.resources.remove(ResourceKind::Vault, vault->name));
  return Answer{200, std::nullopt, {}};
}

Result<Answer> list_vaults(Services& services, const Call& call) {
  SIGNET_CHECK(check_subscription(services.account.installation, call));
  SIGNET_TRY(std::vector<VaultResource> vaults, all_vaults(services));
  const std::string& group = call.parameter("group");
  std::erase_if(vaults, [&](const VaultResource& vault) {
    return !group.empty() && !equal_ignoring_case(vault.group, group);
  });
  Result<> failure;
  SIGNET_TRY(Answer answer, arm_page(
                                call, vaults, [](const VaultResource& vault) { return vault.name; },
                                [&](const VaultResource& vault) {
                                  auto json = vault_json(services, call, vault);
                                  if (!json) failure = fail(json.error());
                                  return json.value_or(Json());
                                }));
  SIGNET_CHECK(std::move(failure));
  return answer;
}

/// The list of all resources of a subscription, of which only vaults can be asked for.
Result<Answer> list_resources(Services& services, const Call& call) {
  SIGNET_CHECK(check_subscription(services.account.installation, call));
  SIGNET_TRY(const auto filter, call.target.parameter("$filter"));
  if (!filter || !equal_ignoring_case(trim(*filter), "resourceType eq 'Microsoft.KeyVault/vaults'"))
    return fail(ErrorKind::InvalidInput, "the only $filter is resourceType eq 'Microsoft.KeyVault/vaults'");
  SIGNET_TRY(const std::vector<VaultResource> vaults, all_vaults(services));
  return arm_page(
      call, vaults, [](const VaultResource& vault) { return vault.name; },
      [&](const VaultResource& vault) {
        return envelope_json(vault.id(services.account.installation), vault.name, kType, vault.document);
      });
}

Result<Answer> change_access_policies(Services& services, const Call& call) {
  SIGNET_TRY(VaultResource vault, vault_of(services, call));
  const std::string kind = to_lower(call.parameter("kind"));
  if (kind != "add" && kind != "replace" && kind != "remove")
    return fail(ErrorKind::NotFound, "access policies can be changed by add, replace and remove");
  SIGNET_TRY(const Json properties, object_member(call.body, "properties"));
  SIGNET_TRY(const auto policies, read_policies(services, properties, vault.name));
  SIGNET_CHECK(record(services, call, "changeAccessPolicies", vault.name));
  SIGNET_CHECK(change_policies(services, vault.name,
                               kind == "add"       ? PolicyChange::Add
                               : kind == "replace" ? PolicyChange::Replace
                                                   : PolicyChange::Remove,
                               policies));
  SIGNET_TRY(Json now, policies_json(services, vault.name));
  return Answer::of({{"id", vault.id(services.account.installation) + "/accessPolicies/"},
                     {"type", "Microsoft.KeyVault/vaults/accessPolicies"},
                     {"properties", {{"accessPolicies", std::move(now)}}}});
}

Result<Answer> check_vault_name_availability(Services& services, const Call& call) {
  SIGNET_CHECK(check_subscription(services.account.installation, call));
  SIGNET_TRY(const std::string name, required("name", text_member(call.body, "name")));
  if (!is_vault_name(name))
    return Answer::of({{"nameAvailable", false},
                       {"reason", "AccountNameInvalid"},
                       {"message", "this is no name for a vault"}});
  SIGNET_TRY(const auto vault, find_vault(services, name));
  SIGNET_TRY(const auto deleted, services.account.resources.find(ResourceKind::DeletedVault, name));
  if (vault || deleted)
    return Answer::of({{"nameAvailable", false},
                       {"reason", "AlreadyExists"},
                       {"message", "there is a vault of this name"}});
  return Answer::of({{"nameAvailable", true}});
}

Result<Answer> list_deleted_vaults(Services& services, const Call& call) {
  SIGNET_CHECK(check_subscription(services.account.installation, call));
  SIGNET_TRY(const auto deleted, services.account.resources.list(ResourceKind::DeletedVault));
  return arm_page(
      call, deleted, [](const Resource& resource) { return resource.name; },
      [&](const Resource& resource) { return deleted_json(services, resource); });
}

Result<Answer> get_deleted_vault(Services& services, const Call& call) {
  SIGNET_CHECK(check_subscription(services.account.installation, call));
  SIGNET_TRY(const auto deleted,
             services.account.resources.find(ResourceKind::DeletedVault, call.parameter("name")));
  if (!deleted)
    return fail(ErrorKind::NotFound,
                fmt::format("there is no deleted vault '{}'", printable(call.parameter("name"))));
  return Answer::of(deleted_json(services, *deleted));
}

}  // namespace signet::gateway::api
