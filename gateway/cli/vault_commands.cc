#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "certstore/vault/import.h"
#include "gateway/api/json_body.h"
#include "gateway/cli/command.h"
#include "gateway/cli/deleted_vaults.h"
#include "gateway/cli/home.h"
#include "gateway/cli/output_file.h"
#include "gateway/cli/passphrase.h"
#include "gateway/cli/printed_list.h"
#include "gateway/cli/subcommands.h"
#include "gateway/cli/vault_attributes.h"
#include "gateway/cli/vault_lifecycle.h"

namespace signet::gateway {
namespace {

using nlohmann::ordered_json;

struct VaultOptions {
  std::string vault{kDefaultVault};
  std::string key;
  std::string version;
  std::string kind = "RSA-2048";
  std::string ops;
  std::string not_before;
  std::string expires;
  std::vector<std::string> tags;
  bool disabled = false;
  bool enable = false;
  bool disable = false;
  std::filesystem::path file;
  std::filesystem::path passphrase_file;
  std::filesystem::path certificate_file;
  std::string principal = "gateway";
  std::optional<std::string> key_permissions;
  std::optional<std::string> secret_permissions;
  std::optional<std::string> certificate_permissions;
};

ordered_json to_json(const vault::KeyInfo& info) {
  return {{"vault", info.id.vault},
          {"name", info.id.name},
          {"version", info.id.version},
          {"kind", to_string(info.kind)},
          {"inToken", info.in_token},
          {"keyOps", api::words_json(to_string(info.ops))},
          {"enabled", info.attributes.enabled},
          {"notBefore", date_json(info.attributes.not_before)},
          {"expires", date_json(info.attributes.expires)},
          {"tags", info.tags},
          {"created", to_rfc3339(info.created)},
          {"updated", to_rfc3339(info.updated)},
          {"publicKey", info.public_key_pem()}};
}

std::string to_line(const vault::KeyInfo& info) {
  return fmt::format("{:<24} {}  {:<9} {:<8} {}\n", info.id.name, info.id.version, to_string(info.kind),
                     info.attributes.enabled ? "enabled" : "disabled", to_string(info.ops));
}

/// Everything but the public key, one fact a line.
std::string to_text(const vault::KeyInfo& info) {
  return fmt::format(
      "kind        {}\nstate       {}\nkey ops     {}\nnot before  {}\nexpires     {}\ntags        {}\n"
      "created     {}\n",
      to_string(info.kind), info.attributes.enabled ? "enabled" : "disabled", to_string(info.ops),
      date_text(info.attributes.not_before), date_text(info.attributes.expires), tags_text(info.tags),
      to_rfc3339(info.created));
}

Result<vault::KeySettings> key_settings(const VaultOptions& options) {
  vault::KeySettings settings;
  if (!options.ops.empty()) {
    SIGNET_TRY(settings.ops, vault::parse_key_ops(options.ops));
  }
  settings.attributes.enabled = !options.disabled;
  SIGNET_TRY(settings.attributes.not_before, time_option(options.not_before));
  SIGNET_TRY(settings.attributes.expires, time_option(options.expires));
  SIGNET_TRY(const auto tags, read_tags(options.tags));
  settings.tags = tags.value_or(vault::Tags());
  return settings;
}

Result<> create(CommandContext& context, const VaultOptions& options) {
  SIGNET_TRY(const vault::KeyKind kind, vault::parse_key_kind(options.kind));
  SIGNET_TRY(const vault::KeySettings settings, key_settings(options));
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(vault::KeyVault* const chosen, home->key_vault(options.vault));
  SIGNET_TRY(const vault::KeyInfo info,
             chosen->create_key(caller(), options.vault, options.key, kind, settings));
  context.print(to_json(info), "created " + to_string(info.id),
                warnings_of(info.attributes, "key", home->clock().now()));
  return {};
}

/// The key's own certificate, where it is asked for.
Result<OutputFile> write_certificate(const VaultOptions& options,
                                     const std::vector<certstore::Certificate>& certificates) {
  if (options.certificate_file.empty()) return OutputFile::write({}, {});
  if (certificates.empty())
    return fail(ErrorKind::NotFound,
                fmt::format("{} holds no certificate to write to {}; nothing was imported",
                            options.file.string(), options.certificate_file.string()));
  return OutputFile::write(options.certificate_file, as_bytes(certificates.front().pem()));
}

Result<> import_key(CommandContext& context, const VaultOptions& options) {
  SIGNET_TRY(const vault::KeySettings settings, key_settings(options));
  SIGNET_TRY(const Bytes file, read_file(options.file, vault::kMaxKeyFileSize));
  std::optional<SecretBytes> passphrase;
  if (!options.passphrase_file.empty()) {
    SIGNET_TRY(passphrase, read_passphrase_file(options.passphrase_file));
  }
  auto imported = vault::read_key_file(file, passphrase);
  if (!imported) return fail(of_key_file(std::move(imported).error(), options.file, passphrase.has_value()));
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(OutputFile certificate_file, write_certificate(options, imported->certificates));
  SIGNET_TRY(vault::KeyVault* const chosen, home->key_vault(options.vault));
  SIGNET_TRY(const vault::KeyInfo info,
             chosen->import_key(caller(), options.vault, options.key, imported->key, settings));
  certificate_file.keep();
  ordered_json value = to_json(info);
  std::string text = "imported " + to_string(info.id) + "\n";
  if (!options.certificate_file.empty()) {
    value["certificateFile"] = options.certificate_file.string();
    text += "its certificate was written to " + options.certificate_file.string() + "\n";
  }
  context.print(value, text, warnings_of(info.attributes, "key", home->clock().now()));
  return {};
}

Result<> list(CommandContext& context, const VaultOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(vault::KeyVault* const chosen, home->key_vault(options.vault));
  SIGNET_TRY(const auto keys, chosen->list(caller(), options.vault));
  print_list(
      context, keys,
      [](const vault::KeyInfo& info) {
        return ListItem{to_json(info), to_line(info)};
      },
      fmt::format("no keys in vault '{}'", options.vault));
  return {};
}

Result<> show(CommandContext& context, const VaultOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(vault::KeyVault* const chosen, home->key_vault(options.vault));
  SIGNET_TRY(const vault::KeyInfo info, chosen->get(caller(), {options.vault, options.key, options.version}));
  SIGNET_TRY(const auto versions, chosen->versions(caller(), options.vault, options.key));
  ordered_json value = to_json(info);
  value["versions"] = ordered_json::array();
  std::string text = to_string(info.id) + "\n" + to_text(info) + info.public_key_pem() + "all versions:\n";
  for (const vault::KeyInfo& version : versions) {
    value["versions"].push_back(version_json(version.id, version.attributes, version.created));
    text += fmt::format("  {}  {}  {}\n", version.id.version, to_rfc3339(version.created),
                        version.attributes.enabled ? "enabled" : "disabled");
  }
  context.print(value, text);
  return {};
}

/// What is not mentioned stays as it is.
Result<vault::KeyUpdate> key_update(const VaultOptions& options) {
  vault::KeyUpdate update;
  SIGNET_TRY(update.attributes,
             attributes_update(options.enable, options.disable, options.not_before, options.expires));
  if (!options.ops.empty()) {
    SIGNET_TRY(update.ops, vault::parse_key_ops(options.ops));
  }
  SIGNET_TRY(update.tags, read_tags(options.tags));
  return update;
}

Result<> update(CommandContext& context, const VaultOptions& options) {
  if (!options.enable && !options.disable && options.ops.empty() && options.not_before.empty() &&
      options.expires.empty() && options.tags.empty())
    return fail(ErrorKind::InvalidInput,
                "nothing to change: expected --enable, --disable, --ops, --not-before, --expires or --tag");
  SIGNET_TRY(const vault::KeyUpdate update, key_update(options));
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(vault::KeyVault* const chosen, home->key_vault(options.vault));
  SIGNET_TRY(const vault::KeyInfo after,
             chosen->update(caller(), {options.vault, options.key, options.version}, update));
  context.print(to_json(after), "updated " + to_string(after.id) + "\n" + to_text(after),
                warnings_of(after.attributes, "key", home->clock().now()));
  return {};
}

/// What a principal may do now.
Result<vault::AccessPolicy> policy_of(Home& home, const VaultOptions& options) {
  SIGNET_TRY(vault::EmbeddedVault* const chosen, home.own_vault(options.vault));
  SIGNET_TRY(const auto policies, chosen->policies(caller(), options.vault));
  for (const vault::AccessPolicy& policy : policies)
    if (policy.principal == vault::Principal{options.principal}) return policy;
  return vault::AccessPolicy{options.vault, {options.principal}};
}

ordered_json to_json(const vault::AccessPolicy& policy) {
  return {{"vault", policy.vault},
          {"principal", policy.principal.name},
          {"keyPermissions", api::words_json(to_string(policy.keys))},
          {"secretPermissions", api::words_json(to_string(policy.secrets))},
          {"certificatePermissions", api::words_json(to_string(policy.certificates))}};
}

std::string to_line(const vault::AccessPolicy& policy) {
  const auto words = [](const std::string& permissions) {
    return permissions.empty() ? "none" : permissions;
  };
  return fmt::format("{:<16} keys: {}; secrets: {}; certificates: {}\n", policy.principal.name,
                     words(to_string(policy.keys)), words(to_string(policy.secrets)),
                     words(to_string(policy.certificates)));
}

/// The words of a permissions option. Everything is taken away by a word of its own, since an empty one may
/// be a variable that a script has not set.
Result<std::string> permission_words(const std::string& given) {
  if (trim(given).empty())
    return fail(
        ErrorKind::InvalidInput,
        "expected permissions, with commas between them, or 'none' to take all of them away; got none");
  return equal_ignoring_case(trim(given), "none") ? "" : given;
}

/// Of keys, secrets and certificates, what is not mentioned stays.
Result<> set_policy(CommandContext& context, const VaultOptions& options) {
  if (!options.key_permissions && !options.secret_permissions && !options.certificate_permissions)
    return fail(ErrorKind::InvalidInput,
                "nothing to change: expected --key-permissions, --secret-permissions or "
                "--certificate-permissions, each "
                "with permissions or 'none'");
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(vault::AccessPolicy policy, policy_of(*home, options));
  if (options.key_permissions) {
    SIGNET_TRY(const std::string words, permission_words(*options.key_permissions));
    SIGNET_TRY(policy.keys, vault::parse_key_permissions(words));
  }
  if (options.secret_permissions) {
    SIGNET_TRY(const std::string words, permission_words(*options.secret_permissions));
    SIGNET_TRY(policy.secrets, vault::parse_secret_permissions(words));
  }
  if (options.certificate_permissions) {
    SIGNET_TRY(const std::string words, permission_words(*options.certificate_permissions));
    SIGNET_TRY(policy.certificates, vault::parse_certificate_permissions(words));
  }
  SIGNET_CHECK(home->vault().set_policy(caller(), policy));
  context.print(to_json(policy), policy.grants_nothing()
                                     ? fmt::format("'{}' may do nothing in vault '{}' any more",
                                                   options.principal, options.vault)
                                     : to_line(policy));
  return {};
}

Result<> show_policy(CommandContext& context, const VaultOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(vault::EmbeddedVault* const chosen, home->own_vault(options.vault));
  SIGNET_TRY(const auto policies, chosen->policies(caller(), options.vault));
  print_list(
      context, policies,
      [](const vault::AccessPolicy& policy) {
        return ListItem{to_json(policy), to_line(policy)};
      },
      fmt::format("nobody may use what is in vault '{}'", options.vault));
  return {};
}

void fill_vault(CLI::App& vault, CommandContext& context) {
  auto options = std::make_shared<VaultOptions>();
  add_vault_back_end_commands(vault, context);
  CLI::App* key = vault.add_subcommand("key", "Keys");
  key->require_subcommand(1);
  key->footer("Example: signet vault key create acme-as2 --kind RSA-3072");
  add_vault_serve_command(vault, context);
  add_vault_link_commands(vault, context);
  add_vault_secret_commands(vault, context);
  add_vault_certificate_commands(vault, context);
  CLI::App* policy = vault.add_subcommand("policy", "Access policies; what none grants is denied");
  policy->require_subcommand(1);
  policy->footer("Example: signet vault policy show");

  const VaultSubcommands key_command(*key, context, options);
  const VaultSubcommands policy_command(*policy, context, options);
  const auto with_settings = [&](CLI::App* made) {
    made->add_option("--ops", options->ops,
                     "What it may be used for: sign,verify,encrypt,decrypt,wrapKey,unwrapKey");
    made->add_option("--not-before", options->not_before,
                     "Not to be used to sign or encrypt before this time");
    made->add_option("--expires", options->expires, "Nor from this time on");
    made->add_flag("--disabled", options->disabled, "Not to be used at all until enabled");
    add_tag_option(*made, options->tags);
  };
  const auto with_name = [&](CLI::App* made) {
    made->add_option("name", options->key, "The key's name")->required();
  };

  CLI::App* creating =
      key_command("create", "Make a key inside the vault; a new version if the name is there",
                  "Example: signet vault key create acme-as2 --kind RSA-3072", create);
  with_name(creating);
  with_settings(creating);
  creating->add_option("--kind", options->kind, "RSA-2048, RSA-3072, RSA-4096, EC-P-256, EC-P-384, EC-P-521")
      ->capture_default_str();

  CLI::App* importing = key_command("import", "Take a key in from a PFX or PEM file",
                                    "Example: signet vault key import acme-as2 acme.pfx --passphrase-file "
                                    "pass.txt --certificate-file acme.cer",
                                    import_key);
  with_name(importing);
  with_settings(importing);
  importing->add_option("file", options->file, "PFX (PKCS#12), or PEM with a PKCS#8 key")->required();
  importing->add_option("--passphrase-file", options->passphrase_file,
                        "A file whose first line is the passphrase");
  importing->add_option("--certificate-file", options->certificate_file,
                        "Write the key's own certificate to this new file, for certificate add");

  key_command("list", "The keys of a vault", "Example: signet vault key list", list);
  CLI::App* showing =
      key_command("show", "One key and its versions", "Example: signet vault key show acme-as2", show);
  with_name(showing);
  showing->add_option("--key-version", options->version, "One version; the current one by default");

  CLI::App* updating =
      key_command("update", "Change what one version of a key may do, and when; what is not mentioned stays",
                  "Example: signet vault key update acme-as2 --disable", update);
  with_name(updating);
  updating->add_option("--key-version", options->version, "One version; the current one by default");
  auto* enabling = updating->add_flag("--enable", options->enable, "It may be used again");
  updating->add_flag("--disable", options->disable, "It may not be used at all until enabled")
      ->excludes(enabling);
  updating->add_option("--ops", options->ops,
                       "What it may be used for: sign,verify,encrypt,decrypt,wrapKey,unwrapKey");
  updating->add_option("--not-before", options->not_before,
                       "Not to be used to sign or encrypt before this time, or 'none'");
  updating->add_option("--expires", options->expires, "Nor from this time on, or 'none'");
  add_tag_option(*updating, options->tags);

  add_key_lifecycle_commands(*key, context);
  add_key_rotation_commands(*key, context);
  add_vault_settings_commands(vault, context);
  add_vault_seal_commands(vault, context);
  add_deleted_vault_commands(vault, context);

  CLI::App* setting = policy_command(
      "set", "Replace what a principal may do with keys, with secrets or with certificates",
      "Example: signet vault policy set --principal gateway --key-permissions decrypt,sign,get,list "
      "--secret-permissions get",
      set_policy);
  setting->add_option("--principal", options->principal, "Who; the running service is 'gateway'")
      ->capture_default_str();
  setting->add_option(
      "--key-permissions", options->key_permissions,
      "Azure's words, separated by commas, 'all' or 'none'; what is granted stays when this is "
      "not given");
  setting->add_option(
      "--secret-permissions,--secrets", options->secret_permissions,
      "The same for secrets: get, list, set, delete, backup, restore, recover, purge, 'all' or 'none'");
  setting->add_option("--certificate-permissions", options->certificate_permissions,
                      "The same for certificates: get, list, create, import, update...");
  policy_command("show", "The policies of a vault", "Example: signet vault policy show", show_policy);
}

}  // namespace

void add_vault_commands(CLI::App& app, CommandContext& context) {
  CLI::App* vault =
      app.add_subcommand("vault", "The key vault: keys, secrets, certificates, and who may use them");
  vault->require_subcommand(1);
  vault->footer("Example: signet vault key list");
  when_named(*vault, [&context](CLI::App& group) { fill_vault(group, context); });
}

}  // namespace signet::gateway
