#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "certstore/authority/authority.h"
#include "gateway/api/authority_files.h"
#include "gateway/api/authority_json.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/subcommands.h"

/// What the commands of the certificate service have in common.

namespace signet::gateway {

/// The certificate service of a home, and who asks it.
struct AuthoritySession {
  std::unique_ptr<Home> home;
  authority::Actor actor;

  [[nodiscard]] authority::Authority& service() const { return home->authority(); }
  /// Opens the home for the principal that --as names, and records that the operator acts as that one.
  ///
  /// @error NotFound  no such principal.  @error PermissionDenied  it is disabled.
  static Result<AuthoritySession> open(const CommandContext& context, const std::string& as);
};

/// Puts a file that has a name of its own into a folder, which has to be there; nothing is overwritten.
///
/// @param secret  only its owner may read it
/// @returns its path
Result<std::filesystem::path> save(const api::NamedFile& file, const std::filesystem::path& folder,
                                   bool secret = false);

/// Adds a command that `work` does, with the options that all commands of the service have.
template <class Options>
CLI::App* add_authority_command(CLI::App& group, CommandContext& context,
                                const std::shared_ptr<Options>& options, const char* name,
                                const char* description, const char* example,
                                Result<> (*work)(CommandContext&, const Options&)) {
  CLI::App* made = Subcommands(group, context, options)(name, description, example, work);
  made->add_option("--as", options->as, "The principal that you act as; its roles decide")->required();
  return made;
}

/// "2026-11-28T13:00:00.000Z by operator-a", or "".
std::string text_of(const std::optional<authority::Stamp>& stamp);
/// A page's items, each in a line, and where the next one begins.
template <class Page, class LineOf>
void print_page(const CommandContext& context, const Page& page, LineOf line_of, const std::string& none) {
  nlohmann::ordered_json value = {{"value", nlohmann::ordered_json::array()}, {"next", nullptr}};
  std::string text;
  for (const auto& item : page.items) {
    value["value"].push_back(api::json_of(item));
    text += line_of(item);
  }
  if (page.next) {
    value["next"] = *page.next;
    text += fmt::format("there are more: --after {}\n", *page.next);
  }
  context.print(value, text.empty() ? none : text);
}

void add_authority_application_commands(CLI::App& authority, CommandContext& context);
void add_authority_group_commands(CLI::App& authority, CommandContext& context);
void add_authority_issuer_commands(CLI::App& authority, CommandContext& context);
void add_authority_request_commands(CLI::App& authority, CommandContext& context);
void add_authority_revocation_commands(CLI::App& authority, CommandContext& context);
/// list and export; `audit` has others.
void add_audit_reading_commands(CLI::App& audit, CommandContext& context);

}  // namespace signet::gateway
