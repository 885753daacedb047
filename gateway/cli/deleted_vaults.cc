#include "gateway/cli/deleted_vaults.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "gateway/api/vault_resource.h"
#include "gateway/cli/call_record.h"
#include "gateway/cli/printed_list.h"
#include "gateway/cli/subcommands.h"
#include "gateway/cli/vault_administration.h"
#include "gateway/cli/vault_users.h"

namespace signet::gateway {
namespace {

using nlohmann::ordered_json;

Result<DeletedVault> describe(Home& home, const api::Resource& resource) {
  SIGNET_TRY(const vault::VaultSettings settings, home.vault().settings(resource.name));
  return DeletedVault{resource.name, api::deletion_of(resource, settings), settings.purge_protection};
}

Result<api::Resource> deleted_resource(Home& home, std::string_view name) {
  SIGNET_TRY(auto found, home.resources().find(api::ResourceKind::DeletedVault, name));
  if (found) return *std::move(found);
  return fail(
      ErrorKind::NotFound,
      fmt::format("there is no deleted vault '{}'; 'signet vault deleted' lists them", printable(name)));
}

/// @error AlreadyExists  the account, or a setting, has keys or secrets in it.
Result<> purge(Home& home, const GivenOptions& given, const vault::Principal& by, const std::string& vault) {
  SIGNET_TRY(const std::vector<std::string> users, users_of_vault(home, given, vault));
  if (!users.empty())
    return fail(ErrorKind::AlreadyExists,
                fmt::format("'{}' is used by {}: change those first", vault, fmt::join(users, ", ")));
  return recorded(home, {by.name, "purgeVault", {vault, {}, {}}},
                  [&] { return HomeVaultAdministration(home).purge_vault(vault); });
}

ordered_json to_json(const DeletedVault& deleted) {
  return {{"vault", deleted.name},
          {"deleted", to_rfc3339(deleted.deletion.deleted)},
          {"scheduledPurge", to_rfc3339(deleted.deletion.scheduled_purge)},
          {"purgeProtection", deleted.purge_protection}};
}

std::string to_line(const DeletedVault& deleted) {
  return fmt::format("{:<24} deleted {}  purged {}\n", deleted.name, to_rfc3339(deleted.deletion.deleted),
                     to_rfc3339(deleted.deletion.scheduled_purge));
}

Result<> list_command(CommandContext& context, const std::string&) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto all, deleted_vaults(*home));
  print_list(
      context, all,
      [](const DeletedVault& one) {
        return ListItem{to_json(one), to_line(one)};
      },
      "no deleted vaults");
  return {};
}

Result<> recover_command(CommandContext& context, const std::string& name) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const api::Resource deleted, deleted_resource(*home, name));
  SIGNET_CHECK(recorded(*home, {caller().name, "recoverVault", {deleted.name, {}, {}}}, [&] {
    return HomeVaultAdministration(*home).recover_vault(deleted.name, deleted.json, home->clock().now());
  }));
  context.print({{"vault", deleted.name}, {"recovered", true}},
                fmt::format("recovered vault '{}' with what is in it and its policies", deleted.name));
  return {};
}

Result<> purge_command(CommandContext& context, const std::string& name) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const api::Resource resource, deleted_resource(*home, name));
  SIGNET_TRY(const DeletedVault deleted, describe(*home, resource));
  if (deleted.purge_protection)
    return fail(ErrorKind::PermissionDenied,
                fmt::format("vault '{}' cannot be purged: it has purge protection, and goes by itself at {}",
                            deleted.name, to_rfc3339(deleted.deletion.scheduled_purge)));
  SIGNET_CHECK(purge(*home, {}, caller(), deleted.name));
  context.print({{"vault", deleted.name}, {"purged", true}},
                fmt::format("purged vault '{}' with everything in it, for good", deleted.name));
  return {};
}

}  // namespace

Result<std::vector<DeletedVault>> deleted_vaults(Home& home) {
  SIGNET_TRY(const auto resources, home.resources().list(api::ResourceKind::DeletedVault));
  std::vector<DeletedVault> all;
  for (const api::Resource& resource : resources) {
    SIGNET_TRY(DeletedVault deleted, describe(home, resource));
    all.push_back(std::move(deleted));
  }
  return all;
}

Result<> purge_overdue_vaults(Home& home, const GivenOptions& given) {
  SIGNET_TRY(const auto all, deleted_vaults(home));
  Result<> outcome;
  for (const DeletedVault& deleted : all) {
    if (deleted.deletion.scheduled_purge > home.clock().now()) continue;
    if (const auto purged = purge(home, given, vault::Principal::gateway(), deleted.name); purged)
      log::info("vault-purged", {{"vault", deleted.name}});
    else if (purged.error().kind == ErrorKind::AlreadyExists)
      log::warning("vault-not-purged", {{"vault", deleted.name}, {"reason", purged.error().detail}});
    else if (outcome)
      outcome = purged;  // and it holds up none of the others
  }
  return outcome;
}

void add_deleted_vault_commands(CLI::App& vault, CommandContext& context) {
  auto name = std::make_shared<std::string>();
  const Subcommands command(vault, context, name);
  command("deleted", "Vaults that were deleted as a whole and can be recovered",
          "Example: signet vault deleted", list_command);
  command("recover", "Put a deleted vault back to use, with what is in it and its policies",
          "Example: signet vault recover kv1", recover_command)
      ->add_option("vault", *name, "The vault's name")
      ->required();
  command("purge", "Remove a deleted vault for good, with every key, secret and certificate in it",
          "Example: signet vault purge kv1", purge_command)
      ->add_option("vault", *name, "The vault's name")
      ->required();
}

}  // namespace signet::gateway
