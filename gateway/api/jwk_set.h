#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace signet::gateway::api {

/// The public keys by which an issuer's tokens are verified: a JWK Set (RFC 7517 section 5). Immutable.
class JwkSet {
 public:
  /// Takes the keys that have a kid and verify signatures here: RSA of 2048 to 8192 bits, EC on P-256, P-384
  /// and P-521. Others are left aside, as section 5 asks for.
  ///
  /// @error InvalidInput  no JWK Set; two keys of one kid; a key that is taken and has private members; none
  /// that is taken.
  static Result<JwkSet> parse(std::string_view text);

  JwkSet(JwkSet&&) noexcept;
  JwkSet& operator=(JwkSet&&) noexcept;
  ~JwkSet();

  [[nodiscard]] bool has(std::string_view kid) const;
  [[nodiscard]] std::size_t size() const { return keys_.size(); }

  /// Whether the signature of a JWS in compact form (RFC 7515 section 7.1) is that of the key `kid`.
  ///
  /// @param algorithm  what the protected header names; the key has to be one for it: RS256, RS384, RS512,
  ///                   PS256, PS384, PS512, or the one of ES256, ES384 and ES512 that goes with its curve
  /// @error NotFound         no such key.
  /// @error PermissionDenied another algorithm, or a signature that does not verify.
  Result<> verify(std::string_view kid, std::string_view algorithm, std::string_view token) const;

 private:
  struct Key;
  JwkSet();
  [[nodiscard]] const Key* find(std::string_view kid) const;

  std::vector<std::unique_ptr<const Key>> keys_;
};

inline constexpr std::size_t kLongestJwkSet = 1024 * 1024;  ///< octets

}  // namespace signet::gateway::api
