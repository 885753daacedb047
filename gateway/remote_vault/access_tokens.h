#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "gateway/remote_vault/vault_link.h"

namespace signet::gateway {

class HttpClient;
struct TlsTrust;

/// What we show a vault.
struct AccessToken {
  SecretBytes value;
  bool fresh = false;  ///< nobody has a newer one: a vault that refuses it refuses us
};

/// Who we are at one vault. Thread-safe.
class AccessTokens {
 public:
  using Steady = std::chrono::steady_clock;
  virtual ~AccessTokens() = default;

  /// Nothing, while it is not known for what and from whom one is to be had: the vault says so when it is
  /// asked without one.
  ///
  /// @error PermissionDenied  the authority gives us none, or the file cannot be used; says what to do.
  /// @error Unavailable       the authority does not answer now.
  virtual Result<std::optional<AccessToken>> token(Steady::time_point deadline) = 0;
  /// The vault answered 401, with this in WWW-Authenticate. @param refused  what it was shown
  /// @error PermissionDenied, InvalidInput  a challenge that is not to be answered; says why.
  virtual Result<> challenged(std::string_view challenge, const std::optional<AccessToken>& refused) = 0;
  /// Where the token comes from, for people: "the token in /etc/signet/vault.token".
  [[nodiscard]] virtual std::string describe() const = 0;
};

/// The token of the link's file, as the file has it each time; or tokens of the authority that the vault's
/// challenge names, if it is the link's, each kept until shortly before its end and fetched by one thread at
/// a time (RFC 6749 section 4.4).
///
/// `link`, `client` and `trust` must outlive it.
std::unique_ptr<AccessTokens> make_access_tokens(const VaultLink& link, HttpClient& client,
                                                 const TlsTrust& trust);

}  // namespace signet::gateway
