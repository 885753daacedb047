#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "certstore/vault/certificate_policy_json.h"
#include "gateway/cli/certificates_file.h"
#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/output_file.h"
#include "gateway/cli/passphrase.h"
#include "gateway/cli/printed_list.h"
#include "gateway/cli/subcommands.h"
#include "gateway/cli/vault_attributes.h"
#include "gateway/cli/vault_certificate_text.h"

namespace signet::gateway {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMaxPolicySize = 64 * 1024;

struct VaultCertificateOptions {
  std::string vault{kDefaultVault};
  std::string name;
  std::string version;
  std::filesystem::path policy_file;
  std::optional<std::string> subject;
  std::optional<std::string> issuer;
  std::optional<std::string> kind;
  std::optional<int> months;
  std::vector<std::string> dns_names;
  std::vector<std::string> tags;
  std::filesystem::path file;
  std::vector<std::filesystem::path> files;
  std::filesystem::path passphrase_file;
  std::filesystem::path request_file;
  bool pem = false;
  bool not_exportable = false;
  bool reuse_key = false;
  bool disabled = false;
  bool enable = false;
  bool disable = false;
  bool pending = false;
  bool remove = false;
};

/// A policy as the file and the options say, over the one that there is.
Result<vault::CertificatePolicy> apply_options(vault::CertificatePolicy policy,
                                               const VaultCertificateOptions& options) {
  if (!options.policy_file.empty()) {
    SIGNET_TRY(const Bytes text, read_file(options.policy_file, kMaxPolicySize));
    const auto json = nlohmann::json::parse(as_text(text), nullptr, false);
    if (json.is_discarded())
      return fail(ErrorKind::InvalidInput, fmt::format("{} is no JSON", options.policy_file.string()));
    SIGNET_TRY(policy, vault::apply_json(std::move(policy), json));
  }
  if (options.kind) {
    SIGNET_TRY(policy.kind, vault::parse_key_kind(*options.kind));
  }
  policy.subject = options.subject.value_or(policy.subject);
  if (options.issuer) policy.issuer = vault::issuer_name(*options.issuer);
  policy.validity_months = options.months.value_or(policy.validity_months);
  if (!options.dns_names.empty()) policy.alternative_names.dns_names = options.dns_names;
  if (options.pem) policy.content = vault::CertificateContent::Pem;
  if (options.not_exportable) policy.exportable = false;
  if (options.reuse_key) policy.reuse_key = true;
  return policy;
}

bool says_of_policy(const VaultCertificateOptions& options) {
  return !options.policy_file.empty() || options.subject || options.issuer || options.kind ||
         options.months || !options.dns_names.empty() || options.pem || options.not_exportable ||
         options.reuse_key;
}

Result<vault::CertificateSettings> settings_of(const VaultCertificateOptions& options) {
  SIGNET_TRY(const std::optional<vault::Tags> tags, read_tags(options.tags));
  return vault::CertificateSettings{!options.disabled, tags.value_or(vault::Tags())};
}

Result<> create(CommandContext& context, const VaultCertificateOptions& options) {
  SIGNET_TRY(const vault::CertificateSettings settings, settings_of(options));
  std::optional<vault::CertificatePolicy> policy;
  if (says_of_policy(options)) {
    vault::CertificatePolicy defaults;
    defaults.issuer = vault::kSelfIssuer;
    SIGNET_TRY(policy, apply_options(std::move(defaults), options));
  }
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(OutputFile file, OutputFile::create(options.request_file));
  SIGNET_TRY(const vault::CertificateOperation operation,
             home->vault().create_certificate(caller(), options.vault, options.name, policy, settings));
  if (auto filled = file.fill(as_bytes(request_pem(operation.request))); !filled)
    return fail(std::move(filled).error().within(
        "the request is made, and 'signet vault certificate pending' gives it, but not to this file"));
  file.keep();
  context.print(operation_json(operation), operation_text(operation));
  return {};
}

Result<> import_certificate(CommandContext& context, const VaultCertificateOptions& options) {
  SIGNET_TRY(const vault::CertificateSettings settings, settings_of(options));
  SIGNET_TRY(const Bytes octets, read_file(options.file, vault::kMaxKeyFileSize));
  std::optional<SecretBytes> passphrase;
  if (!options.passphrase_file.empty()) {
    SIGNET_TRY(passphrase, read_passphrase_file(options.passphrase_file));
  }
  auto file = vault::read_certificate_file(octets, passphrase);
  if (!file) return fail(of_key_file(std::move(file).error(), options.file, passphrase.has_value()));
  SIGNET_TRY(const auto home, Home::open(context.home));
  vault::PolicyChange change;
  if (says_of_policy(options))
    change = [&](vault::CertificatePolicy derived) { return apply_options(std::move(derived), options); };
  SIGNET_TRY(
      const vault::VaultCertificate imported,
      home->vault().import_certificate(caller(), options.vault, options.name, *file, change, settings));
  context.print(certificate_json(imported), "imported " + certificate_text(imported));
  return {};
}

Result<> print_all(CommandContext& context, const std::vector<vault::CertificateInfo>& all,
                   const std::string& none) {
  print_list(
      context, all,
      [](const vault::CertificateInfo& info) {
        return ListItem{certificate_json(info), certificate_line(info)};
      },
      none);
  return {};
}

Result<> list(CommandContext& context, const VaultCertificateOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto all, home->vault().list_certificates(caller(), options.vault, options.pending));
  return print_all(context, all, fmt::format("no certificates in vault '{}'", options.vault));
}

