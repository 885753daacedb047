#include "gateway/api/callback_url.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/digest.h"
#include "base/percent_encoding.h"

namespace signet::gateway::api {
namespace {

constexpr std::string_view kVersion = "1.0";
constexpr std::string_view kPermission = "read";

Result<std::uint64_t> times_renewed(const AccountServices& services, AccessKey key) {
  SIGNET_TRY(const auto resource, services.resources.find(ResourceKind::AccessKey, to_string(key)));
  std::uint64_t times = 0;
  if (resource) std::from_chars(resource->json.data(), resource->json.data() + resource->json.size(), times);
  return times;
}

/// A key of its own for each time that it was renewed, and one over everything that the URL says.
Result<std::string> signature_of(const AccountServices& services, AccessKey key, std::string_view path,
                                 std::string_view api_version, std::string_view end) {
  SIGNET_TRY(const std::uint64_t times, times_renewed(services, key));
  SIGNET_TRY(const SecretBytes callback_key, services.callback_key());
  const Bytes own = hmac_sha256(callback_key.view(), as_bytes(fmt::format("{}:{}", to_string(key), times)));
  const std::string text =
      fmt::format("GET\n{}\n{}\n{}\n{}\n{}", to_lower(path), api_version, end, kPermission, kVersion);
  return base64url(hmac_sha256(own, as_bytes(text)));
}

Error not_open() {
  return {ErrorKind::PermissionDenied, "the signature of this address is not valid, or it is over"};
}

}  // namespace

std::string_view to_string(AccessKey key) { return key == AccessKey::Primary ? "Primary" : "Secondary"; }

Result<AccessKey> parse_access_key(std::string_view word) {
  if (word == "Primary" || word == "NotSpecified") return AccessKey::Primary;
  if (word == "Secondary") return AccessKey::Secondary;
  return fail(ErrorKind::InvalidInput,
              fmt::format("the member 'keyType' must be Primary or Secondary, not '{}'", printable(word)));
}

std::string CallbackUrl::text() const {
  std::string text = path;
  for (const auto& [name, value] : query)
    text += fmt::format("{}{}={}", &name == &query.front().first ? '?' : '&', name, percent_encode(value));
  return text;
}

Result<CallbackUrl> make_callback_url(const AccountServices& services, AccessKey key, const std::string& path,
                                      const std::string& api_version, Time end) {
  const std::string until = to_rfc3339(end);
  SIGNET_TRY(const std::string signature, signature_of(services, key, path, api_version, until));
  return CallbackUrl{path,
                     {{"api-version", api_version},
                      {"se", until},
                      {"sp", std::string(kPermission)},
                      {"sv", std::string(kVersion)},
                      {"sig", signature}}};
}

bool is_callback(const Target& target) {
  return std::any_of(target.query.begin(), target.query.end(),
                     [](const auto& pair) { return pair.first == "sig"; });
}

Result<> check_callback(const AccountServices& services, std::string_view path, const Target& target,
                        Time now) {
  SIGNET_TRY(const auto version, target.parameter("api-version"));
  SIGNET_TRY(const auto end, target.parameter("se"));
  SIGNET_TRY(const auto given, target.parameter("sig"));
  const auto until = parse_time(end.value_or(""));
  bool signed_by_us = false;
  for (const AccessKey key : {AccessKey::Primary, AccessKey::Secondary}) {
    SIGNET_TRY(const std::string signature,
               signature_of(services, key, path, version.value_or(""), end.value_or("")));
    // Both are computed and compared, whichever it is.
    if (equal_in_constant_time(as_bytes(signature), as_bytes(given.value_or("")))) signed_by_us = true;
  }
  if (!signed_by_us || !until || *until <= now) return fail(not_open());
  return {};
}

Result<> renew_access_key(const AccountServices& services, AccessKey key, Time now) {
  SIGNET_TRY(const std::uint64_t times, times_renewed(services, key));
  SIGNET_CHECK(
      services.resources.put(ResourceKind::AccessKey, to_string(key), std::to_string(times + 1), now));
  return {};
}

}  // namespace signet::gateway::api
