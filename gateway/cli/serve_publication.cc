#include "gateway/cli/serve_publication.h"

namespace signet::gateway {
namespace {

/// Everybody who meets one of our certificates asks, and others ask in vain.
HttpLimits limits_for_everybody() {
  HttpLimits limits;
  limits.head_size = 8 * 1024;
  limits.encoded_slashes = true;  // base64 has them in an OCSP request [RFC6960 A.1]
  limits.connections = 1024;
  limits.connections_per_address = 32;
  limits.queued_requests = 512;
  limits.transfer_time = std::chrono::minutes(10);
  return limits;
}

Rate publication_rate(const ServeSettings& settings) {
  const double requests = settings.publication_requests_per_second;
  return {requests, 2 * requests};
}

}  // namespace

ServePublication::ServePublication(Home& home, const ServeSettings& settings)
    : publications_(home.authority(), home.clock()),
      handler_(publications_, home.clock(), publication_rate(settings)) {}

Result<std::unique_ptr<ServePublication>> ServePublication::listen(Home& home,
                                                                   const ServeSettings& settings) {
  if (settings.listen_publication.empty()) return nullptr;
  std::unique_ptr<ServePublication> made(new ServePublication(home, settings));
  HttpServerConfig config;
  SIGNET_TRY(config.listeners, parse_listeners(settings.listen_publication, "publication"));
  config.limits = limits_for_everybody();
  config.spool = home.spool_area();
  SIGNET_TRY(made->open_, SideListeners::open(std::move(config), made->handler_));
  return made;
}

}  // namespace signet::gateway