Result<> versions(CommandContext& context, const VaultCertificateOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const auto all, home->vault().certificate_versions(caller(), options.vault, options.name));
  return print_all(context, all, fmt::format("certificate '{}' has no version yet", options.name));
}

Result<> show(CommandContext& context, const VaultCertificateOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const vault::VaultCertificate shown,
             home->vault().get_certificate(caller(), {options.vault, options.name, options.version}));
  context.print(certificate_json(shown), certificate_text(shown) + to_pem(shown.info.chain));
  return {};
}

Result<> update(CommandContext& context, const VaultCertificateOptions& options) {
  if (!options.enable && !options.disable && options.tags.empty())
    return fail(ErrorKind::InvalidInput, "nothing to change: expected --enable, --disable or --tag");
  vault::CertificateUpdate update;
  if (options.enable || options.disable) update.enabled = options.enable;
  SIGNET_TRY(update.tags, read_tags(options.tags));
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(
      const vault::VaultCertificate after,
      home->vault().update_certificate(caller(), {options.vault, options.name, options.version}, update));
  context.print(certificate_json(after), "updated " + certificate_text(after));
  return {};
}

/// Shows a policy, or changes what is mentioned of it.
Result<> policy(CommandContext& context, const VaultCertificateOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const vault::CertificatePolicy now,
             says_of_policy(options)
                 ? home->vault().update_certificate_policy(caller(), options.vault, options.name,
                                                           [&](vault::CertificatePolicy before) {
                                                             return apply_options(std::move(before), options);
                                                           })
                 : home->vault().certificate_policy(caller(), options.vault, options.name));
  const ordered_json value = vault::to_json(now);
  context.print(value, value.dump(2) + "\n");
  return {};
}

Result<> pending(CommandContext& context, const VaultCertificateOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const vault::CertificateOperation operation,
             home->vault().certificate_operation(caller(), options.vault, options.name));
  SIGNET_TRY(OutputFile file,
             OutputFile::write(options.request_file, as_bytes(request_pem(operation.request))));
  if (options.remove)
    SIGNET_CHECK(home->vault().delete_certificate_operation(caller(), options.vault, options.name));
  file.keep();
  context.print(operation_json(operation),
                operation_text(operation) + (options.remove ? "deleted\n" : request_pem(operation.request)));
  return {};
}

Result<> cancel(CommandContext& context, const VaultCertificateOptions& options) {
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const vault::CertificateOperation operation,
             home->vault().cancel_certificate_operation(caller(), options.vault, options.name));
  context.print(operation_json(operation), operation_text(operation));
  return {};
}

Result<> merge(CommandContext& context, const VaultCertificateOptions& options) {
  std::vector<certstore::Certificate> given;
  for (const std::filesystem::path& path : options.files) {
    SIGNET_TRY(const auto read, read_certificates_file(path));
    given.insert(given.end(), read.begin(), read.end());
  }
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const vault::VaultCertificate merged,
             home->vault().merge_certificate(caller(), options.vault, options.name, given, {}));
  context.print(certificate_json(merged), "merged " + certificate_text(merged));
  return {};
}

void add_policy_options(CLI::App& command, VaultCertificateOptions& options) {
  command
      .add_option("--policy", options.policy_file,
                  "A policy as JSON, in Key Vault's form; the options go over it")
      ->check(CLI::ExistingFile);
  command.add_option("--subject", options.subject, "Whose it is, e.g. \"CN=as2.acme.example, O=Acme\"");
  command.add_option("--dns-name", options.dns_names, "A host that it names; may be given several times");
  command.add_option("--issuer", options.issuer,
                     "Self; an issuer of the vault, at which the gateway orders; or Unknown: to be requested "
                     "elsewhere and merged");
  command.add_option("--kind", options.kind, "RSA-2048, RSA-3072, RSA-4096, EC-P-256, EC-P-384, EC-P-521");
  command.add_option("--months", options.months, "How long it is valid");
  command.add_flag("--pem", options.pem, "The secret of its name is PEM, and not PFX");
  command.add_flag("--not-exportable", options.not_exportable, "The key stays in the vault");
  command.add_flag("--reuse-key", options.reuse_key, "Later versions keep the key");
}

