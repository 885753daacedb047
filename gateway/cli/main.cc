#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>
#include <iostream>

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
    "that cannot be understood; 3 not found; 4 not permitted; 5 a disk, connection or lock: try again; 6 our "
    "own mistake.";

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
  app.add_option("--output", output, "text for people, json for programs")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str()
      ->each([&](const std::string& form) { context.json = form == "json"; });

  gateway::add_init_command(app, context);
  gateway::add_serve_command(app, context);
  gateway::add_account_commands(app, context);
  gateway::add_send_command(app, context);
  gateway::add_message_commands(app, context);
  gateway::add_certificate_commands(app, context);
  gateway::add_vault_commands(app, context);
  gateway::add_inspect_command(app, context);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(gateway::ExitCode::Usage);
  }
  return static_cast<int>(context.exit_code);
}

}  // namespace

int main(int argc, char** argv) {
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
