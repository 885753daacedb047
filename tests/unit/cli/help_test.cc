#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <regex>
#include <string>
#include <vector>

#include "gateway/cli/command.h"

/// What `--help` says of each command, and of each group of them. Here they are asked in one process: to
/// start the command for each takes half a minute with sanitizers.

namespace signet::gateway {
namespace {

/// In the order of the alphabet. A command that comes or goes is told of here.
const std::vector<std::string> kCommands = {
    "apply",
    "audit export",
    "audit list",
    "audit verify",
    "authority application approve",
    "authority application list",
    "authority application register",
    "authority application reject",
    "authority application remove",
    "authority application set",
    "authority application show",
    "authority application unregister",
    "authority crl renew",
    "authority crl save",
    "authority group create",
    "authority group list",
    "authority group set",
    "authority group show",
    "authority issued",
    "authority issuer create",
    "authority issuer install",
    "authority issuer list",
    "authority issuer request",
    "authority issuer save",
    "authority request accept",
    "authority request approve",
    "authority request fetch",
    "authority request key-pair",
    "authority request list",
    "authority request purge",
    "authority request reject",
    "authority request remove",
    "authority request show",
    "authority request sign",
    "authority request-revocation",
    "authority revoke",
    "authority revoke-group",
    "authority trust-list",
    "binding check",
    "binding delete",
    "binding list",
    "binding set",
    "binding show",
    "cem accept",
    "cem list",
    "cem reject",
    "cem show",
    "certificate add",
    "certificate create",
    "certificate delete",
    "certificate inventory",
    "certificate list",
    "certificate show",
    "crl check",
    "crl fetch",
    "crl import",
    "crl list",
    "crl remove",
    "evidence expire",
    "evidence export",
    "export",
    "init",
    "inspect",
    "lint",
    "message body",
    "message cancel",
    "message list",
    "message receipt",
    "message resend",
    "message show",
    "message wait",
    "message wire",
    "principal add",
    "principal certificate add",
    "principal certificate list",
    "principal certificate remove",
    "principal list",
    "principal remove",
    "principal set",
    "principal show",
    "rollover advance",
    "rollover announce",
    "rollover cancel",
    "rollover complete",
    "rollover list",
    "rollover plan",
    "rollover publish",
    "rollover show",
    "send",
    "serve",
    "simulate init",
    "simulate remove",
    "simulate send",
    "simulate serve",
    "status",
    "token create",
    "token list",
    "token revoke",
    "tracking export",
    "vault certificate backup",
    "vault certificate cancel",
    "vault certificate contacts delete",
    "vault certificate contacts set",
    "vault certificate contacts show",
    "vault certificate create",
    "vault certificate delete",
    "vault certificate deleted",
    "vault certificate import",
    "vault certificate issuer delete",
    "vault certificate issuer list",
    "vault certificate issuer set",
    "vault certificate list",
    "vault certificate merge",
    "vault certificate pending",
    "vault certificate policy",
    "vault certificate purge",
    "vault certificate recover",
    "vault certificate restore",
    "vault certificate revoke",
    "vault certificate show",
    "vault certificate update",
    "vault certificate versions",
    "vault create",
    "vault deleted",
    "vault key backup",
    "vault key create",
    "vault key delete",
    "vault key deleted",
    "vault key import",
    "vault key list",
    "vault key purge",
    "vault key recover",
    "vault key restore",
    "vault key rotate",
    "vault key rotation set",
    "vault key rotation show",
    "vault key show",
    "vault key update",
    "vault link",
    "vault list",
    "vault policy set",
    "vault policy show",
    "vault purge",
    "vault recover",
    "vault rotate-master-key",
    "vault seal",
    "vault secret backup",
    "vault secret delete",
    "vault secret deleted",
    "vault secret list",
    "vault secret purge",
    "vault secret recover",
    "vault secret restore",
    "vault secret set",
    "vault secret show",
    "vault secret update",
    "vault serve",
    "vault settings set",
    "vault settings show",
    "vault show",
    "vault unlink",
    "vault unseal",
};

/// The commands as main.cc has them.
class Help : public ::testing::Test {
 protected:
  Help() {
    add_init_command(app_, context_);
    add_serve_command(app_, context_);
    add_account_commands(app_, context_);
    add_send_command(app_, context_);
    add_message_commands(app_, context_);
    add_tracking_commands(app_, context_);
    add_status_command(app_, context_);
    add_certificate_commands(app_, context_);
    add_crl_commands(app_, context_);
    add_binding_commands(app_, context_);
    add_rollover_commands(app_, context_);
    add_cem_commands(app_, context_);
    add_vault_commands(app_, context_);
    add_principal_commands(app_, context_);
    add_authority_commands(app_, context_);
    add_evidence_commands(app_, context_);
    add_audit_commands(app_, context_);
    add_inspect_command(app_, context_);
    add_simulate_commands(app_, context_);
    for (CLI::App* command : below(app_)) visit(*command, command->get_name());
  }

  struct Found {
    std::string words;  ///< "vault key list"
    std::string help;
    bool is_group;
  };
  std::vector<Found> found_;

 private:
  static std::vector<CLI::App*> below(CLI::App& command) {
    return command.get_subcommands([](const CLI::App*) { return true; });
  }

  /// Large groups have their commands from then on.
  void name(const std::string& words) {
    EXPECT_THROW(app_.parse(words + " --help"), CLI::CallForHelp) << words;
  }

  void visit(CLI::App& command, const std::string& words) {
    name(words);
    found_.push_back({words, command.help(), !below(command).empty()});
    for (CLI::App* next : below(command)) visit(*next, words + " " + next->get_name());
  }

  CommandContext context_;
  CLI::App app_{"", "signet"};
};

TEST_F(Help, HasAnExampleOfEveryCommandAndGroup) {
  for (const Found& command : found_)
    EXPECT_TRUE(std::regex_search(command.help, std::regex("Example: signet .*" + command.words)))
        << command.words << ":\n"
        << command.help;
}

TEST_F(Help, HasTheseCommands) {
  std::vector<std::string> commands;
  for (const Found& command : found_)
    if (!command.is_group) commands.push_back(command.words);
  std::sort(commands.begin(), commands.end());
  EXPECT_EQ(commands, kCommands);
}

}  // namespace
}  // namespace signet::gateway
