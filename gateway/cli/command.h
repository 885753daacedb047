#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "certstore/vault/access_policy.h"

namespace CLI {
class App;
}

/// What all commands share: the home they work in, the form of their output, and their exit code.

namespace signet::gateway {

/// Documented in `signet --help` and README.md; scripts rely on them.
enum class ExitCode : int {
  Success = 0,
  Refused = 1,   ///< what was asked for was looked at and turned down: a message that was not confirmed, an
                 ///< account with errors
  Usage = 2,     ///< the command line or a file given cannot be understood
  NotFound = 3,  ///< a name that nothing answers to
  Denied = 4,    ///< an access policy or a file's permissions
  Unavailable = 5,  ///< a connection, a locked database: try again
  Internal = 6,     ///< our own mistake
  Pending = 7,  ///< a message that is not settled yet: the gateway goes on with it, so do not send it again
  Broken = 8,   ///< a disk that fails or is full, a file of the home that is damaged or missing: to be mended
                ///< first, since trying again changes nothing
};

ExitCode exit_code_for(ErrorKind kind);

/// Whoever runs the command, as the vault and the audit log know him.
inline vault::Principal caller() { return vault::Principal::local_operator(); }

/// The options before the subcommand.
struct CommandContext {
  std::filesystem::path home;  ///< --home, else SIGNET_HOME, else ./signet-home
  bool json = false;           ///< --output json
  ExitCode exit_code = ExitCode::Success;

  /// Prints what a command found: `text` for people, or `value` as JSON.
  void print(const nlohmann::ordered_json& value, const std::string& text) const;
  /// The same with what did not stop the command, but somebody should know.
  void print(nlohmann::ordered_json value, std::string text, const std::vector<std::string>& warnings) const;
};

/// Runs a command's work; an error is printed ("signet: ...", or {"error": ...}) and sets the exit code.
void run_command(CommandContext& context, const std::function<Result<>()>& work);

/// A check of an option that counts something (CLI::Option::check): a whole number of 1 or more. CLI11's own
/// checks read -1 as the largest number there is, or answer with all the digits of their range.
std::string check_count(const std::string& text);
/// Of one that may be 0.
std::string check_whole_number(const std::string& text);
/// Of one that has bounds, both of which are allowed.
std::string check_number(const std::string& text, std::uint64_t least, std::uint64_t most);
/// Of one that is a wait in whole seconds, for up to a year.
std::string check_wait(const std::string& text);
/// Of a time in seconds, such as 0.5, between bounds.
std::string check_seconds(const std::string& text, double least, double most);

/// A time that an option gave; nothing where it was not given. @error InvalidInput  as parse_time()
Result<std::optional<Time>> time_option(const std::string& text);

void add_init_command(CLI::App& app, CommandContext& context);
void add_serve_command(CLI::App& app, CommandContext& context);
void add_account_commands(CLI::App& app, CommandContext& context);  // apply, export, lint
void add_send_command(CLI::App& app, CommandContext& context);
void add_status_command(CLI::App& app, CommandContext& context);
void add_tracking_commands(CLI::App& app, CommandContext& context);
void add_message_commands(CLI::App& app, CommandContext& context);
void add_certificate_commands(CLI::App& app, CommandContext& context);
void add_crl_commands(CLI::App& app, CommandContext& context);
void add_binding_commands(CLI::App& app, CommandContext& context);
void add_authority_commands(CLI::App& app, CommandContext& context);
void add_rollover_commands(CLI::App& app, CommandContext& context);
void add_cem_commands(CLI::App& app, CommandContext& context);
void add_vault_commands(CLI::App& app, CommandContext& context);
void add_vault_serve_command(CLI::App& vault, CommandContext& context);
void add_vault_link_commands(CLI::App& vault, CommandContext& context);  // link, unlink, list, show
void add_vault_secret_commands(CLI::App& vault, CommandContext& context);
void add_vault_certificate_commands(CLI::App& vault, CommandContext& context);
void add_vault_certificate_deletion_commands(CLI::App& certificate, CommandContext& context);
void add_vault_certificate_revocation_command(CLI::App& certificate, CommandContext& context);
void add_vault_certificate_settings_commands(CLI::App& certificate, CommandContext& context);
void add_vault_seal_commands(CLI::App& vault, CommandContext& context);
void add_principal_commands(CLI::App& app, CommandContext& context);  // principal, token
void add_audit_commands(CLI::App& app, CommandContext& context);
void add_evidence_commands(CLI::App& app, CommandContext& context);
void add_inspect_command(CLI::App& app, CommandContext& context);
void add_simulate_commands(CLI::App& app, CommandContext& context);

}  // namespace signet::gateway
