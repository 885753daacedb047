#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "certstore/account/certificates.h"
#include "certstore/vault/self_signed.h"
#include "gateway/api/lifecycle_json.h"
#include "gateway/cli/account_services.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/home_inventory.h"
#include "gateway/cli/output_file.h"
#include "gateway/cli/printed_list.h"
#include "gateway/cli/subcommands.h"

namespace signet::gateway {
namespace {

using nlohmann::ordered_json;

struct CertificateOptions {
  std::string name;
  std::filesystem::path file;
  std::filesystem::path certificate_file;
  certstore::KeyReference key{std::string(kDefaultVault), "", ""};
  vault::SelfSignedSettings self_signed;
  int days = 730;
  bool replace = false;
  std::optional<unsigned> within;  ///< days

  [[nodiscard]] certstore::WhenInUse when_in_use() const {
    return replace ? certstore::WhenInUse::Replace : certstore::WhenInUse::Refuse;
  }
};

/// The words of RFC 5280 4.2.1.3.
std::vector<std::string_view> words(const certstore::KeyUsage& usage) {
  std::vector<std::string_view> allowed;
  for (const auto& [allows, word] :
       {std::pair{usage.digital_signature, "digitalSignature"},
        std::pair{usage.non_repudiation, "nonRepudiation"},
        std::pair{usage.key_encipherment, "keyEncipherment"},
        std::pair{usage.data_encipherment, "dataEncipherment"},
        std::pair{usage.key_agreement, "keyAgreement"}, std::pair{usage.key_cert_sign, "keyCertSign"}})
    if (allows) allowed.emplace_back(word);
  return allowed;
}

std::string_view word(certstore::KeyType type) {
  switch (type) {
    case certstore::KeyType::Rsa:
      return "RSA";
    case certstore::KeyType::Ec:
      return "EC";
    case certstore::KeyType::Other:
      break;
  }
  return "other";
}

ordered_json to_json(const certstore::StoredCertificate& stored) {
  const certstore::Certificate& certificate = stored.certificate;
  ordered_json value = {{"name", stored.name},
                        {"subject", certificate.subject()},
                        {"issuer", certificate.issuer()},
                        {"serial", certificate.serial()},
                        {"notBefore", to_rfc3339(certificate.not_before())},
                        {"notAfter", to_rfc3339(certificate.not_after())},
                        {"keyType", word(certificate.key_type())},
                        {"keyBits", certificate.key_bits()}};
  if (!certificate.curve().empty()) value["curve"] = certificate.curve();
  value["keyUsage"] =
      certificate.key_usage().present ? ordered_json(words(certificate.key_usage())) : ordered_json();
  value["subjectAlternativeNames"] = certificate.subject_alternative_names();
  value["thumbprint"] = certificate.thumbprint_sha1();
  value["thumbprintSha256"] = certificate.thumbprint_sha256();
  value["created"] = to_rfc3339(stored.created);
  value["changed"] = to_rfc3339(stored.changed);
  if (stored.key)
    value["key"] = {{"keyVault", stored.key->key_vault},
                    {"keyName", stored.key->key_name},
                    {"keyVersion", stored.key->key_version}};
  return value;
}

std::string to_text(const certstore::StoredCertificate& stored) {
  const certstore::Certificate& certificate = stored.certificate;
  std::string text;
  const auto line = [&text](std::string_view name, std::string_view value) {
    if (!value.empty()) text += fmt::format("{:<12} {}\n", name, value);
  };
  line("name", stored.name);
  line("subject", printable(certificate.subject()));
  line("issuer", printable(certificate.issuer()));
  line("serial", certificate.serial());
  line("valid",
       fmt::format("{} to {}", to_rfc3339(certificate.not_before()), to_rfc3339(certificate.not_after())));
  line("key",
       certificate.curve().empty() ? fmt::format("RSA {}", certificate.key_bits()) : certificate.curve());
  line("key usage", certificate.key_usage().present
                        ? fmt::format("{}", fmt::join(words(certificate.key_usage()), ", "))
                        : "any: the certificate does not say");
  line("also named", printable(fmt::format("{}", fmt::join(certificate.subject_alternative_names(), ", "))));
  line("SHA-1", certificate.thumbprint_sha1());
  line("SHA-256", certificate.thumbprint_sha256());
  line("in vault", stored.key ? to_string(*stored.key) : "no: a public certificate");
  return text;
}

/// The account's certificates with what they stand on.
struct Certificates {
  explicit Certificates(Home& home)
      : vault(home), usage(home), account(home.certificates(), vault, usage, home.clock()) {}
  VaultLookup vault;
  HomeUsage usage;
  certstore::IntegrationAccountCertificates account;
};

std::string_view word(certstore::UploadChange change) {
  switch (change) {
    case certstore::UploadChange::Created:
      return "created";
    case certstore::UploadChange::Replaced:
      return "replaced";
    case certstore::UploadChange::Unchanged:
      return "unchanged";
  }
  return "unchanged";
}

void print_upload(const CommandContext& context, const certstore::UploadOutcome& outcome,
                  std::vector<std::string> warnings = {}) {
  ordered_json value = to_json(outcome.stored);
  value["change"] = word(outcome.change);
  std::string text = fmt::format("certificate {} {}\n", outcome.stored.name, word(outcome.change));
  if (outcome.replaced) {
    value["replaced"] = {{"thumbprint", outcome.replaced->thumbprint_sha1()},
                         {"thumbprintSha256", outcome.replaced->thumbprint_sha256()}};
    value["usedBy"] = outcome.users;
    text += fmt::format("before       {}\nnow          {}\n", outcome.replaced->thumbprint_sha1(),
                        outcome.stored.certificate.thumbprint_sha1());
    if (!outcome.users.empty()) text += fmt::format("now used by  {}\n", fmt::join(outcome.users, ", "));
  }
  for (const certstore::Finding& finding : outcome.warnings) warnings.push_back(finding.text);
  context.print(std::move(value), std::move(text), warnings);
}

/// Files of certificates often hold the key as well, and nobody should take it for stored.
std::vector<std::string> upload_warnings(const std::filesystem::path& file, ByteView octets) {
  if (as_text(octets).find("PRIVATE KEY-----") == std::string_view::npos) return {};
  return {
      fmt::format("{} also holds a private key, which was not stored: take it into the vault with 'signet "
                  "vault key import' if it is ours, and do not leave the file lying about",
                  file.string())};
}

Result<> add(CommandContext& context, const CertificateOptions& options) {
  SIGNET_TRY(const Bytes octets, read_file(options.file, 1024 * 1024));
  SIGNET_TRY(const auto home, Home::open(context.home));
  Certificates certificates(*home);
  std::optional<certstore::KeyReference> key;
  if (!options.key.key_name.empty()) key = options.key;
  SIGNET_TRY(const auto outcome,
             certificates.account.upload(options.name, octets, key, {}, options.when_in_use()));
  print_upload(context, outcome, upload_warnings(options.file, octets));
  return {};
}

/// Signs in the gateway's name: a private certificate is for the gateway to use, and needs the same
/// permissions.
Result<> create(CommandContext& context, const CertificateOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  vault::SelfSignedSettings settings = options.self_signed;
  settings.not_before = home->clock().now() - std::chrono::minutes(5);  // for partners whose clocks are slow
  settings.validity = std::chrono::days(options.days);
  SIGNET_TRY(vault::KeyVault* const chosen, home->key_vault(options.key.key_vault));
  SIGNET_TRY(const certstore::Certificate certificate,
             vault::make_self_signed(*chosen, vault::Principal::gateway(),
                                     {options.key.key_vault, options.key.key_name, options.key.key_version},
                                     settings));
  SIGNET_TRY(OutputFile file, OutputFile::write(options.certificate_file, as_bytes(certificate.pem())));
  SIGNET_TRY(const auto outcome, Certificates(*home).account.upload(options.name, certificate.der(),
                                                                    options.key, {}, options.when_in_use()));
  file.keep();
  print_upload(context, outcome);
  return {};
}

std::string to_line(const certstore::StoredCertificate& stored) {
  return fmt::format("{:<24} {:<8} until {}  {}  {}\n", stored.name,
                     stored.is_private() ? "private" : "public",
                     to_rfc3339(stored.certificate.not_after()).substr(0, 10),
                     stored.certificate.thumbprint_sha1(), printable(stored.certificate.subject()));
}

Result<> list(CommandContext& context, const CertificateOptions&) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto all, Certificates(*home).account.list());
  print_list(
      context, all,
      [](const certstore::StoredCertificate& stored) {
        return ListItem{to_json(stored), to_line(stored)};
      },
      "no certificates");
  return {};
}

