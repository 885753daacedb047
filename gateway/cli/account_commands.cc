#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>

#include "agreements/diff.h"
#include "agreements/lint.h"
#include "agreements/xml.h"
#include "gateway/cli/account_services.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/output_file.h"
#include "gateway/cli/service_certificates.h"

namespace signet::gateway {
namespace {

using nlohmann::ordered_json;

/// Of undelivered messages; somebody who has more wants no exact figure.
constexpr std::size_t kMaxCounted = 1000;

ordered_json to_json(const agreements::Problem& problem) {
  return {{"file", problem.file},
          {"line", problem.line},
          {"column", problem.column},
          {"path", problem.path},
          {"severity", problem.severity == agreements::Severity::Error ? "error" : "warning"},
          {"expected", problem.expected},
          {"found", problem.found},
          {"advice", problem.advice}};
}

ordered_json to_json(const std::vector<agreements::Problem>& problems) {
  ordered_json list = ordered_json::array();
  for (const agreements::Problem& problem : problems) list.push_back(to_json(problem));
  return list;
}

ordered_json to_json(const std::vector<agreements::EntryChange>& changes) {
  ordered_json list = ordered_json::array();
  for (const agreements::EntryChange& entry : changes) {
    ordered_json settings = ordered_json::array();
    for (const agreements::SettingChange& setting : entry.settings)
      settings.push_back({{"path", setting.path}, {"before", setting.before}, {"after", setting.after}});
    list.push_back({{"change", to_string(entry.change)},
                    {"kind", to_string(entry.kind)},
                    {"name", entry.name},
                    {"settings", settings}});
  }
  return list;
}

/// An account read and linted: the account when nothing is an error, and everything that is to be said about
/// it.
struct Checked {
  std::optional<agreements::Account> account;
  std::vector<agreements::Problem> problems;
};

/// @param home  null: nobody can say which keys, secrets and service certificates there are.
Result<Checked> check_file(const std::filesystem::path& file, Time now, Home* home) {
  SIGNET_TRY(agreements::ParseOutcome parsed, agreements::parse_account_file(file));
  Checked checked{std::move(parsed.account), std::move(parsed.problems)};
  const auto& understood = checked.account ? checked.account : parsed.draft;
  if (!understood) return checked;
  auto meaning = home != nullptr
                     ? lint_in_home(*home, *understood, now, parsed.positions)
                     : agreements::lint(*understood, ParsedCertificateFacts(), now, parsed.positions);
  checked.problems = agreements::together(std::move(checked.problems), std::move(meaning));
  if (agreements::has_errors(checked.problems)) checked.account.reset();
  return checked;
}

/// Where there is a home, its vault knows which keys and secrets there are; a home that cannot be opened
/// keeps nobody from linting.
Result<> lint(CommandContext& context, const std::filesystem::path& file) {
  const auto home = Home::open(context.home);
  const bool unread = !home && home.error().kind != ErrorKind::NotFound;
  SIGNET_TRY(const Checked checked, check_file(file, SystemClock().now(), home ? home->get() : nullptr));
  if (!checked.account) context.exit_code = ExitCode::Refused;
  std::string text =
      checked.problems.empty() ? "no problems found\n" : agreements::to_string(checked.problems);
  if (unread) text += "keys and secrets were not looked for: " + home.error().detail + "\n";
  context.print({{"problems", to_json(checked.problems)},
                 {"keysLookedFor", home.has_value()},
                 {"secretsLookedFor", home.has_value()}},
                text);
  return {};
}

/// What becomes of an agreement's messages in one state once it is gone.
struct Orphans {
  MessageState state;
  std::string_view what;
  std::string_view then;
};
constexpr std::array kOrphans = {
    Orphans{MessageState::Received, "that were taken and are not opened yet", "they are refused"},
    Orphans{MessageState::Queued, "that are not sent yet", "they fail"},
    Orphans{MessageState::Sending, "that are being sent", "they may fail"},
    Orphans{MessageState::AwaitingReceipt, "that wait for their receipts",
            "nothing says who may sign those, and they fail"},
};

/// What would be left lying, or fail, without the agreements that are removed.
Result<std::vector<std::string>> left_behind(const std::vector<agreements::EntryChange>& changes,
                                             MessageStore& store) {
  std::vector<std::string> warnings;
  SIGNET_TRY(const auto undelivered, store.undelivered());
  for (const agreements::EntryChange& entry : changes) {
    if (entry.kind != agreements::EntryKind::Agreement || entry.change != agreements::ChangeKind::Removed)
      continue;
    const auto waiting =
        std::count_if(undelivered.begin(), undelivered.end(),
                      [&](const MessageRecord& record) { return record.agreement == entry.name; });
    if (waiting > 0)
      warnings.push_back(fmt::format(
          "messages of agreement '{}' whose payload or receipt is not handed over yet: {}; without "
          "it they have no folder to go to, and wait in the store until it is back",
          entry.name, waiting));
    for (const Orphans& orphans : kOrphans) {
      SIGNET_TRY(const auto records,
                 store.list({.state = orphans.state, .agreement = entry.name, .limit = kMaxCounted}));
      if (records.empty()) continue;
      warnings.push_back(fmt::format("messages of agreement '{}' {}: {}{}; without it {}", entry.name,
                                     orphans.what, records.size(),
                                     records.size() == kMaxCounted ? " or more" : "", orphans.then));
    }
  }
  return warnings;
}

Result<> apply(CommandContext& context, const std::filesystem::path& file, bool dry_run) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const Checked checked, check_file(file, home->clock().now(), home.get()));
  if (!checked.account) {
    context.exit_code = ExitCode::Refused;
    context.print({{"applied", false}, {"problems", to_json(checked.problems)}},
                  agreements::to_string(checked.problems) + "nothing was changed\n");
    return {};
  }
  SIGNET_TRY(const agreements::StoredAccount stored, home->accounts().load());
  SIGNET_CHECK(check_listeners_certificate(*home, stored.account, *checked.account));
  const auto changes = agreements::diff(stored.account, *checked.account);
  SIGNET_TRY(const auto warnings, left_behind(changes, home->store()));
  std::string text = agreements::to_string(checked.problems) + agreements::to_string(changes);
  for (const std::string& warning : warnings) text += "warning: " + warning + "\n";
  const bool applies = !dry_run && !changes.empty();
  if (changes.empty()) text += "nothing to change\n";
  if (applies) {
    SIGNET_CHECK(home->accounts().replace(*checked.account, stored.generation));
    text += "applied\n";
  } else if (!changes.empty()) {
    text += "dry run: nothing was changed\n";
  }
  context.print({{"applied", applies},
                 {"changes", to_json(changes)},
                 {"problems", to_json(checked.problems)},
                 {"warnings", warnings}},
                text);
  return {};
}

