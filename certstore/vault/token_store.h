#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "certstore/vault/key.h"

/// What an embedded vault whose keys are in tokens must keep beside its keys. gateway/store implements it.

namespace signet::vault {

/// A private half at rest, wherever it is: of a version, deleted or not, or of an operation with a
/// certificate that is in progress.
struct KeyAtRest {
  KeyId id;
  Bytes public_key;
  Bytes sealed;
};

/// An object of a token of which a row may not speak: one that is being made, or whose key is being purged.
/// It is noted before, so that what is cut short in between is known afterwards.
struct NotedObject {
  std::string vault;
  Bytes id;  ///< CKA_ID
};

/// Thread-safe. A change is durable when its call returns. Vault names are matched without regard to ASCII
/// case.
class TokenStore {
 public:
  virtual ~TokenStore() = default;

  /// The URI of the token that a vault's keys are in (TokenUri); nothing where they are in the store.
  virtual Result<std::optional<std::string>> token(std::string_view vault) = 0;
  /// @error AlreadyExists  the vault has none and holds keys, deleted ones included, or operations with
  ///                       certificates.
  virtual Result<> put_token(std::string_view vault, std::string_view uri) = 0;

  /// Every private half of a vault.
  virtual Result<std::vector<KeyAtRest>> keys_at_rest(std::string_view vault) = 0;

  virtual Result<> note_objects(std::string_view vault, const std::vector<Bytes>& ids, Time now) = 0;
  /// What was noted by `before`, and is still.
  virtual Result<std::vector<NotedObject>> noted_objects(Time before) = 0;
  virtual Result<> forget_objects(std::string_view vault, const std::vector<Bytes>& ids) = 0;
};

}  // namespace signet::vault