Result<> show(CommandContext& context, const CertificateOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto stored, Certificates(*home).account.find(options.name));
  ordered_json value = to_json(stored);
  value["pem"] = stored.certificate.pem();
  context.print(value, to_text(stored) + stored.certificate.pem());
  return {};
}

std::string to_line(const InventoryEntry& entry, Time now) {
  return fmt::format("{}  {:>5.0f} days  {:<40} {:<6} {}\n",
                     to_rfc3339(entry.certificate.not_after).substr(0, 10), std::floor(entry.days_left(now)),
                     entry.name(), entry.has_key ? "ours" : "other",
                     entry.tasks.empty() ? "not used" : to_string(entry.tasks));
}

Result<> inventory(CommandContext& context, const CertificateOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(auto entries, HomeInventory(*home).certificates());
  const Time now = home->clock().now();
  if (options.within)
    std::erase_if(entries,
                  [&](const InventoryEntry& entry) { return entry.days_left(now) > *options.within; });
  print_list(
      context, entries,
      [&](const InventoryEntry& entry) {
        return ListItem{api::json_of(entry, now), to_line(entry, now)};
      },
      "no certificates");
  return {};
}

Result<> remove(CommandContext& context, const CertificateOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_CHECK(Certificates(*home).account.remove(options.name));
  context.print({{"deleted", options.name}}, fmt::format("certificate {} deleted", options.name));
  return {};
}

}  // namespace

