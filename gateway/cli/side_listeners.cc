#include "gateway/cli/side_listeners.h"

#include <utility>

#include "gateway/cli/shown_certificates.h"

namespace signet::gateway {

Result<std::vector<Listener>> parse_listeners(const std::vector<std::string>& texts, std::string_view name) {
  std::vector<Listener> listeners;
  for (const std::string& text : texts) {
    SIGNET_TRY(Listener listener, parse_listener(text));
    listener.name = name;
    listeners.push_back(std::move(listener));
  }
  return listeners;
}

Result<> show_api_certificate(Home& home, const ServeSettings& settings, std::vector<Listener>& listeners) {
  SIGNET_TRY(const auto account, home.current_account());
  SIGNET_TRY(const TlsIdentity identity, identity_of(*account, settings.api_certificate, "api-certificate"));
  for (Listener& listener : listeners) {
    listener.tls = identity;
    listener.tls_rules = tls_rules_of(settings);
    listener.client_certificates = ClientCertificates::Wanted;
  }
  return {};
}

Result<SideListeners> SideListeners::open(HttpServerConfig config, HttpHandler& handler) {
  SideListeners opened{config.listeners, nullptr};
  SIGNET_TRY(opened.server, HttpServer::listen(std::move(config), handler));
  const std::vector<std::uint16_t> ports = opened.server->ports();
  for (std::size_t i = 0; i < ports.size(); ++i) opened.listeners[i].port = ports[i];
  return opened;
}

}  // namespace signet::gateway
