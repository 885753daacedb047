#pragma once

#include <functional>
#include <string>

#include "gateway/endpoint/http_server.h"

namespace signet::gateway {

/// Before the AS2 endpoint: while the vault is sealed, no message is taken. It is answered 503 by its head,
/// with Retry-After and nothing that vouches for any of it. Receipts posted to their own path need no key
/// and go on, and so does what is only looked at.
class SealGate final : public HttpHandler {
 public:
  /// `handler` outlives this.
  SealGate(HttpHandler& handler, std::function<bool()> is_sealed, std::string receipt_path)
      : handler_(handler), is_sealed_(std::move(is_sealed)), receipt_path_(std::move(receipt_path)) {}

  HeadVerdict on_head(const HttpRequest& head) override;
  void on_too_large(const HttpRequest& head, const std::string& reason) override {
    handler_.on_too_large(head, reason);
  }
  HttpResponse on_refusal(int status, const std::string& reason, const std::string& request_id) override {
    return handler_.on_refusal(status, reason, request_id);
  }
  void on_request(HttpRequest request, Responder responder) override {
    handler_.on_request(std::move(request), std::move(responder));
  }

 private:
  HttpHandler& handler_;
  const std::function<bool()> is_sealed_;
  const std::string receipt_path_;
};

}  // namespace signet::gateway
