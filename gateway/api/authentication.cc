#include "gateway/api/authentication.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "gateway/api/principals.h"

namespace signet::gateway::api {
namespace {

/// What follows the scheme's name; empty where there is no bearer token.
std::string_view bearer_token(const HttpRequest& request) {
  constexpr std::string_view kScheme = "Bearer ";
  const auto field = request.headers.value("Authorization");
  if (!field || field->size() <= kScheme.size() ||
      !equal_ignoring_case(field->substr(0, kScheme.size()), kScheme))
    return {};
  return trim(field->substr(kScheme.size()));
}

}  // namespace

bool Authenticator::says_who(const HttpRequest& request) {
  return !bearer_token(request).empty() ||
         (!request.headers.value("Authorization") && request.client_certificate);
}

Result<Principal> Authenticator::authenticate(const HttpRequest& request) {
  if (const std::string_view token = bearer_token(request); !token.empty()) return holder_of(token);
  if (!says_who(request))
    return fail(ErrorKind::PermissionDenied, "AKV10000: Request is missing a Bearer or PoP token.");
  return admit(by_certificate(*request.client_certificate));
}

Result<Principal> Authenticator::holder_of(std::string_view token) { return admit(by_token(token)); }

Result<Principal> Authenticator::admit(Result<Principal> found) {
  SIGNET_TRY(Principal principal, std::move(found));
  if (!principal.enabled)
    return fail(ErrorKind::PermissionDenied, "the principal that this names is disabled");
  // A name that was free when the principal was made may be one of this machine's since.
  if (auto allowed = check_principal_name(principal.name); !allowed)
    return fail(ErrorKind::PermissionDenied, std::move(allowed.error().detail));
  return principal;
}

Result<Principal> Authenticator::by_token(std::string_view token) {
  if (jwts_ != nullptr && JwtVerifier::is_jwt(token)) return by_jwt(token);
  SIGNET_TRY(auto holder, store_.holder_of(token_hash(token)));
  if (!holder) return fail(ErrorKind::PermissionDenied, "the token is none that was given out here");
  if (clock_.now() >= holder->expires)
    return fail(ErrorKind::PermissionDenied,
                fmt::format("the token has ended at {}: ask for another one", to_rfc3339(holder->expires)));
  return std::move(holder->principal);
}

Result<Principal> Authenticator::by_jwt(std::string_view token) {
  SIGNET_TRY(const std::string subject, jwts_->subject_of(token));
  SIGNET_TRY(auto holder, store_.holder_of_jwt_subject(subject));
  if (!holder)
    return fail(ErrorKind::PermissionDenied,
                fmt::format("the token's subject '{}' is nobody's here", printable(subject)));
  return *std::move(holder);
}

Result<Principal> Authenticator::by_certificate(const certstore::Certificate& certificate) {
  SIGNET_TRY(auto holder, store_.holder_of_certificate(certificate.thumbprint_sha256()));
  if (!holder)
    return fail(ErrorKind::PermissionDenied, fmt::format("the client certificate {} is registered for nobody",
                                                         certificate.thumbprint_sha256()));
  if (!certificate.valid_at(clock_.now()))
    return fail(ErrorKind::PermissionDenied,
                fmt::format("the client certificate is valid from {} to {}, which is not now",
                            to_rfc3339(certificate.not_before()), to_rfc3339(certificate.not_after())));
  return *std::move(holder);
}

std::string vault_challenge(std::string_view authority, std::string_view resource, std::string_view error) {
  std::string field = fmt::format(R"(Bearer authorization="{}", resource="{}")", authority, resource);
  if (!error.empty()) field += fmt::format(R"(, error="{}")", error);
  return field;
}

std::string management_challenge(std::string_view authority, std::string_view error) {
  return fmt::format(
      R"(Bearer authorization_uri="{}", error="{}", error_description="a bearer token is needed")", authority,
      error.empty() ? "invalid_token" : error);
}

}  // namespace signet::gateway::api
