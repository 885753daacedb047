#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "gateway/api/json_body.h"
#include "gateway/api/principals.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/printed_list.h"
#include "gateway/cli/subcommands.h"

namespace signet::gateway {
namespace {

using nlohmann::ordered_json;

constexpr std::chrono::hours kDefaultTokenLife{1};

struct PrincipalOptions {
  std::string name;
  std::optional<std::string> roles;
  std::optional<std::string> jwt_subject;
  bool enable = false;
  bool disable = false;
  std::string expires;
  std::string token;
  std::filesystem::path file;
  std::string thumbprint;
};

ordered_json to_json(const api::Principal& principal) {
  ordered_json value = {{"name", principal.name},
                        {"objectId", principal.id},
                        {"roles", api::words_json(api::to_string(principal.roles))},
                        {"enabled", principal.enabled},
                        {"created", to_rfc3339(principal.created)}};
  if (!principal.jwt_subject.empty()) value["jwtSubject"] = principal.jwt_subject;
  return value;
}

std::string to_line(const api::Principal& principal) {
  const std::string roles = api::to_string(principal.roles);
  return fmt::format("{:<24} {}  {:<8} roles: {}{}\n", principal.name, principal.id,
                     principal.enabled ? "enabled" : "disabled", roles.empty() ? "none" : roles,
                     principal.jwt_subject.empty() ? "" : "  JWT subject: " + principal.jwt_subject);
}

ordered_json to_json(const api::TokenInfo& token) {
  return {{"id", token.id},
          {"principal", token.principal},
          {"created", to_rfc3339(token.created)},
          {"expires", to_rfc3339(token.expires)}};
}

std::string to_line(const api::TokenInfo& token) {
  return fmt::format("{}  {:<24} until {}\n", token.id, token.principal, to_rfc3339(token.expires));
}

ordered_json to_json(const api::ManagementCertificate& certificate) {
  return {{"thumbprintSha256", certificate.thumbprint},
          {"principal", certificate.principal},
          {"subject", certificate.subject},
          {"created", to_rfc3339(certificate.created)},
          {"notBefore", to_rfc3339(certificate.not_before)},
          {"notAfter", to_rfc3339(certificate.not_after)}};
}

std::string to_line(const api::ManagementCertificate& certificate) {
  return fmt::format("{}  {:<24} until {}  {}\n", certificate.thumbprint, certificate.principal,
                     to_rfc3339(certificate.not_after), printable(certificate.subject));
}

template <class Item>
void print_all(const CommandContext& context, const std::vector<Item>& items, const std::string& none) {
  print_list(
      context, items,
      [](const Item& item) {
        return ListItem{to_json(item), to_line(item)};
      },
      none);
}

Result<> add(CommandContext& context, const PrincipalOptions& options) {
  SIGNET_TRY(const api::Roles roles, api::parse_roles(options.roles.value_or("")));
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const api::Principal principal,
             home->principals().add(caller(), options.name, roles, options.jwt_subject.value_or("")));
  context.print(to_json(principal), to_line(principal));
  return {};
}

Result<> list(CommandContext& context, const PrincipalOptions&) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto all, home->principals().list());
  print_all(context, all, "no principals");
  return {};
}

Result<> show(CommandContext& context, const PrincipalOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const api::Principal principal, home->principals().find(options.name));
  SIGNET_TRY(const auto tokens, home->principals().tokens(principal.name));
  ordered_json value = to_json(principal);
  value["tokens"] = ordered_json::array();
  std::string text = to_line(principal);
  for (const api::TokenInfo& token : tokens) {
    value["tokens"].push_back(to_json(token));
    text += "token " + to_line(token);
  }
  context.print(value, text);
  return {};
}

Result<> set(CommandContext& context, const PrincipalOptions& options) {
  api::PrincipalChange change;
  if (options.roles) {
    SIGNET_TRY(change.roles, api::parse_roles(*options.roles));
  }
  if (options.enable || options.disable) change.enabled = options.enable;
  change.jwt_subject = options.jwt_subject;
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const api::Principal principal, home->principals().change(caller(), options.name, change));
  context.print(to_json(principal), to_line(principal));
  return {};
}

Result<> remove(CommandContext& context, const PrincipalOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_CHECK(home->principals().remove(caller(), options.name));
  context.print({{"removed", options.name}},
                fmt::format("removed {} with its tokens, certificates and access policies", options.name));
  return {};
}

Result<> create_token(CommandContext& context, const PrincipalOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto given, time_option(options.expires));
  const Time expires = given.value_or(home->clock().now() + kDefaultTokenLife);
  SIGNET_TRY(const api::NewToken made, home->principals().create_token(caller(), options.name, expires));
  ordered_json value = to_json(made.info);
  value["token"] = made.token;
  context.print(value, fmt::format("{}\n", made.token));
  return {};
}

Result<> list_tokens(CommandContext& context, const PrincipalOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto tokens, home->principals().tokens(options.name));
  print_all(context, tokens, "no tokens");
  return {};
}

Result<> revoke_token(CommandContext& context, const PrincipalOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_CHECK(home->principals().revoke_token(caller(), options.token));
  context.print({{"revoked", options.token}}, fmt::format("revoked {}", options.token));
  return {};
}

