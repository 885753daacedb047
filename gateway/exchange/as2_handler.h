#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "gateway/endpoint/http_server.h"
#include "gateway/exchange/account_snapshot.h"
#include "gateway/exchange/inbound.h"
#include "gateway/exchange/posted_receipts.h"

namespace signet::gateway {

struct As2HandlerOptions {
  std::string path = "/as2";  ///< where messages are posted
  std::string receipt_path =
      "/as2/receipts";  ///< where nothing but asynchronous receipts is posted; never that of messages
  std::uint64_t body_limit = std::uint64_t{2} << 30;  ///< octets; agreements may only narrow it
};

/// The AS2 endpoint behind the HTTP front: hands posted messages to the inbound journey and posted receipts,
/// at whichever of its paths they come, to the outbound one; shows partners who prove who they are our
/// certificates; and answers everything else harmlessly.
class As2Handler final : public HttpHandler {
 public:
  /// What is given by reference outlives the handler. `account` and `revocation` are asked when a partner
  /// asks for our certificates.
  As2Handler(InboundExchange& exchange, PostedReceipts& receipts, CurrentAccount account,
             RevocationCheck& revocation, As2HandlerOptions options);

  /// For requests that come from now on.
  void set_body_limit(std::uint64_t octets) { body_limit_ = octets; }

  HeadVerdict on_head(const HttpRequest& head) override;
  void on_too_large(const HttpRequest& head, const std::string& reason) override;
  void on_request(HttpRequest request, Responder responder) override;

 private:
  InboundExchange& exchange_;
  PostedReceipts& receipts_;
  const CurrentAccount account_;
  RevocationCheck& revocation_;
  const std::string path_;
  const std::string receipt_path_;
  std::atomic<std::uint64_t> body_limit_;
};

}  // namespace signet::gateway
