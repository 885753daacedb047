#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "certstore/vault/key_store.h"
#include "certstore/vault/master_key.h"
#include "certstore/vault/private_key_internal.h"
#include "certstore/vault/token_store.h"
#include "certstore/vault/token_uri.h"

/// Internal to the embedded vault: who holds the private halves of a vault's keys. Either the vault itself,
/// sealed in their rows; or a token, and then what is sealed is the key's name there.

namespace signet::vault {

class Token;

/// Thread-safe.
class KeyHolders {
 public:
  /// The master key of the moment. @error Unavailable  the vault is sealed.
  using CurrentMasterKey = std::function<Result<std::shared_ptr<const MasterKey>>()>;

  /// @param store  null: every vault holds its keys itself
  KeyHolders(TokenStore* store, const Clock& clock, CurrentMasterKey master_key)
      : store_(store), clock_(clock), master_key_(std::move(master_key)) {}

  /// The token of a vault; null where the vault holds its keys itself.
  Result<std::shared_ptr<Token>> token_of(std::string_view vault);
  /// Token::log_out() of all.
  void log_out();
  [[nodiscard]] TokenStore* store() const { return store_; }

  /// @error Unsupported  a key has to be in a token, and the vault has none.
  Result<> check_offers(std::string_view vault, bool in_token);

  /// Makes a key, or takes one in, for a version that is still to be put: settle() is to follow, however that
  /// ends.
  Result<std::unique_ptr<PrivateKey>> generate(const KeyId& id, KeyKind kind);
  Result<std::unique_ptr<PrivateKey>> import(const KeyId& id, ByteView pkcs8);
  /// Opens one that is at rest.
  Result<std::unique_ptr<PrivateKey>> open(const KeyInfo& info, ByteView at_rest);

  /// Notes the objects of a name, or of a vault where the name is empty, whose rows are about to go.
  ///
  /// @returns what settle() is to be told.
  Result<std::vector<Bytes>> note(const KeyId& id);
  /// Removes those of the objects that no row names from the vault's token. What cannot be done stays noted.
  Result<> settle(std::string_view vault, const std::vector<Bytes>& objects);
  /// The same for whatever was noted more than kSettleAfter ago, and so cut short.
  Result<> settle_all();

 private:
  static constexpr std::chrono::hours kSettleAfter{1};

  enum class Damaged { LeftOut, Refused };
  /// What the rows of a name, or of a vault where the name is empty, have in the token.
  ///
  /// @error Unavailable  a row that has to open does not, so nobody knows which object is its.
  Result<std::vector<Bytes>> objects_of(const KeyId& id, Damaged damaged);

  TokenStore* const store_;
  const Clock& clock_;
  const CurrentMasterKey master_key_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Token>> tokens_;  ///< by URI
};

}  // namespace signet::vault
