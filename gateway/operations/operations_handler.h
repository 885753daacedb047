#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "gateway/endpoint/http_server.h"
#include "gateway/operations/metrics.h"
#include "gateway/operations/readiness.h"

namespace signet::gateway {

/// What the operations listener shows of. Everything given by reference outlives the handler.
struct OperationsPorts {
  Readiness& readiness;
  const Metrics& metrics;
  std::function<std::vector<Reading>()> readings;  ///< what has to be looked up for a scrape
  const Clock& clock;
  std::string version;
  std::string openssl;
  std::function<bool()> is_sealed = [] { return false; };  ///< /ready then says so
};

/// The operations listener behind the HTTP front, for those who run the gateway; it knows nobody's name and
/// asks for none, so it belongs on the loopback or a network of theirs, and never beside the AS2 endpoint:
///
///     GET /health    the process lives: 200, with its versions and for how long
///     GET /ready     it can take messages: 200; else 503, with what keeps it from that
///     GET /metrics   Prometheus' text format
class OperationsHandler final : public HttpHandler {
 public:
  explicit OperationsHandler(OperationsPorts ports);

  HeadVerdict on_head(const HttpRequest& head) override;
  void on_request(HttpRequest request, Responder responder) override;

 private:
  HttpResponse health();
  HttpResponse ready();
  HttpResponse metrics();
  struct Route;
  static const Route* find_route(std::string_view target);

  const OperationsPorts ports_;
  const Time started_;
};

}  // namespace signet::gateway
