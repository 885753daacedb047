#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/cli/home.h"
#include "gateway/cli/serve_settings.h"
#include "gateway/endpoint/http_server.h"

/// What the listeners beside AS2's have in common (serve_api.h, serve_est.h...).

namespace signet::gateway {

/// Listeners of one name, as a setting has them. @error InvalidInput  as parse_listener()
Result<std::vector<Listener>> parse_listeners(const std::vector<std::string>& texts, std::string_view name);

/// Has them show api-certificate, and ask for client certificates, which who has none goes without.
///
/// @error  as identity_of(): nothing has changed.
Result<> show_api_certificate(Home& home, const ServeSettings& settings, std::vector<Listener>& listeners);

/// A server of its own for some listeners.
struct SideListeners {
  std::vector<Listener> listeners;  ///< with the ports that they took
  std::unique_ptr<HttpServer> server;

  /// Peers can connect from now on, and wait until the server's accept(). The handler outlives this.
  ///
  /// @error  as HttpServer::listen()
  static Result<SideListeners> open(HttpServerConfig config, HttpHandler& handler);
};

}  // namespace signet::gateway
