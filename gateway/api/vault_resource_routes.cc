#include "gateway/api/vault_resource_routes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <regex>

#include "base/bytes.h"
#include "gateway/api/arm_resource.h"
#include "gateway/api/change_record.h"
#include "gateway/api/json_body.h"
#include "gateway/api/vault_policies.h"
#include "gateway/api/vault_resource.h"

namespace signet::gateway::api {
namespace {

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
  return record_change(services.account, call, services.clock.now(), operation, {vault, {}, {}});
}

/// @param what  in the plural, as a subject
Result<> check_administrator(const Call& call, std::string_view what) {
  if (call.principal.roles.has(Role::Administrator)) return {};
  return fail(
      ErrorKind::PermissionDenied,
      fmt::format("principal '{}' lacks the role Administrator, which {} take", call.principal.name, what));
}

/// Policies decide who uses keys, so they are for administrators, also beside a vault's other settings.
Result<bool> changes_policies(const Call& call) {
  SIGNET_TRY(const Json properties, object_member(call.body, "properties"));
  const auto given = properties.find("accessPolicies");
  if (given == properties.end() || given->is_null()) return false;
  SIGNET_CHECK(check_administrator(call, "access policies"));
  return true;
}

/// A new vault lets the gateway use its keys, as the first one does.
Result<> let_gateway_in(Services& services, const std::string& vault) {
  vault::AccessPolicy policy{vault, vault::Principal::gateway()};
  policy.keys = vault::gateway_key_permissions();
  policy.secrets = vault::gateway_secret_permissions();
  return services.vaults.administration.set_policy(policy);
}

/// Makes of a vault what the call says.
Result<> take_up(Services& services, const Call& call, VaultResource& vault, bool is_new) {
  VaultAdministration& administration = services.vaults.administration;
  SIGNET_TRY(const bool with_policies, changes_policies(call));
  SIGNET_TRY(const Json properties, object_member(call.body, "properties"));
  SIGNET_TRY(const auto policies, read_policies(services, properties, vault.name));
  SIGNET_CHECK(merge_vault(services, call.body, vault));
  SIGNET_TRY(const vault::VaultSettings before, administration.settings(vault.name));
  SIGNET_TRY(const vault::VaultSettings settings, merge_settings(call.body, before));
  if (settings.purge_protection && !before.purge_protection)
    SIGNET_CHECK(check_administrator(call, "settings that never end again"));
  SIGNET_CHECK(record(services, call, "putVault", vault.name));
  if (settings != before) SIGNET_CHECK(administration.set_settings(vault.name, settings));
  if (is_new) SIGNET_CHECK(let_gateway_in(services, vault.name));
  SIGNET_CHECK(keep_vault(services, vault));
  if (with_policies) SIGNET_CHECK(change_policies(services, vault.name, PolicyChange::Replace, policies));
  return {};
}

/// The service certificates that are bound to a certificate of the vault.
Result<> add_bound_in(Services& services, std::string_view vault, std::vector<std::string>& users) {
  SIGNET_TRY(const auto views, services.service_certificates.list());
  for (const ServiceCertificateView& view : views)
    if (view.binding && equal_ignoring_case(view.definition.store, vault))
      users.push_back(fmt::format("the binding of the service certificate '{}'", view.definition.name));
  return {};
}

/// @error AlreadyExists  the account, or a service certificate, has keys or secrets in the vault.
Result<> check_unused(Services& services, const std::string& vault) {
  SIGNET_TRY(const agreements::StoredAccount stored, services.account.accounts.load());
  auto users = users_of(stored.account, vault);
  SIGNET_TRY(const std::vector<std::string> others, services.vaults.administration.other_users(vault));
  users.insert(users.end(), others.begin(), others.end());
  SIGNET_CHECK(add_bound_in(services, vault, users));
  if (users.empty()) return {};
  return fail(ErrorKind::AlreadyExists,
              fmt::format("'{}' is used by {}: change those first", vault, fmt::join(users, ", ")));
}

/// The deleted vault that the call's path names. @error NotFound
Result<Resource> deleted_vault_of(Services& services, const Call& call) {
  SIGNET_CHECK(check_subscription(services.account.installation, call));
  SIGNET_TRY(auto deleted,
             services.account.resources.find(ResourceKind::DeletedVault, call.parameter("name")));
  if (deleted) return *std::move(deleted);
  return fail(ErrorKind::NotFound,
              fmt::format("there is no deleted vault '{}'", printable(call.parameter("name"))));
}

Result<Json> deleted_json(Services& services, const Resource& resource) {
  const VaultResource vault = read_vault(resource);
  const Installation& installation = services.account.installation;
  const auto location = vault.document.value("location", std::string(kDefaultLocation));
  SIGNET_TRY(const vault::VaultSettings settings, services.vaults.administration.settings(vault.name));
  const vault::Deletion deletion = deletion_of(resource, settings);
  Json properties = {{"vaultId", vault.id(installation)},
                     {"location", location},
                     {"deletionDate", to_rfc3339(deletion.deleted)},
                     {"scheduledPurgeDate", to_rfc3339(deletion.scheduled_purge)},
                     {"tags", vault.document.value("tags", Json::object())}};
  if (settings.purge_protection) properties["purgeProtectionEnabled"] = true;
  return Json{
      {"id", fmt::format("/subscriptions/{}/providers/Microsoft.KeyVault/locations/{}/deletedVaults/{}",
                         installation.subscription, location, vault.name)},
      {"name", vault.name},
      {"type", "Microsoft.KeyVault/deletedVaults"},
      {"properties", std::move(properties)}};
}

/// Its policies come back with it, so it takes who may set them.
Result<Answer> recover(Services& services, const Call& call, const Resource& deleted) {
  const VaultResource vault = read_vault(deleted);
  SIGNET_CHECK(check_administrator(call, "recoveries of vaults"));
  if (!equal_ignoring_case(vault.group, call.parameter("group")))
    return refusal(409, "ConflictError",
                   fmt::format("the vault '{}' was deleted in the resource group '{}': recover it there",
                               vault.name, vault.group));
  SIGNET_CHECK(record(services, call, "recoverVault", vault.name));
  SIGNET_CHECK(
      services.vaults.administration.recover_vault(vault.name, stored_text(vault), services.clock.now()));
  SIGNET_TRY(const auto recovered, find_vault(services, vault.name));
  if (!recovered) return fail(ErrorKind::NotFound, "the vault was deleted in the meantime");
  SIGNET_TRY(Json json, vault_json(services, call, *recovered));
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
    return refusal(
        409, "ConflictError",
        fmt::format("the vault '{}' was deleted: recover it (createMode recover), or purge it", name));
  SIGNET_TRY(const auto before, find_vault(services, name));
  SIGNET_TRY(const auto was_put, services.account.resources.find(ResourceKind::Vault, name));
  if (was_put && !equal_ignoring_case(before->group, call.parameter("group")))
    return refusal(409, "VaultAlreadyExists",
                   fmt::format("there is a vault '{}' in another resource group", name));
  VaultResource vault = before ? *before : new_vault(services, name, call.parameter("group"));
  vault.group = call.parameter("group");  // that of a vault which nobody has put yet is the first PUT's
  // The home's first vault is there after its purge as well, and has nobody in it then.
  SIGNET_TRY(const auto policies, services.vaults.administration.policies(vault.name));
  // Whom an administrator has taken out of it, no Writer lets in again.
  const bool is_empty_first = !was_put && policies.empty() && call.principal.roles.has(Role::Administrator);
  SIGNET_CHECK(take_up(services, call, vault, /*is_new=*/!before || is_empty_first));
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
  SIGNET_CHECK(take_up(services, call, vault, /*is_new=*/false));
  SIGNET_TRY(Json json, vault_json(services, call, vault));
  return Answer::of(std::move(json));
}

/// Soft: nobody may do anything with it any more, and everything in it stays until it is recovered.
Result<Answer> delete_vault(Services& services, const Call& call) {
  const auto vault = vault_of(services, call);
  if (!vault && vault.error().kind == ErrorKind::NotFound) return Answer::no_content();
  if (!vault) return fail(vault.error());
  SIGNET_CHECK(check_unused(services, vault->name));
  SIGNET_CHECK(record(services, call, "deleteVault", vault->name));
  SIGNET_CHECK(
      services.vaults.administration.delete_vault(vault->name, stored_text(*vault), services.clock.now()));
  return Answer{200, std::nullopt, {}};
}

Result<Answer> list_vaults(Services& services, const Call& call) {
  SIGNET_CHECK(check_subscription(services.account.installation, call));
  SIGNET_TRY(std::vector<VaultResource> vaults, all_vaults(services));
  const std::string& group = call.parameter("group");
  std::erase_if(vaults, [&](const VaultResource& vault) {
    return !group.empty() && !equal_ignoring_case(vault.group, group);
  });
  return arm_page(
      call, vaults, [](const VaultResource& vault) { return vault.name; },
      [&](const VaultResource& vault) { return vault_json(services, call, vault); });
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
        return envelope_json(vault.id(services.account.installation), vault.name, kVaultType, vault.document);
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
  SIGNET_TRY(auto deleted, services.account.resources.list(ResourceKind::DeletedVault));
  // A page goes on behind a name in the order of its octets, and the store has another one.
  std::sort(deleted.begin(), deleted.end(),
            [](const Resource& a, const Resource& b) { return a.name < b.name; });
  return arm_page(
      call, deleted, [](const Resource& resource) { return resource.name; },
      [&](const Resource& resource) { return deleted_json(services, resource); });
}

Result<Answer> get_deleted_vault(Services& services, const Call& call) {
  SIGNET_TRY(const Resource deleted, deleted_vault_of(services, call));
  SIGNET_TRY(Json json, deleted_json(services, deleted));
  return Answer::of(std::move(json));
}

Result<Answer> purge_deleted_vault(Services& services, const Call& call) {
  SIGNET_TRY(const Resource deleted, deleted_vault_of(services, call));
  SIGNET_TRY(const vault::VaultSettings settings, services.vaults.administration.settings(deleted.name));
  if (settings.purge_protection) {
    constexpr int kMethodNotAllowed = 405;
    Answer answer = refusal(
        kMethodNotAllowed, "MethodNotAllowed",
        fmt::format(
            "Operation 'DeletedVaultPurge' is not allowed: the vault '{}' has purge protection, and goes "
            "by itself at {}",
            deleted.name, to_rfc3339(deletion_of(deleted, settings).scheduled_purge)));
    answer.headers.set("Allow", "");
    return answer;
  }
  SIGNET_CHECK(check_unused(services, deleted.name));
  SIGNET_CHECK(record(services, call, "purgeVault", deleted.name));
  if (auto purged = services.vaults.administration.purge_vault(deleted.name); !purged) {
    record_failure(services.account, call, services.clock.now(), "purgeVault", {deleted.name, {}, {}},
                   purged.error());
    return fail(std::move(purged).error());
  }
  return Answer{200, std::nullopt, {}};
}

}  // namespace signet::gateway::api
