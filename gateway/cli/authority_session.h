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
#include "gateway/cli/printed_list.h"
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
/// As print_list(), with the JSON that the REST service has too.
template <class Items, class LineOf>
void print_all(const CommandContext& context, const Items& items, LineOf line_of, const std::string& none) {
  print_list(
      context, items,
      [&](const auto& item) {
        return ListItem{api::json_of(item), line_of(item)};
      },
      none);
}
/// The same of one page's items, and where the next one begins.
template <class Items, class Next, class LineOf>
void print_page(const CommandContext& context, const Items& items, const Next& next, LineOf line_of,
                const std::string& none) {
  PrintedList list = printed_list(items, [&](const auto& item) {
    return ListItem{api::json_of(item), line_of(item)};
  });
  nlohmann::ordered_json value = {{"value", std::move(list.values)}, {"next", nullptr}};
  if (next) {
    value["next"] = *next;
    list.text += fmt::format("there are more: --after {}\n", *next);
  }
  context.print(value, list.text.empty() ? none : list.text);
}
/// The options of a list that comes in pages.
///
/// @param number  what the items are known by: "record number"
template <class Number>
void add_page_options(CLI::App& listing, Number& after, std::size_t& size, const std::string& number) {
  listing.add_option("--after", after, "Those behind this " + number)->check(check_whole_number);
  listing.add_option("--limit", size, "How many at most: 1 to 1000")
      ->check([](const std::string& text) { return check_number(text, 1, 1000); })
      ->capture_default_str();
}

void add_authority_application_commands(CLI::App& authority, CommandContext& context);
void add_authority_group_commands(CLI::App& authority, CommandContext& context);
void add_authority_issuer_commands(CLI::App& authority, CommandContext& context);
void add_authority_request_commands(CLI::App& authority, CommandContext& context);
void add_authority_revocation_commands(CLI::App& authority, CommandContext& context);
/// list and export; `audit` has others.
void add_audit_reading_commands(CLI::App& audit, CommandContext& context);

}  // namespace signet::gateway
