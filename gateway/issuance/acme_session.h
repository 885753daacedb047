#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "certstore/vault/certificate_provider.h"
#include "gateway/endpoint/http_client.h"

/// Requests to an ACME service (RFC 8555 sections 6 and 7.1 to 7.3): directory, nonces, account.

namespace signet::gateway {

/// The way to the service.
struct AcmePorts {
  std::function<Result<HttpAnswer>(const HttpGet&)> get;
  std::function<Result<HttpAnswer>(const HttpPost&)> post;
};

/// A member of an object of the service's; empty where there is no such text.
std::string acme_text(const nlohmann::json& object, const char* member);

/// What the service answered to a signed request that it took.
struct AcmeReply {
  nlohmann::json body;   ///< null where it is no JSON
  std::string text;      ///< the body as it came
  std::string location;  ///< empty where it has none
  std::optional<std::chrono::seconds> retry_after;
};

/// A dealing with the service of one issuer, in the name of our account there. A nonce that the service does
/// not like (badNonce, section 6.5) is replaced by the one that came with the refusal, some ten times.
///
/// Errors of every request, with the service's problem document (RFC 7807) in the text:
/// @error Unavailable       no answer, an answer of 5xx, rateLimited, badNonce time and again.
/// @error CryptoFailure     its TLS certificate is not trusted.
/// @error PermissionDenied  what is asked for is refused: rejectedIdentifier, badCSR, unauthorized, caa, ...
/// @error Unsupported       any other problem, or an answer that is not ACME's.
class AcmeSession {
 public:
  /// Reads the directory.
  static Result<AcmeSession> open(AcmePorts ports, vault::IssuerAccount& account);

  /// Makes an account of ours where there is none, with the issuer's account as external account binding
  /// (section 7.3.4) where one is set. The terms of service are agreed to by who set the issuer.
  ///
  /// @error Unsupported  it wants such a binding, and none is set or the password is no HMAC key.
  Result<> ensure_account();

  /// POST in the account's name. `url` is one of the service's own.
  Result<AcmeReply> post(const std::string& url, const nlohmann::json& payload);
  /// POST-as-GET (section 6.3).
  Result<AcmeReply> fetch(const std::string& url);

  /// A URL of the directory, such as "newOrder". @error Unsupported  it has none.
  [[nodiscard]] Result<std::string> url(std::string_view resource) const;
  /// What a challenge's token is answered with (section 8.1).
  [[nodiscard]] Result<std::string> key_authorization(std::string_view token) const;

 private:
  AcmeSession(AcmePorts ports, vault::IssuerAccount& account)
      : ports_(std::move(ports)), account_(&account) {}
  Result<> register_account();
  Result<nlohmann::json> external_account_binding(const std::string& url, const nlohmann::json& jwk) const;
  Result<AcmeReply> send(const std::string& url, const std::string& payload,
                         const nlohmann::json& key_member);
  Result<HttpAnswer> post_once(const std::string& url, const std::string& payload,
                               const nlohmann::json& key_member);
  Result<std::string> take_nonce();
  [[nodiscard]] TlsTrust trust() const;

  AcmePorts ports_;
  vault::IssuerAccount* account_;
  nlohmann::json directory_;
  std::string nonce_;  ///< the one to be used next; empty for none
};

}  // namespace signet::gateway
