#include "gateway/operations/operations_handler.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace signet::gateway {
namespace {

HttpResponse json_response(int status, const nlohmann::ordered_json& value) {
  HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.headers.add("Cache-Control", "no-store");
  response.body =
      Slice::of(value.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  return response;
}

}  // namespace

struct OperationsHandler::Route {
  std::string_view path;
  HttpResponse (OperationsHandler::*answer)();
};

const OperationsHandler::Route* OperationsHandler::find_route(std::string_view target) {
  static constexpr std::array kRoutes = {
      Route{"/health", &OperationsHandler::health},
      Route{"/ready", &OperationsHandler::ready},
      Route{"/metrics", &OperationsHandler::metrics},
  };
  const std::string_view path = path_of(target);
  const auto* route =
      std::find_if(kRoutes.begin(), kRoutes.end(), [path](const Route& known) { return known.path == path; });
  return route == kRoutes.end() ? nullptr : route;
}

OperationsHandler::OperationsHandler(OperationsPorts ports)
    : ports_(std::move(ports)), started_(ports_.clock.now()) {}

HeadVerdict OperationsHandler::on_head(const HttpRequest& head) {
  if (find_route(head.target) == nullptr)
    return HeadVerdict::refuse(text_response(404, "there are /health, /ready and /metrics", head.request_id));
  if (head.method == "GET" || head.method == "HEAD") return HeadVerdict::accept(0);
  return HeadVerdict::refuse(method_not_allowed(head, "this can only be looked at", "GET, HEAD"));
}

void OperationsHandler::on_request(HttpRequest request, Responder responder) {
  responder.respond((this->*find_route(request.target)->answer)());
}

HttpResponse OperationsHandler::health() {
  const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(ports_.clock.now() - started_);
  return json_response(200, {{"status", "ok"},
                             {"version", ports_.version},
                             {"openssl", ports_.openssl},
                             {"started", to_rfc3339(started_)},
                             {"uptimeSeconds", uptime.count()}});
}

HttpResponse OperationsHandler::ready() {
  const std::vector<Readiness::Finding> findings = ports_.readiness.examine();
  nlohmann::ordered_json checks = nlohmann::ordered_json::array();
  for (const auto& [name, outcome] : findings) {
    nlohmann::ordered_json check = {{"name", name}, {"ok", outcome.has_value()}};
    if (!outcome) check["reason"] = outcome.error().detail;
    checks.push_back(std::move(check));
  }
  const bool ready = all_well(findings);
  const char* const status = ready ? "ready" : ports_.is_sealed() ? "sealed" : "not-ready";
  return json_response(ready ? 200 : 503, {{"status", status}, {"checks", std::move(checks)}});
}

HttpResponse OperationsHandler::metrics() {
  HttpResponse response;
  response.headers.add("Content-Type", Metrics::kContentType);
  response.headers.add("Cache-Control", "no-store");
  response.body = Slice::of(ports_.metrics.text(ports_.readings()));
  return response;
}

}  // namespace signet::gateway
