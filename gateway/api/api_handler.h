#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "base/throttle.h"
#include "certstore/vault/audit_log.h"
#include "gateway/api/authentication.h"
#include "gateway/api/route.h"
#include "gateway/endpoint/http_server.h"

namespace signet::gateway::api {

struct ApiOptions {
  /// The public name, lower case: at it is the management plane, and at <vault>.<host> each vault.
  std::string host = "localhost";
  /// Listeners that are a vault's origin whatever host they are asked for: their names, and the vaults'.
  std::map<std::string, std::string, std::less<>> vaults = {};
  Rate per_principal = {};
  Rate per_address = {};  ///< whoever calls, and before it is known
  /// URL of who gives tokens out, as callers without one are told; empty: ourselves, under our tenant.
  std::string authority = {};
};

/// What the handler stands on; everything outlives it.
struct ApiPorts {
  Services services;
  vault::AuditLog& audit;
  std::function<Result<>()> sync_audit;  ///< returns once all records so far are on disk
  PrincipalStore& principals;
  JwtVerifier* jwts = nullptr;  ///< nothing where no issuer's tokens are taken
  /// While it says so, nothing of the vaults' origins is served.
  std::function<bool()> is_sealed = [] { return false; };
};

/// The REST services behind the HTTP front. Each call goes the same way, and the first refusal ends it:
/// too many (429)? Who is it (401)? Which route (404, 405)? May they (403)? Is the vault sealed (503)? Is it
/// well-formed (400, 413, 415)? Only then does a route's handler see it. Every answer of 400 and more has a
/// body of JSON that says why, and every call of somebody known leaves an audit record, which is on disk
/// before the answer leaves.
class ApiHandler final : public HttpHandler {
 public:
  ApiHandler(ApiPorts ports, ApiOptions options, Installation installation);

  HeadVerdict on_head(const HttpRequest& head) override;
  HttpResponse on_refusal(int status, const std::string& reason, const std::string& request_id) override;
  void on_request(HttpRequest request, Responder responder) override;

 private:
  /// Where a request was sent to.
  struct Place {
    Plane plane;
    std::string vault;   ///< on the vault plane
    std::string origin;  ///< "https://host:port"
  };
  /// What is known of a call, for its records.
  struct Trace {
    std::string principal;
    std::string_view route;  ///< the pattern
    vault::KeyId object;
  };

  Answer serve(const HttpRequest& request, Trace& trace);
  /// A request whose target is signed, in the place of a token.
  Answer serve_callback(const HttpRequest& request, const Target& target, Trace& trace);
  Answer call(const HttpRequest& request, const Principal& principal, const Place& place, Trace& trace);
  Result<Answer> handle(const Route& route, const Call& call);
  [[nodiscard]] Answer unauthorised(const HttpRequest& request, std::string_view reason) const;
  Result<> check_allowed(const Route& route, const Principal& principal, const Trace& trace);
  [[nodiscard]] Result<Place> place_of(const HttpRequest& request) const;
  Result<> record(const HttpRequest& request, const Trace& trace, const Answer& answer);

  ApiPorts ports_;
  const ApiOptions options_;
  const Installation installation_;
  Authenticator authenticator_;
  Throttle calls_of_addresses_;
  Throttle calls_of_principals_;
  std::mutex management_changes_;
};

}  // namespace signet::gateway::api