Result<> add_certificate(CommandContext& context, const PrincipalOptions& options) {
  SIGNET_TRY(const Bytes octets, read_file(options.file, 1024 * 1024));
  if (as_text(octets).find("PRIVATE KEY-----") != std::string_view::npos)
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("{} also holds a private key, which is nobody's business here: give the certificate "
                    "alone",
                    options.file.string()));
  SIGNET_TRY(const certstore::Certificate certificate, certstore::Certificate::parse(octets));
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const api::ManagementCertificate added,
             home->principals().add_certificate(caller(), options.name, certificate));
  context.print(to_json(added), to_line(added));
  return {};
}

Result<> list_certificates(CommandContext& context, const PrincipalOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto certificates, home->principals().certificates(options.name));
  print_all(context, certificates, "no management certificates");
  return {};
}

Result<> remove_certificate(CommandContext& context, const PrincipalOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_CHECK(home->principals().remove_certificate(caller(), options.thumbprint));
  context.print({{"removed", options.thumbprint}}, fmt::format("removed {}", options.thumbprint));
  return {};
}

void add_token_commands(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<PrincipalOptions>();
  CLI::App* token = app.add_subcommand("token", "Tokens, by which the REST services know a principal");
  token->require_subcommand(1);
  token->footer("Example: signet token list");
  const Subcommands command(*token, context, options);

  CLI::App* creating =
      command("create", "Make a token, and print it, once",
              "Example: signet token create administrator --expires 2027-01-01", create_token);
  creating->add_option("principal", options->name, "Whose it is to be")->required();
  creating->add_option("--expires", options->expires, "When it ends; an hour from now on by default");

  command("list", "All tokens, or those of one principal; none is shown itself",
          "Example: signet token list administrator", list_tokens)
      ->add_option("principal", options->name, "Whose they are");
  command("revoke", "End a token at once", "Example: signet token revoke 6f1f3c5a0e0b4a8f9a4be6f8b0a1c2d3",
          revoke_token)
      ->add_option("id", options->token, "Its id, which 'signet token list' shows")
      ->required();
}

void add_management_certificate_commands(CLI::App& principal, CommandContext& context) {
  auto options = std::make_shared<PrincipalOptions>();
  CLI::App* certificate = principal.add_subcommand(
      "certificate", "Management certificates, by which the REST services know a principal without a token");
  certificate->require_subcommand(1);
  certificate->footer("Example: signet principal certificate list");
  const Subcommands command(*certificate, context, options);

  CLI::App* adding =
      command("add", "Register a client certificate, without its key",
              "Example: signet principal certificate add deployer deployer.cer", add_certificate);
  adding->add_option("principal", options->name, "Whose it is")->required();
  adding->add_option("file", options->file, "The certificate: DER or PEM")
      ->required()
      ->check(CLI::ExistingFile);

  command("list", "All management certificates, or those of one principal",
          "Example: signet principal certificate list deployer", list_certificates)
      ->add_option("principal", options->name, "Whose they are");
  command("remove", "Let a certificate name nobody any more, at once",
          "Example: signet principal certificate remove THUMBPRINT", remove_certificate)
      ->add_option("thumbprint", options->thumbprint,
                   "Its SHA-256, which 'signet principal certificate list' shows")
      ->required();
}

}  // namespace

void add_principal_commands(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<PrincipalOptions>();
  CLI::App* principal = app.add_subcommand("principal", "Who may call the REST services");
  principal->require_subcommand(1);
  principal->footer("Example: signet principal list");
  const Subcommands command(*principal, context, options);
  const auto with_name = [&](CLI::App* made) {
    made->add_option("name", options->name, "The principal's name: letters, digits and - _ . @")->required();
  };
  constexpr const char* kRoles =
      "What it may do on the management plane: Reader, Writer, Approver, Administrator, CertificateBinder, "
      "Auditor, separated by commas";

  constexpr const char* kJwtSubject =
      "Whom tokens of the issuer that 'signet serve --jwt-issuer' names call it, in the claim of "
      "--jwt-claim; "
      "'' for none";

  CLI::App* adding =
      command("add", "Add a principal; what it may do with a vault, 'signet vault policy' says",
              "Example: signet principal add deployer --roles Reader,Writer", add);
  with_name(adding);
  adding->add_option("--roles", options->roles, kRoles);
  adding->add_option("--jwt-subject", options->jwt_subject, kJwtSubject);

  command("list", "All principals", "Example: signet principal list", list);
  with_name(command("show", "One principal, and the tokens that it has",
                    "Example: signet principal show administrator", show));

  CLI::App* setting = command("set", "Change a principal; what is not mentioned stays",
                              "Example: signet principal set deployer --disable", set);
  with_name(setting);
  setting->add_option("--roles", options->roles, kRoles);
  setting->add_option("--jwt-subject", options->jwt_subject, kJwtSubject);
  auto* enabling = setting->add_flag("--enable", options->enable, "It is let in again");
  setting->add_flag("--disable", options->disable, "It is not let in until enabled")->excludes(enabling);

  with_name(command("remove",
                    "Remove a principal with its tokens, its certificates and what access policies grant it",
                    "Example: signet principal remove deployer", remove));
  add_management_certificate_commands(*principal, context);
  add_token_commands(app, context);
}

}  // namespace signet::gateway
