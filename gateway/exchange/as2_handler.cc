#include "gateway/exchange/as2_handler.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "gateway/exchange/published_certificates.h"

namespace signet::gateway {
namespace {

HttpResponse to_response(StoredReceipt receipt) {
  HttpResponse response;
  response.status = receipt.http_status;
  for (auto& [name, value] : receipt.headers) response.headers.add(name, value);
  response.body = Slice::of(std::move(receipt.body));
  return response;
}

InboundRequest to_inbound(HttpRequest request) {
  InboundRequest inbound;
  inbound.proof = take_proof(request);
  inbound.headers = std::move(request.headers);
  inbound.body = std::move(request.body);
  inbound.request_id = std::move(request.request_id);
  inbound.remote_address = std::move(request.remote_address);
  inbound.received = request.received;
  return inbound;
}

}  // namespace

As2Handler::As2Handler(InboundExchange& exchange, PostedReceipts& receipts, CurrentAccount account,
                       RevocationCheck& revocation, As2HandlerOptions options)
    : exchange_(exchange),
      receipts_(receipts),
      account_(std::move(account)),
      revocation_(revocation),
      path_(std::move(options.path)),
      receipt_path_(std::move(options.receipt_path)),
      body_limit_(options.body_limit) {}

HeadVerdict As2Handler::on_head(const HttpRequest& head) {
  const std::string_view path = path_of(head.target);
  const bool for_receipts = path == receipt_path_;
  if (path != path_ && !for_receipts)
    return HeadVerdict::refuse(
        text_response(404, "there is nothing here; AS2 messages are posted to " + path_, head.request_id));
  if (head.method == "GET" || head.method == "HEAD") return HeadVerdict::accept(0);
  if (head.method != "POST")
    return HeadVerdict::refuse(method_not_allowed(head, "AS2 messages are posted", "GET, HEAD, POST"));
  if (for_receipts) return HeadVerdict::accept(PostedReceipts::kBodyLimit);
  return HeadVerdict::accept(std::min(body_limit_.load(), exchange_.body_limit(head.headers)));
}

void As2Handler::on_too_large(const HttpRequest& head, const std::string& reason) {
  if (path_of(head.target) != path_ || head.method != "POST") return;
  exchange_.refuse_unread(to_inbound(head), reason);
}

void As2Handler::on_request(HttpRequest request, Responder responder) {
  // Nothing is kept here of a message that broke off half-way, and peers that resume one ask for that
  // by HEAD: Content-Length 0 has them send all of it.
  if (request.method == "HEAD") return responder.respond({});
  const bool for_receipts = path_of(request.target) == receipt_path_;
  if (request.method == "GET") {
    if (!for_receipts)
      if (auto certificates = answer_with_certificates(request, account_, revocation_))
        return responder.respond(*std::move(certificates));
    HttpResponse response = text_response(
        200,
        for_receipts ? "Receipts are posted here." : "This is an AS2 endpoint; messages are posted to it.",
        request.request_id);
    return responder.respond(std::move(response));
  }
  const InboundRequest message = to_inbound(std::move(request));
  if (for_receipts || receipts_.is_receipt(message))
    return responder.respond(to_response(receipts_.receive(message)));
  // The reply may come on another thread, after this function has returned.
  auto way_back = std::make_shared<Responder>(std::move(responder));
  exchange_.receive(
      message, [way_back](StoredReceipt receipt) { way_back->respond(to_response(std::move(receipt))); });
}

}  // namespace signet::gateway
