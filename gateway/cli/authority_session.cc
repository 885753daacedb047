#include "gateway/cli/authority_session.h"

#include "gateway/api/principal.h"
#include "gateway/cli/call_record.h"
#include "gateway/cli/output_file.h"

namespace signet::gateway {

Result<AuthoritySession> AuthoritySession::open(const CommandContext& context, const std::string& as) {
  AuthoritySession session;
  SIGNET_TRY(session.home, Home::open(context.home));
  SIGNET_TRY(const api::Principal principal, session.home->principal_store().find(as));
  if (!principal.enabled)
    return fail(ErrorKind::PermissionDenied,
                fmt::format("the principal '{}' is disabled: nobody acts as it", principal.name));
  session.actor = api::actor_of(principal);

  SIGNET_CHECK(record_call(
      *session.home, {caller().name, "actAs", {{}, principal.name, {}}, {}, vault::AuditObject::Principal},
      vault::AuditResult::Success));
  return session;
}

Result<std::filesystem::path> save(const api::NamedFile& file, const std::filesystem::path& folder,
                                   bool secret) {
  std::filesystem::path path = folder / file.name;
  SIGNET_TRY(OutputFile written,
             OutputFile::write(path, file.octets,
                               secret ? OutputFile::Readers::OwnerAlone : OutputFile::Readers::Everybody));
  written.keep();
  return path;
}

std::string text_of(const std::optional<authority::Stamp>& stamp) {
  return stamp ? fmt::format("{} by {}", to_rfc3339(stamp->at), stamp->by) : std::string();
}

void add_authority_commands(CLI::App& app, CommandContext& context) {
  CLI::App* authority = app.add_subcommand(
      "authority", "The certificate service: issue, approve, revoke; each command acts as a principal");
  authority->require_subcommand(1);
  authority->footer("Example: signet authority group list --as admin");
  when_named(*authority, [&context](CLI::App& group) {
    add_authority_group_commands(group, context);
    add_authority_issuer_commands(group, context);
    add_authority_application_commands(group, context);
    add_authority_request_commands(group, context);
    add_authority_revocation_commands(group, context);
  });
}

}  // namespace signet::gateway
