#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/stream.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/exchange/message_store.h"

/// Hand-over of a received payload to the business behind the gateway: a signed HTTP request.

namespace signet::gateway {

struct Webhook {
  std::string url;
  std::chrono::milliseconds timeout{30'000};  ///< from start to the answer's last octet
  std::string key_id;                         ///< what the receiver calls the secret
  SecretBytes secret;                         ///< shared with him
};

/// Posts payloads to a service of the business, which answers 2xx once it has taken one for good. Stateless;
/// thread-safe.
///
/// The request's body is the payload, octet for octet; its headers are
///
///     Content-Type      the payload's
///     Idempotency-Key   our id of the message as a string, "…": a payload that is posted again, since an
///     answer
///                       got lost, has the same one
///     Signet-Message    the message's facts, a JSON object in ASCII, as in a folder's sidecar
///     Content-Digest    SHA-256 of the body (RFC 9530)
///     Signature-Input, Signature   over all of these, method and URL, by HMAC-SHA-256 (RFC 9421,
///     section 3.3.3)
///
/// so that the receiver can tell that nobody else made it, that nothing was changed, and when it was made.
class WebhookDelivery {
 public:
  using Post = std::function<Result<HttpAnswer>(const HttpPost&)>;

  WebhookDelivery(const Clock& clock, Post post) : clock_(clock), post_(std::move(post)) {}

  /// @error InvalidInput  he answered 4xx, other than 401, 403, 404, 408, 410 and 429: he does not want this
  /// message.
  /// @error Unavailable   any other answer than 2xx, or none.  @error CryptoFailure  TLS.
  Result<> deliver(const MessageRecord& record, const Slice& payload, const Webhook& webhook) const;

 private:
  const Clock& clock_;
  const Post post_;
};

}  // namespace signet::gateway
