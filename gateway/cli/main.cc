#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/log.h"
#include "base/secret.h"
#include "gateway/cli/command.h"
#include "gateway/cli/version.h"

namespace {

constexpr std::size_t kSecureHeapSize = std::size_t{4} << 20;

constexpr const char* kDescription =
    "Signet: AS2 messages and receipts under partner agreements, with every private key in a key vault.\n"
    "Begin with: signet --home /srv/signet init";

constexpr const char* kFooter =
    "Exit codes: 0 done; 1 refused or failed (a message not confirmed, an account with errors); 2 a command "
    "line or file\n"
    "that cannot be understood; 3 not found; 4 not permitted; 5 a connection or a lock: try again; 6 our own "
    "mistake;\n"
    "7 a message that is not settled yet: the gateway goes on with it; 8 a disk, or a damaged or missing "
    "file "
    "of the home:\n"
    "mend it first.\n"
    "Example: signet --home /srv/signet init\n"
    "'signet COMMAND --help' has more of a command, with an example.";

/// The words of the command as far as they were understood: "signet vault key".
std::string command_of(const CLI::App& app) {
  std::string words = app.get_name();
  for (const CLI::App* command : app.get_subcommands()) words += " " + command_of(*command);
  return words;
}

/// What was wrong with the command line, and where to read on.
std::string usage_error(const CLI::App& app, const CLI::ParseError& error) {
  std::string wrong = error.what();
  const std::vector<std::string> unknown = app.remaining(true);
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && !unknown.empty())
    wrong = "there is no command '" + signet::printable(unknown.front()) + "'";
  return wrong + "; '" + command_of(app) + " --help' says what there is";
}

int run(int argc, char** argv) {
  using namespace signet;
  CLI::App app{kDescription, "signet"};
  app.footer(kFooter);
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", std::string(gateway::kProduct));
  gateway::CommandContext context;
  context.home = "signet-home";
  app.add_option("--home", context.home, "The gateway's directory")
      ->envname("SIGNET_HOME")
      ->capture_default_str();
  std::string output = "text";
  const CLI::Option* form = app.add_option("--output", output, "text for people, json for programs")
                                ->check(CLI::IsMember({"text", "json"}))
                                ->capture_default_str()
                                ->each([&](const std::string& word) { context.json = word == "json"; });

  gateway::add_init_command(app, context);
  gateway::add_serve_command(app, context);
  gateway::add_account_commands(app, context);
  gateway::add_send_command(app, context);
  gateway::add_message_commands(app, context);
  gateway::add_tracking_commands(app, context);
  gateway::add_status_command(app, context);
  gateway::add_certificate_commands(app, context);
  gateway::add_crl_commands(app, context);
  gateway::add_binding_commands(app, context);
  gateway::add_rollover_commands(app, context);
  gateway::add_cem_commands(app, context);
  gateway::add_vault_commands(app, context);
  gateway::add_principal_commands(app, context);
  gateway::add_authority_commands(app, context);
  gateway::add_evidence_commands(app, context);
  gateway::add_audit_commands(app, context);
  gateway::add_inspect_command(app, context);
  gateway::add_simulate_commands(app, context);

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    // What is wrong may have been found before the form of the output was looked at.
    context.json = form->results() == std::vector<std::string>{"json"};
    gateway::run_command(context, [&] { return fail(ErrorKind::InvalidInput, usage_error(app, error)); });
  }
  return static_cast<int>(context.exit_code);
}

}  // namespace

int main(int argc, char** argv) {
  const auto wiped = signet::wipe_what_openssl_gives_back();  // before all else
  if (!wiped) signet::log::warning("memory-not-wiped", {{"reason", wiped.error().detail}});
  signet::forbid_core_dumps();
  std::signal(SIGPIPE, SIG_IGN);
  if (auto locked = signet::enable_secure_heap(kSecureHeapSize); !locked)
    signet::log::warning("secure-heap-not-locked", {{"reason", locked.error().detail}});
  try {
    const int exit_code = run(argc, argv);
    signet::log::flush();
    return exit_code;
  } catch (const std::exception& thrown) {
    std::cerr << "signet: " << thrown.what() << " (this is a mistake in Signet; please report it)\n";
    return static_cast<int>(signet::gateway::ExitCode::Internal);
  }
}
