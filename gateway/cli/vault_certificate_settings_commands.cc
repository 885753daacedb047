#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "gateway/cli/certificates_file.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/passphrase.h"
#include "gateway/cli/printed_list.h"
#include "gateway/cli/subcommands.h"

/// signet vault certificate contacts and issuer.

namespace signet::gateway {
namespace {

using nlohmann::ordered_json;

struct CertificateSettingsOptions {
  std::string vault{kDefaultVault};
  std::string name;
  std::vector<std::string> emails;
  std::optional<std::string> provider;
  std::optional<std::string> account;
  std::optional<std::string> organisation;
  std::optional<std::string> directory;
  std::filesystem::path authorities_file;
  std::filesystem::path password_file;
  bool enable = false;
  bool disable = false;
};

void print_contacts(CommandContext& context, const std::vector<vault::CertificateContact>& contacts) {
  print_list(
      context, contacts,
      [](const vault::CertificateContact& contact) {
        return ListItem{{{"email", contact.email}, {"name", contact.name}, {"phone", contact.phone}},
                        fmt::format("{:<32} {} {}\n", printable(contact.email), printable(contact.name),
                                    printable(contact.phone))};
      },
      "");
}

Result<> show_contacts(CommandContext& context, const CertificateSettingsOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto contacts, home->vault().certificate_contacts(caller(), options.vault));
  print_contacts(context, contacts);
  return {};
}

Result<> set_contacts(CommandContext& context, const CertificateSettingsOptions& options) {
  std::vector<vault::CertificateContact> contacts;
  for (const std::string& email : options.emails) contacts.push_back({email, {}, {}});
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_CHECK(home->vault().set_certificate_contacts(caller(), options.vault, contacts));
  print_contacts(context, contacts);
  return {};
}

Result<> delete_contacts(CommandContext& context, const CertificateSettingsOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto contacts, home->vault().delete_certificate_contacts(caller(), options.vault));
  print_contacts(context, contacts);
  return {};
}

std::vector<std::string> subjects_of(const std::vector<certstore::Certificate>& certificates) {
  std::vector<std::string> subjects;
  for (const certstore::Certificate& certificate : certificates) subjects.push_back(certificate.subject());
  return subjects;
}

ordered_json to_json(const vault::CertificateIssuer& issuer) {
  return {{"vault", issuer.id.vault},
          {"name", issuer.id.name},
          {"provider", issuer.provider},
          {"account", issuer.account},
          {"organisation", issuer.organisation},
          {"directory", vault::directory_of(issuer)},
          {"authorities", subjects_of(issuer.authorities)},
          {"enabled", issuer.enabled},
          {"created", to_rfc3339(issuer.created)},
          {"updated", to_rfc3339(issuer.updated)}};
}

std::string to_line(const vault::CertificateIssuer& issuer) {
  return fmt::format("{:<24} {:<16} {:<16} {:<8} {}\n", issuer.id.name, printable(issuer.provider),
                     printable(issuer.account), issuer.enabled ? "enabled" : "disabled",
                     printable(vault::directory_of(issuer)));
}

Result<> set_issuer(CommandContext& context, const CertificateSettingsOptions& options) {
  vault::IssuerUpdate update;
  update.provider = options.provider;
  update.account = options.account;
  update.organisation = options.organisation;
  update.directory = options.directory;
  if (!options.authorities_file.empty()) {
    SIGNET_TRY(update.authorities, read_certificates_file(options.authorities_file));
  }
  if (options.enable || options.disable) update.enabled = options.enable;
  if (!options.password_file.empty()) {
    SIGNET_TRY(update.password, read_passphrase_file(options.password_file));
  }
  SIGNET_TRY(const auto home, Home::open(context.home));
  auto changed = home->vault().update_certificate_issuer(caller(), options.vault, options.name, update);
  if (!changed && changed.error().kind == ErrorKind::NotFound)
    changed = home->vault().set_certificate_issuer(caller(), options.vault, options.name, update);
  SIGNET_TRY(const vault::CertificateIssuer issuer, std::move(changed));
  context.print(to_json(issuer), to_line(issuer));
  return {};
}

Result<> list_issuers(CommandContext& context, const CertificateSettingsOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto issuers, home->vault().list_certificate_issuers(caller(), options.vault));
  print_list(
      context, issuers,
      [](const vault::CertificateIssuer& issuer) {
        return ListItem{to_json(issuer), to_line(issuer)};
      },
      fmt::format("no certificate issuers in vault '{}'", options.vault));
  return {};
}

Result<> delete_issuer(CommandContext& context, const CertificateSettingsOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto issuer,
             home->vault().delete_certificate_issuer(caller(), options.vault, options.name));
  context.print(to_json(issuer), "deleted " + to_line(issuer));
  return {};
}

}  // namespace

void add_vault_certificate_settings_commands(CLI::App& certificate, CommandContext& context) {
  auto options = std::make_shared<CertificateSettingsOptions>();
  const auto group = [&](const char* name, const char* description, const char* example) {
    CLI::App* made = certificate.add_subcommand(name, description);
    made->require_subcommand(1);
    made->footer(example);
    return made;
  };

  CLI::App* contacts = group("contacts", "Who is told of a vault's certificates",
                             "Example: signet vault certificate contacts show");
  const VaultSubcommands contacts_command(*contacts, context, options);
  contacts_command("show", "All of them", "Example: signet vault certificate contacts show", show_contacts);
  contacts_command("set", "Replace all of them",
                   "Example: signet vault certificate contacts set edi@acme.example it@acme.example",
                   set_contacts)
      ->add_option("email", options->emails, "Their mail addresses")
      ->required();
  contacts_command("delete", "Have none", "Example: signet vault certificate contacts delete",
                   delete_contacts);

  CLI::App* issuer = group("issuer", "Authorities that issue certificates for a vault",
                           "Example: signet vault certificate issuer list");
  const VaultSubcommands issuer_command(*issuer, context, options);
  CLI::App* setting =
      issuer_command("set", "Name an issuer; of one that there is, what is not mentioned stays",
                     "Example: signet vault certificate issuer set ca --provider ACME --directory "
                     "https://ca.example/acme/directory --account KEY-ID --password-file hmac-key.txt",
                     set_issuer);
  setting->add_option("name", options->name, "The issuer's name")->required();
  setting->add_option("--provider", options->provider,
                      "How it is asked: ACME; DigiCert and GlobalSign by their ACME services; Signet: the "
                      "certificate service of "
                      "this home, where --organisation is the group and --account the application's id");
  setting->add_option("--directory", options->directory, "Where its ACME service is described: an https URL");
  setting
      ->add_option(
          "--authorities", options->authorities_file,
          "A file with the certificates that vouch for that service's TLS; the machine's unless given")
      ->check(CLI::ExistingFile);
  setting->add_option("--account", options->account,
                      "Our account there: the key identifier of ACME's external account binding");
  setting->add_option("--organisation", options->organisation, "Our organisation there");
  setting
      ->add_option(
          "--password-file", options->password_file,
          "A file whose first line is the account's password: the HMAC key of that binding, in base64url")
      ->check(CLI::ExistingFile);
  auto* enabling = setting->add_flag("--enable", options->enable, "It may be used");
  setting->add_flag("--disable", options->disable, "It may not")->excludes(enabling);
  issuer_command("list", "All of them", "Example: signet vault certificate issuer list", list_issuers);
  issuer_command("delete", "Forget an issuer", "Example: signet vault certificate issuer delete digicert",
                 delete_issuer)
      ->add_option("name", options->name, "The issuer's name")
      ->required();
}

}  // namespace signet::gateway
