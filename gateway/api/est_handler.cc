#include "gateway/api/est_handler.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "base/network.h"
#include "certstore/vault/audit_log.h"
#include "certstore/x509/certs_only.h"
#include "certstore/x509/issuers.h"
#include "certstore/x509/profile.h"
#include "gateway/api/authority_json.h"
#include "gateway/endpoint/basic_credentials.h"

namespace signet::gateway::api {
namespace {

constexpr std::string_view kPrefix = "/.well-known/est/";
constexpr std::size_t kLongestRequest = 96 * 1024;  ///< base64 of 64 KiB, with line ends
constexpr std::chrono::seconds kRetryAfter{30};
constexpr std::string_view kChallenge = R"(Basic realm="est", charset="UTF-8")";
/// Of whoever shows the certificate that is to be followed, in the audit log; its serial number comes behind.
constexpr std::string_view kByCertificate = "est:";
/// Requests of such ones that may wait for their approval at once, for an application: one for the
/// certificate that ends, and one where the device lost its key meanwhile.
constexpr std::size_t kMostWaiting = 2;
constexpr std::size_t kAtOnce = 200;  ///< rows that are read at once

/// Certificates in base64 of PKCS#7 "certs-only" [section 4.1.3].
Result<HttpResponse> certificates_response(const std::vector<certstore::Certificate>& certificates,
                                           std::string_view smime_type) {
  SIGNET_TRY(const Bytes bundle, certstore::make_certs_only(certificates));
  HttpResponse response;
  response.headers.set("Content-Type", fmt::format("application/pkcs7-mime{}", smime_type));
  response.headers.set("Content-Transfer-Encoding", "base64");
  // On one line: there are clients that take a line end for a digit [RFC8951 3.1].
  response.body = Slice::of(base64(bundle));
  return response;
}

/// A token comes by HTTP Basic, whose user has to be the one that it is of.
std::optional<BasicCredentials> basic_credentials(const HttpRequest& request) {
  return parse_basic_credentials(request.headers.value("Authorization").value_or(""));
}

/// For a filter, where some characters stand for others.
std::string literal_pattern(std::string_view text) {
  std::string pattern;
  for (const char c : text) {
    if (std::string_view("%_[]^\\").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

/// Names to be compared, in which neither their order counts nor the case of host names.
certstore::AlternativeNames sorted(certstore::AlternativeNames names) {
  for (std::string& name : names.dns_names) name = to_lower(name);
  for (auto* some : {&names.dns_names, &names.emails, &names.upns, &names.uris, &names.ip_addresses})
    std::sort(some->begin(), some->end());
  return names;
}

/// Of a certificate that is to be followed, the new one has the subject and the names: all of them, and no
/// others [RFC7030 4.2.2].
Result<> check_same_names(const certstore::CertificationRequest& request,
                          const certstore::Certificate& followed) {
  const certstore::CertificateProfile known = certstore::profile_of(followed);
  if (request.profile.subject == known.subject &&
      sorted(request.profile.alternative_names) == sorted(known.alternative_names))
    return {};
  return fail(
      ErrorKind::PermissionDenied,
      "who enrols again by his certificate asks for the same subject and the same subject alternative "
      "names, all of them and no others");
}

HttpResponse refusal_of(const Error& error, const HttpRequest& request) {
  const auto respond = [&](int status) { return text_response(status, error.detail, request.request_id); };
  switch (error.kind) {
    case ErrorKind::InvalidInput:
    case ErrorKind::Unsupported:
    case ErrorKind::CryptoFailure:
    case ErrorKind::LimitExceeded:
      return respond(400);
    case ErrorKind::NotFound:
      return respond(404);
    case ErrorKind::PermissionDenied:
    case ErrorKind::Disabled:
      return respond(403);
    case ErrorKind::AlreadyExists:
    case ErrorKind::DeletedButRecoverable:
      return respond(409);
    case ErrorKind::IoFailure:
    case ErrorKind::Unavailable:
    case ErrorKind::Internal:
      break;
  }
  log::error("est-failed", {{"request", request.request_id}, {"reason", error.detail}});
  return later_response(503, "this cannot be done at the moment", kRetryAfter, request.request_id);
}

HttpResponse unauthorised(std::string_view reason, const HttpRequest& request) {
  HttpResponse response = text_response(401, reason, request.request_id);
  response.headers.set("WWW-Authenticate", kChallenge);
  return response;
}

}  // namespace

EstHandler::EstHandler(EstPorts ports, std::string default_group, Rate per_address)
    : ports_(std::move(ports)),
      default_group_(std::move(default_group)),
      authenticator_(ports_.principals, nullptr, ports_.clock),
      requests_of_addresses_(per_address) {}

std::optional<EstHandler::Place> EstHandler::place_of(std::string_view target) const {
  if (!target.starts_with(kPrefix)) return std::nullopt;
  target.remove_prefix(kPrefix.size());
  const std::size_t slash = target.find('/');
  const bool has_label = slash != std::string_view::npos;
  std::string group = has_label ? std::string(target.substr(0, slash)) : default_group_;
  if (group.empty()) return std::nullopt;
  const std::string_view operation = has_label ? target.substr(slash + 1) : target;
  if (operation == "cacerts") return Place{std::move(group), Operation::CaCerts};
  if (operation == "simpleenroll") return Place{std::move(group), Operation::SimpleEnroll};
  if (operation == "simplereenroll") return Place{std::move(group), Operation::SimpleReenroll};
  return std::nullopt;
}

HeadVerdict EstHandler::on_head(const HttpRequest& head) {
  if (const auto wait = requests_of_addresses_.take(network_of_subscriber(head.remote_address),
                                                    Throttle::Moment::clock::now()))
    return HeadVerdict::refuse(too_many_requests(head, *wait));
  const auto place = place_of(head.target);
  if (!place)
    return HeadVerdict::refuse(text_response(404, "there is nothing at this path", head.request_id));
  const bool reads = place->operation == Operation::CaCerts;
  if (reads ? head.method != "GET" && head.method != "HEAD" : head.method != "POST")
    return HeadVerdict::refuse(
        method_not_allowed(head, "this path has no such method", reads ? "GET, HEAD" : "POST"));
  if (reads) return HeadVerdict::accept(0);
  if (!basic_credentials(head) && !head.client_certificate)
    return HeadVerdict::refuse(unauthorised("say who you are", head));
  if (!has_content_type(head, "application/pkcs10"))
    return HeadVerdict::refuse(
        text_response(415, "a request is posted as application/pkcs10, in base64", head.request_id));
  return HeadVerdict::accept(kLongestRequest);
}

void EstHandler::on_request(HttpRequest request, Responder responder) {
  const vault::AuditScope scope = vault::message_scope(request.request_id);
  const auto place = place_of(request.target);
  if (!place)
    return responder.respond(text_response(404, "there is nothing at this path", request.request_id));
  HttpResponse response = serve(request, *place);
  if (const auto synced = ports_.sync_audit(); !synced) response = refusal_of(synced.error(), request);
  log::info("est", {{"request", request.request_id},
                    {"remote", request.remote_address},
                    {"target", request.target},
                    {"status", std::to_string(response.status)}});
  responder.respond(std::move(response));
}

HttpResponse EstHandler::serve(const HttpRequest& request, const Place& place) {
  if (place.operation == Operation::CaCerts) {
    auto response = ca_certs(place);
    return response ? *std::move(response) : refusal_of(response.error(), request);
  }
  const auto enrolee = enrolee_of(request, place);
  if (!enrolee && enrolee.error().kind == ErrorKind::PermissionDenied)
    return unauthorised(enrolee.error().detail, request);
  if (!enrolee) return refusal_of(enrolee.error(), request);
  auto response = enroll(request, place, *enrolee);
  return response ? *std::move(response) : refusal_of(response.error(), request);
}

/// [section 4.1.2]: all that a client needs to believe what it gets.
Result<HttpResponse> EstHandler::ca_certs(const Place& place) {
  SIGNET_TRY(const auto issuers, ports_.store.issuers(place.group));
  std::vector<certstore::Certificate> all;
  for (const authority::IssuerVersion& issuer : issuers) {
    if (!issuer.certificate.valid_at(ports_.clock.now())) continue;
    all.push_back(issuer.certificate);
    for (const certstore::Certificate& above : issuer.chain)
      if (std::find(all.begin(), all.end(), above) == all.end()) all.push_back(above);
  }
  if (all.empty()) return fail(ErrorKind::NotFound, "there is no such group, or it has no issuer");
  return certificates_response(all, "");
}

Result<EstHandler::Enrolee> EstHandler::enrolee_of(const HttpRequest& request, const Place& place) {
  if (const auto shown = basic_credentials(request)) {
    SIGNET_TRY(const Principal principal, authenticator_.holder_of(trim(as_text(shown->password.view()))));
    if (!equal_ignoring_case(principal.name, shown->user))
      return fail(ErrorKind::PermissionDenied, "the token is none of this user's");
    return Enrolee{actor_of(principal), {}, {}};
  }
  const certstore::Certificate& certificate = *request.client_certificate;
  SIGNET_TRY(const auto holder, ports_.principals.holder_of_certificate(certificate.thumbprint_sha256()));
  if (holder) {
    SIGNET_TRY(const Principal principal, authenticator_.authenticate(request));
    return Enrolee{actor_of(principal), {}, {}};
  }
  if (place.operation == Operation::SimpleReenroll) return holder_of(certificate, place.group);
  return fail(ErrorKind::PermissionDenied, "the client certificate is registered for nobody");
}

/// Who has a certificate of the group that can be relied on may ask for its successor.
Result<EstHandler::Enrolee> EstHandler::holder_of(const certstore::Certificate& certificate,
                                                  const std::string& group) {
  SIGNET_TRY(const auto issuers, ports_.store.issuers(group));
  for (const authority::IssuerVersion& issuer : issuers) {
    if (!certstore::is_issued_by(certificate, issuer.certificate)) continue;
    SIGNET_TRY(const auto issued,
               ports_.store.issued(issuer.group, issuer.certificate.serial(), certificate.serial()));
    if (!certificate.valid_at(ports_.clock.now()) || !issued || issued->revoked) break;
    SIGNET_TRY(const authority::Request request, ports_.store.request(issued->request));
    if (request.revocation_requested) break;
    return Enrolee{{std::string(kByCertificate) + certificate.serial(), {authority::Role::Writer}},
                   issued->application,
                   certificate};
  }
  return fail(ErrorKind::PermissionDenied,
              "the client certificate is registered for nobody, and none of this group's that is good now");
}

Result<HttpResponse> EstHandler::enroll(const HttpRequest& request, const Place& place,
                                        const Enrolee& enrolee) {
  SIGNET_TRY(const Bytes body, request.body.to_bytes(kLongestRequest));
  auto der = parse_base64(as_text(body));
  if (!der) return fail(std::move(der).error().within("the body is base64 of a PKCS#10 request"));
  SIGNET_TRY(const auto wanted, certstore::CertificationRequest::parse(*der));
  if (enrolee.followed) SIGNET_CHECK(check_same_names(wanted, *enrolee.followed));
  SIGNET_TRY(const std::string application, application_for(enrolee, wanted));
  // One after the other: a device that asks twice at once makes one request, and takes it once.
  const std::lock_guard lock(mutex_);
  const authority::SigningOrder order{application, place.group, wanted.der};
  SIGNET_TRY(auto known, earlier(enrolee, order));
  if (!known) {
    if (enrolee.followed) SIGNET_CHECK(check_may_wait(enrolee, application));
    SIGNET_TRY(known, ports_.service.request_signing(enrolee.actor, order));
  }
  switch (known->state) {
    case authority::RequestState::Approved:
    case authority::RequestState::Accepted:
      if (known->state == authority::RequestState::Approved)
        SIGNET_CHECK(ports_.service.accept_request(enrolee.actor, known->id));
      return certificates_response({*known->certificate}, "; smime-type=certs-only");
    case authority::RequestState::Rejected:
    case authority::RequestState::Failed:
    case authority::RequestState::Revoked:
    case authority::RequestState::Removed:
      return fail(ErrorKind::PermissionDenied,
                  fmt::format("the request is {}: {}", to_string(known->state), known->reason));
    case authority::RequestState::New:
      break;
  }
  return later_response(202, fmt::format("request {} waits for its approval: ask again", known->id),
                        kRetryAfter, request.request_id);
}

/// Each request is work for an Approver, and a certificate that was lost is in anybody's hands.
Result<> EstHandler::check_may_wait(const Enrolee& enrolee, const std::string& application) {
  const authority::RequestFilter filter{.application = application, .states = {authority::RequestState::New}};
  std::size_t waiting = 0;
  authority::PageRequest part{0, kAtOnce};
  while (true) {
    SIGNET_TRY(const auto page, ports_.service.requests(enrolee.actor, filter, part));
    for (const authority::Request& request : page.items)
      if (request.submitted.by.starts_with(kByCertificate)) ++waiting;
    if (waiting >= kMostWaiting)
      return fail(
          ErrorKind::AlreadyExists,
          fmt::format("{} requests by certificates of this application wait for their approval: ask for "
                      "those again, or wait until they are decided about",
                      waiting));
    if (!page.next) return {};
    part.after = *page.next;
  }
}

Result<std::string> EstHandler::application_for(const Enrolee& enrolee,
                                                const certstore::CertificationRequest& request) {
  if (!enrolee.application.empty()) return enrolee.application;
  std::vector<authority::ApplicationFilter> filters;
  for (const std::string& uri : request.profile.alternative_names.uris)
    filters.push_back({.uri = literal_pattern(uri)});
  if (filters.empty()) filters.push_back({.name = literal_pattern(request.profile.subject.common_name())});
  std::vector<std::string> found;
  for (const authority::ApplicationFilter& filter : filters) {
    SIGNET_TRY(const auto page, ports_.service.applications(enrolee.actor, filter, {}));
    for (const authority::Application& application : page.items) found.push_back(application.id);
  }
  if (found.size() == 1) return found.front();
  return fail(ErrorKind::PermissionDenied,
              found.empty()
                  ? "no approved application has the URI, or the common name, of this request"
                  : "several approved applications have the URI, or the common name, of this request");
}

/// The same request, where it was made before and is not over: who asks again for what he has long had wants
/// another one, though. One that was rejected stays so, however often he asks.
Result<std::optional<authority::Request>> EstHandler::earlier(const Enrolee& enrolee,
                                                              const authority::SigningOrder& order) {
  using State = authority::RequestState;
  SIGNET_TRY(auto requests, ports_.service.requests_for(enrolee.actor, order));
  for (authority::Request& known : requests) {
    if (known.state == State::Revoked || known.state == State::Removed) continue;
    if (known.state == State::Accepted) {
      const certstore::Certificate& issued = *known.certificate;
      const auto middle = issued.not_before() + (issued.not_after() - issued.not_before()) / 2;
      if (ports_.clock.now() >= middle || enrolee.followed == issued) return std::nullopt;
    }
    return std::optional(std::move(known));
  }
  return std::nullopt;
}

}  // namespace signet::gateway::api
