#pragma once

#include <memory>
#include <vector>

#include "gateway/cli/home.h"
#include "gateway/cli/serve_settings.h"
#include "gateway/cli/side_listeners.h"
#include "gateway/publication/authority_publications.h"
#include "gateway/publication/publication_handler.h"

namespace signet::gateway {

/// Where anybody gets what the certificate service publishes: listeners and threads of their own.
class ServePublication {
 public:
  /// Nothing where the settings name no listener for it. `home` outlives this. Others can connect, and wait
  /// until accept().
  ///
  /// @error  as parse_listener(), HttpServer::listen().
  static Result<std::unique_ptr<ServePublication>> listen(Home& home, const ServeSettings& settings);

  void accept() { open_.server->accept(); }
  void stop() { open_.server->stop(std::chrono::milliseconds(1'000)); }
  /// With the ports that they took.
  [[nodiscard]] const std::vector<Listener>& listeners() const { return open_.listeners; }

 private:
  ServePublication(Home& home, const ServeSettings& settings);

  AuthorityPublications publications_;
  PublicationHandler handler_;
  SideListeners open_;
};

}  // namespace signet::gateway
