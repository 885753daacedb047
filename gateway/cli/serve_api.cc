#include "gateway/cli/serve_api.h"

#include <set>

#include "gateway/api/json_body.h"
#include "gateway/api/principals.h"
#include "gateway/cli/shown_certificates.h"
#include "gateway/cli/wiring.h"
#include "gateway/store/audit_file.h"

namespace signet::gateway {
namespace {

constexpr std::string_view kApiListener = "api";

/// Programs of an organisation, not the internet.
HttpLimits limits_for_programs() {
  HttpLimits limits;
  limits.connections = 1024;
  limits.connections_per_address = 256;
  limits.queued_requests = 256;
  limits.bodies_in_files = false;  // there are secrets in them
  return limits;
}

std::string listener_name(const VaultListener& vault) { return "vault:" + vault.vault; }

Result<std::vector<Listener>> api_listeners(Home& home, const ServeSettings& settings) {
  SIGNET_TRY(const auto account, home.current_account());
  SIGNET_TRY(const TlsIdentity identity, identity_of(*account, settings.api_certificate, "api-certificate"));
  std::vector<Listener> all;
  for (const std::string& text : settings.listen_api) {
    SIGNET_TRY(Listener listener, parse_listener(text));
    listener.name = kApiListener;
    all.push_back(std::move(listener));
  }
  for (const std::string& text : settings.listen_vault) {
    SIGNET_TRY(VaultListener vault, parse_vault_listener(text));
    SIGNET_CHECK(home.own_vault(vault.vault));
    vault.listener.name = listener_name(vault);
    all.push_back(std::move(vault.listener));
  }
  for (Listener& listener : all) {
    listener.tls = identity;
    listener.tls_rules = tls_rules_of(settings);
    listener.client_certificates = ClientCertificates::Wanted;  // management certificates, in a token's place
  }
  return all;
}

Result<api::ApiOptions> api_options(const ServeSettings& settings) {
  api::ApiOptions options;
  options.host = to_lower(settings.api_host);
  const double calls = settings.api_calls_per_second;
  options.per_principal = {calls, 2 * calls};
  options.per_address = {2 * calls, 4 * calls};
  for (const std::string& text : settings.listen_vault) {
    SIGNET_TRY(const VaultListener vault, parse_vault_listener(text));
    options.vaults.emplace(listener_name(vault), vault.vault);
  }
  return options;
}

}  // namespace

ServeApi::ServeApi(Home& home, api::ApiOptions options, api::Installation installation,
                   const GivenOptions& given)
    : installation_(std::move(installation)),
      judge_(home, given),
      vaults_(home),
      service_certificates_(home, given),
      handler_({{home.vault(),
                 home.vault(),
                 home.vault(),
                 home.vault(),
                 home.clock(),
                 {home.accounts(), judge_, home.resources(), wiring::audit_log(home.audit()), installation_,
                  [&home] { return home.callback_key(); }},
                 {vaults_, home.principal_store()},
                 service_certificates_},
                wiring::audit_log(home.audit()),
                [&home] { return home.audit().sync(); },
                home.principal_store(),
                [&home] { return home.vault().is_sealed(); }},
               std::move(options), installation_) {}

Result<std::unique_ptr<ServeApi>> ServeApi::listen(Home& home, const ServeSettings& settings,
                                                   const GivenOptions& given) {
  if (settings.listen_api.empty() && settings.listen_vault.empty()) return nullptr;
  SIGNET_TRY(api::ApiOptions options, api_options(settings));
  SIGNET_TRY(api::Installation installation, home.principal_store().installation());
  std::unique_ptr<ServeApi> made(new ServeApi(home, std::move(options), std::move(installation), given));
  SIGNET_TRY(made->listeners_, api_listeners(home, settings));
  HttpServerConfig config;
  config.listeners = made->listeners_;
  config.limits = wiring::http_limits(limits_for_programs());
  config.spool = home.spool_area();
  config.spool.memory_limit = api::kLongestBody;
  SIGNET_TRY(made->server_, HttpServer::listen(std::move(config), made->handler_));
  const std::vector<std::uint16_t> ports = made->server_->ports();
  for (std::size_t i = 0; i < ports.size(); ++i) made->listeners_[i].port = ports[i];
  return made;
}

Result<> ServeApi::renew_tls(const TlsIdentity& identity) {
  std::set<std::string> names;
  for (const Listener& listener : listeners_) names.insert(listener.name);
  for (const std::string& name : names) SIGNET_CHECK(server_->renew_tls(name, identity));
  return {};
}

}  // namespace signet::gateway
