#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/tracking_lines.h"
#include "gateway/store/resource_store.h"

namespace signet::gateway {
namespace {

struct ExportOptions {
  std::string since;
  std::string until;
  std::string agreement;
  std::filesystem::path file;
};

Result<> write_line(std::ostream& out, const std::string& line) {
  out << line << '\n';
  if (!out) return fail(ErrorKind::IoFailure, "standard output does not take any more");
  return {};
}

/// An event that a program gave to the tracking log, with who it was and when, so that nobody takes it for
/// one of the gateway's own.
std::string logged_line(const api::LoggedEvent& event) {
  using Json = nlohmann::ordered_json;
  Json line = Json::parse(event.json, nullptr, /*allow_exceptions=*/false);
  if (!line.is_object()) line = Json::object();
  line["logged"] = {{"principal", event.principal}, {"received", to_rfc3339(event.received)}};
  return line.dump(-1, ' ', true, Json::error_handler_t::replace);
}

Result<> export_events(CommandContext& context, const ExportOptions& options) {
  MessageFilter filter;
  filter.agreement = options.agreement;
  SIGNET_TRY(filter.since, time_option(options.since));
  SIGNET_TRY(filter.until, time_option(options.until));
  SIGNET_TRY(const auto home, Home::open(context.home));
  std::optional<NewFile> file;
  if (!options.file.empty()) {
    SIGNET_TRY(NewFile made, NewFile::create(options.file));
    file.emplace(std::move(made));
  }
  const auto write_lines = [&](const std::vector<std::string>& lines) -> Result<> {
    for (const std::string& line : lines)
      SIGNET_CHECK(file ? file->write(as_bytes(line + '\n')) : write_line(std::cout, line));
    return {};
  };
  SIGNET_CHECK(home->store().visit(filter, [&](const MessageRecord& record) -> Result<> {
    SIGNET_TRY(const auto lines, tracking_lines(*home, record));
    return write_lines(lines);
  }));
  if (filter.agreement.empty())  // they are no agreement's
    SIGNET_CHECK(
        home->resources().visit_logged_events(filter.since, [&](const api::LoggedEvent& event) -> Result<> {
          if (filter.until && event.received >= *filter.until) return {};
          return write_lines({logged_line(event)});
        }));
  if (file) return file->sync();
  std::cout.flush();
  return {};
}

}  // namespace

void add_tracking_commands(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* tracking =
      app.add_subcommand("tracking", "What happened to messages, in Azure Logic Apps' tracking vocabulary");
  tracking->require_subcommand(1);
  tracking->footer("Example: signet tracking export --since 2026-11-01 --file events.jsonl");
  CLI::App* command = tracking->add_subcommand(
      "export",
      "Write the AS2Message and AS2MDN events of messages, one line of JSON each, oldest first; then "
      "those that programs gave to the tracking log, with a member \"logged\" that says who");
  command->footer(
      "Example: signet --home /srv/signet tracking export --since 2026-11-01 --agreement acme-globex --file "
      "events.jsonl\n"
      "A running gateway writes the same lines to `signet serve --tracking-file`, as messages are decided.");
  command->add_option("--since", options->since, "Only messages from this day or moment on (RFC 3339)");
  command->add_option("--until", options->until, "Only messages from before it");
  command->add_option("--agreement", options->agreement, "Only this agreement's");
  command->add_option("--file", options->file, "Write to a new file instead of standard output");
  command->callback(
      [&context, options] { run_command(context, [&] { return export_events(context, *options); }); });
}

}  // namespace signet::gateway
