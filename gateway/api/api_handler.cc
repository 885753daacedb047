#include "gateway/api/api_handler.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <exception>
#include <utility>

#include "base/json_texts.h"
#include "base/log.h"
#include "base/network.h"
#include "base/wipe_text.h"
#include "gateway/api/api_version.h"
#include "gateway/api/callback_url.h"
#include "gateway/api/json_body.h"

namespace signet::gateway::api {
namespace {

constexpr std::string_view kJson = "application/json; charset=utf-8";

HttpResponse response_of(const Answer& answer, const HttpRequest& request) {
  HttpResponse response;
  response.status = answer.status;
  response.headers = answer.headers;
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("Strict-Transport-Security", "max-age=31536000");
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("x-ms-request-id", request.request_id);
  if (const auto id = request.headers.value("x-ms-client-request-id"); id && printable(*id) == *id)
    response.headers.set("x-ms-client-request-id", *id);
  if (answer.file) response.body = *answer.file;
  if (!answer.body) return response;
  response.headers.set("Content-Type", kJson);
  std::string text = answer.body->dump(-1, ' ', false, Json::error_handler_t::replace);
  response.body = Slice::of(text);
  wipe_text(text);
  return response;
}

/// A body that nobody asked for is not looked at.
bool has_body(const HttpRequest& request) {
  return !request.body.empty() && request.method != "GET" && request.method != "DELETE";
}

Answer no_route(const HttpRequest& request, const Match& match) {
  if (match.methods.empty()) return answer_of(Problem{404, "NotFound", "there is nothing at this path"});
  Answer answer = answer_of(Problem{
      405, "MethodNotAllowed",
      fmt::format("this path has no {}; it has: {}", request.method, fmt::join(match.methods, ", "))});
  answer.headers.set("Allow", fmt::format("{}", fmt::join(match.methods, ", ")));
  return answer;
}

/// The code of what the HTTP front refuses.
std::string_view code_of_refusal(int status) {
  switch (status) {
    case 400:
      return "BadParameter";
    case 413:
      return "RequestBodyTooLarge";
    case 503:
      return "ServiceUnavailable";
    default:
      return "RequestRefused";
  }
}

Answer too_many(std::chrono::seconds wait) {
  Answer answer = answer_of(
      Problem{429, "Throttled",
              fmt::format("too many calls: wait for {} seconds before the next one", wait.count())});
  answer.headers.set("Retry-After", std::to_string(wait.count()));
  return answer;
}

Answer sealed() {
  Answer answer = answer_of(
      Problem{503, "ServiceUnavailable", "the vault is sealed: try again when its operator has opened it"});
  answer.headers.set("Retry-After", "60");
  return answer;
}

/// On the management plane, who lacks a role or a permission is told so by another code.
Problem problem_on(const Route& route, const Error& error) {
  if (route.plane == Plane::Management && error.kind == ErrorKind::PermissionDenied)
    return {403, "AuthorizationFailed", error.detail};
  return problem_of(error, not_found_code(route.needs));
}

void log_failure(const HttpRequest& request, const Error& error) {
  log::error("api-call-failed", {{"request", request.request_id},
                                 {"kind", std::string(to_string(error.kind))},
                                 {"reason", error.detail}});
}

}  // namespace

ApiHandler::ApiHandler(ApiPorts ports, ApiOptions options, Installation installation)
    : ports_(ports),
      options_(std::move(options)),
      installation_(std::move(installation)),
      authenticator_(ports_.principals, ports_.jwts, ports_.services.clock),
      calls_of_addresses_(options_.per_address),
      calls_of_principals_(options_.per_principal) {}

/// A client of Azure's asks the first time without a token and without its body, to be told where tokens come
/// from; so this comes before everything else that can be said of a request.
HeadVerdict ApiHandler::on_head(const HttpRequest& head) {
  if (const auto wait = calls_of_addresses_.take(network_of_subscriber(head.remote_address),
                                                 Throttle::Moment::clock::now()))
    return HeadVerdict::refuse(response_of(too_many(*wait), head));
  if (!Authenticator::says_who(head) && !is_callback(parse_target(head.target)))
    return HeadVerdict::refuse(
        response_of(unauthorised(head, "AKV10000: Request is missing a Bearer or PoP token."), head));
  const auto length = head.headers.value("Content-Length").value_or("0");
  std::uint64_t octets = 0;
  std::from_chars(length.data(), length.data() + length.size(), octets);
  if (octets > kLongestBody)
    return HeadVerdict::refuse(response_of(
        answer_of(Problem{413, "RequestBodyTooLarge",
                          fmt::format("a request's body may have {} octets, not {}", kLongestBody, octets)}),
        head));
  return HeadVerdict::accept(kLongestBody);
}

HttpResponse ApiHandler::on_refusal(int status, const std::string& reason, const std::string& request_id) {
  HttpRequest refused;
  refused.request_id = request_id;
  return response_of(answer_of(Problem{status, std::string(code_of_refusal(status)), reason}), refused);
}

void ApiHandler::on_request(HttpRequest request, Responder responder) {
  const vault::AuditScope scope = vault::message_scope(request.request_id);
  Trace trace;
  Answer answer;
  try {
    answer = serve(request, trace);
  } catch (const std::exception& thrown) {
    const Error error{ErrorKind::Internal, thrown.what()};
    log_failure(request, error);
    answer = answer_of(problem_of(error, {}));
  }
  if (const auto recorded = record(request, trace, answer); !recorded) {
    log_failure(request, recorded.error());
    answer = answer_of(problem_of(recorded.error(), {}));
  }
  responder.respond(response_of(answer, request));
  if (answer.body) wipe_texts(*answer.body);
}

Answer ApiHandler::serve(const HttpRequest& request, Trace& trace) {
  if (const Target target = parse_target(request.target);
      !Authenticator::says_who(request) && is_callback(target))
    return serve_callback(request, target, trace);
  const auto principal = authenticator_.authenticate(request);
  if (!principal && principal.error().kind == ErrorKind::PermissionDenied)
    return unauthorised(request, principal.error().detail);
  if (!principal) {
    log_failure(request, principal.error());
    return answer_of(problem_of(principal.error(), {}));
  }
  if (const auto wait = calls_of_principals_.take(principal->name, Throttle::Moment::clock::now()))
    return too_many(*wait);
  trace.principal = principal->name;
  const auto place = place_of(request);
  if (!place) return answer_of(problem_of(place.error(), "NotFound"));
  return call(request, *principal, *place, trace);
}

Answer ApiHandler::serve_callback(const HttpRequest& request, const Target& target, Trace& trace) {
  static const Principal kBearer{
      {}, "callback:url", {Role::Reader}, true, {}};  // no principal can have this name
  const auto place = place_of(request);
  const std::string_view path = path_of(request.target);
  const auto opens = check_callback(ports_.services.account, path, target, ports_.services.clock.now());
  if (!opens && opens.error().kind != ErrorKind::PermissionDenied) {
    log_failure(request, opens.error());
    return answer_of(problem_of(opens.error(), {}));
  }
  if (!opens || !place || place->plane != Plane::Management || request.method != "GET")
    return unauthorised(request, opens ? "this address is only for reading" : opens.error().detail);
  trace.principal = kBearer.name;
  return call(request, kBearer, *place, trace);
}

Answer ApiHandler::call(const HttpRequest& request, const Principal& principal, const Place& place,
                        Trace& trace) {
  const Target target = parse_target(request.target);
  Match match = find_route(routes(), place.plane, request.method, target.segments);
  if (match.route == nullptr) return no_route(request, match);
  const Route& route = *match.route;
  const std::string path(path_of(request.target));
  Call made{principal,      place.vault, place.origin, path, {}, target, std::move(match.parameters),
            Json::object(), {}};
  trace.route = route.pattern;
  trace.object = {place.vault, made.parameter("name"), made.parameter("version")};

  const auto refused = [&](const Error& error) { return answer_of(problem_on(route, error)); };
  if (const auto allowed = check_allowed(route, principal, trace); !allowed) return refused(allowed.error());
  if (place.plane == Plane::Vault && ports_.is_sealed()) return sealed();
  if (place.plane == Plane::Vault) {
    auto settings = ports_.services.vaults.administration.settings(place.vault);
    if (!settings) return refused(settings.error());
    made.settings = *settings;
  }
  auto version = read_api_version(target, place.plane);
  if (!version) return refused(version.error());
  made.api_version = *std::move(version);
  if (has_body(request)) {
    if (!has_content_type(request, "application/json"))
      return answer_of(Problem{415, "UnsupportedMediaType", "a request's body must be application/json"});
    auto body = parse_body(request.body);
    if (!body) return refused(body.error());
    made.body = *std::move(body);
  }
  auto answer = handle(route, made);
  wipe_texts(made.body);
  if (answer) return *std::move(answer);
  Answer refusal = refused(answer.error());
  if (refusal.status >= 500) log_failure(request, answer.error());
  return refusal;
}

/// Changes on the management plane come one after the other, so that each sees what those before it did.
Result<Answer> ApiHandler::handle(const Route& route, const Call& call) {
  std::unique_lock lock(management_changes_, std::defer_lock);
  if (route.plane == Plane::Management && route.method != "GET") lock.lock();
  return route.handle(ports_.services, call);
}

Result<> ApiHandler::check_allowed(const Route& route, const Principal& principal, const Trace& trace) {
  const vault::Principal caller{principal.name};
  if (const auto* role = std::get_if<Role>(&route.needs)) {
    if (principal.roles.has(*role)) return {};
    return fail(ErrorKind::PermissionDenied,
                fmt::format("principal '{}' lacks the role {}", principal.name, to_string(*role)));
  }
  if (const auto* permission = std::get_if<vault::KeyPermission>(&route.needs))
    return ports_.services.access.check_access(caller, to_string(*permission), trace.object, *permission);
  if (const auto* permission = std::get_if<vault::CertificatePermission>(&route.needs))
    return ports_.services.access.check_access(caller, to_string(*permission), trace.object, *permission);
  const auto permission = std::get<vault::SecretPermission>(route.needs);
  return ports_.services.access.check_access(caller, to_string(permission), trace.object, permission);
}

Answer ApiHandler::unauthorised(const HttpRequest& request, std::string_view reason) const {
  const auto place = place_of(request);
  const auto host = parse_host(request.headers.value("Host").value_or(options_.host));
  const Host management{options_.host, host ? host->port : ""};
  const std::string authority = options_.authority.empty()
                                    ? fmt::format("{}/{}", management.origin(), installation_.tenant)
                                    : options_.authority;
  const std::string_view error = Authenticator::says_who(request) ? "invalid_token" : "";
  Answer answer = answer_of(Problem{401, "Unauthorized", std::string(reason)});
  answer.headers.set("WWW-Authenticate", place && place->plane == Plane::Management
                                             ? management_challenge(authority, error)
                                             : vault_challenge(authority, "https://" + options_.host, error));
  return answer;
}

Result<ApiHandler::Place> ApiHandler::place_of(const HttpRequest& request) const {
  SIGNET_TRY(const Host host, parse_host(request.headers.value("Host").value_or("")));
  const auto own = options_.vaults.find(request.listener);
  if (own != options_.vaults.end()) return Place{Plane::Vault, own->second, host.origin()};
  if (host.name == options_.host) return Place{Plane::Management, {}, host.origin()};
  const std::string suffix = "." + options_.host;
  const std::string vault =
      host.name.ends_with(suffix) ? host.name.substr(0, host.name.size() - suffix.size()) : "";
  if (!vault::check_vault_name(vault))
    return fail(ErrorKind::NotFound,
                fmt::format("there is no service at the host '{}': the management plane is at {}, and each "
                            "vault at <vault>.{}",
                            host.name, options_.host, options_.host));
  return Place{Plane::Vault, vault, host.origin()};
}

/// Who is not known leaves no record, nor who calls too often: they could fill the disk with them. What a
/// call did with a key or a secret is on disk before its answer leaves.
Result<> ApiHandler::record(const HttpRequest& request, const Trace& trace, const Answer& answer) {
  log::info("api-call", {{"request", request.request_id},
                         {"remote", request.remote_address},
                         {"principal", trace.principal},
                         {"method", request.method},
                         {"route", std::string(trace.route)},
                         {"object", vault::to_string(trace.object)},
                         {"status", std::to_string(answer.status)}});
  if (trace.principal.empty()) return {};
  vault::AuditRecord record;
  record.time = ports_.services.clock.now();
  record.principal = trace.principal;
  record.operation = fmt::format("{} {}", request.method, trace.route.empty() ? "?" : trace.route);
  record.object = vault::AuditObject::Call;
  record.key = trace.object;
  record.message = request.request_id;
  record.result = answer.status < 400    ? vault::AuditResult::Success
                  : answer.status == 403 ? vault::AuditResult::Denied
                                         : vault::AuditResult::Failed;
  record.detail = fmt::format("status={} from={}", answer.status, request.remote_address);
  SIGNET_CHECK(ports_.audit.append(record));
  return ports_.sync_audit();
}

}  // namespace signet::gateway::api
