#include "gateway/cli/authority_session.h"
#include "gateway/cli/serve_settings.h"

/// signet authority group.

namespace signet::gateway {
namespace {

using authority::Group;

struct GroupOptions {
  std::string as;
  std::string name;
  std::optional<std::string> type, subject, vault, issued_hash, issuer_hash;
  std::optional<int> issued_months, issued_bits, issuer_months, issuer_bits, crl_days;
  std::optional<std::string> crl_url, issuer_url, ocsp_url;
  std::optional<bool> approves_vault_orders;
};

std::string text_of(const authority::KeySettings& settings) {
  return fmt::format("{} months, RSA {}, {}", settings.lifetime_months, settings.key_bits,
                     to_string(settings.hash));
}

std::string group_line(const Group& group) {
  return fmt::format("{:<24} {:<36} {}\n", group.name, to_string(group.type), printable_name(group.subject));
}

std::string text_of(const Group& group) {
  std::string text;
  const auto line = [&text](std::string_view name, std::string_view value) {
    if (!value.empty()) text += fmt::format("{:<14} {}\n", name, value);
  };
  line("name", group.name);
  line("type", to_string(group.type));
  line("subject", printable_name(group.subject));
  line("vault", group.key_vault);
  line("certificates", text_of(group.issued));
  line("issuer", text_of(group.issuer));
  line("CRL", fmt::format("{} days", group.crl_lifetime.count()));
  line("CRL at", group.crl_distribution_point);
  line("issuer at", group.authority_information_access);
  line("OCSP at", group.ocsp_responder);
  if (group.approves_vault_orders) line("vaults", "their own orders are approved by the service itself");
  line("created", gateway::text_of(std::optional(group.created)));
  line("changed", gateway::text_of(std::optional(group.changed)));
  return text;
}

/// Where serve.toml says that others reach the listener of what is published.
Result<std::string> publication_host(const AuthoritySession& session) {
  SIGNET_TRY(const ServeSettings settings, read_serve_settings({}, session.home->directory() / "serve.toml"));
  return settings.publication_host;
}

template <class Value, class Given>
void take(const std::optional<Given>& given, Value& value) {
  if (given) value = Value(*given);
}

Result<> take_hash(const std::optional<std::string>& given, Hash& hash) {
  if (!given) return {};
  SIGNET_TRY(hash, authority::parse_certificate_hash(*given));
  return {};
}

Result<> take_url(const std::optional<std::string>& given, std::string_view host, std::string& url) {
  if (!given) return {};
  SIGNET_TRY(url, api::with_service_host(*given, host));
  return {};
}

Result<> take_all(const GroupOptions& options, std::string_view host, Group& group) {
  if (options.type) {
    SIGNET_TRY(group.type, authority::parse_certificate_type(*options.type));
  }
  take(options.subject, group.subject);
  take(options.vault, group.key_vault);
  take(options.issued_months, group.issued.lifetime_months);
  take(options.issued_bits, group.issued.key_bits);
  SIGNET_CHECK(take_hash(options.issued_hash, group.issued.hash));
  take(options.issuer_months, group.issuer.lifetime_months);
  take(options.issuer_bits, group.issuer.key_bits);
  SIGNET_CHECK(take_hash(options.issuer_hash, group.issuer.hash));
  take(options.crl_days, group.crl_lifetime);
  SIGNET_CHECK(take_url(options.crl_url, host, group.crl_distribution_point));
  SIGNET_CHECK(take_url(options.issuer_url, host, group.authority_information_access));
  SIGNET_CHECK(take_url(options.ocsp_url, host, group.ocsp_responder));
  take(options.approves_vault_orders, group.approves_vault_orders);
  return {};
}

Result<> list(CommandContext& context, const GroupOptions& options) {
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  SIGNET_TRY(const auto groups, session.service().groups(session.actor));
  print_all(context, groups, group_line, "no certificate groups");
  return {};
}

Result<> show(CommandContext& context, const GroupOptions& options) {
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  SIGNET_TRY(const Group group, session.service().group(session.actor, options.name));
  context.print(api::json_of(group), text_of(group));
  return {};
}

Result<> create(CommandContext& context, const GroupOptions& options) {
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  SIGNET_TRY(const std::string host, publication_host(session));
  Group group;
  group.name = options.name;
  if (!host.empty()) api::set_default_urls(host, group);
  SIGNET_CHECK(take_all(options, host, group));
  SIGNET_TRY(const Group made, session.service().create_group(session.actor, group));
  context.print(api::json_of(made), text_of(made));
  return {};
}

Result<> set(CommandContext& context, const GroupOptions& options) {
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  SIGNET_TRY(const std::string host, publication_host(session));
  SIGNET_TRY(Group group, session.service().group(session.actor, options.name));
  SIGNET_CHECK(take_all(options, host, group));
  SIGNET_TRY(const Group changed, session.service().change_group(session.actor, group));
  context.print(api::json_of(changed), text_of(changed));
  return {};
}

void add_settings(CLI::App& command, GroupOptions& options) {
  command.add_option("--subject", options.subject,
                     "The issuer's subject, with a common name, such as 'CN=Plant CA, O=Acme'");
  command.add_option("--vault", options.vault, "The vault that the issuer's keys are made in");
  command.add_option("--months", options.issued_months, "How long certificates last: 1 to 60 months");
  command.add_option("--key-size", options.issued_bits, "Of certificates: 2048, 3072 or 4096 bits");
  command.add_option("--hash", options.issued_hash, "Of certificates: sha-256, sha-384 or sha-512");
  command.add_option("--issuer-months", options.issuer_months,
                     "How long the issuer lasts: 1 to 1200 months, and twice as long as certificates at the "
                     "least");
  command.add_option("--issuer-key-size", options.issuer_bits, "Of the issuer: 2048, 3072 or 4096 bits");
  command.add_option("--issuer-hash", options.issuer_hash, "Of the issuer: sha-256, sha-384 or sha-512");
  command.add_option("--crl-days", options.crl_days, "From one revocation list's date to its end: 1 to 366");
  command.add_option(
      "--crl-url", options.crl_url,
      "Where certificates say that the revocation list is; %group%, %serial% and %servicehost% "
      "are filled in; '' for nowhere. By default our own listener, if serve.toml has a "
      "publication-host");
  command.add_option("--issuer-url", options.issuer_url, "The same for the issuer's certificate");
  command.add_option("--ocsp-url", options.ocsp_url, "The same for OCSP");
  command.add_option("--approves-vault-orders", options.approves_vault_orders,
                     "true: what vaults of this home order for themselves needs no Approver");
}

}  // namespace

void add_authority_group_commands(CLI::App& authority, CommandContext& context) {
  auto options = std::make_shared<GroupOptions>();
  CLI::App* group = authority.add_subcommand("group", "Certificate groups: what one issuer issues, and how");
  group->require_subcommand(1);
  group->footer("Example: signet authority group list --as admin");
  const auto command = [&](const char* name, const char* description, const char* example,
                           Result<> (*work)(CommandContext&, const GroupOptions&)) {
    return add_authority_command(*group, context, options, name, description, example, work);
  };
  const auto with_name = [&](CLI::App* made) {
    made->add_option("name", options->name, "The group's name: letters and digits")->required();
    return made;
  };
  command("list", "All groups", "Example: signet authority group list --as admin", list);
  with_name(command("show", "One group", "Example: signet authority group show Plant --as admin", show));
  CLI::App* creating = with_name(command(
      "create", "Make a group; its issuer comes next",
      "Example: signet authority group create Plant --subject 'CN=Plant CA, O=Acme' --as admin", create));
  creating->add_option(
      "--type", options->type,
      "RsaSha256ApplicationCertificateType (OPC UA), HttpsCertificateType or As2CertificateType");
  add_settings(*creating, *options);
  CLI::App* setting =
      with_name(command("set", "Change a group; what is not mentioned stays",
                        "Example: signet authority group set Plant --months 12 --as admin", set));
  add_settings(*setting, *options);
}

}  // namespace signet::gateway
