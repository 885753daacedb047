#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "as2/mime/headers.h"
#include "base/clock.h"
#include "base/stream.h"
#include "certstore/x509/certificate.h"

/// HTTP/1.1 messages as the rest of the gateway sees them: complete, checked, with their framing taken off.

namespace signet::gateway {

/// A request that the gate let through: every octet of its head was understood, in one way only.
struct HttpRequest {
  std::string method;  ///< one of GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS
  std::string
      target;  ///< absolute path and query as sent: begins with "/", no dot segment in it, raw or encoded
  as2::mime::Headers headers;  ///< in their order, folds replaced by one space; framing fields included
  Slice body;                  ///< without transfer coding; empty in HttpHandler::on_head()
  std::string
      request_id;  ///< 32 hexadecimal digits of ours, also in the answer's X-Request-Id and in the log
  std::string remote_address;  ///< numeric, without port
  std::string listener;        ///< name of the Listener it came in by
  bool tls = false;
  /// The certificate whose key the peer has proved to have, where the listener asks for one and the peer
  /// shows one. Whoever has it, it proves nothing yet: neither its dates nor who issued it were looked at.
  std::optional<certstore::Certificate> client_certificate;
  Time received{};  ///< when its head was complete
};

/// A request target without its query, which may open something to whoever has it: fit for a log.
inline std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

/// An answer. The server adds Date (unless given), Server, X-Request-Id, Content-Length and Connection
/// itself, and drops any such framing fields found in `headers`.
struct HttpResponse {
  int status = 200;
  as2::mime::Headers headers;
  Slice body;          ///< not sent for HEAD, 204 and 304
  bool close = false;  ///< ends the connection afterwards
};

/// The answer of every refusal: text/plain, one line with the reason, one with the request
/// id unless that is empty.
HttpResponse text_response(int status, std::string_view reason, std::string_view request_id);

/// The same where another time is better: 202, 429, 503; with Retry-After.
HttpResponse later_response(int status, std::string_view reason, std::chrono::seconds wait,
                            std::string_view request_id);
/// 429 to somebody whose address asks too often. @param wait  until the next one is served
HttpResponse too_many_requests(const HttpRequest& request, std::chrono::seconds wait);
/// 405. @param allowed  what the target can be asked: "GET, HEAD"
HttpResponse method_not_allowed(const HttpRequest& request, std::string_view reason,
                                std::string_view allowed);

/// Whether its body is of a media type, whose parameters do not count.
bool has_content_type(const HttpRequest& request, std::string_view media_type);

/// RFC 9110's phrase for a status, e.g. "Not Found"; "Unknown" for one it does not have.
std::string_view reason_phrase(int status);

}  // namespace signet::gateway
