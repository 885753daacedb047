#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/passphrase.h"
#include "gateway/cli/printed_list.h"
#include "gateway/cli/subcommands.h"
#include "gateway/cli/vault_attributes.h"
#include "gateway/cli/vault_lifecycle.h"

namespace signet::gateway {
namespace {

using nlohmann::ordered_json;

struct SecretOptions {
  std::string vault{kDefaultVault};
  std::string secret;
  std::string version;
  std::filesystem::path value_file;
  std::optional<std::string> content_type;
  std::string not_before;
  std::string expires;
  std::vector<std::string> tags;
  bool disabled = false;
  bool enable = false;
  bool disable = false;
};

ordered_json to_json(const vault::SecretInfo& info) {
  const vault::SecretAttributes& attributes = info.settings.attributes;
  return {{"vault", info.id.vault},
          {"name", info.id.name},
          {"version", info.id.version},
          {"contentType", info.settings.content_type},
          {"enabled", attributes.enabled},
          {"notBefore", date_json(attributes.not_before)},
          {"expires", date_json(attributes.expires)},
          {"tags", info.settings.tags},
          {"created", to_rfc3339(info.created)},
          {"updated", to_rfc3339(info.updated)}};
}

std::string_view state_of(const vault::SecretInfo& info) {
  return info.settings.attributes.enabled ? "enabled" : "disabled";
}

std::string to_text(const vault::SecretInfo& info) {
  return fmt::format(
      "content type {}\nstate        {}\nnot before   {}\nexpires      {}\ntags         {}\ncreated      "
      "{}\n",
      info.settings.content_type.empty() ? "none" : info.settings.content_type, state_of(info),
      date_text(info.settings.attributes.not_before), date_text(info.settings.attributes.expires),
      tags_text(info.settings.tags), to_rfc3339(info.created));
}

/// What is not mentioned stays as it is.
Result<vault::SecretUpdate> secret_update(const SecretOptions& options) {
  vault::SecretUpdate update;
  update.content_type = options.content_type;
  SIGNET_TRY(update.attributes, attributes_update(options.enable, options.disable || options.disabled,
                                                  options.not_before, options.expires));
  SIGNET_TRY(update.tags, read_tags(options.tags));
  return update;
}

Result<vault::SecretSettings> secret_settings(const SecretOptions& options) {
  SIGNET_TRY(const vault::SecretUpdate given, secret_update(options));
  vault::SecretSettings settings;
  settings.content_type = given.content_type.value_or("");
  given.attributes.apply_to(settings.attributes);
  settings.tags = given.tags.value_or(vault::Tags());
  return settings;
}

Result<> set(CommandContext& context, const SecretOptions& options) {
  SIGNET_TRY(const vault::SecretSettings settings, secret_settings(options));
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const SecretBytes value, read_secret_value(options.value_file));
  SIGNET_TRY(vault::EmbeddedVault* const chosen, home->own_vault(options.vault));
  SIGNET_TRY(const vault::SecretInfo info,
             chosen->set_secret(caller(), options.vault, options.secret, value, settings));
  context.print(to_json(info), "set " + to_string(info.id),
                warnings_of(info.settings.attributes, "secret", home->clock().now()));
  return {};
}

Result<> list(CommandContext& context, const SecretOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(vault::EmbeddedVault* const chosen, home->own_vault(options.vault));
  SIGNET_TRY(const auto secrets, chosen->list_secrets(caller(), options.vault));
  print_list(
      context, secrets,
      [](const vault::SecretInfo& info) {
        return ListItem{to_json(info), fmt::format("{:<24} {}  {:<8} {}\n", info.id.name, info.id.version,
                                                   state_of(info), info.settings.content_type)};
      },
      fmt::format("no secrets in vault '{}'", options.vault));
  return {};
}

/// One of the versions, the newest unless another is named.
Result<vault::SecretInfo> pick(const std::vector<vault::SecretInfo>& versions, const SecretOptions& options) {
  for (const vault::SecretInfo& info : versions)
    if (options.version.empty() || info.id.version == options.version) return info;
  return fail(ErrorKind::NotFound, fmt::format("secret '{}' in key vault '{}' has no version '{}'",
                                               options.secret, options.vault, printable(options.version)));
}

/// Everything about a secret but its value, which no command shows.
Result<> show(CommandContext& context, const SecretOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(vault::EmbeddedVault* const chosen, home->own_vault(options.vault));
  SIGNET_TRY(const auto versions, chosen->secret_versions(caller(), options.vault, options.secret));
  SIGNET_TRY(const vault::SecretInfo info, pick(versions, options));
  ordered_json value = to_json(info);
  value["versions"] = ordered_json::array();
  std::string text = to_string(info.id) + "\n" + to_text(info) + "all versions:\n";
  for (const vault::SecretInfo& version : versions) {
    value["versions"].push_back(version_json(version.id, version.settings.attributes, version.created));
    text += fmt::format("  {}  {}  {}\n", version.id.version, to_rfc3339(version.created), state_of(version));
  }
  context.print(value, text);
  return {};
}

Result<> update(CommandContext& context, const SecretOptions& options) {
  if (!options.enable && !options.disable && !options.content_type && options.not_before.empty() &&
      options.expires.empty() && options.tags.empty())
    return fail(ErrorKind::InvalidInput,
                "nothing to change: expected --enable, --disable, --content-type, --not-before, --expires or "
                "--tag");
  SIGNET_TRY(const vault::SecretUpdate update, secret_update(options));
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(vault::EmbeddedVault* const chosen, home->own_vault(options.vault));
  SIGNET_TRY(const vault::SecretInfo after,
             chosen->update_secret(caller(), {options.vault, options.secret, options.version}, update));
  context.print(to_json(after), "updated " + to_string(after.id) + "\n" + to_text(after),
                warnings_of(after.settings.attributes, "secret", home->clock().now()));
  return {};
}

}  // namespace

