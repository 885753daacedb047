#include "gateway/cli/authority_session.h"
#include "gateway/cli/output_file.h"
#include "gateway/store/audit_file.h"

/// signet audit list and export.

namespace signet::gateway {
namespace {

struct AuditOptions {
  std::string as;
  std::string from, until;
  authority::AuditQuery query;
  std::filesystem::path file;
};

std::string member_text(const api::Json& record, std::string_view name) {
  const auto found = record.find(name);
  return found != record.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string audit_line(const authority::AuditEntry& entry) {
  const api::Json record = api::json_of(entry).at("record");
  std::string about;
  for (const char* kind : {"key", "secret", "certificate", "subject", "object"})
    about += member_text(record, kind);
  return fmt::format("{:>8} {} {:<20} {:<28} {:<7} {} {}\n", entry.line, member_text(record, "time"),
                     printable(member_text(record, "principal")), printable(member_text(record, "operation")),
                     member_text(record, "result"), printable(about),
                     printable(member_text(record, "detail")));
}

Result<> list(CommandContext& context, const AuditOptions& options) {
  authority::AuditQuery query = options.query;
  SIGNET_TRY(query.from, time_option(options.from));
  SIGNET_TRY(query.until, time_option(options.until));
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  SIGNET_TRY(const auto page, session.service().audit(session.actor, query));
  print_page(context, page.entries, page.next, audit_line, "no such records");
  return {};
}

/// The log as it is, whose chain 'signet audit verify' looks at.
Result<> write_log(CommandContext& context, const AuditOptions& options) {
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  authority::AuditQuery one;
  one.size = 1;
  SIGNET_CHECK(session.service().audit(session.actor, one));  // asks for the role, and leaves a record
  SIGNET_TRY(const Slice log, AuditFile::snapshot(session.home->directory() / "audit.log"));
  SIGNET_CHECK(log.save_as(options.file));
  context.print({{"file", options.file.string()}, {"octets", log.size()}},
                fmt::format("{}: {} octets", options.file.string(), log.size()));
  return {};
}

}  // namespace

void add_audit_reading_commands(CLI::App& audit, CommandContext& context) {
  auto options = std::make_shared<AuditOptions>();
  CLI::App* listing = add_authority_command(
      audit, context, options, "list", "Records of who did what, for an Auditor; the oldest first",
      "Example: signet audit list --principal approver --as auditor", list);
  listing->add_option("--from", options->from, "At this time or later");
  listing->add_option("--until", options->until, "Before this time");
  listing->add_option("--principal", options->query.principal, "Who did it");
  listing->add_option("--operation", options->query.operation, "What was done, such as approveRequest");
  listing->add_option("--object", options->query.object, "Part of the name of what it was about");
  add_page_options(*listing, options->query.after, options->query.size, "line");
  add_authority_command(audit, context, options, "export",
                        "Write the audit log to a file, every line as it is, for an Auditor",
                        "Example: signet audit export --file audit.log --as auditor", write_log)
      ->add_option("--file", options->file, "A new file")
      ->required();
}

}  // namespace signet::gateway
