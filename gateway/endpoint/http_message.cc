#include "gateway/endpoint/http_message.h"

#include <fmt/format.h>

#include "gateway/endpoint/http_wire.h"

namespace signet::gateway {

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

HttpResponse text_response(int status, std::string_view reason, std::string_view request_id) {
  HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  std::string text = fmt::format("{} {}: {}\n", status, reason_phrase(status), printable(reason));
  if (!request_id.empty()) text += fmt::format("Request-Id: {}\n", request_id);
  response.body = Slice::of(text);
  return response;
}

HttpResponse later_response(int status, std::string_view reason, std::chrono::seconds wait,
                            std::string_view request_id) {
  HttpResponse response = text_response(status, reason, request_id);
  response.headers.set("Retry-After", std::to_string(wait.count()));
  return response;
}

HttpResponse too_many_requests(const HttpRequest& request, std::chrono::seconds wait) {
  return later_response(429, "too many requests from this address", wait, request.request_id);
}

HttpResponse method_not_allowed(const HttpRequest& request, std::string_view reason,
                                std::string_view allowed) {
  HttpResponse response = text_response(405, reason, request.request_id);
  response.headers.set("Allow", allowed);
  return response;
}

bool has_content_type(const HttpRequest& request, std::string_view media_type) {
  const std::string_view type = request.headers.value("Content-Type").value_or("");
  return equal_ignoring_case(trim(type.substr(0, type.find(';'))), media_type);
}

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

namespace {

bool is_servers_own(std::string_view name) {
  for (const std::string_view own : {"Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive",
                                     "Server", "Trailer", "Upgrade", "X-Request-Id"})
    if (equal_ignoring_case(name, own)) return true;
  return false;
}

}  // namespace

std::string response_head(const HttpResponse& response, std::string_view request_id, bool close, Time now) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  if (!response.headers.has("Date")) head += fmt::format("Date: {}\r\n", to_http_date(now));
  head += fmt::format("Server: Signet\r\nX-Request-Id: {}\r\n", request_id);
  for (const auto& field : response.headers)
    if (!is_servers_own(field.name)) head += fmt::format("{}: {}\r\n", field.name, field.value);
  // [RFC9110 8.6]: none of it where there can be no body.
  if (!has_no_body(response.status)) head += fmt::format("Content-Length: {}\r\n", response.body.size());
  if (close) head += "Connection: close\r\n";
  head += "\r\n";
  return head;
}

}  // namespace signet::gateway
