#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "gateway/cli/command.h"
#include "gateway/cli/home.h"

namespace signet::gateway {
namespace {

Result<> init(CommandContext& context, const std::filesystem::path& passphrase_file) {
  Home::InitOptions options;
  if (!passphrase_file.empty()) options.passphrase_file = passphrase_file;
  SIGNET_CHECK(Home::initialise(context.home, options));
  context.print({{"home", context.home.string()}, {"vault", kDefaultVault}},
                fmt::format("made a home in {}\n"
                            "next: signet vault key create NAME, or signet vault key import NAME FILE\n"
                            "      signet apply account.xml\n"
                            "      signet serve\n"
                            "keep {} apart from your backups: without {} the vault's keys are lost\n",
                            context.home.string(),
                            options.passphrase_file ? "the passphrase and a copy of master.scrypt"
                                                    : "a copy of master.key",
                            options.passphrase_file ? "both" : "it"));
  return {};
}

}  // namespace

void add_init_command(CLI::App& app, CommandContext& context) {
  auto passphrase_file = std::make_shared<std::filesystem::path>();
  CLI::App* command = app.add_subcommand("init", "Make a new home: its master key, its store and its vault");
  command->footer(
      "Example: signet --home /srv/signet init\n"
      "With --passphrase-file nothing secret is kept on the disk; every later command then reads the "
      "passphrase from\n"
      "the file that SIGNET_PASSPHRASE_FILE names (a pipe or a mounted secret, say). `signet serve` without "
      "it "
      "starts\n"
      "sealed, and waits for `signet vault unseal`.");
  command->add_option("--passphrase-file", *passphrase_file,
                      "A file whose first line is the passphrase (12 characters or more)");
  command->callback(
      [&context, passphrase_file] { run_command(context, [&] { return init(context, *passphrase_file); }); });
}

}  // namespace signet::gateway
