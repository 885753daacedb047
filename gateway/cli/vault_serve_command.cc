#include <CLI/CLI.hpp>
#include <optional>

#include "base/log.h"
#include "certstore/vault/provider.h"
#include "gateway/cli/command.h"
#include "gateway/cli/serve_api.h"
#include "gateway/cli/serve_est.h"
#include "gateway/cli/serve_issuance.h"
#include "gateway/cli/serve_lock.h"
#include "gateway/cli/serve_operations.h"
#include "gateway/cli/serve_process.h"
#include "gateway/cli/serve_publication.h"
#include "gateway/cli/serve_settings.h"
#include "gateway/cli/shown_certificates.h"
#include "gateway/cli/subcommands.h"
#include "gateway/cli/vault_upkeep.h"
#include "gateway/cli/version.h"
#include "gateway/operations/service_manager.h"
#include "gateway/remote_vault/linked_vaults.h"

namespace signet::gateway {
namespace {

/// Vaults at work, and what they go by.
struct Running {
  Home& home;
  ServeApi& api;
  ServeOperations& operations;
  ShownCertificates& certificates;
  const GivenOptions& given;
  ServeSettings settings;
};

/// Takes up what serve.toml says now, and the certificates as they are now. Everything is checked before
/// anything is changed.
Result<> reload(Running& running) {
  SIGNET_TRY(
      const ServeSettings wanted,
      read_serve_settings(running.given, running.home.directory() / "serve.toml", Service::VaultsAlone));
  SIGNET_TRY(auto jwt_keys, read_jwt_keys(running.settings.jwt_keys));
  SIGNET_CHECK(running.certificates.take_up(wanted));
  if (jwt_keys) running.api.take_up(*std::move(jwt_keys));
  log::set_level(level_of(wanted));
  running.operations.take_up(wanted);
  warn_of_settings_that_wait(running.settings, wanted);
  running.settings.api_certificate = wanted.api_certificate;
  running.settings.log_level = wanted.log_level;
  return {};
}

Result<> serve(const CommandContext& context, const GivenOptions& given) {
  SIGNET_TRY(const ServeSettings settings,
             read_serve_settings(given, context.home / "serve.toml", Service::VaultsAlone));
  const sigset_t signals = block_signals();
  std::optional<EndInTime> end_in_time;

  SIGNET_TRY(const auto home, open_to_serve(context.home, settings));
  home->define_service_certificates(service_definitions_of(settings));
  SIGNET_TRY(const ServeLock lock, ServeLock::take(home->directory(), home->clock().now()));
  SIGNET_CHECK(settle_home(*home));
  ServeOperations operations(*home, settings, given);
  SIGNET_TRY(const std::unique_ptr<ServeApi> api, ServeApi::listen(*home, settings, given));
  SIGNET_TRY(const std::unique_ptr<ServeIssuance> issuance, ServeIssuance::listen(*home, settings, given));
  SIGNET_TRY(const std::unique_ptr<ServeEst> est, ServeEst::listen(*home, settings));
  SIGNET_TRY(const std::unique_ptr<ServePublication> publication, ServePublication::listen(*home, settings));
  SIGNET_TRY(const auto operations_listener, operations.listen(settings));

  VaultSeal seal(*home);
  SIGNET_TRY(std::unique_ptr<ControlChannel> control, open_control_channel(*home, seal));

  std::vector<Listener> bound = api->listeners();
  if (operations_listener) bound.push_back(operations_listener->listeners.front());
  bound.insert(bound.end(), issuance->listeners().begin(), issuance->listeners().end());
  if (est) bound.insert(bound.end(), est->listeners().begin(), est->listeners().end());
  if (publication)
    bound.insert(bound.end(), publication->listeners().begin(), publication->listeners().end());
  SIGNET_CHECK(announce(bound, settings));
  api->accept();
  if (est) est->accept();
  if (publication) publication->accept();
  issuance->start();
  log::info("serving", {{"version", std::string(kProduct)},
                        {"openssl", vault::openssl_version()},
                        {"home", home->directory().string()},
                        {"what", "vaults alone"}});
  notify_ready();

  VaultUpkeep upkeep(*home, given);
  {
    std::vector<ShownCertificates::Shown> shown = {
        {"api-certificate", &ServeSettings::api_certificate,
         [&api](const TlsIdentity& identity) { return api->renew_tls(identity); },
         shown_by(api->listeners())}};
    if (est) shown.push_back(est->shown());
    ShownCertificates certificates(*home, settings, std::move(shown));
    Running running{*home, *api, operations, certificates, given, settings};
    serve_until_told_to_end(signals, operations, [&running] {
      reload_settings([&running] { return reload(running); }, running.settings);
    });
    end_in_time.emplace(kLongestStop);  // whatever still looks for certificates now, in a vault elsewhere
  }
  control.reset();
  api->stop(kApiDrainTime);
  home->linked_vaults().stop();  // nobody waits any longer for a vault that does not answer
  if (est) est->stop();
  issuance->stop();
  if (publication) publication->stop();
  upkeep.stop();
  log::info("stopped");
  return {};
}

}  // namespace

void add_vault_serve_command(CLI::App& vault, CommandContext& context) {
  auto settings = std::make_shared<ServeSettings>();
  CLI::App* command = vault.add_subcommand(
      "serve", "Run the vaults of a home alone, without AS2: what gateways and Azure's clients link to");
  command->footer(
      "Example: signet --home /srv/vault vault serve --listen-vault signet=0.0.0.0:4443 --api-certificate "
      "vault-tls\n"
      "The settings are those of 'signet serve' but for AS2's, here or in <home>/serve.toml. SIGHUP has the "
      "file read again;\n"
      "SIGTERM ends the service in less than ten seconds.");
  when_named(*command,
             [settings](CLI::App& named) { add_serve_options(named, *settings, Service::VaultsAlone); });
  // The options are checked where they are parsed and read again with the file; `settings` only gives their
  // defaults a place.
  command->callback([&context, command, settings] {
    run_command(context, [&] { return serve(context, given_options(*command)); });
  });
}

}  // namespace signet::gateway
