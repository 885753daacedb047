#pragma once

#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/handle.h"
#include "base/result.h"
#include "base/secret.h"
#include "certstore/vault/key_library_internal.h"
#include "certstore/vault/token_uri.h"

/// Internal: a token (HSM, smart card) behind its PKCS#11 module, version 2.40 of OASIS's standard. What is
/// done with keys in it is token_key_internal.h's.

namespace signet::vault {

inline void free_text(char* text) { std::free(text); }
using UriPtr = Handle<P11KitUri, p11_kit_uri_free>;

/// "CKR_PIN_INCORRECT"; a number in hexadecimal for what a vendor defines.
std::string name_of(CK_RV value);
/// Whether a call failed because of the session, the log-in or the token's presence, so that a new session
/// may do better.
bool is_lost_connection(CK_RV value);

class Token;

/// A session of the token's user, lent out by the token.
class TokenSession {
 public:
  TokenSession(TokenSession&& other) noexcept;
  TokenSession& operator=(TokenSession&&) = delete;
  ~TokenSession();

  [[nodiscard]] CK_FUNCTION_LIST* operator->() const { return functions_; }
  [[nodiscard]] CK_SESSION_HANDLE handle() const { return handle_; }
  /// Handles of objects are good for one connection. They are numbers that come anew after each.
  [[nodiscard]] std::uint64_t connection() const { return connection_; }
  [[nodiscard]] bool is_lost() const { return lost_; }
  /// Whether the token is there and the user logged in, by the module's own word.
  Result<> check_alive();
  /// Gives the connection up, where the module may not have noticed that the token is not the one it was.
  Error lose() {
    lost_ = true;
    return error("C_FindObjects", CKR_OBJECT_HANDLE_INVALID);
  }

  /// Takes note of what a call gave. @error Unavailable  names the token, the function and the value.
  Result<> check(std::string_view function, CK_RV value);
  [[nodiscard]] Error error(std::string_view function, CK_RV value) const;

 private:
  friend class Token;
  TokenSession(Token& token, CK_FUNCTION_LIST* functions, CK_SESSION_HANDLE handle, std::uint64_t connection)
      : token_(&token), functions_(functions), handle_(handle), connection_(connection) {}

  Token* token_;
  CK_FUNCTION_LIST* functions_;
  CK_SESSION_HANDLE handle_;
  std::uint64_t connection_;
  bool lost_ = false;
};

/// A token. Thread-safe: as many threads work at once as the token has sessions, up to kMostSessions; others
/// wait. Nothing is loaded or opened before the first use, and all of it anew after the token was away.
class Token {
 public:
  static constexpr std::size_t kMostSessions = 8;

  explicit Token(TokenUri uri) : uri_(std::move(uri)) {}
  ~Token();
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;

  [[nodiscard]] const TokenUri& uri() const { return uri_; }

  /// Closes all sessions, of work that is under way when it ends, and with the last one the log-in. Whoever
  /// needs a session next logs in again.
  void log_out() noexcept;

  /// Work in a session. It is done a second time where the first one failed for the connection. Some modules
  /// stand on OpenSSL themselves, in our process: what they leave in its error queue goes again.
  template <class Work>
  auto use(Work work) -> std::invoke_result_t<Work, TokenSession&> {
    const ErrorQueueMark mark;
    for (bool first = true;; first = false) {
      SIGNET_TRY(TokenSession session, take());
      auto outcome = work(session);
      if (outcome || !session.is_lost() || !first) return outcome;
    }
  }
  /// Work that must not be done twice.
  template <class Work>
  auto use_once(Work work) -> std::invoke_result_t<Work, TokenSession&> {
    const ErrorQueueMark mark;
    SIGNET_TRY(TokenSession session, take());
    return work(session);
  }

  /// Whether it is there and lets us in. @error Unavailable  says why not.
  Result<> check();

 private:
  friend class TokenSession;

  /// @error Unavailable  the module, the token, or the PIN.
  Result<TokenSession> take();
  void give_back(TokenSession& session) noexcept;

  /// Nothing where the token has no session left beside those that are lent out.
  Result<std::optional<CK_SESSION_HANDLE>> open();
  Result<std::optional<CK_SESSION_HANDLE>> open_once();
  Result<> load();
  Result<> find_slot();
  Result<> log_in(CK_SESSION_HANDLE session);
  [[nodiscard]] Result<bool> is_let_in(CK_SESSION_HANDLE session, CK_RV said, const SecretBytes& pin) const;
  Result<SecretBytes> read_pin() const;
  void disconnect() noexcept;
  void unload() noexcept;
  [[nodiscard]] Error error(std::string_view function, CK_RV value) const;

  const TokenUri uri_;
  std::mutex mutex_;
  std::condition_variable freed_;
  CK_FUNCTION_LIST* functions_ = nullptr;
  std::optional<CK_SLOT_ID> slot_;
  bool logged_in_ = false;
  bool is_lost_ = false;  ///< the module is to be started anew: many see a token that came back only then
  std::uint64_t connection_ = 1;
  std::size_t lent_ = 0;
  std::vector<CK_SESSION_HANDLE> idle_;
  SecretBytes refused_pin_;  ///< so that one wrong PIN is one try, of the few that a token gives
};

}  // namespace signet::vault
