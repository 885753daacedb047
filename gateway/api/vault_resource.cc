#include "gateway/api/vault_resource.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "gateway/api/arm_resource.h"
#include "gateway/api/json_body.h"
#include "gateway/api/vault_policies.h"

namespace signet::gateway::api {
namespace {

constexpr std::array kDeploymentFlags = {"enabledForDeployment", "enabledForDiskEncryption",
                                         "enabledForTemplateDeployment"};

Result<> merge_sku(const Json& given, Json& properties) {
  SIGNET_TRY(const Json sku, object_member(given, "sku"));
  SIGNET_TRY(const auto name, text_member(sku, "name"));
  if (!name) return {};
  const std::string word = to_lower(*name);
  if (word != "standard" && word != "premium")
    return fail(ErrorKind::InvalidInput, "the member 'sku.name' must be standard or premium");
  properties["sku"] = {{"family", "A"}, {"name", word}};
  return {};
}

Result<> refuse_unless(bool kept, std::string_view member, std::string_view expected) {
  if (kept) return {};
  return fail(ErrorKind::InvalidInput, fmt::format("the member '{}' can only be {} here", member, expected));
}

/// What is said and could not be kept to is refused, rather than said back.
Result<> check_promises(const Services& services, const Json& given) {
  SIGNET_TRY(const auto tenant, text_member(given, "tenantId"));
  SIGNET_CHECK(refuse_unless(!tenant || equal_ignoring_case(*tenant, services.account.installation.tenant),
                             "tenantId", services.account.installation.tenant));
  SIGNET_TRY(const auto rbac, flag_member(given, "enableRbacAuthorization"));
  SIGNET_CHECK(refuse_unless(!rbac.value_or(false), "enableRbacAuthorization", "false"));
  SIGNET_TRY(const auto soft_delete, flag_member(given, "enableSoftDelete"));
  SIGNET_CHECK(refuse_unless(soft_delete.value_or(true), "enableSoftDelete", "true"));
  SIGNET_TRY(const auto network, text_member(given, "publicNetworkAccess"));
  SIGNET_CHECK(
      refuse_unless(!network || equal_ignoring_case(*network, "Enabled"), "publicNetworkAccess", "Enabled"));
  SIGNET_TRY(const Json rules, object_member(given, "networkAcls"));
  SIGNET_TRY(const auto action, text_member(rules, "defaultAction"));
  return refuse_unless(!action || equal_ignoring_case(*action, "Allow"), "networkAcls.defaultAction",
                       "Allow");
}

}  // namespace

std::string VaultResource::id(const Installation& installation) const {
  return fmt::format("/subscriptions/{}/resourceGroups/{}/providers/{}/{}", installation.subscription, group,
                     kVaultType, name);
}

VaultResource new_vault(const Services& services, std::string name, std::string group) {
  Json properties = {{"tenantId", services.account.installation.tenant},
                     {"sku", {{"family", "A"}, {"name", "standard"}}},
                     {"enabledForDeployment", false},
                     {"enabledForDiskEncryption", false},
                     {"enabledForTemplateDeployment", false},
                     {"enableSoftDelete", true},
                     {"enableRbacAuthorization", false},
                     {"provisioningState", "Succeeded"},
                     {"publicNetworkAccess", "Enabled"}};
  const Time now = services.clock.now();
  return {
      std::move(name), std::move(group),
      Json{{"location", kDefaultLocation}, {"tags", Json::object()}, {"properties", std::move(properties)}},
      now, now};
}

Result<std::optional<VaultResource>> find_vault(Services& services, const std::string& name) {
  using Found = std::optional<VaultResource>;
  SIGNET_TRY(const auto put, services.account.resources.find(ResourceKind::Vault, name));
  if (put) return Found(read_vault(*put));
  SIGNET_TRY(const auto deleted, services.account.resources.find(ResourceKind::DeletedVault, name));
  if (deleted) return Found();
  SIGNET_CHECK(vault::check_vault_name(name));
  SIGNET_TRY(const auto policies, services.vaults.administration.policies(name));
  if (policies.empty() && !equal_ignoring_case(name, kFirstVault)) return Found();
  return Found(new_vault(services, equal_ignoring_case(name, kFirstVault) ? std::string(kFirstVault) : name,
                         std::string(kDefaultGroup)));
}

Result<std::vector<VaultResource>> all_vaults(Services& services) {
  SIGNET_TRY(const auto put, services.account.resources.list(ResourceKind::Vault));
  std::vector<VaultResource> all;
  for (const Resource& resource : put) all.push_back(read_vault(resource));
  const bool has_first = std::any_of(all.begin(), all.end(), [](const VaultResource& vault) {
    return equal_ignoring_case(vault.name, kFirstVault);
  });
  if (!has_first) {
    SIGNET_TRY(auto first, find_vault(services, std::string(kFirstVault)));
    if (first) all.push_back(*std::move(first));
  }
  std::sort(all.begin(), all.end(),
            [](const VaultResource& a, const VaultResource& b) { return a.name < b.name; });
  return all;
}

VaultResource read_vault(const Resource& resource) {
  Json stored = Json::parse(resource.json, nullptr, /*allow_exceptions=*/false);
  if (!stored.is_object()) stored = Json::object();
  return {resource.name, stored.value("group", std::string(kDefaultGroup)),
          stored.value("document", Json::object()), resource.created, resource.changed};
}

std::string stored_text(const VaultResource& vault) {
  return Json{{"group", vault.group}, {"document", vault.document}}.dump();
}

vault::Deletion deletion_of(const Resource& deleted, const vault::VaultSettings& settings) {
  return {deleted.created, deleted.created + std::chrono::days(settings.retention_days)};
}

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

Result<> keep_vault(Services& services, const VaultResource& vault) {
  SIGNET_CHECK(services.account.resources.put(ResourceKind::Vault, vault.name, stored_text(vault),
                                              services.clock.now()));
  return {};
}

Result<Json> vault_json(Services& services, const Call& call, const VaultResource& vault) {
  const Installation& installation = services.account.installation;
  Json json = envelope_json(vault.id(installation), vault.name, kVaultType, vault.document);
  json["systemData"] = {{"createdAt", to_rfc3339(vault.created)},
                        {"lastModifiedAt", to_rfc3339(vault.changed)}};
  json["properties"] = vault.document["properties"];
  json["properties"]["vaultUri"] = vault_origin(call, vault.name) + "/";
  SIGNET_TRY(const bool has_token, services.vaults.administration.has_token(vault.name));
  if (has_token) json["properties"]["sku"] = {{"family", "A"}, {"name", "premium"}};
  SIGNET_TRY(json["properties"]["accessPolicies"], policies_json(services, vault.name));
  SIGNET_TRY(const vault::VaultSettings settings, services.vaults.administration.settings(vault.name));
  json["properties"]["softDeleteRetentionInDays"] = settings.retention_days;
  if (settings.purge_protection) json["properties"]["enablePurgeProtection"] = true;
  return json;
}

Result<vault::VaultSettings> merge_settings(const Json& body, vault::VaultSettings now) {
  SIGNET_TRY(const Json given, object_member(body, "properties"));
  SIGNET_TRY(const auto days, integer_member(given, "softDeleteRetentionInDays"));
  if (days && (*days < vault::kShortestRetention || *days > vault::kLongestRetention))
    return fail(ErrorKind::InvalidInput,
                fmt::format("the member 'softDeleteRetentionInDays' must be from {} to {}",
                            vault::kShortestRetention, vault::kLongestRetention));
  if (days) now.retention_days = static_cast<int>(*days);
  SIGNET_TRY(const auto protection, flag_member(given, "enablePurgeProtection"));
  SIGNET_CHECK(refuse_unless(protection.value_or(true) || !now.purge_protection, "enablePurgeProtection",
                             "true, once it was"));
  now.purge_protection = protection.value_or(now.purge_protection);
  return now;
}

Result<> merge_vault(const Services& services, const Json& body, VaultResource& vault) {
  SIGNET_TRY(const Json envelope, read_envelope(body));
  SIGNET_TRY(const Json given, object_member(body, "properties"));
  SIGNET_CHECK(check_promises(services, given));
  Json& properties = vault.document["properties"];
  SIGNET_CHECK(merge_sku(given, properties));
  for (const char* name : kDeploymentFlags) {
    SIGNET_TRY(const auto flag, flag_member(given, name));
    if (flag) properties[name] = *flag;
  }
  vault.document.update(envelope);
  return {};
}

}  // namespace signet::gateway::api