void add_certificate_commands(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<CertificateOptions>();
  CLI::App* certificate = app.add_subcommand("certificate", "The integration account's certificates");
  certificate->require_subcommand(1);
  certificate->footer("Example: signet certificate list");
  const Subcommands command(*certificate, context, options);

  CLI::App* adding =
      command("add", "Take a certificate in; with a key of the vault, as a private one of ours",
              "Example: signet certificate add globex-2026 globex.cer\n"
              "         signet certificate add acme-2026 acme.cer --key acme-as2",
              add);
  adding->add_option("name", options->name, "Its name: letters, digits and - _ . ( )")->required();
  adding->add_option("file", options->file, "The certificate: DER, PEM, or PKCS#7 with one certificate")
      ->required();
  const auto with_key = [&](CLI::App* made) {
    made->add_option("--vault", options->key.key_vault, "The vault that holds the key")
        ->capture_default_str();
    made->add_option("--key-version", options->key.key_version,
                     "One version of the key; the latest by default");
    return made->add_option("--key", options->key.key_name, "The key's name in the vault");
  };
  with_key(adding);
  const auto with_replace = [&](CLI::App* made) {
    made->add_flag("--replace", options->replace,
                   "Let it take the place of a certificate that agreements or listeners use");
  };
  with_replace(adding);

  CLI::App* creating =
      command("create", "Make a self-signed certificate for a key of the vault, as a private one of ours",
              "Example: signet certificate create acme-2026 --key acme-as2 --common-name \"Acme AS2\" "
              "--certificate-file acme.cer",
              create);
  creating->add_option("name", options->name, "Its name: letters, digits and - _ . ( )")->required();
  with_key(creating)->required();
  creating->add_option("--common-name", options->self_signed.common_name, "Whose it is")->required();
  creating->add_option("--organisation", options->self_signed.organisation, "Of which organisation");
  creating->add_option("--dns-name", options->self_signed.dns_name, "The host that it names, for TLS");
  creating->add_option("--days", options->days, "How long it is valid")
      ->check([](const std::string& text) { return check_number(text, 1, 3650); })
      ->capture_default_str();
  with_replace(creating);
  creating->add_option("--certificate-file", options->certificate_file,
                       "Also write it to this new file, for the partners");

  command("list", "All certificates", "Example: signet certificate list --output json", list);
  command("show", "One certificate", "Example: signet certificate show globex-2026", show)
      ->add_option("name", options->name, "Its name")
      ->required();
  command("inventory",
          "Every certificate that the gateway depends on, those that end first in front: where it is kept, "
          "and what "
          "goes by it",
          "Example: signet certificate inventory --within 60", inventory)
      ->add_option("--within", options->within, "Only those that end within so many days, or have ended");
  command("delete", "Delete a certificate that no agreement and no listener uses",
          "Example: signet certificate delete globex-2024", remove)
      ->add_option("name", options->name, "Its name")
      ->required();
}

}  // namespace signet::gateway
