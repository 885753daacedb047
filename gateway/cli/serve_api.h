#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/api/api_handler.h"
#include "gateway/cli/account_judge.h"
#include "gateway/cli/home.h"
#include "gateway/cli/home_exchanges.h"
#include "gateway/cli/home_inventory.h"
#include "gateway/cli/home_rollovers.h"
#include "gateway/cli/serve_settings.h"
#include "gateway/cli/service_bindings.h"
#include "gateway/cli/side_listeners.h"
#include "gateway/cli/vault_administration.h"

namespace signet::gateway {

/// The keys of the issuer whose JWTs are taken; nothing where there is none.
///
/// @error InvalidInput  the file is no set of public keys; and as read_file(). Names the file.
Result<std::optional<api::JwkSet>> read_jwt_keys(const std::filesystem::path& file);

/// The REST services of a running gateway: listeners, threads and a handler of their own, which share with
/// the AS2 listeners nothing but the home.
class ServeApi {
 public:
  /// Nothing where the settings, of which `given` come from the command line, name no listener for it. `home`
  /// outlives this. Peers can connect, and wait until accept().
  ///
  /// @error InvalidInput  there is no certificate to show, or a listener or a vault that cannot be.
  /// @error ...           as HttpServer::listen().
  static Result<std::unique_ptr<ServeApi>> listen(Home& home, const ServeSettings& settings,
                                                  const GivenOptions& given);

  void accept() { open_.server->accept(); }
  void stop(std::chrono::milliseconds drain) { open_.server->stop(drain); }
  /// From now on another certificate is shown. @error InvalidInput  its key is not its own: nothing has
  /// changed.
  Result<> renew_tls(const TlsIdentity& identity);
  /// From now on these keys verify the issuer's tokens; without an issuer, nothing.
  void take_up(api::JwkSet jwt_keys);

  /// With the ports that they took.
  [[nodiscard]] const std::vector<Listener>& listeners() const { return open_.listeners; }

 private:
  ServeApi(Home& home, api::ApiOptions options, api::Installation installation, const GivenOptions& given,
           std::unique_ptr<api::JwtVerifier> jwts, const std::string& publication_host);

  const api::Installation installation_;
  const std::unique_ptr<api::JwtVerifier> jwts_;  ///< nothing where no issuer's tokens are taken
  HomeAccountJudge judge_;
  HomeVaultAdministration vaults_;
  HomeServiceCertificates service_certificates_;
  HomeRollovers rollovers_;
  HomeInventory inventory_;
  HomeExchanges exchanges_;
  api::ApiHandler handler_;
  SideListeners open_;
};

}  // namespace signet::gateway
