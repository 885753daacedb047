#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "gateway/cli/authority_session.h"
#include "gateway/cli/command.h"
#include "gateway/store/audit_file.h"
#include "gateway/store/evidence_store.h"
#include "gateway/store/store.h"

namespace signet::gateway {
namespace {

/// A chain as the command shows it.
struct Looked {
  std::string name;   ///< "audit-log", "evidence"
  std::string place;  ///< what holds it
  ChainReport report;
};

bool found_in(const ChainReport& report, const std::string& head) {
  return std::find(report.heads_found.begin(), report.heads_found.end(), head) != report.heads_found.end();
}

/// Of a home, so that it has lines from `signet init` on.
Result<ChainReport> look_at_audit_log(const std::filesystem::path& log, const std::vector<std::string>& heads,
                                      EvidenceStore& evidence) {
  auto report = AuditFile::verify(log, heads);
  const bool is_gone = !report && report.error().kind == ErrorKind::NotFound;
  if (is_gone) report.emplace();
  if (report && report->records == 0 && report->intact())
    report->flaw = ChainReport::Flaw{1, is_gone ? "is missing: the file was removed, and all lines with it"
                                                : "is missing: the file was emptied"};
  if (!report || !report->intact()) return report;
  SIGNET_TRY(report->flaw, AuditFile::find_cut(log, evidence));
  return report;
}

/// Both chains. Needs no key: an auditor may look without being able to use any.
Result<std::vector<Looked>> look_at_chains(const std::filesystem::path& home,
                                           const std::vector<std::string>& heads) {
  std::error_code ignored;
  const auto database = home / "store" / "signet.db";
  if (!std::filesystem::exists(database, ignored))
    return fail(ErrorKind::NotFound,
                fmt::format("{} is not a gateway's home: there is no {}", home.string(), database.string()));
  SIGNET_TRY(const auto store, SqliteStore::open(home));
  SqliteEvidenceStore evidence(*store);
  Looked records{"evidence", database.string(), {}};
  SIGNET_TRY(records.report, evidence.verify(heads));

  const auto log = home / "audit.log";
  Looked audit{"audit-log", log.string(), {}};
  SIGNET_TRY(audit.report, look_at_audit_log(log, heads, evidence));
  return std::vector<Looked>{std::move(audit), std::move(records)};
}

std::string verdict_on(const Looked& chain) {
  const auto& flaw = chain.report.flaw;
  return flaw ? fmt::format("BROKEN: line {} {}", flaw->line, flaw->what) : "unbroken";
}

nlohmann::ordered_json to_json(const Looked& chain) {
  const auto& flaw = chain.report.flaw;
  return {{"name", chain.name},
          {"place", chain.place},
          {"intact", chain.report.intact()},
          {"records", chain.report.records},
          {"head", chain.report.head},
          {"line", flaw ? nlohmann::ordered_json(flaw->line) : nlohmann::ordered_json()},
          {"reason", flaw ? flaw->what : ""}};
}

Result<> verify(CommandContext& context, const std::vector<std::string>& given) {
  std::vector<std::string> heads;
  for (const std::string& head : given) {
    heads.push_back(to_lower(head));
    if (const auto octets = parse_hex(head); !octets || octets->size() != 32)
      return fail(
          ErrorKind::InvalidInput,
          fmt::format("--head takes the 64 hexadecimal digits that this command printed as a head, not '{}'",
                      printable(head)));
  }
  SIGNET_TRY(const std::vector<Looked> chains, look_at_chains(context.home, heads));

  nlohmann::ordered_json json = {{"intact", true},
                                 {"chains", nlohmann::ordered_json::array()},
                                 {"headsMissing", nlohmann::ordered_json::array()}};
  std::string text;
  bool intact = true;
  for (const Looked& chain : chains) {
    json["chains"].push_back(to_json(chain));
    intact = intact && chain.report.intact();
    text += fmt::format("{:<10} {}\n{:<10} {} records, {}, head {}\n", chain.name, verdict_on(chain), "",
                        chain.report.records, chain.place, chain.report.head);
  }
  for (const std::string& head : heads) {
    const bool found = std::any_of(chains.begin(), chains.end(),
                                   [&](const Looked& chain) { return found_in(chain.report, head); });
    text += fmt::format(
        "{:<10} {} {}\n", "head", head,
        found ? "is in its chain" : "is in neither chain: the end was cut off, or a chain was made anew");
    if (!found) json["headsMissing"].push_back(head);
    intact = intact && found;
  }
  json["intact"] = intact;
  if (!intact) context.exit_code = ExitCode::Refused;
  context.print(json, text);
  return {};
}

}  // namespace

void add_audit_commands(CLI::App& app, CommandContext& context) {
  CLI::App* audit = app.add_subcommand("audit", "Check the chains that nobody can change unnoticed");
  audit->require_subcommand(1);
  audit->footer("Example: signet audit verify");
  add_audit_reading_commands(*audit, context);
  auto heads = std::make_shared<std::vector<std::string>>();
  CLI::App* command = audit->add_subcommand(
      "verify", "Find the first edited, dropped or reordered record of the audit log and of the evidence");
  command->footer(
      "Example: signet audit verify --head 5f0c...\n"
      "Keep the heads that it prints where nobody who can write here can: given later with --head, they show "
      "that no end was cut "
      "off.\n"
      "The exit code is 1 when a chain is broken or a head is missing.");
  command->add_option("--head", *heads,
                      "A head that was printed before, which has to be in its chain still; may be repeated");
  command->callback([&context, heads] { run_command(context, [&] { return verify(context, *heads); }); });
}

}  // namespace signet::gateway
