#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "gateway/cli/command.h"
#include "gateway/cli/home.h"
#include "gateway/cli/vault_certificate_text.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/issuance/acme_provider.h"
#include "gateway/issuance/authority_provider.h"

/// signet vault certificate revoke.

namespace signet::gateway {
namespace {

struct RevocationOptions {
  std::string vault{kDefaultVault};
  std::string name;
  std::string version;
  std::string reason = "unspecified";
};

Result<> revoke(CommandContext& context, const RevocationOptions& options) {
  SIGNET_TRY(const vault::RevocationReason reason, vault::parse_revocation_reason(options.reason));
  const vault::Principal caller = vault::Principal::local_operator();
  SIGNET_TRY(const auto home, Home::open(context.home));
  SIGNET_TRY(const vault::VaultCertificate shown,
             home->vault().get_certificate(caller, {options.vault, options.name, options.version}));
  HttpClient client(home->spool_area());
  NoChallenges challenges;
  AcmeProvider acme({[&](const HttpGet& get) { return client.get(get); },
                     [&](const HttpPost& post) { return client.post(post); }},
                    challenges);
  AuthorityProvider own_service(home->authority());
  SIGNET_CHECK(home->vault().revoke_certificate(
      caller, shown.info.id, reason,
      [&](vault::IssuerAccount& account, const certstore::Certificate& certificate) {
        if (vault::is_own_service(account.issuer().provider))
          return own_service.revoke(account, certificate, reason);
        return acme.revoke(account, certificate, reason);
      }));
  context.print(certificate_json(shown), "revoked " + certificate_text(shown));
  return {};
}

}  // namespace

void add_vault_certificate_revocation_command(CLI::App& certificate, CommandContext& context) {
  auto options = std::make_shared<RevocationOptions>();
  CLI::App* command =
      certificate.add_subcommand("revoke", "Have a version revoked by its issuer; it stays in the vault");
  command->footer("Example: signet vault certificate revoke acme-tls --reason keyCompromise");
  command->add_option("--vault", options->vault, "The vault's name")->capture_default_str();
  command->add_option("name", options->name, "The certificate's name")->required();
  command->add_option("--certificate-version", options->version, "One version; the current one by default");
  command
      ->add_option("--reason", options->reason,
                   "unspecified, keyCompromise, affiliationChanged, superseded or cessationOfOperation")
      ->capture_default_str();
  command->callback([&context, options] { run_command(context, [&] { return revoke(context, *options); }); });
}

}  // namespace signet::gateway
