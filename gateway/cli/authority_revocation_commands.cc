#include "gateway/cli/authority_request_text.h"
#include "gateway/cli/authority_session.h"

/// signet authority revoke, request-revocation, revoke-group, issued.

namespace signet::gateway {
namespace {

struct RevocationOptions {
  std::string as;
  std::string id;
  std::string group;
  std::string reason = "unspecified";
  bool active_issuer_only = false;
  std::string from, until;
};

constexpr const char* kReasons =
    "unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation or privilegeWithdrawn";

Result<> revoke(CommandContext& context, const RevocationOptions& options) {
  SIGNET_TRY(const auto reason, authority::parse_revocation_reason(options.reason));
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  return print(context, session.service().revoke(session.actor, options.id, reason));
}

Result<> request_revocation(CommandContext& context, const RevocationOptions& options) {
  SIGNET_TRY(const auto reason, authority::parse_revocation_reason(options.reason));
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  return print(context, session.service().request_revocation(session.actor, options.id, reason));
}

Result<> revoke_group(CommandContext& context, const RevocationOptions& options) {
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  SIGNET_TRY(const auto revoked,
             session.service().revoke_group(session.actor, options.group, !options.active_issuer_only));
  print_all(context, revoked, request_line, "nothing waited to be revoked");
  return {};
}

std::string issued_line(const authority::IssuedCertificate& issued) {
  return fmt::format("{}  {:<24} {}  until {}  {}\n", issued.certificate.serial(), issued.group,
                     issued.revoked ? "revoked" : "valid  ",
                     to_rfc3339(issued.certificate.not_after()).substr(0, 10),
                     printable_name(issued.certificate.subject()));
}

Result<> list_issued(CommandContext& context, const RevocationOptions& options) {
  SIGNET_TRY(const auto from, time_option(options.from));
  SIGNET_TRY(const auto given_until, time_option(options.until));
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  // Whoever says no end means all that there is now.
  const Time until = given_until.value_or(session.home->clock().now() + std::chrono::seconds(1));
  SIGNET_TRY(const auto issued,
             session.service().issued_between(session.actor, options.group, from.value_or(Time{}), until));
  print_all(context, issued, issued_line, "nothing was issued");
  return {};
}

}  // namespace

std::string request_line(const authority::Request& request) {
  return fmt::format("{}  {:<9} {:<8} {:<16} {}\n", request.id, to_string(request.state),
                     to_string(request.kind), request.group, printable_name(request.subject));
}

Result<> print(const CommandContext& context, const Result<authority::Request>& request) {
  if (!request) return fail(request.error());
  std::string text = request_line(*request);
  const auto line = [&text](std::string_view name, const std::string& value) {
    if (!value.empty()) text += fmt::format("{:<14} {}\n", name, value);
  };
  line("application", request->application);
  line("submitted", text_of(std::optional(request->submitted)));
  line("approved", text_of(request->approved));
  line("rejected", text_of(request->rejected));
  line("accepted", text_of(request->accepted));
  line("to be revoked", text_of(request->revocation_requested));
  line("revoked", text_of(request->revoked));
  line("removed", text_of(request->removed));
  line("reason", printable(request->reason));
  if (request->revocation_reason) line("reason", std::string(to_string(*request->revocation_reason)));
  if (request->certificate) {
    line("serial", request->certificate->serial());
    line("until", to_rfc3339(request->certificate->not_after()));
    line("thumbprint", request->certificate->thumbprint_sha1());
  }
  context.print(api::json_of(*request), text);
  return {};
}

void add_authority_revocation_commands(CLI::App& authority, CommandContext& context) {
  auto options = std::make_shared<RevocationOptions>();
  const auto command = [&](const char* name, const char* description, const char* example,
                           Result<> (*work)(CommandContext&, const RevocationOptions&)) {
    return add_authority_command(authority, context, options, name, description, example, work);
  };
  for (CLI::App* made :
       {command("revoke", "Revoke a certificate: the new revocation list is published with it",
                "Example: signet authority revoke ID --reason keyCompromise --as approver", revoke),
        command("request-revocation",
                "Have the next revoke-group revoke it; its private key is destroyed here",
                "Example: signet authority request-revocation ID --reason superseded --as writer",
                request_revocation)}) {
    made->add_option("id", options->id, "The id of the request that it came of")->required();
    made->add_option("--reason", options->reason, kReasons)->capture_default_str();
  }
  CLI::App* batch =
      command("revoke-group", "Revoke what waits for that in a group, with one new list an issuer",
              "Example: signet authority revoke-group Plant --as approver", revoke_group);
  batch->add_option("group", options->group, "The group's name")->required();
  batch->add_flag("--active-issuer-only", options->active_issuer_only,
                  "Only what the active issuer issued, and nothing of those before it");
  CLI::App* issued = command(
      "issued", "Every certificate that was issued in a time, also those of applications that are gone",
      "Example: signet authority issued --from 2026-01-01 --as reader", list_issued);
  issued->add_option("--group", options->group, "Of this group; of all by default");
  issued->add_option("--from", options->from, "Issued at this time or later");
  issued->add_option("--until", options->until, "Issued before this time");
}

}  // namespace signet::gateway