Result<> export_account(CommandContext& context, const std::filesystem::path& file) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const agreements::StoredAccount stored, home->accounts().load());
  const std::string xml = agreements::write_account(stored.account);
  if (file.empty()) {
    context.print({{"generation", stored.generation}, {"xml", xml}}, xml);
    return {};
  }
  SIGNET_TRY(OutputFile output, OutputFile::write(file, as_bytes(xml)));
  output.keep();
  context.print({{"generation", stored.generation}, {"file", file.string()}, {"size", xml.size()}},
                fmt::format("wrote the account to {}, {} octets", file.string(), xml.size()));
  return {};
}

}  // namespace

void add_account_commands(CLI::App& app, CommandContext& context) {
  auto file = std::make_shared<std::filesystem::path>();
  auto dry_run = std::make_shared<bool>(false);

  CLI::App* linting =
      app.add_subcommand("lint", "Report every problem of an account's XML, its meaning included");
  linting->footer("Example: signet lint account.xml");
  linting->add_option("file", *file, "The account")->required();
  linting->callback([&context, file] { run_command(context, [&] { return lint(context, *file); }); });

  CLI::App* applying = app.add_subcommand(
      "apply", "Make the account what an XML says: print the changes, then all of them or none");
  applying->footer("Example: signet --home /srv/signet apply account.xml --dry-run");
  applying->add_option("file", *file, "The account")->required();
  applying->add_flag("--dry-run", *dry_run, "Only print what would change");
  applying->callback(
      [&context, file, dry_run] { run_command(context, [&] { return apply(context, *file, *dry_run); }); });

  CLI::App* exporting = app.add_subcommand("export", "Print the account as XML, as apply reads it");
  exporting->footer("Example: signet --home /srv/signet export --file account.xml");
  exporting->add_option("--file", *file, "Write it to this new file instead");
  exporting->callback(
      [&context, file] { run_command(context, [&] { return export_account(context, *file); }); });
}

}  // namespace signet::gateway
