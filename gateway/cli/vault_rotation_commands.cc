#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "gateway/cli/home.h"
#include "gateway/cli/subcommands.h"
#include "gateway/cli/vault_attributes.h"
#include "gateway/cli/vault_lifecycle.h"

namespace signet::gateway {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kNone = "none";

struct RotationOptions {
  std::string vault{kDefaultVault};
  std::string key;
  std::string expiry;
  std::string rotate;
  std::string notify;
};

struct VaultSettingsOptions {
  std::string vault{kDefaultVault};
  std::optional<int> retention_days;
  bool purge_protection = false;
};

template <class Value>
ordered_json text_or_null(const std::optional<Value>& value) {
  return value ? ordered_json(to_string(*value)) : ordered_json();
}

ordered_json to_json(const vault::RotationPolicy& policy) {
  return {{"expiryTime", text_or_null(policy.expiry_time)},
          {"rotate", text_or_null(policy.rotate)},
          {"notify", text_or_null(policy.notify)}};
}

Result<> rotate(CommandContext& context, const RotationOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(vault::KeyVault* const chosen, home->key_vault(options.vault));
  SIGNET_TRY(const vault::KeyInfo info, chosen->rotate_key(caller(), options.vault, options.key));
  context.print({{"vault", info.id.vault},
                 {"name", info.id.name},
                 {"version", info.id.version},
                 {"kind", to_string(info.kind)},
                 {"expires", date_json(info.attributes.expires)},
                 {"publicKey", info.public_key_pem()}},
                fmt::format("rotated: {} is the current version now, and expires: {}", to_string(info.id),
                            date_text(info.attributes.expires)));
  return {};
}

Result<> show(CommandContext& context, const RotationOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(vault::KeyVault* const chosen, home->key_vault(options.vault));
  SIGNET_TRY(const vault::RotationPolicy policy,
             chosen->rotation_policy(caller(), options.vault, options.key));
  context.print(to_json(policy), to_string(policy));
  return {};
}

/// Takes what an option says into a policy's part; what was not mentioned stays.
template <class Value>
Result<> take(const std::string& given, Result<Value> (*parse)(std::string_view),
              std::optional<Value>& part) {
  if (given.empty()) return {};
  part.reset();
  if (given == kNone) return {};
  SIGNET_TRY(part, parse(given));
  return {};
}

Result<> set(CommandContext& context, const RotationOptions& options) {
  if (options.expiry.empty() && options.rotate.empty() && options.notify.empty())
    return fail(ErrorKind::InvalidInput, "nothing to change: expected --expiry, --rotate or --notify");
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(vault::KeyVault* const chosen, home->key_vault(options.vault));
  SIGNET_TRY(vault::RotationPolicy policy, chosen->rotation_policy(caller(), options.vault, options.key));
  SIGNET_CHECK(take(options.expiry, vault::parse_period, policy.expiry_time));
  SIGNET_CHECK(take(options.rotate, vault::parse_rotation_trigger, policy.rotate));
  SIGNET_CHECK(take(options.notify, vault::parse_rotation_trigger, policy.notify));
  SIGNET_TRY(const vault::RotationPolicy kept,
             chosen->set_rotation_policy(caller(), options.vault, options.key, policy));
  context.print(to_json(kept), to_string(kept));
  return {};
}

void print(const CommandContext& context, const std::string& name, const vault::VaultSettings& settings) {
  context.print(
      {{"vault", name},
       {"retentionDays", settings.retention_days},
       {"purgeProtection", settings.purge_protection}},
      fmt::format("what is deleted in vault '{}' can be recovered for {} days{}", name,
                  settings.retention_days,
                  settings.purge_protection ? ", and nobody purges it before (purge protection)" : ""));
}

Result<> show_settings(CommandContext& context, const VaultSettingsOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(vault::EmbeddedVault* const chosen, home->own_vault(options.vault));
  SIGNET_TRY(const vault::VaultSettings settings, chosen->settings(options.vault));
  print(context, options.vault, settings);
  return {};
}

Result<> set_settings(CommandContext& context, const VaultSettingsOptions& options) {
  if (!options.retention_days && !options.purge_protection)
    return fail(ErrorKind::InvalidInput,
                "nothing to change: expected --retention-days or --purge-protection");
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(vault::EmbeddedVault* const chosen, home->own_vault(options.vault));
  SIGNET_TRY(vault::VaultSettings settings, chosen->settings(options.vault));
  settings.retention_days = options.retention_days.value_or(settings.retention_days);
  settings.purge_protection = settings.purge_protection || options.purge_protection;
  SIGNET_CHECK(chosen->set_settings(caller(), options.vault, settings));
  print(context, options.vault, settings);
  return {};
}

}  // namespace

void add_key_rotation_commands(CLI::App& key, CommandContext& context) {
  auto options = std::make_shared<RotationOptions>();
  const auto with_name = [&](CLI::App* made) {
    made->add_option("name", options->key, "The key's name")->required();
    return made;
  };
  with_name(VaultSubcommands(key, context, options)(
      "rotate", "Make a new version like the current one, which lasts as long as the rotation policy says",
      "Example: signet vault key rotate acme-as2", rotate));
  CLI::App* rotation =
      key.add_subcommand("rotation", "When a key gets a new version by itself: its rotation policy");
  rotation->require_subcommand(1);
  rotation->footer("Example: signet vault key rotation show acme-as2");
  const VaultSubcommands command(*rotation, context, options);
  with_name(
      command("show", "A key's rotation policy", "Example: signet vault key rotation show acme-as2", show));
  CLI::App* setting = with_name(command(
      "set", "Change a key's rotation policy; what is not mentioned stays",
      "Example: signet vault key rotation set acme-as2 --expiry P1Y --rotate \"timeBeforeExpiry P30D\"\n"
      "Certificates stay with the version that they were issued for.",
      set));
  setting->add_option("--expiry", options->expiry,
                      "How long a new version lasts, such as P90D or P1Y, or 'none'");
  setting->add_option("--rotate", options->rotate,
                      "When to rotate: 'timeAfterCreate P60D' or 'timeBeforeExpiry P30D', or 'none'");
  setting->add_option("--notify", options->notify,
                      "When the log begins to warn, daily: 'timeBeforeExpiry P30D', or 'none'");
}

void add_vault_settings_commands(CLI::App& vault, CommandContext& context) {
  auto options = std::make_shared<VaultSettingsOptions>();
  CLI::App* settings = vault.add_subcommand("settings", "How long what is deleted can be recovered");
  settings->require_subcommand(1);
  settings->footer("Example: signet vault settings show");
  const VaultSubcommands command(*settings, context, options);
  command("show", "The settings of a vault", "Example: signet vault settings show", show_settings);
  CLI::App* setting = command("set", "Change the settings of a vault; what is not mentioned stays",
                              "Example: signet vault settings set --retention-days 30", set_settings);
  setting->add_option("--retention-days", options->retention_days,
                      "Days for which what is deleted from now on can be recovered: 7 to 90");
  setting->add_flag("--purge-protection", options->purge_protection,
                    "Nobody purges anything before its days are over. This is never taken off again");
}

}  // namespace signet::gateway
