#include <algorithm>

#include "gateway/cli/authority_session.h"
#include "gateway/cli/certificates_file.h"
#include "gateway/cli/output_file.h"

/// signet authority issuer, trust-list, crl.

namespace signet::gateway {
namespace {

using authority::IssuerVersion;

struct IssuerOptions {
  std::string as;
  std::string group;
  std::string serial;  ///< empty: the one that issues
  std::string format = "der";
  std::filesystem::path file;
  std::filesystem::path folder = ".";
};

std::string issuer_line(const IssuerVersion& issuer) {
  const auto& certificate = issuer.certificate;
  return fmt::format("{:<42} {:<8} until {}  {}\n", certificate.serial(), issuer.active ? "active" : "",
                     to_rfc3339(certificate.not_after()).substr(0, 10),
                     printable_name(certificate.subject()));
}

std::string crl_line(const authority::PublishedCrl& crl) {
  return fmt::format("{:<42} number {}, {} to {}\n", crl.issuer_serial, crl.number,
                     to_rfc3339(crl.this_update), to_rfc3339(crl.next_update));
}

/// The issuer that the options name.
Result<IssuerVersion> issuer_of(const AuthoritySession& session, const IssuerOptions& options) {
  SIGNET_TRY(const auto issuers, session.service().issuers(session.actor, options.group));
  const auto found = std::find_if(issuers.begin(), issuers.end(), [&](const IssuerVersion& issuer) {
    return options.serial.empty() ? issuer.active
                                  : equal_ignoring_case(options.serial, issuer.certificate.serial());
  });
  if (found != issuers.end()) return *found;
  return fail(ErrorKind::NotFound,
              options.serial.empty()
                  ? fmt::format("group '{}' has no issuer yet: signet authority issuer create", options.group)
                  : fmt::format("group '{}' has no issuer with the serial number {}", options.group,
                                printable(options.serial)));
}

Result<> list(CommandContext& context, const IssuerOptions& options) {
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  SIGNET_TRY(const auto issuers, session.service().issuers(session.actor, options.group));
  print_all(context, issuers, issuer_line, "no issuer yet");
  return {};
}

Result<> create(CommandContext& context, const IssuerOptions& options) {
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  SIGNET_TRY(const IssuerVersion issuer, session.service().create_issuer(session.actor, options.group));
  context.print(api::json_of(issuer), issuer_line(issuer));
  return {};
}

Result<> request(CommandContext& context, const IssuerOptions& options) {
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  SIGNET_TRY(OutputFile file, OutputFile::create(options.file));
  SIGNET_TRY(const auto made, session.service().request_issuer(session.actor, options.group));
  SIGNET_CHECK(file.fill(made.request));
  file.keep();
  context.print(api::json_of(made),
                fmt::format("{}: have it signed, then 'signet authority issuer install {} CHAIN'",
                            options.file.string(), options.group));
  return {};
}

Result<> install(CommandContext& context, const IssuerOptions& options) {
  SIGNET_TRY(const auto chain, read_certificates_file(options.file));
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  SIGNET_TRY(const IssuerVersion issuer,
             session.service().install_issuer(session.actor, options.group, chain));
  context.print(api::json_of(issuer), issuer_line(issuer));
  return {};
}

Result<> save_certificate(CommandContext& context, const IssuerOptions& options) {
  SIGNET_TRY(const api::FileForm form, api::parse_file_form(options.format));
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  SIGNET_TRY(const IssuerVersion issuer, issuer_of(session, options));
  SIGNET_TRY(const auto path, save(api::certificate_file(issuer.certificate, form), options.folder));
  nlohmann::ordered_json value = api::json_of(issuer);
  value["file"] = path.string();
  context.print(value, path.string());
  return {};
}

Result<> save_crl(CommandContext& context, const IssuerOptions& options) {
  SIGNET_TRY(const api::FileForm form, api::parse_file_form(options.format));
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  SIGNET_TRY(const IssuerVersion issuer, issuer_of(session, options));
  SIGNET_TRY(const auto crl, session.service().published_crl(issuer.group, issuer.certificate.serial()));
  SIGNET_TRY(const auto path, save(api::crl_file(crl, issuer.certificate, form), options.folder));
  nlohmann::ordered_json value = api::json_of(crl);
  value["file"] = path.string();
  context.print(value, path.string());
  return {};
}

Result<> renew_crl(CommandContext& context, const IssuerOptions& options) {
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  SIGNET_TRY(const IssuerVersion issuer, issuer_of(session, options));
  SIGNET_TRY(const auto crl,
             session.service().reissue_crl(session.actor, issuer.group, issuer.certificate.serial()));
  context.print(api::json_of(crl), crl_line(crl));
  return {};
}

/// Everything that others need to believe the group's certificates, in a folder, as an OPC UA application's
/// own folders have it.
Result<> trust_list(CommandContext& context, const IssuerOptions& options) {
  SIGNET_TRY(const auto session, AuthoritySession::open(context, options.as));
  SIGNET_TRY(const auto trusted, session.service().trust_list(session.actor, options.group));
  nlohmann::ordered_json value = api::json_of(trusted);
  value["files"] = nlohmann::ordered_json::array();
  std::string text;
  const auto keep = [&](const api::NamedFile& file) -> Result<> {
    SIGNET_TRY(const auto path, save(file, options.folder));
    value["files"].push_back(path.string());
    text += path.string() + "\n";
    return {};
  };
  for (std::size_t i = 0; i < trusted.trusted.size(); ++i)
    SIGNET_CHECK(keep(api::certificate_file(trusted.trusted[i], api::FileForm::Der)));
  for (const authority::PublishedCrl& crl : trusted.crls) {
    const auto issuer =
        std::find_if(trusted.trusted.begin(), trusted.trusted.end(),
                     [&](const certstore::Certificate& one) { return one.serial() == crl.issuer_serial; });
    if (issuer != trusted.trusted.end()) SIGNET_CHECK(keep(api::crl_file(crl, *issuer, api::FileForm::Der)));
  }
  for (const certstore::Certificate& above : trusted.issuers)
    SIGNET_CHECK(keep(api::certificate_file(above, api::FileForm::Der)));
  context.print(value, text.empty() ? "no issuer yet" : text);
  return {};
}

void add_files(CLI::App& command, IssuerOptions& options) {
  command.add_option("--serial", options.serial,
                     "The issuer's serial number; the one that issues by default");
  command.add_option("--format", options.format, "der, pem or base64")->capture_default_str();
  command.add_option("--to", options.folder, "The folder that the file is put into")->capture_default_str();
}

}  // namespace

void add_authority_issuer_commands(CLI::App& authority, CommandContext& context) {
  auto options = std::make_shared<IssuerOptions>();
  const auto with_group = [&](CLI::App& parent, const char* name, const char* description,
                              const char* example, Result<> (*work)(CommandContext&, const IssuerOptions&)) {
    CLI::App* made = add_authority_command(parent, context, options, name, description, example, work);
    made->add_option("group", options->group, "The group's name")->required();
    return made;
  };
  CLI::App* issuer =
      authority.add_subcommand("issuer", "The authorities that groups' certificates come from");
  issuer->require_subcommand(1);
  issuer->footer("Example: signet authority issuer list Plant --as admin");
  with_group(*issuer, "list", "All issuers that a group had, the newest first",
             "Example: signet authority issuer list Plant --as admin", list);
  with_group(*issuer, "create", "Make a new key and a self-signed issuer, which is active at once",
             "Example: signet authority issuer create Plant --as admin", create);
  with_group(*issuer, "request", "Make a new key, and a request for an authority elsewhere to sign",
             "Example: signet authority issuer request Plant --file plant.csr --as admin", request)
      ->add_option("--file", options->file, "Where the PKCS#10 request is put")
      ->required();
  with_group(*issuer, "install", "Take that authority's answer; the issuer is active then",
             "Example: signet authority issuer install Plant chain.pem --as admin", install)
      ->add_option("file", options->file, "The certificate, and those above it up to the root: PEM or PKCS#7")
      ->required()
      ->check(CLI::ExistingFile);
  add_files(*with_group(*issuer, "save", "Put an issuer's certificate into a folder",
                        "Example: signet authority issuer save Plant --to . --as reader", save_certificate),
            *options);

  CLI::App* crl = authority.add_subcommand("crl", "Revocation lists");
  crl->require_subcommand(1);
  crl->footer("Example: signet authority crl save Plant --as reader");
  add_files(*with_group(*crl, "save", "Put the current list of an issuer into a folder",
                        "Example: signet authority crl save Plant --to . --as reader", save_crl),
            *options);
  with_group(*crl, "renew", "Make a new list though nothing was revoked; 'signet serve' does it in time",
             "Example: signet authority crl renew Plant --as admin", renew_crl)
      ->add_option("--serial", options->serial, "The issuer's serial number; the one that issues by default");

  with_group(authority, "trust-list", "Put all issuers of a group and their revocation lists into a folder",
             "Example: signet authority trust-list Plant --to trusted --as reader", trust_list)
      ->add_option("--to", options->folder, "The folder")
      ->capture_default_str();
}

}  // namespace signet::gateway
