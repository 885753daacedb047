#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "gateway/api/jwt.h"
#include "gateway/api/principal.h"
#include "gateway/endpoint/http_message.h"

namespace signet::gateway::api {

/// Finds out who makes a request.
class Authenticator {
 public:
  /// All outlive this. `jwts` may be nothing: then no JWT is taken.
  Authenticator(PrincipalStore& store, JwtVerifier* jwts, const Clock& clock)
      : store_(store), jwts_(jwts), clock_(clock) {}

  /// Whether a request says at all who makes it; without a look at what it says.
  [[nodiscard]] static bool says_who(const HttpRequest& request);

  /// The enabled principal whose token the field Authorization shows; without the field, the one whose
  /// management certificate the connection has proved to have the key of. Asked for every request, also on a
  /// connection that stays: what is revoked, removed, disabled or over counts at once. A token is one of
  /// ours, or a JWT that names the subject of a principal.
  ///
  /// @error PermissionDenied  no token, one that is none or is over, a certificate that is nobody's or not
  /// valid now, or a disabled principal; the text is for the caller.
  /// @error ...               of the store.
  Result<Principal> authenticate(const HttpRequest& request);
  /// The same of a token that comes in another way. @error  likewise
  Result<Principal> holder_of(std::string_view token);

 private:
  static Result<Principal> admit(Result<Principal> found);
  Result<Principal> by_token(std::string_view token);
  Result<Principal> by_jwt(std::string_view token);
  Result<Principal> by_certificate(const certstore::Certificate& certificate);

  PrincipalStore& store_;
  JwtVerifier* const jwts_;
  const Clock& clock_;
};

/// The field WWW-Authenticate, by which Azure's clients learn whom to ask for a token (RFC 6750 section 3).
///
/// Those of a vault take `resource` and the tenant from it, and check that the vault's host name ends in the
/// resource's.
/// @param authority  URL of who gives tokens out; the first segment of its path is the tenant
/// @param error      "invalid_token" where one was shown
std::string vault_challenge(std::string_view authority, std::string_view resource, std::string_view error);
std::string management_challenge(std::string_view authority, std::string_view error);

}  // namespace signet::gateway::api
