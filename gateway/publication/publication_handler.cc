#include "gateway/publication/publication_handler.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <variant>

#include "base/digest.h"
#include "base/log.h"
#include "base/network.h"
#include "base/percent_encoding.h"

namespace signet::gateway {
namespace {

constexpr std::string_view kOcsp = "/ocsp";
constexpr std::string_view kOcspRequest = "application/ocsp-request";
/// A cache on the way gives out what is older than this at the most, whatever the thing itself says: who is
/// revoked is to be known soon.
constexpr std::chrono::minutes kLongestKeeping{5};

/// What a path names.
struct CrlOf {
  std::string group;
  std::string serial;
};
struct IssuerOf {
  std::string group;
  std::string serial;
};
struct Status {
  std::optional<Bytes> request;  ///< absent: it is the body
};
using Place = std::variant<CrlOf, IssuerOf, Status>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// "{serial}/{group}.crl". Neither needs an encoding, so none is looked through.
template <class Named>
std::optional<Place> named_in(std::string_view path, std::string_view folder, std::string_view extension) {
  if (!path.starts_with(folder) || !path.ends_with(extension)) return std::nullopt;
  path.remove_prefix(folder.size());
  if (path.size() <= extension.size()) return std::nullopt;
  path.remove_suffix(extension.size());
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view serial = path.substr(0, slash);
  const std::string_view group = path.substr(slash + 1);
  const auto in_name = [](char c) { return is_letter(c) || is_digit(c); };
  if (serial.empty() || group.empty() || !std::all_of(serial.begin(), serial.end(), in_name) ||
      !std::all_of(group.begin(), group.end(), in_name))
    return std::nullopt;
  return Named{std::string(group), std::string(serial)};
}

/// The request of a GET: base64 of the DER, percent-encoded where its author thought so [RFC6960 A.1].
std::optional<Bytes> request_in(std::string_view encoded) {
  const std::string text = percent_decode(encoded);
  const auto in_base64 = [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '/' || c == '=';
  };
  if (text.empty() || text.size() > kLongestOcspRequest * 4 / 3 + 4 ||
      !std::all_of(text.begin(), text.end(), in_base64))
    return std::nullopt;
  auto octets = parse_base64(text);
  if (!octets || octets->size() > kLongestOcspRequest) return std::nullopt;
  return *std::move(octets);
}

/// Nothing where a path names nothing of ours; a query is part of no name.
std::optional<Place> place_of(std::string_view target) {
  if (auto crl = named_in<CrlOf>(target, "/certs/crl/", ".crl")) return crl;
  if (auto issuer = named_in<IssuerOf>(target, "/certs/issuer/", ".cer")) return issuer;
  if (target == kOcsp || target == "/ocsp/") return Status{};
  if (!target.starts_with("/ocsp/")) return std::nullopt;
  auto request = request_in(target.substr(kOcsp.size() + 1));
  if (!request) return std::nullopt;
  return Status{std::move(request)};
}

bool is_read_only(const Place& place) {
  const auto* status = std::get_if<Status>(&place);
  return status == nullptr || status->request;
}

HttpResponse not_found(const HttpRequest& request) {
  return text_response(404, "there is nothing at this path", request.request_id);
}

/// Whether a client has the very octets already [RFC9110 13.1.2].
bool has_it(const HttpRequest& request, std::string_view tag) {
  const auto known = request.headers.value("If-None-Match");
  return known && request.method != "POST" && (*known == "*" || known->find(tag) != std::string_view::npos);
}

}  // namespace

PublicationHandler::PublicationHandler(Publications& publications, const Clock& clock, Rate per_address)
    : publications_(publications), clock_(clock), requests_of_addresses_(per_address) {}

HeadVerdict PublicationHandler::on_head(const HttpRequest& head) {
  if (const auto wait = requests_of_addresses_.take(network_of_subscriber(head.remote_address),
                                                    Throttle::Moment::clock::now()))
    return HeadVerdict::refuse(too_many_requests(head, *wait));
  const auto place = place_of(head.target);
  if (!place) return HeadVerdict::refuse(not_found(head));
  const bool reads = head.method == "GET" || head.method == "HEAD";
  if (is_read_only(*place) ? !reads : head.method != "POST")
    return HeadVerdict::refuse(method_not_allowed(head, "this path has no such method",
                                                  is_read_only(*place) ? "GET, HEAD" : "POST"));
  if (reads) return HeadVerdict::accept(0);
  if (!has_content_type(head, kOcspRequest))
    return HeadVerdict::refuse(
        text_response(415, "an OCSP request is posted as application/ocsp-request", head.request_id));
  return HeadVerdict::accept(kLongestOcspRequest);
}

void PublicationHandler::on_request(HttpRequest request, Responder responder) {
  responder.respond(serve(request));
}

HttpResponse PublicationHandler::serve(const HttpRequest& request) {
  const auto place = place_of(request.target);
  if (!place) return not_found(request);
  if (const auto* status = std::get_if<Status>(&*place)) {
    const auto body = request.body.to_bytes(kLongestOcspRequest);
    const Bytes& asked = status->request ? *status->request : body.value_or(Bytes());
    return response_of(publications_.ocsp(asked, network_of_subscriber(request.remote_address)),
                       "application/ocsp-response", request);
  }
  const auto* crl = std::get_if<CrlOf>(&*place);
  const auto* issuer = std::get_if<IssuerOf>(&*place);
  const auto found = crl != nullptr ? publications_.crl(crl->group, crl->serial)
                                    : publications_.issuer(issuer->group, issuer->serial);
  if (found)
    return response_of(*found, crl != nullptr ? "application/pkix-crl" : "application/pkix-cert", request);
  if (found.error().kind == ErrorKind::NotFound || found.error().kind == ErrorKind::InvalidInput)
    return not_found(request);
  log::error("publication-failed", {{"request", request.request_id}, {"reason", found.error().detail}});
  return later_response(503, "this cannot be done at the moment", std::chrono::seconds(60),
                        request.request_id);
}

/// [RFC5019 6.2]: what a cache between us and those who ask has to know.
HttpResponse PublicationHandler::response_of(const Published& published, std::string_view content_type,
                                             const HttpRequest& request) const {
  HttpResponse response;
  response.headers.set("X-Content-Type-Options", "nosniff");
  if (!published.until) {
    response.headers.set("Cache-Control", "no-store");
  } else {
    const auto left = std::chrono::floor<std::chrono::seconds>(*published.until - clock_.now());
    const auto keep = std::clamp<std::chrono::seconds>(left, std::chrono::seconds(0), kLongestKeeping);
    const std::string tag = "\"" + hex_lower(digest(Hash::Sha1, published.der)) + "\"";
    response.headers.set("Cache-Control",
                         fmt::format("max-age={}, public, no-transform, must-revalidate", keep.count()));
    response.headers.set("Last-Modified", to_http_date(published.made));
    response.headers.set("Expires", to_http_date(clock_.now() + keep));
    response.headers.set("ETag", tag);
    if (has_it(request, tag)) {
      response.status = 304;
      return response;
    }
  }
  response.headers.set("Content-Type", content_type);
  response.body = Slice::of(published.der);
  return response;
}

}  // namespace signet::gateway
