#include "gateway/remote_vault/challenge.h"

#include <fmt/format.h>

#include <map>

#include "base/bytes.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/remote_vault/vault_link.h"

namespace signet::gateway {
namespace {

using Parameters = std::map<std::string, std::string, std::less<>>;

Error unreadable(std::string_view field) {
  return {ErrorKind::InvalidInput,
          fmt::format("expected a challenge such as Bearer authorization=\"https://login.example/tenant\", "
                      "resource=\"https://vault.example\", got '{}'",
                      printable(field))};
}

/// name="value", with commas between (RFC 9110 section 11.2); the values have no quotes in them.
Result<Parameters> read_parameters(std::string_view rest) {
  const std::string_view field = rest;
  Parameters parameters;
  for (rest = trim(rest); !rest.empty(); rest = trim(rest)) {
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos || equals + 1 >= rest.size() || rest[equals + 1] != '"')
      return fail(unreadable(field));
    const std::size_t end = rest.find('"', equals + 2);
    if (end == std::string_view::npos) return fail(unreadable(field));
    parameters.emplace(to_lower(trim(rest.substr(0, equals))), rest.substr(equals + 2, end - equals - 2));
    rest.remove_prefix(end + 1);
    rest = trim(rest);
    if (rest.starts_with(',')) rest.remove_prefix(1);
  }
  return parameters;
}

std::string value_of(const Parameters& parameters, std::string_view name, std::string_view other) {
  if (const auto found = parameters.find(name); found != parameters.end()) return found->second;
  const auto found = parameters.find(other);
  return found == parameters.end() ? std::string() : found->second;
}

Result<> check_resource(const std::string& resource, std::string_view vault) {
  SIGNET_TRY(const UrlParts wanted, parse_url(resource));
  SIGNET_TRY(const UrlParts asked, parse_url(vault));
  if (wanted.scheme == "https" && (asked.host == wanted.host || asked.host.ends_with("." + wanted.host)))
    return {};
  return fail(ErrorKind::PermissionDenied,
              fmt::format("it asks for a token for {}, which it is no part of: no token is asked for",
                          url_for_people(resource)));
}

}  // namespace

Result<Challenge> read_challenge(std::string_view field, std::string_view vault) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!equal_ignoring_case(field.substr(0, kScheme.size()), kScheme)) return fail(unreadable(field));
  SIGNET_TRY(const Parameters parameters, read_parameters(field.substr(kScheme.size())));
  Challenge challenge;
  const std::string authority = value_of(parameters, "authorization", "authorization_uri");
  std::string resource = value_of(parameters, "resource", "");
  constexpr std::string_view kDefault = "/.default";
  const std::string scope = value_of(parameters, "scope", "");
  if (resource.empty() && scope.ends_with(kDefault))
    resource = scope.substr(0, scope.size() - kDefault.size());
  if (authority.empty() || resource.empty()) return fail(unreadable(field));
  SIGNET_TRY(challenge.authority, https_url(authority, "the challenge's authority"));
  // An issuer's name, as a Signet has it in jwt-issuer, ends with the version that token URLs have elsewhere.
  constexpr std::string_view kVersion = "/v2.0";
  if (challenge.authority.ends_with(kVersion))
    challenge.authority.resize(challenge.authority.size() - kVersion.size());
  while (resource.ends_with('/')) resource.pop_back();
  SIGNET_CHECK(check_resource(resource, vault));
  challenge.scope = resource + std::string(kDefault);
  return challenge;
}

bool is_at_or_below(std::string_view url, std::string_view root) {
  return url.starts_with(root) && (url.size() == root.size() || url[root.size()] == '/');
}

}  // namespace signet::gateway
