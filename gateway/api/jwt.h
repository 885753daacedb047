#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "gateway/api/jwk_set.h"

namespace signet::gateway::api {

/// Whose tokens are taken, and what of them says who shows one.
struct JwtRules {
  std::string issuer;                  ///< what `iss` has to be, character by character
  std::vector<std::string> audiences;  ///< of which `aud` has to have one
  std::string subject_claim = "sub";   ///< or `oid`, `appid`, `azp`, `client_id`: a string
};

/// Verifies JSON Web Tokens (RFC 7519) of one issuer, signed and in compact form, by the advice of RFC 8725:
/// the algorithm is one of the key's, the key is one of the issuer's, and nothing that the token brings along
/// (jku, jwk, x5c) is looked at. Thread-safe.
class JwtVerifier {
 public:
  /// Reads the issuer's keys again; asked for at most once a minute, when a token names one that is not
  /// there.
  using ReadKeys = std::function<Result<JwkSet>()>;

  /// The clock outlives this.
  JwtVerifier(JwtRules rules, JwkSet keys, ReadKeys read_keys, const Clock& clock);

  /// Whether a bearer token has the form of a JWT; ours have no dot.
  [[nodiscard]] static bool is_jwt(std::string_view token) {
    return token.find('.') != std::string_view::npos;
  }

  /// What the claim of the subject says, if the token's signature, issuer, audience and times are as they
  /// have to be: `exp` is needed and counts to the second, `nbf` may be kJwtLeeway ahead.
  ///
  /// @error PermissionDenied  says what is wrong with it.
  Result<std::string> subject_of(std::string_view token);

  /// From now on these keys count.
  void take_up(JwkSet keys);

 private:
  std::shared_ptr<const JwkSet> keys_with(std::string_view kid);
  [[nodiscard]] bool may_read_again();
  [[nodiscard]] std::shared_ptr<const JwkSet> current_keys();

  const JwtRules rules_;
  const ReadKeys read_keys_;
  const Clock& clock_;

  std::mutex mutex_;
  std::shared_ptr<const JwkSet> keys_;
  std::optional<Time> read_again_;
};

inline constexpr std::size_t kLongestJwt = 16 * 1024;  ///< octets
inline constexpr std::chrono::seconds kJwtLeeway{30};

}  // namespace signet::gateway::api
