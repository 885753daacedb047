#include "gateway/api/jwt.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"

namespace signet::gateway::api {
namespace {

using nlohmann::json;

constexpr std::chrono::minutes kReadAgainAfter{1};
constexpr std::size_t kLongestSubject = 255;

tl::unexpected<Error> refuse(std::string reason) {
  return fail(ErrorKind::PermissionDenied, std::move(reason));
}

/// A part of a token: base64url of a JSON object, whose names are all different, so that every reader finds
/// the same in it (RFC 7519 section 4, RFC 8725 section 2.4).
Result<json> parse_part(std::string_view part, std::string_view what) {
  const auto octets = parse_base64url(part);
  if (!octets) return refuse(fmt::format("the token's {} is not base64url", what));
  std::set<std::string> names;
  bool unique = true;
  const auto look_at = [&](int depth, json::parse_event_t event, const json& parsed) {
    if (event == json::parse_event_t::key && depth == 1)
      unique = names.insert(parsed.get<std::string>()).second && unique;
    return true;
  };
  json parsed = json::parse(octets->begin(), octets->end(), look_at, /*allow_exceptions=*/false);
  if (!parsed.is_object()) return refuse(fmt::format("the token's {} is no JSON object", what));
  if (!unique) return refuse(fmt::format("the token's {} has a member twice", what));
  return parsed;
}

std::optional<std::string> text_claim(const json& object, const std::string& name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

struct Header {
  std::string algorithm;
  std::string kid;
};

Result<Header> read_header(std::string_view part) {
  SIGNET_TRY(const json header, parse_part(part, "header"));
  // Extensions that have to be understood (RFC 7515 section 4.1.11): we know none.
  if (header.contains("crit")) return refuse("the token's header asks for an extension ('crit')");
  if (header.contains("cty")) return refuse("a token within a token is not taken");
  const std::string type = to_lower(text_claim(header, "typ").value_or("JWT"));
  if (type != "jwt" && type != "at+jwt")  // RFC 9068 section 2.1
    return refuse(fmt::format("the token's type is '{}', not JWT or at+jwt", printable(type)));
  auto algorithm = text_claim(header, "alg");
  auto kid = text_claim(header, "kid");
  if (!algorithm || !kid) return refuse("the token's header does not name its algorithm and its key");
  return Header{*std::move(algorithm), *std::move(kid)};
}

/// RFC 7519 section 2, NumericDate: seconds, which may have a fraction. Nothing when it is absent.
Result<std::optional<Time>> time_claim(const json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end()) return std::optional<Time>();
  constexpr double kLast = 253402300799;  // the year 9999
  const double seconds = found->is_number() ? found->get<double>() : -1;
  if (!(seconds >= 0 && seconds <= kLast))
    return refuse(fmt::format("the token's claim '{}' is no time", name));
  return std::optional(Time(std::chrono::microseconds(std::llround(std::floor(seconds) * 1e6))));
}

Result<> check_times(const json& claims, Time now) {
  SIGNET_TRY(const auto expires, time_claim(claims, "exp"));
  SIGNET_TRY(const auto begins, time_claim(claims, "nbf"));
  if (!expires) return refuse("the token has no end ('exp')");
  if (now >= *expires)
    return refuse(fmt::format("the token has ended at {}: ask for another one", to_rfc3339(*expires)));
  if (begins && now + kJwtLeeway < *begins)
    return refuse(fmt::format("the token counts from {} on", to_rfc3339(*begins)));
  return {};
}

bool has_audience(const json& claims, const std::vector<std::string>& ours) {
  const auto is_ours = [&](const json& audience) {
    return audience.is_string() &&
           std::find(ours.begin(), ours.end(), audience.get_ref<const std::string&>()) != ours.end();
  };
  const auto found = claims.find("aud");
  if (found == claims.end()) return false;
  return found->is_array() ? std::any_of(found->begin(), found->end(), is_ours) : is_ours(*found);
}

}  // namespace

JwtVerifier::JwtVerifier(JwtRules rules, JwkSet keys, ReadKeys read_keys, const Clock& clock)
    : rules_(std::move(rules)),
      read_keys_(std::move(read_keys)),
      clock_(clock),
      keys_(std::make_shared<const JwkSet>(std::move(keys))) {}

Result<std::string> JwtVerifier::subject_of(std::string_view token) {
  if (token.size() > kLongestJwt)
    return refuse(fmt::format("a token may have {} octets, not {}", kLongestJwt, token.size()));
  if (std::count(token.begin(), token.end(), '.') != 2)
    return refuse("a token in three parts is needed: header, claims and signature");
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  SIGNET_TRY(const Header header, read_header(token.substr(0, first)));
  SIGNET_TRY(const json claims, parse_part(token.substr(first + 1, last - first - 1), "claims"));
  const auto keys = keys_with(header.kid);
  if (const auto verified = keys->verify(header.kid, header.algorithm, token); !verified)
    return refuse(verified.error().detail);
  if (text_claim(claims, "iss") != rules_.issuer)
    return refuse(fmt::format("the token is not of the issuer '{}'", rules_.issuer));
  if (!has_audience(claims, rules_.audiences)) return refuse("the token is meant for another service");
  SIGNET_CHECK(check_times(claims, clock_.now()));
  auto subject = text_claim(claims, rules_.subject_claim);
  if (!subject || subject->empty() || subject->size() > kLongestSubject)
    return refuse(
        fmt::format("the token's claim '{}', which says who shows it, is no string", rules_.subject_claim));
  return *std::move(subject);
}

void JwtVerifier::take_up(JwkSet keys) {
  auto taken = std::make_shared<const JwkSet>(std::move(keys));
  const std::lock_guard lock(mutex_);
  keys_ = std::move(taken);
}

std::shared_ptr<const JwkSet> JwtVerifier::current_keys() {
  const std::lock_guard lock(mutex_);
  return keys_;
}

/// The keys, read again where they do not have the one that is asked for: the issuer may have begun to sign
/// with another.
std::shared_ptr<const JwkSet> JwtVerifier::keys_with(std::string_view kid) {
  auto keys = current_keys();
  if (keys->has(kid) || !may_read_again()) return keys;
  auto read = read_keys_();
  if (!read) {
    log::warning("jwt-keys-not-read", {{"reason", read.error().detail + "; the old keys stay"}});
    return keys;
  }
  take_up(*std::move(read));
  return current_keys();
}

bool JwtVerifier::may_read_again() {
  const Time now = clock_.now();
  const std::lock_guard lock(mutex_);
  // A clock that was set back does not keep the keys from being read.
  if (read_again_ && now >= *read_again_ && now - *read_again_ < kReadAgainAfter) return false;
  read_again_ = now;
  return true;
}

}  // namespace signet::gateway::api
