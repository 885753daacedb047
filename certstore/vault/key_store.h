#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "certstore/vault/access_policy.h"
#include "certstore/vault/key.h"
#include "certstore/vault/recoverable_store.h"
#include "certstore/vault/rotation_policy.h"

/// What the embedded vault must keep. gateway/store implements it; nothing that passes here is secret in the
/// clear.

namespace signet::vault {

/// One version of a key at rest.
struct StoredKey {
  KeyInfo info;
  /// The private half, or its name in a token; sealed under the master key and bound to vault, name, version
  /// and kind.
  Bytes sealed;
};

/// Part of a transaction: it must not call a store.
using KeyChange = std::function<Result<>(KeyInfo&)>;

/// From one master key to the next.
struct MasterKeyChange {
  Bytes check_before;  ///< MasterKey::check_value() of the old one
  Bytes check;         ///< and of the new one
  Bytes retired;       ///< the old one, sealed under the new one
  Time now{};
};

/// Opens what was sealed under one master key and seals it under another. Part of a transaction: it must not
/// call a store.
class Resealer {
 public:
  virtual ~Resealer() = default;
  virtual Result<Bytes> key(const KeyId& id, KeyKind kind, ByteView sealed) = 0;
  virtual Result<Bytes> secret(const KeyId& id, ByteView sealed) = 0;
  virtual Result<Bytes> issuer_password(const KeyId& issuer, ByteView sealed) = 0;
  virtual Result<Bytes> issuer_account_key(const KeyId& issuer, ByteView sealed) = 0;
  virtual Result<Bytes> retired_master_key(ByteView sealed) = 0;
};

/// Thread-safe. A change is durable when its call returns. Vault and key names are matched without regard to
/// ASCII case.
class KeyStore : public RecoverableStore<StoredKey, KeyInfo> {
 public:
  /// Adds a version, which becomes the key's current one, in one transaction.
  ///
  /// @error AlreadyExists          this version is there already; or the name is a certificate's, and the
  ///                               version not.
  /// @error DeletedButRecoverable  the name is that of a deleted key.
  virtual Result<> put_version(const StoredKey& key) = 0;
  /// An empty version asks for the one put last. @error NotFound
  virtual Result<StoredKey> load(const KeyId& id) = 0;
  /// The current version of every key of a vault, by name.
  virtual Result<std::vector<KeyInfo>> list(std::string_view vault) = 0;
  /// All versions of a key, the newest first; none when there is no such key.
  virtual Result<std::vector<KeyInfo>> versions(std::string_view vault, std::string_view name) = 0;
  /// Changes ops, attributes, tags and updated of a version, from what they are at that moment.
  ///
  /// @returns the version as it is then. @error NotFound, and what `change` returns
  virtual Result<KeyInfo> update(const KeyId& id, const KeyChange& change) = 0;

  /// What links to a key, as an error names it: "certificate 'acme'".
  virtual Result<std::vector<std::string>> users_of(std::string_view vault, std::string_view name) = 0;

  /// Whether the certificate service makes an issuer's key by this name in this vault, or did.
  virtual Result<bool> is_issuers(std::string_view vault, std::string_view name) = 0;

  /// What was put for a key; nothing for one without a policy of its own. Purging a key removes its policy.
  virtual Result<std::optional<RotationPolicy>> rotation_policy(std::string_view vault,
                                                                std::string_view name) = 0;
  /// @error NotFound  no such key, or one that belongs to a certificate.
  virtual Result<> put_rotation_policy(std::string_view vault, std::string_view name,
                                       const RotationPolicy& policy) = 0;
  /// The current version of every key in use that has a policy of its own or expires, in every vault, but for
  /// those that belong to certificates.
  virtual Result<std::vector<KeyInfo>> rotation_candidates() = 0;

  /// Those of every vault when none were put for this one.
  virtual Result<VaultSettings> settings(std::string_view vault) = 0;
  /// @error DeletedButRecoverable  the vault was deleted as a whole; so of put_policy(), and of new versions.
  virtual Result<> put_settings(std::string_view vault, const VaultSettings& settings) = 0;

  /// The policies of a vault, one per principal, whose names are matched without regard to ASCII case.
  virtual Result<std::vector<AccessPolicy>> policies(std::string_view vault) = 0;
  /// Replaces the policy of this principal in this vault; one without permissions removes it.
  virtual Result<> put_policy(const AccessPolicy& policy) = 0;

  /// MasterKey::check_value() of the key that everything here is sealed under; nothing before the first was
  /// put.
  virtual Result<std::optional<Bytes>> master_key_check() = 0;
  virtual Result<> put_master_key_check(ByteView check) = 0;

  /// In one transaction: everything that is sealed in this store and in those of the same database is sealed
  /// anew, the check value becomes the new key's, and the old key is kept.
  ///
  /// @error AlreadyExists  the check value is another than change.check_before: somebody was faster.
  /// @error                what `reseal` returns. Nothing was changed.
  virtual Result<> change_master_key(const MasterKeyChange& change, Resealer& reseal) = 0;
  /// The keys that were replaced so far, each sealed under the one of now; the newest first.
  virtual Result<std::vector<Bytes>> retired_master_keys() = 0;

  /// A number that is another one after any change of keys or policies, by this process or by another, and
  /// that does not change otherwise. Asked often: a few microseconds.
  virtual Result<std::uint64_t> generation() = 0;
};

}  // namespace signet::vault
