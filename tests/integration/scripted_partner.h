#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gateway/endpoint/http_server.h"
#include "tests/support/test_gateway.h"

namespace signet::test {

/// A partner that answers as a test says.
class ScriptedPartner final : public gateway::HttpHandler {
 public:
  using Script = std::function<gateway::HttpResponse(const gateway::HttpRequest&)>;

  /// With an identity it speaks TLS, and asks for a certificate.
  explicit ScriptedPartner(std::optional<certstore::PrivateCertificate> tls = {})
      : scheme_(tls ? "https" : "http") {
    gateway::HttpServerConfig config;
    gateway::Listener listener{.name = "partner", .address = "127.0.0.1"};
    if (tls) listener.tls = gateway::TlsIdentity{*std::move(tls), {}};
    listener.client_certificates = gateway::ClientCertificates::Wanted;
    config.listeners.push_back(std::move(listener));
    config.spool.directory = directory_.path();
    config.workers = 1;
    server_ = need(gateway::HttpServer::start(std::move(config), *this));
  }
  Script script;
  [[nodiscard]] std::string url() const {
    return scheme_ + "://127.0.0.1:" + std::to_string(server_->ports().at(0)) + "/as2";
  }

  gateway::HeadVerdict on_head(const gateway::HttpRequest&) override {
    return gateway::HeadVerdict::accept(1 << 20);
  }
  void on_request(gateway::HttpRequest request, gateway::Responder responder) override {
    responder.respond(script(request));
  }

 private:
  const std::string scheme_;
  TestDirectory directory_;
  std::unique_ptr<gateway::HttpServer> server_;
};

}  // namespace signet::test
