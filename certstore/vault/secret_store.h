#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "certstore/vault/recoverable_store.h"
#include "certstore/vault/secret.h"

/// What the embedded vault must keep of its secrets. gateway/store implements it; nothing that passes here is
/// secret in the clear.

namespace signet::vault {

/// One version of a secret at rest.
struct StoredSecret {
  SecretInfo info;
  Bytes sealed;  ///< the value, sealed under the master key and bound to vault, name and version
};

/// Part of a transaction: it must not call a store.
using SecretChange = std::function<Result<>(SecretInfo&)>;

/// Thread-safe. A change is durable when its call returns. Vault and secret names are matched without regard
/// to ASCII case.
class SecretStore : public RecoverableStore<StoredSecret, SecretInfo> {
 public:
  /// Adds a version, which becomes the secret's current one.
  ///
  /// @error AlreadyExists          this version is there already; or the name is a certificate's, and the
  ///                               version not.
  /// @error DeletedButRecoverable  the name is that of a deleted secret.
  virtual Result<> put_version(const StoredSecret& secret) = 0;
  /// An empty version asks for the one put last. @error NotFound
  virtual Result<StoredSecret> load(const SecretId& id) = 0;
  /// The current version of every secret of a vault, by name.
  virtual Result<std::vector<SecretInfo>> list(std::string_view vault) = 0;
  /// All versions of a secret, the newest first; none when there is no such secret.
  virtual Result<std::vector<SecretInfo>> versions(std::string_view vault, std::string_view name) = 0;
  /// Changes settings and updated of a version, from what they are at that moment.
  ///
  /// @returns the version as it is then. @error NotFound, and what `change` returns
  virtual Result<SecretInfo> update(const SecretId& id, const SecretChange& change) = 0;
};

}  // namespace signet::vault
