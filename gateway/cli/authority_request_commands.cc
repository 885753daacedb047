#include <fmt/ranges.h>

#include "base/file.h"
#include "gateway/cli/authority_request_text.h"
#include "gateway/cli/authority_session.h"
#include "gateway/cli/passphrase.h"

/// signet authority request.

namespace signet::gateway {
namespace {

using authority::Request;

constexpr std::size_t kLongestRequest = 64 * 1024;

struct RequestOptions {
  std::string as;
  std::string id;
  std::string application, group, subject;
  std::vector<std::string> domain_names;
  std::string format = "PFX";
  std::filesystem::path password_file, file;
  std::filesystem::path folder = ".";
  std::string reason, state;
  bool revocation_requested = false;
  std::int64_t after = 0;
  std::size_t limit = 100;
};

Result<> key_pair(CommandContext& context, const RequestOptions& options) {
  authority::KeyPairOrder order;
  order.application = options.application;
  order.group = options.group;
  order.subject = options.subject;
  order.domain_names = options.domain_names;
  SIGNET_TRY(order.format, authority::parse_key_format(options.format));
  SIGNET_TRY(order.password,
             obtain_passphrase(options.password_file, "Password of the private key's file: ", true));
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  return print(context, session.service().request_key_pair(session.actor, order));
}

Result<> sign(CommandContext& context, const RequestOptions& options) {
  authority::SigningOrder order{options.application, options.group, {}};
  SIGNET_TRY(order.request, read_file(options.file, kLongestRequest));
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  return print(context, session.service().request_signing(session.actor, order));
}

Result<> list(CommandContext& context, const RequestOptions& options) {
  authority::RequestFilter filter;
  filter.application = options.application;
  filter.group = options.group;
  filter.revocation_requested = options.revocation_requested;
  if (!options.state.empty()) {
    SIGNET_TRY(const auto state, authority::parse_request_state(options.state));
    filter.states.insert(state);
  }
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  SIGNET_TRY(const auto page,
             session.service().requests(session.actor, filter, {options.after, options.limit}));
  print_page(context, page.items, page.next, request_line, "no such requests");
  return {};
}

/// One of those verbs that take a request's id alone.
template <Result<Request> (authority::Authority::*Verb)(const authority::Actor&, std::string_view)>
Result<> carry_out(CommandContext& context, const RequestOptions& options) {
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  return print(context, (session.service().*Verb)(session.actor, options.id));
}

/// A request whose certificate could not be made is decided, and that is no success.
Result<> approve(CommandContext& context, const RequestOptions& options) {
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  SIGNET_TRY(const Request request, session.service().approve_request(session.actor, options.id));
  if (request.state == authority::RequestState::Failed) context.exit_code = ExitCode::Refused;
  return print(context, request);
}

Result<> reject(CommandContext& context, const RequestOptions& options) {
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  return print(context, session.service().reject_request(session.actor, options.id, options.reason));
}

Result<> purge(CommandContext& context, const RequestOptions& options) {
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  SIGNET_CHECK(session.service().purge_request(session.actor, options.id));
  context.print({{"purged", options.id}}, fmt::format("purged {}", printable(options.id)));
  return {};
}

/// The certificate, its issuers and, while it is here, the private key.
Result<> fetch(CommandContext& context, const RequestOptions& options) {
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  SIGNET_TRY(const auto fetched, session.service().fetch(session.actor, options.id, options.application));
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  std::string text;
  const auto keep = [&](const api::NamedFile& file, bool secret) -> Result<> {
    SIGNET_TRY(const auto path, save(file, options.folder, secret));
    files.push_back(path.string());
    text += path.string() + "\n";
    return {};
  };
  if (fetched.request.certificate)
    SIGNET_CHECK(keep(api::certificate_file(*fetched.request.certificate, api::FileForm::Der), false));
  for (const certstore::Certificate& issuer : fetched.issuers)
    SIGNET_CHECK(keep(api::certificate_file(issuer, api::FileForm::Der), false));
  if (fetched.key_file) {
    SIGNET_TRY(const api::NamedFile key, api::key_file(fetched));
    SIGNET_CHECK(keep(key, true));
  }
  nlohmann::ordered_json value = api::json_of(fetched.request);
  value["files"] = std::move(files);
  context.print(value, text);
  return {};
}

CLI::App* with_id(CLI::App* command, RequestOptions& options) {
  command->add_option("id", options.id, "The request's id, which 'signet authority request list' shows")
      ->required();
  return command;
}

CLI::App* with_order(CLI::App* command, RequestOptions& options) {
  command->add_option("--application", options.application, "The application's id")->required();
  command->add_option("--group", options.group, "The group that is to issue it")->required();
  return command;
}

}  // namespace

void add_authority_request_commands(CLI::App& authority, CommandContext& context) {
  auto options = std::make_shared<RequestOptions>();
  CLI::App* request = authority.add_subcommand("request", "Requests for certificates, and what came of them");
  request->require_subcommand(1);
  request->footer("Example: signet authority request list --state New --as approver");
  const auto command = [&](const char* name, const char* description, const char* example,
                           Result<> (*work)(CommandContext&, const RequestOptions&)) {
    return add_authority_command(*request, context, options, name, description, example, work);
  };
  using authority::Authority;

  CLI::App* pair = with_order(
      command(
          "key-pair", "Ask for a new key and its certificate; the key is made when it is approved",
          "Example: signet authority request key-pair --application ID --group Plant --subject 'CN=Press 7' "
          "--password-file pass.txt --as writer",
          key_pair),
      *options);
  pair->add_option("--subject", options->subject, "The certificate's subject, with a common name")
      ->required();
  pair->add_option("--domain-name", options->domain_names,
                   "A host name or IP address beside those of the application's URLs; may be repeated");
  pair->add_option("--format", options->format, "PFX or PEM")->capture_default_str();
  pair->add_option("--password-file", options->password_file,
                   "A file whose first line is the password that the key's file gets: 12 to 128 characters; "
                   "else standard input");

  with_order(
      command("sign", "Ask for a certificate of a key that you have",
              "Example: signet authority request sign --application ID --group Plant press7.csr --as writer",
              sign),
      *options)
      ->add_option("file", options->file, "The PKCS#10 request: DER or PEM")
      ->required()
      ->check(CLI::ExistingFile);

  CLI::App* listing = command("list", "Requests, by their record number",
                              "Example: signet authority request list --state New --as approver", list);
  listing->add_option("--application", options->application, "Of this application");
  listing->add_option("--group", options->group, "Of this group");
  listing->add_option("--state", options->state,
                      "New, Approved, Rejected, Failure, Accepted, Revoked or Removed");
  listing->add_flag("--revocation-requested", options->revocation_requested,
                    "Those that the next 'signet authority revoke-group' revokes");
  add_page_options(*listing, options->after, options->limit, "record number");

  with_id(command("show", "One request", "Example: signet authority request show ID --as reader",
                  carry_out<&Authority::request>),
          *options);
  with_id(command("approve", "Issue the certificate; not by who asked for it",
                  "Example: signet authority request approve ID --as approver", approve),
          *options);
  with_id(command("reject", "Refuse it",
                  "Example: signet authority request reject ID --reason 'wrong host' --as approver", reject),
          *options)
      ->add_option("--reason", options->reason, "Why; whoever asked reads this")
      ->required();
  with_id(command("fetch", "Put the certificate, its issuers and the private key's file into a folder",
                  "Example: signet authority request fetch ID --application ID --to . --as writer", fetch),
          *options);
  CLI::App* fetching = request->get_subcommand("fetch");
  fetching->add_option("--application", options->application, "The application that it was made for")
      ->required();
  fetching->add_option("--to", options->folder, "The folder")->capture_default_str();
  with_id(command("accept", "Say that it has arrived: the private key is destroyed here",
                  "Example: signet authority request accept ID --as writer",
                  carry_out<&Authority::accept_request>),
          *options);
  with_id(command("remove", "Take back one that has no certificate",
                  "Example: signet authority request remove ID --as writer",
                  carry_out<&Authority::remove_request>),
          *options);
  with_id(command("purge", "Remove the record of one that is over",
                  "Example: signet authority request purge ID --as admin", purge),
          *options);
}

}  // namespace signet::gateway
