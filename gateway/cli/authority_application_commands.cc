#include <fmt/ranges.h>

#include "gateway/cli/authority_session.h"

/// signet authority application.

namespace signet::gateway {
namespace {

using authority::Application;

struct ApplicationOptions {
  std::string as;
  std::string id;
  std::string uri, product_uri, type, as2_name, url;
  std::vector<std::string> names, discovery_urls, capabilities, purposes;
  std::string reason;
  std::string name, state;  ///< of a list
  std::int64_t after = 0;
  std::size_t limit = 100;
};

std::string application_line(const Application& application) {
  return fmt::format("{}  {:<12} {:<28} {}\n", application.id, to_string(application.state),
                     printable_name(name_of(application.description), 28),
                     printable(uri_of(application.description)));
}

std::string text_of(const Application& application) {
  std::string text = application_line(application);
  const auto line = [&text](std::string_view name, const std::string& value) {
    if (!value.empty()) text += fmt::format("{:<14} {}\n", name, value);
  };
  line("registered", gateway::text_of(std::optional(application.registered)));
  line("changed", gateway::text_of(std::optional(application.changed)));
  line("approved", gateway::text_of(application.approved));
  line("rejected", gateway::text_of(application.rejected));
  line("unregistered", gateway::text_of(application.unregistered));
  line("reason", printable(application.reason));
  return text;
}

/// What the options describe.
Result<authority::ApplicationDescription> description_of(const ApplicationOptions& options) {
  if (!options.as2_name.empty()) {
    authority::As2Station station{options.as2_name, options.url, {}};
    for (const std::string& word : options.purposes) {
      SIGNET_TRY(const auto purpose, authority::parse_purpose(word));
      station.purposes.insert(purpose);
    }
    return station;
  }
  if (options.uri.empty())
    return fail(ErrorKind::InvalidInput,
                "say what it is: an OPC UA application by --uri, or an AS2 station by --as2-name");
  authority::OpcUaApplication application;
  application.uri = options.uri;
  for (const std::string& name : options.names) application.names.push_back({{}, name});
  application.product_uri = options.product_uri;
  SIGNET_TRY(application.type, authority::parse_opc_ua_type(options.type));
  application.discovery_urls = options.discovery_urls;
  application.capabilities = options.capabilities;
  return application;
}

Result<> print(const CommandContext& context, const Result<Application>& application) {
  if (!application) return fail(application.error());
  context.print(api::json_of(*application), text_of(*application));
  return {};
}

Result<> add(CommandContext& context, const ApplicationOptions& options) {
  SIGNET_TRY(const auto description, description_of(options));
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  return print(context, session.service().register_application(session.actor, description));
}

Result<> set(CommandContext& context, const ApplicationOptions& options) {
  SIGNET_TRY(const auto description, description_of(options));
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  return print(context, session.service().change_application(session.actor, options.id, description));
}

Result<> list(CommandContext& context, const ApplicationOptions& options) {
  authority::ApplicationFilter filter;
  filter.name = options.name;
  filter.uri = options.uri;
  filter.states.clear();
  if (!options.state.empty()) {
    SIGNET_TRY(const auto state, authority::parse_application_state(options.state));
    filter.states.insert(state);
  }
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  SIGNET_TRY(const auto page,
             session.service().applications(session.actor, filter, {options.after, options.limit}));
  print_page(context, page.items, page.next, application_line, "no such applications");
  return {};
}

Result<> show(CommandContext& context, const ApplicationOptions& options) {
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  return print(context, session.service().application(session.actor, options.id));
}

Result<> approve(CommandContext& context, const ApplicationOptions& options) {
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  return print(context, session.service().approve_application(session.actor, options.id));
}

Result<> reject(CommandContext& context, const ApplicationOptions& options) {
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  return print(context, session.service().reject_application(session.actor, options.id, options.reason));
}

Result<> unregister(CommandContext& context, const ApplicationOptions& options) {
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  return print(context, session.service().unregister_application(session.actor, options.id));
}

Result<> remove(CommandContext& context, const ApplicationOptions& options) {
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  SIGNET_CHECK(session.service().remove_application(session.actor, options.id));
  context.print({{"removed", options.id}}, fmt::format("removed {}", printable(options.id)));
  return {};
}

void add_description(CLI::App& command, ApplicationOptions& options) {
  command.add_option("--uri", options.uri, "OPC UA: its applicationUri");
  command.add_option("--name", options.names, "OPC UA: its name; may be repeated");
  command.add_option("--product-uri", options.product_uri, "OPC UA: its productUri");
  command.add_option("--type", options.type, "OPC UA: server, client, clientAndServer or discoveryServer")
      ->default_val("server");
  command.add_option("--discovery-url", options.discovery_urls,
                     "OPC UA: where it is reached, such as opc.tcp://press7:4840; may be repeated");
  command.add_option("--capability", options.capabilities,
                     "OPC UA: what it can do, such as DA; may be repeated");
  command.add_option("--as2-name", options.as2_name, "AS2: the station's name, as in AS2-From");
  command.add_option("--url", options.url, "AS2: where messages are posted to it");
  command.add_option("--purpose", options.purposes,
                     "AS2: what its certificates are for: sign, encrypt, tls; may be repeated");
}

}  // namespace

void add_authority_application_commands(CLI::App& authority, CommandContext& context) {
  auto options = std::make_shared<ApplicationOptions>();
  CLI::App* application = authority.add_subcommand("application", "Those for whom certificates are issued");
  application->require_subcommand(1);
  application->footer("Example: signet authority application list --as reader");
  const auto command = [&](const char* name, const char* description, const char* example,
                           Result<> (*work)(CommandContext&, const ApplicationOptions&)) {
    return add_authority_command(*application, context, options, name, description, example, work);
  };
  const auto with_id = [&](CLI::App* made) {
    made->add_option("id", options->id,
                     "The application's id, which 'signet authority application list' shows")
        ->required();
    return made;
  };
  add_description(*command("register", "Register an application; an administrator approves it",
                           "Example: signet authority application register --as2-name globex --url "
                           "https://as2.globex.example/as2 --purpose sign --purpose encrypt --as writer",
                           add),
                  *options);
  add_description(
      *with_id(command("set", "Replace what is said of an application, which then is approved anew",
                       "Example: signet authority application set ID --uri urn:acme:press7 --name 'Press 7' "
                       "--product-uri urn:acme:press --type client --as writer",
                       set)),
      *options);
  CLI::App* listing = command("list", "Applications, by their record number",
                              "Example: signet authority application list --state new --as reader", list);
  listing->add_option("--name", options->name, "Its name; % stands for any text, _ for a character");
  listing->add_option("--uri", options->uri, "The same for its URI");
  listing->add_option("--state", options->state, "new, approved, rejected or unregistered; all by default");
  add_page_options(*listing, options->after, options->limit, "record number");
  with_id(
      command("show", "One application", "Example: signet authority application show ID --as reader", show));
  with_id(command("approve", "Let an application have certificates; not by who registered it",
                  "Example: signet authority application approve ID --as admin", approve));
  with_id(command("reject", "Let it have none",
                  "Example: signet authority application reject ID --reason 'unknown device' --as admin",
                  reject))
      ->add_option("--reason", options->reason, "Why; whoever registered it reads this")
      ->required();
  with_id(command("unregister", "End an application: what it had issued is to be revoked",
                  "Example: signet authority application unregister ID --as writer", unregister));
  with_id(command("remove", "Remove the record of one that is unregistered",
                  "Example: signet authority application remove ID --as admin", remove));
}

}  // namespace signet::gateway