void add_vault_secret_commands(CLI::App& vault, CommandContext& context) {
  auto options = std::make_shared<SecretOptions>();
  CLI::App* secret =
      vault.add_subcommand("secret", "Secrets, such as passwords at partners; no command shows a value");
  secret->require_subcommand(1);
  secret->footer("Example: signet vault secret list");

  const VaultSubcommands command(*secret, context, options);
  const auto with_name = [&](CLI::App* made) {
    made->add_option("name", options->secret, "The secret's name")->required();
  };
  const auto with_settings = [&](CLI::App* made) {
    made->add_option("--content-type", options->content_type, "A note on what it is, such as \"password\"");
    made->add_option("--not-before", options->not_before, "Not to be given out before this time, or 'none'");
    made->add_option("--expires", options->expires, "Nor from this time on, or 'none'");
    add_tag_option(*made, options->tags);
  };

  CLI::App* setting = command("set", "Keep a value; a new version if the name is there",
                              "Example: signet vault secret set globex-password --value-file password.txt\n"
                              "Without --value-file the value is read from standard input. One line end at "
                              "its end is not part of it.",
                              set);
  with_name(setting);
  with_settings(setting);
  setting->add_option("--value-file", options->value_file, "A file that holds the value");
  setting->add_flag("--disabled", options->disabled, "Not to be given out until enabled");

  command("list", "The secrets of a vault", "Example: signet vault secret list", list);
  CLI::App* showing = command("show", "One secret and its versions, without its value",
                              "Example: signet vault secret show globex-password", show);
  with_name(showing);
  showing->add_option("--secret-version", options->version, "One version; the current one by default");

  CLI::App* updating = command("update", "Change when one version is given out; what is not mentioned stays",
                               "Example: signet vault secret update globex-password --disable", update);
  with_name(updating);
  with_settings(updating);
  updating->add_option("--secret-version", options->version, "One version; the current one by default");
  auto* enabling = updating->add_flag("--enable", options->enable, "It is given out again");
  updating->add_flag("--disable", options->disable, "It is not given out until enabled")->excludes(enabling);

  add_secret_lifecycle_commands(*secret, context);
}

}  // namespace signet::gateway
