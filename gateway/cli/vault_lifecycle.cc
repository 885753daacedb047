#include "gateway/cli/vault_lifecycle.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "gateway/cli/home.h"
#include "gateway/cli/output_file.h"
#include "gateway/cli/printed_list.h"
#include "gateway/cli/subcommands.h"

namespace signet::gateway {
namespace {

using nlohmann::ordered_json;

struct LifecycleOptions {
  std::string vault{kDefaultVault};
  std::string name;
  std::filesystem::path file;
};

/// The vault's functions for keys, and those for secrets.
struct KeyVerbs {
  static constexpr std::string_view kWhat = "key";
  static constexpr std::string_view kExample = "acme-as2";
  static Result<vault::KeyVault*> vault_in(Home& home, std::string_view name) { return home.key_vault(name); }
  static constexpr auto kDelete = &vault::KeyVault::delete_key;
  static constexpr auto kList = &vault::KeyVault::list_deleted_keys;
  static constexpr auto kRecover = &vault::KeyVault::recover_key;
  static constexpr auto kPurge = &vault::KeyVault::purge_key;
  static constexpr auto kBackup = &vault::KeyVault::backup_key;
  static constexpr auto kRestore = &vault::KeyVault::restore_key;
};
struct SecretVerbs {
  static constexpr std::string_view kWhat = "secret";
  static constexpr std::string_view kExample = "globex-password";
  static Result<vault::SecretVault*> vault_in(Home& home, std::string_view name) {
    SIGNET_TRY(vault::EmbeddedVault* const own, home.own_vault(name));
    return own;
  }
  static constexpr auto kDelete = &vault::SecretVault::delete_secret;
  static constexpr auto kList = &vault::SecretVault::list_deleted_secrets;
  static constexpr auto kRecover = &vault::SecretVault::recover_secret;
  static constexpr auto kPurge = &vault::SecretVault::purge_secret;
  static constexpr auto kBackup = &vault::SecretVault::backup_secret;
  static constexpr auto kRestore = &vault::SecretVault::restore_secret;
};

ordered_json to_json(const vault::KeyId& id) {
  return {{"vault", id.vault}, {"name", id.name}, {"version", id.version}};
}

template <class Info>
ordered_json to_json(const vault::Deleted<Info>& object) {
  ordered_json value = to_json(object.info.id);
  value["deleted"] = to_rfc3339(object.deletion.deleted);
  value["scheduledPurge"] = to_rfc3339(object.deletion.scheduled_purge);
  return value;
}

template <class Verbs>
Result<> remove(CommandContext& context, const LifecycleOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(auto* const chosen, Verbs::vault_in(*home, options.vault));
  SIGNET_TRY(const auto deleted, (chosen->*Verbs::kDelete)(caller(), options.vault, options.name));
  context.print(to_json(deleted), fmt::format("deleted {}/{}, all versions; it can be recovered until {}",
                                              deleted.info.id.vault, deleted.info.id.name,
                                              to_rfc3339(deleted.deletion.scheduled_purge)));
  return {};
}

template <class Verbs>
Result<> list(CommandContext& context, const LifecycleOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(auto* const chosen, Verbs::vault_in(*home, options.vault));
  SIGNET_TRY(const auto all, (chosen->*Verbs::kList)(caller(), options.vault));
  print_list(
      context, all,
      [](const auto& object) {
        return ListItem{to_json(object), fmt::format("{:<24} deleted {}  purged {}\n", object.info.id.name,
                                                     to_rfc3339(object.deletion.deleted),
                                                     to_rfc3339(object.deletion.scheduled_purge))};
      },
      fmt::format("no deleted {}s in vault '{}'", Verbs::kWhat, options.vault));
  return {};
}

template <class Verbs>
Result<> recover(CommandContext& context, const LifecycleOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(auto* const chosen, Verbs::vault_in(*home, options.vault));
  SIGNET_TRY(const auto info, (chosen->*Verbs::kRecover)(caller(), options.vault, options.name));
  context.print(to_json(info.id), "recovered " + to_string(info.id));
  return {};
}

template <class Verbs>
Result<> purge(CommandContext& context, const LifecycleOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(auto* const chosen, Verbs::vault_in(*home, options.vault));
  SIGNET_CHECK((chosen->*Verbs::kPurge)(caller(), options.vault, options.name));
  context.print({{"vault", options.vault}, {"name", options.name}, {"purged", true}},
                fmt::format("purged {}/{}, for good", options.vault, options.name));
  return {};
}

template <class Verbs>
Result<> back_up(CommandContext& context, const LifecycleOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(auto* const chosen, Verbs::vault_in(*home, options.vault));
  SIGNET_TRY(const Bytes blob, (chosen->*Verbs::kBackup)(caller(), options.vault, options.name));
  SIGNET_TRY(OutputFile file, OutputFile::write(options.file, blob, OutputFile::Readers::OwnerAlone));
  file.keep();
  context.print(
      {{"vault", options.vault}, {"name", options.name}, {"file", options.file.string()}},
      fmt::format("{}/{}, all versions, is in {}", options.vault, options.name, options.file.string()));
  return {};
}

template <class Verbs>
Result<> restore(CommandContext& context, const LifecycleOptions& options) {
  SIGNET_TRY(const Bytes blob, read_file(options.file, vault::kMaxBackupSize));
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(auto* const chosen, Verbs::vault_in(*home, options.vault));
  const auto info = (chosen->*Verbs::kRestore)(caller(), options.vault, blob);
  if (!info) return fail(Error(info.error()).within(options.file.string()));
  context.print(to_json(info->id), "restored " + to_string(info->id));
  return {};
}

/// One verb of a group.
struct Verb {
  const char* name;
  std::string description;
  std::string example;
};

template <class Verbs>
void add_lifecycle_commands(CLI::App& group, CommandContext& context) {
  auto options = std::make_shared<LifecycleOptions>();
  const VaultSubcommands subcommand(group, context, options);
  const auto command = [&](const Verb& verb, Result<> (*work)(CommandContext&, const LifecycleOptions&)) {
    return subcommand(verb.name, verb.description,
                      fmt::format("Example: signet vault {} {}", Verbs::kWhat, verb.example), work);
  };
  const auto named = [&](const Verb& verb, Result<> (*work)(CommandContext&, const LifecycleOptions&)) {
    CLI::App* made = command(verb, work);
    made->add_option("name", options->name, fmt::format("The {}'s name", Verbs::kWhat))->required();
    return made;
  };
  const auto example = [](std::string_view verb) { return fmt::format("{} {}", verb, Verbs::kExample); };

  named({"delete",
         "Take it out of use with all its versions; it can be recovered until the vault's retention is over",
         example("delete")},
        remove<Verbs>);
  command({"deleted", "What is deleted and can be recovered", "deleted"}, list<Verbs>);
  named({"recover", "Put a deleted one back to use, as it was", example("recover")}, recover<Verbs>);
  named({"purge", "Remove a deleted one for good", example("purge")}, purge<Verbs>);
  named({"backup", "Write all versions into a sealed file that only this installation takes back",
         example("backup") + fmt::format(" --file {}.backup", Verbs::kExample)},
        back_up<Verbs>)
      ->add_option("--file", options->file, "A new file")
      ->required();
  command({"restore", "Take back what a backup holds, under the name that it had",
           fmt::format("restore {}.backup", Verbs::kExample)},
          restore<Verbs>)
      ->add_option("file", options->file, "What backup wrote")
      ->required()
      ->check(CLI::ExistingFile);
}

}  // namespace

void add_key_lifecycle_commands(CLI::App& key, CommandContext& context) {
  add_lifecycle_commands<KeyVerbs>(key, context);
}

void add_secret_lifecycle_commands(CLI::App& secret, CommandContext& context) {
  add_lifecycle_commands<SecretVerbs>(secret, context);
}

}  // namespace signet::gateway