void add_settings_options(CLI::App& command, VaultCertificateOptions& options) {
  command.add_flag("--disabled", options.disabled, "Not to be used at all until enabled");
  add_tag_option(command, options.tags);
}

}  // namespace

void add_vault_certificate_commands(CLI::App& vault, CommandContext& context) {
  auto options = std::make_shared<VaultCertificateOptions>();
  CLI::App* certificate = vault.add_subcommand(
      "certificate", "Certificates with their keys and secrets, made as their policies say");
  certificate->require_subcommand(1);
  certificate->footer("Example: signet vault certificate create acme-tls --subject CN=as2.acme.example");

  const VaultSubcommands command(*certificate, context, options);
  const auto named = [&](const char* name, const char* description, const char* example,
                         Result<> (*work)(CommandContext&, const VaultCertificateOptions&)) {
    CLI::App* made = command(name, description, example, work);
    made->add_option("name", options->name, "The certificate's name")->required();
    return made;
  };

  CLI::App* creating =
      named("create", "Make a certificate, or request one; a new version if the name is there",
            "Example: signet vault certificate create acme-tls --subject CN=as2.acme.example "
            "--issuer Unknown --request-file acme.csr\n"
            "Without options a further version is made by the policy that is there.",
            create);
  add_policy_options(*creating, *options);
  add_settings_options(*creating, *options);
  creating->add_option("--request-file", options->request_file,
                       "Write the request (PKCS#10) to this new file");

  CLI::App* importing =
      named("import", "Take a certificate and its key in from a PFX or PEM file",
            "Example: signet vault certificate import acme-tls acme.pfx --passphrase-file pass.txt",
            import_certificate);
  importing->add_option("file", options->file, "PFX (PKCS#12), or PEM with a PKCS#8 key")
      ->required()
      ->check(CLI::ExistingFile);
  importing
      ->add_option("--passphrase-file", options->passphrase_file, "A file whose first line is the passphrase")
      ->check(CLI::ExistingFile);
  importing->add_flag("--not-exportable", options->not_exportable, "The key stays in the vault");
  add_settings_options(*importing, *options);

  command("list", "The certificates of a vault", "Example: signet vault certificate list --pending", list)
      ->add_flag("--pending", options->pending, "Those too that have no version yet");
  named("show", "One certificate", "Example: signet vault certificate show acme-tls", show)
      ->add_option("--certificate-version", options->version, "One version; the current one by default");
  named("versions", "All versions of a certificate", "Example: signet vault certificate versions acme-tls",
        versions);

  CLI::App* updating = named("update", "Switch one version off or on, with its key and its secret",
                             "Example: signet vault certificate update acme-tls --disable", update);
  updating->add_option("--certificate-version", options->version, "One version; the current one by default");
  auto* enabling = updating->add_flag("--enable", options->enable, "It may be used again");
  updating->add_flag("--disable", options->disable, "It may not be used until enabled")->excludes(enabling);
  add_tag_option(*updating, options->tags);

  add_policy_options(*named("policy", "Show how versions are made, or change what is mentioned",
                            "Example: signet vault certificate policy acme-tls --months 24", policy),
                     *options);

  CLI::App* pending_app =
      named("pending", "The last operation of a certificate, with its request",
            "Example: signet vault certificate pending acme-tls --request-file acme.csr", pending);
  pending_app->add_option("--request-file", options->request_file,
                          "Write the request (PKCS#10) to this new file");
  pending_app->add_flag("--delete", options->remove,
                        "Forget the operation, and its key if it is in progress");
  named("cancel", "End an operation that is in progress", "Example: signet vault certificate cancel acme-tls",
        cancel);
  named("merge", "Complete an operation by the certificate that was issued for its request",
        "Example: signet vault certificate merge acme-tls acme.cer ca.cer", merge)
      ->add_option("file", options->files, "The certificate, and those of its issuers: DER, PEM or PKCS#7")
      ->required()
      ->check(CLI::ExistingFile);
  add_vault_certificate_deletion_commands(*certificate, context);
  add_vault_certificate_revocation_command(*certificate, context);
  add_vault_certificate_settings_commands(*certificate, context);
}

}  // namespace signet::gateway
