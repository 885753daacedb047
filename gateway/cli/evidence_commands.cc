#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/evidence/evidence_archive.h"
#include "gateway/evidence/retention.h"

namespace signet::gateway {
namespace {

struct EvidenceOptions {
  std::string id;
  std::filesystem::path file;
  std::string agreement;
  bool dry_run = false;
};

/// Nothing half-written stays.
Result<std::vector<ArchivedFile>> export_into(Home& home, const MessageRecord& record,
                                              const std::filesystem::path& file) {
  SIGNET_TRY(NewFile out, NewFile::create(file));
  auto written =
      export_evidence(home.store(), home.evidence(), record, home.spool_area(), home.clock().now(), out);
  if (written)
    if (auto synced = out.sync(); !synced) written = fail(std::move(synced).error());
  std::error_code ignored;
  if (!written) std::filesystem::remove(file, ignored);
  return written;
}

Result<> export_to_file(CommandContext& context, const EvidenceOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const MessageRecord record, home->store().find(options.id));
  const std::filesystem::path file =
      options.file.empty() ? std::filesystem::path(fmt::format("evidence-{}.tar", record.id)) : options.file;
  SIGNET_TRY(const auto files, export_into(*home, record, file));

  nlohmann::ordered_json json = {
      {"id", record.id}, {"file", file.string()}, {"files", nlohmann::ordered_json::array()}};
  std::string text = fmt::format("{}: unpack it and follow its README.txt\n", file.string());
  for (const ArchivedFile& each : files) {
    json["files"].push_back(
        {{"name", each.name}, {"what", each.what}, {"size", each.size}, {"sha256", each.sha256}});
    text += fmt::format("  {:<32} {}\n", each.name, each.what);
  }
  context.print(json, text);
  return {};
}

/// The rules asked for. @error NotFound  no such agreement.
Result<std::vector<ExpiryRule>> rules_for(Home& home, const std::string& agreement) {
  SIGNET_TRY(const auto account, home.current_account());
  std::vector<ExpiryRule> rules = expiry_rules(account->account(), home.clock().now());
  if (agreement.empty()) return rules;
  for (ExpiryRule& rule : rules)
    if (rule.agreement == agreement) return std::vector<ExpiryRule>{std::move(rule)};
  return fail(
      ErrorKind::NotFound,
      fmt::format("there is no agreement '{}': 'signet export' shows those there are", printable(agreement)));
}

Result<std::vector<Expiry>> look_up(EvidenceStore& evidence, const std::vector<ExpiryRule>& rules) {
  std::vector<Expiry> found;
  for (const ExpiryRule& rule : rules) {
    SIGNET_TRY(const Expiry expiry, evidence.expirable(rule));
    found.push_back(expiry);
  }
  return found;
}

Result<> expire(CommandContext& context, const EvidenceOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const std::vector<ExpiryRule> rules, rules_for(*home, options.agreement));
  SIGNET_TRY(const std::vector<Expiry> expired,
             options.dry_run
                 ? look_up(home->evidence(), rules)
                 : expire_all(home->evidence(), rules, home->clock().now(), [] { return false; }));

  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  std::string text;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto time_or_null = [](const std::optional<Time>& time) {
      return time ? nlohmann::ordered_json(to_rfc3339(*time)) : nlohmann::ordered_json();
    };
    json.push_back({{"agreement", rules[i].agreement},
                    {"settledBefore", time_or_null(rules[i].settled_before)},
                    {"messages", expired[i].messages},
                    {"octets", expired[i].octets},
                    {"oldest", time_or_null(expired[i].oldest)},
                    {"removed", !options.dry_run}});
    text += fmt::format(
        "{}: {}, {} of {} message{} {}{}\n", rules[i].agreement,
        rules[i].settled_before ? "settled before " + to_rfc3339(*rules[i].settled_before) : "kept for ever",
        fmt::format("{} octets", expired[i].octets), expired[i].messages, expired[i].messages == 1 ? "" : "s",
        options.dry_run ? "will go" : "went",
        expired[i].oldest ? ", the oldest of " + to_rfc3339(*expired[i].oldest) : "");
  }
  context.print(json, text.empty() ? "no agreements" : text);
  return {};
}

}  // namespace

void add_evidence_commands(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<EvidenceOptions>();
  CLI::App* evidence = app.add_subcommand(
      "evidence", "What others can verify later: export it, and let it go when its time is over");
  evidence->require_subcommand(1);
  evidence->footer("Example: signet evidence export 3f9a2c71 --to dispute.tar");

  CLI::App* exporting = evidence->add_subcommand("export",
                                                 "Write all that is kept of a message into one archive, "
                                                 "which is verified with openssl and the README inside");
  exporting->footer("Example: signet evidence export 3f9a2c71 --to dispute.tar");
  exporting->add_option("id", options->id, "Our id (or its first 8 digits or more), or the Message-ID")
      ->required();
  exporting->add_option("--to", options->file,
                        "The archive, a new file; evidence-<id>.tar in this folder when not given");
  exporting->callback(
      [&context, options] { run_command(context, [&] { return export_to_file(context, *options); }); });

  CLI::App* expiring = evidence->add_subcommand(
      "expire",
      "Remove the copies whose time by their agreement's x:retention is over, as the gateway does hourly");
  expiring->footer("Example: signet evidence expire --dry-run");
  expiring->add_option("--agreement", options->agreement, "Only this agreement's");
  expiring->add_flag("--dry-run", options->dry_run, "Only say what will go");
  expiring->callback(
      [&context, options] { run_command(context, [&] { return expire(context, *options); }); });
}

}  // namespace signet::gateway
