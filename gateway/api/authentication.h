#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "gateway/api/principal.h"
#include "gateway/endpoint/http_message.h"

namespace signet::gateway::api {

/// Finds out who makes a request.
class Authenticator {
 public:
  /// Both outlive this.
  Authenticator(PrincipalStore& store, const Clock& clock) : store_(store), clock_(clock) {}

  /// Whether a request says at all who makes it; without a look at what it says.
  [[nodiscard]] static bool says_who(const HttpRequest& request);

  /// The enabled principal whose token the field Authorization shows; without the field, the one whose
  /// management certificate the connection has proved to have the key of. Asked for every request, also on a
  /// connection that stays: what is revoked, removed, disabled or over counts at once.
  ///
  /// @error PermissionDenied  no token, one that is none or is over, a certificate that is nobody's or not
  /// valid now, or a disabled principal; the text is for the caller.
  /// @error ...               of the store.
  Result<Principal> authenticate(const HttpRequest& request);

 private:
  Result<Principal> by_token(std::string_view token);
  Result<Principal> by_certificate(const certstore::Certificate& certificate);

  PrincipalStore& store_;
  const Clock& clock_;
};

/// The field WWW-Authenticate, by which Azure's clients learn whom to ask for a token (RFC 6750 section 3).
///
/// Those of a vault take `resource` and the tenant from it, and check that the vault's host name ends in the
/// resource's.
/// @param origin  "https://host:port" of the management plane
/// @param error   "invalid_token" where one was shown
std::string vault_challenge(std::string_view origin, std::string_view resource, std::string_view tenant,
                            std::string_view error);
std::string management_challenge(std::string_view origin, std::string_view tenant, std::string_view error);

}  // namespace signet::gateway::api
