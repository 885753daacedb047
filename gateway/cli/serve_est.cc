#include "gateway/cli/serve_est.h"

#include "gateway/cli/wiring.h"
#include "gateway/store/audit_file.h"

namespace signet::gateway {
namespace {

constexpr std::string_view kListener = "est";

/// Devices ask seldom, and for little.
HttpLimits limits_for_devices() {
  HttpLimits limits;
  limits.head_size = 8 * 1024;
  limits.connections = 512;
  limits.connections_per_address = 64;
  limits.queued_requests = 128;
  limits.bodies_in_files = false;
  return limits;
}

Rate est_rate(const ServeSettings& settings) {
  const double calls = settings.api_calls_per_second;
  return {calls, 2 * calls};
}

}  // namespace

ServeEst::ServeEst(Home& home, const ServeSettings& settings)
    : handler_({home.authority(), home.authority_store(), wiring::principal_store(home.principal_store()),
                [&home] { return home.audit().sync(); }, home.clock()},
               settings.est_group, est_rate(settings)) {}

Result<std::unique_ptr<ServeEst>> ServeEst::listen(Home& home, const ServeSettings& settings) {
  if (settings.listen_est.empty()) return nullptr;
  std::unique_ptr<ServeEst> made(new ServeEst(home, settings));
  HttpServerConfig config;
  SIGNET_TRY(config.listeners, parse_listeners(settings.listen_est, kListener));
  SIGNET_CHECK(show_api_certificate(home, settings, config.listeners));
  config.limits = limits_for_devices();
  config.spool = home.spool_area();
  SIGNET_TRY(made->open_, SideListeners::open(std::move(config), made->handler_));
  return made;
}

ShownCertificates::Shown ServeEst::shown() {
  return {"api-certificate", &ServeSettings::api_certificate,
          [this](const TlsIdentity& identity) { return open_.server->renew_tls(kListener, identity); },
          shown_by(open_.listeners)};
}

}  // namespace signet::gateway
