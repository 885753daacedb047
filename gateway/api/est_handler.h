#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/throttle.h"
#include "certstore/authority/authority.h"
#include "certstore/x509/certification_request.h"
#include "gateway/api/authentication.h"
#include "gateway/endpoint/http_server.h"

namespace signet::gateway::api {

/// What the handler stands on; everything outlives it.
struct EstPorts {
  authority::Authority& service;
  authority::AuthorityStore& store;
  PrincipalStore& principals;
  std::function<Result<>()> sync_audit;  ///< returns once all records so far are on disk
  const Clock& clock;
};

/// Enrolment over Secure Transport (RFC 7030): devices and partners that ask for their certificates
/// themselves, under the same approvals as everybody. On a TLS listener that wants client certificates:
///
///     GET   /.well-known/est/{group}/cacerts           anybody
///     POST  /.well-known/est/{group}/simpleenroll
///     POST  /.well-known/est/{group}/simplereenroll
///
/// The label (section 3.2.2) is the certificate group; paths may lack it where one group is the default. Who
/// enrols is a principal with the role Writer, by HTTP Basic with a token as its password or by its
/// management certificate; who enrols again may also show the certificate that is to be followed, one of the
/// group's that is valid, and neither revoked nor to be revoked; at most two such requests wait at once. A
/// request is for the approved application whose URI it has, or else whose name is its common name. While it
/// waits for an approval, the answer is 202 with Retry-After [section 4.2.3], and the same request asks
/// again.
class EstHandler final : public HttpHandler {
 public:
  /// @param default_group  of paths without a label; empty: there are none
  /// @param per_address    how many requests an address may make; of IPv6, a network of /64
  EstHandler(EstPorts ports, std::string default_group, Rate per_address);

  HeadVerdict on_head(const HttpRequest& head) override;
  void on_request(HttpRequest request, Responder responder) override;

 private:
  enum class Operation { CaCerts, SimpleEnroll, SimpleReenroll };
  struct Place {
    std::string group;
    Operation operation;
  };
  /// Who enrols, and for what he may.
  struct Enrolee {
    authority::Actor actor;
    std::string application;                         ///< the only one; empty: any
    std::optional<certstore::Certificate> followed;  ///< the certificate by which he is known
  };

  [[nodiscard]] std::optional<Place> place_of(std::string_view target) const;
  HttpResponse serve(const HttpRequest& request, const Place& place);
  Result<HttpResponse> ca_certs(const Place& place);
  Result<HttpResponse> enroll(const HttpRequest& request, const Place& place, const Enrolee& enrolee);
  /// @error PermissionDenied  nobody is known by what the request shows.
  Result<Enrolee> enrolee_of(const HttpRequest& request, const Place& place);
  Result<Enrolee> holder_of(const certstore::Certificate& certificate, const std::string& group);
  Result<std::string> application_for(const Enrolee& enrolee, const certstore::CertificationRequest& request);
  /// @error AlreadyExists  too many wait.
  Result<> check_may_wait(const Enrolee& enrolee, const std::string& application);
  Result<std::optional<authority::Request>> earlier(const Enrolee& enrolee,
                                                    const authority::SigningOrder& order);

  const EstPorts ports_;
  const std::string default_group_;
  Authenticator authenticator_;
  Throttle requests_of_addresses_;
  std::mutex mutex_;  ///< held while a request is looked for, and made or taken
};

}  // namespace signet::gateway::api
