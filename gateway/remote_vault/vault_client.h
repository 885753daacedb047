#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/remote_vault/access_tokens.h"
#include "gateway/remote_vault/vault_link.h"

namespace signet::gateway {

/// How long a vault is waited for. A message of a partner's waits as long.
struct VaultClientLimits {
  std::chrono::milliseconds connect{5'000};  ///< name, TCP and TLS
  std::chrono::milliseconds attempt{10'000};
  std::chrono::milliseconds whole{20'000};  ///< a call with all its attempts
  int attempts = 3;                         ///< of those that a vault answers 429, 500, 502, 503 or 504
  int attempts_without_answer = 2;
  std::chrono::milliseconds first_pause{200};  ///< doubled each time, where no Retry-After says otherwise
  /// After a call that brought no answer, this long every other one fails at once; then one may try.
  std::chrono::milliseconds rest{1'000};
  std::size_t answer = 256 * 1024;  ///< octets
  int pages = 200;                  ///< of a list
};

/// Calls of Key Vault's REST contract at one vault: over TLS alone, to its origin alone, without following
/// redirects. Thread-safe; threads do not wait for one another, but for a token.
///
/// Errors of every call, whose text names the vault and its URL:
/// @error InvalidInput      400: it does not like what it was asked.
/// @error PermissionDenied  401, 403, or there is no token to show.   @error Disabled  403, with that reason.
/// @error NotFound          404, with the words of a key vault.
/// @error AlreadyExists, DeletedButRecoverable  409.
/// @error Unavailable       anything else: no connection, TLS that fails, too slow, too long, a redirect, no
///                          answer of a key vault's.
class VaultClient {
 public:
  /// `client` outlives it.
  VaultClient(VaultLink link, HttpClient& client, VaultClientLimits limits);

  /// @param target  path, and query where there is one; the api-version is added
  Result<nlohmann::json> get(const std::string& target);
  Result<nlohmann::json> post(const std::string& target, const nlohmann::json& body);
  /// The same of what must not be done twice: it is asked for once, and no answer is none.
  Result<nlohmann::json> post_once(const std::string& target, const nlohmann::json& body);
  /// The items of all pages of a list.
  Result<std::vector<nlohmann::json>> list(const std::string& target);

  /// Ends every wait, and lets no other begin. The transfers are HttpClient::stop()'s.
  void stop();

  [[nodiscard]] const VaultLink& link() const { return link_; }
  /// "key vault 'x' (https://vault.example): ..."
  [[nodiscard]] Error told(ErrorKind kind, std::string_view text) const;

 private:
  using Steady = AccessTokens::Steady;
  struct Request {
    const std::string& target;
    const nlohmann::json* body = nullptr;  ///< a GET without one
    bool once = false;
  };
  /// The error object of Key Vault's answers.
  struct Words {
    std::string code;
    std::string inner;
    std::string message;
  };
  struct Reply {
    int status = 0;
    Slice body;
    std::string challenge;
    std::optional<std::chrono::milliseconds> retry_after;
    Words words;  ///< of a refusal
  };

  Result<nlohmann::json> call(const Request& request);
  Result<std::string> target_of(const std::string& next_link) const;
  Result<Reply> call_patiently(const Request& request, Steady::time_point deadline);
  Result<Reply> call_with_token(const Request& request, Steady::time_point deadline);
  Result<Reply> send(const Request& request, const std::optional<AccessToken>& token,
                     Steady::time_point deadline);
  static Words words_of(const Slice& body);
  static void blank_repeated(Reply& reply, const AccessToken& token);
  Result<nlohmann::json> read(const Reply& reply) const;
  [[nodiscard]] Error refusal(const Reply& reply) const;

  Result<> begin();
  void end(const Error* without_answer);
  bool pause(std::chrono::milliseconds time);

  const VaultLink link_;
  HttpClient& client_;
  const VaultClientLimits limits_;
  TlsTrust trust_;
  std::unique_ptr<AccessTokens> tokens_;

  std::mutex mutex_;  ///< guards what follows
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::optional<Error> silence_;  ///< why the last call brought no answer
  bool somebody_tries_ = false;
  Steady::time_point next_try_{};
};

}  // namespace signet::gateway
