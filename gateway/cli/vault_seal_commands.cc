#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "gateway/cli/command.h"
#include "gateway/cli/passphrase.h"
#include "gateway/cli/serve_lock.h"
#include "gateway/cli/subcommands.h"
#include "gateway/cli/vault_seal.h"

namespace signet::gateway {
namespace {

struct SealOptions {
  std::filesystem::path passphrase_file;
  bool key_file = false;
};

/// Which of its files says where a home's master key comes from. The store, which is asked in doubt, cannot
/// be opened by everybody who may ask the gateway.
MasterKeyKind kind_of(const std::filesystem::path& home) {
  const auto file = find_master_key(home, std::nullopt);
  return file ? file->kind : MasterKeyKind::KeyFile;
}

Result<> check_is_home(const std::filesystem::path& home) {
  if (has_master_key(home)) return {};
  return fail(ErrorKind::NotFound,
              fmt::format("{} is not a gateway's home: name one with --home or SIGNET_HOME", home.string()));
}

Result<> seal(CommandContext& context, const SealOptions& /*options*/) {
  SIGNET_CHECK(check_is_home(context.home));
  SIGNET_CHECK(ask_gateway(context.home, kSealCall, {}));
  context.print({{"sealed", true}}, "the vault is sealed: no key is in the gateway's memory any more");
  return {};
}

Result<> unseal(CommandContext& context, const SealOptions& options) {
  SIGNET_CHECK(check_is_home(context.home));
  SecretBytes passphrase;
  if (kind_of(context.home) == MasterKeyKind::Passphrase) {
    SIGNET_TRY(passphrase, obtain_passphrase(options.passphrase_file, "Passphrase of the vault", false));
  }
  SIGNET_CHECK(ask_gateway(context.home, kUnsealCall, passphrase));
  context.print({{"sealed", false}}, "the vault is open");
  return {};
}

/// By the gateway that serves the home, or else here, where no gateway can start meanwhile.
Result<> change_master_key(const std::filesystem::path& home, MasterKeyKind kind,
                           const SecretBytes& passphrase) {
  const auto call = kind == MasterKeyKind::KeyFile ? kToKeyFileCall : kToPassphraseCall;
  SIGNET_TRY(const auto holder, ServeLock::holder(home));
  if (holder) return ask_gateway(home, call, passphrase);
  SIGNET_TRY(const auto opened, Home::open(home));
  SIGNET_TRY(const ServeLock lock, ServeLock::take(home, opened->clock().now()));
  return VaultSeal(*opened).change_master_key(kind, passphrase);
}

Result<> rotate_master_key(CommandContext& context, const SealOptions& options) {
  SIGNET_CHECK(check_is_home(context.home));
  const bool wants_passphrase = !options.passphrase_file.empty() ||
                                (!options.key_file && kind_of(context.home) == MasterKeyKind::Passphrase);
  SecretBytes passphrase;
  if (wants_passphrase) {
    SIGNET_TRY(passphrase, obtain_passphrase(options.passphrase_file, "New passphrase of the vault", true));
  }
  SIGNET_CHECK(change_master_key(
      context.home, wants_passphrase ? MasterKeyKind::Passphrase : MasterKeyKind::KeyFile, passphrase));
  const char* const file = wants_passphrase ? "master.scrypt" : "master.key";
  context.print(
      {{"masterKey", file}},
      fmt::format(
          "everything in the vault is sealed under a new master key\n"
          "keep {} apart from your backups: a backup of the store from now on opens with it "
          "alone, an earlier one with the copy that belongs to it\n",
          wants_passphrase ? "the new passphrase and a copy of master.scrypt" : "a copy of master.key"));
  return {};
}

}  // namespace

void add_vault_seal_commands(CLI::App& vault, CommandContext& context) {
  auto options = std::make_shared<SealOptions>();
  const Subcommands command(vault, context, options);
  command("seal", "Have the running gateway forget its master key and every key that it has opened",
          "Example: signet --home /srv/signet vault seal\n"
          "Until `signet vault unseal` it answers messages with 503, and what is to be sent waits.\n"
          "Exit codes: 0 sealed; 5 no gateway runs, or something that began before is under way still.",
          seal);
  CLI::App* unsealing =
      command("unseal", "Open the vault of the running gateway",
              "Example: signet --home /srv/signet vault unseal --passphrase-file /run/secrets/signet\n"
              "Without --passphrase-file the passphrase is asked for at the terminal, or read from standard "
              "input.\n"
              "Exit codes: 0 open; 1 a wrong passphrase; 5 no gateway runs, or too soon after wrong ones.",
              unseal);
  unsealing->add_option("--passphrase-file", options->passphrase_file,
                        "A file whose first line is the passphrase");
  CLI::App* rotating = command(
      "rotate-master-key", "Seal everything in the vault under a new master key; a running gateway goes on",
      "Example: signet --home /srv/signet vault rotate-master-key --passphrase-file new.txt\n"
      "The new key is of the same kind as the old one: a new master.key, or a new passphrase, which is asked "
      "for\n"
      "where no file is named. With --passphrase-file or --key-file it becomes the other kind.\n"
      "Exit codes: 0 done; 2 a passphrase that is too short; 5 the vault is sealed, or what is in it does "
      "not "
      "open;\n8 a disk.",
      rotate_master_key);
  auto* file = rotating->add_option("--passphrase-file", options->passphrase_file,
                                    "A file whose first line is the new passphrase (12 characters or more)");
  rotating->add_flag("--key-file", options->key_file, "A key in master.key, in the place of a passphrase")
      ->excludes(file);
}

}  // namespace signet::gateway
