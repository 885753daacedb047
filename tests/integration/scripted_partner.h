#pragma once

#include <functional>
#include <memory>
#include <string>

#include "gateway/endpoint/http_server.h"
#include "tests/support/test_gateway.h"

namespace signet::test {

/// A partner that answers as a test says.
class ScriptedPartner final : public gateway::HttpHandler {
 public:
  using Script = std::function<gateway::HttpResponse(const gateway::HttpRequest&)>;

  ScriptedPartner() {
    gateway::HttpServerConfig config;
    config.listeners.push_back({"partner", "127.0.0.1", 0, std::nullopt});
    config.spool.directory = directory_.path();
    config.workers = 1;
    server_ = need(gateway::HttpServer::start(std::move(config), *this));
  }
  Script script;
  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(server_->ports().at(0)) + "/as2";
  }

  gateway::HeadVerdict on_head(const gateway::HttpRequest&) override {
    return gateway::HeadVerdict::accept(1 << 20);
  }
  void on_request(gateway::HttpRequest request, gateway::Responder responder) override {
    responder.respond(script(request));
  }

 private:
  TestDirectory directory_;
  std::unique_ptr<gateway::HttpServer> server_;
};

}  // namespace signet::test
