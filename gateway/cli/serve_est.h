#pragma once

#include <memory>
#include <vector>

#include "gateway/api/est_handler.h"
#include "gateway/cli/home.h"
#include "gateway/cli/serve_settings.h"
#include "gateway/cli/shown_certificates.h"
#include "gateway/cli/side_listeners.h"

namespace signet::gateway {

/// Where devices and partners enrol themselves (RFC 7030): listeners and threads of their own.
class ServeEst {
 public:
  /// Nothing where the settings name no listener for it. `home` outlives this. Others can connect, and wait
  /// until accept().
  ///
  /// @error InvalidInput  there is no certificate to show.  @error ...  as HttpServer::listen().
  static Result<std::unique_ptr<ServeEst>> listen(Home& home, const ServeSettings& settings);

  void accept() { open_.server->accept(); }
  void stop() { open_.server->stop(std::chrono::milliseconds(1'000)); }
  /// That of the REST services, which is shown here too.
  [[nodiscard]] ShownCertificates::Shown shown();
  /// With the ports that they took.
  [[nodiscard]] const std::vector<Listener>& listeners() const { return open_.listeners; }

 private:
  ServeEst(Home& home, const ServeSettings& settings);

  api::EstHandler handler_;
  SideListeners open_;
};

}  // namespace signet::gateway
