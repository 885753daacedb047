#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/throttle.h"
#include "gateway/endpoint/http_server.h"
#include "gateway/publication/publications.h"

namespace signet::gateway {

/// Octets of an OCSP request: one certificate's takes about a hundred.
inline constexpr std::size_t kLongestOcspRequest = 4096;

/// A listener's handler that gives out what is public about our authorities, to whoever asks and without TLS,
/// since all of it is signed (RFC 5280 section 8 wants no TLS there, whose certificate would have to be
/// checked first):
///
///     GET, HEAD  /certs/crl/{serial}/{group}.crl      application/pkix-crl
///     GET, HEAD  /certs/issuer/{serial}/{group}.cer   application/pkix-cert
///     GET, HEAD  /ocsp/{request}                      application/ocsp-response [RFC6960 A.1]
///     POST       /ocsp                                application/ocsp-response
///
/// Everything else is 404. No answer depends on who asks, but whether there is one: each network has its
/// share.
class PublicationHandler final : public HttpHandler {
 public:
  /// @param per_address  how many requests an address may make; of IPv6, a network of /64
  PublicationHandler(Publications& publications, const Clock& clock, Rate per_address);

  HeadVerdict on_head(const HttpRequest& head) override;
  void on_request(HttpRequest request, Responder responder) override;

 private:
  HttpResponse serve(const HttpRequest& request);
  [[nodiscard]] HttpResponse response_of(const Published& published, std::string_view content_type,
                                         const HttpRequest& request) const;

  Publications& publications_;
  const Clock& clock_;
  Throttle requests_of_addresses_;
};

}  // namespace signet::gateway
