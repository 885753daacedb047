#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "certstore/vault/access_policy.h"
#include "certstore/vault/deletion.h"
#include "certstore/vault/key.h"

/// Secrets: passwords and the like, which unlike keys are given out, to those whom a policy allows.

namespace signet::vault {

/// A secret, or one version of it. Named as keys are; a key and a secret of one name are two things.
using SecretId = KeyId;

/// @error InvalidInput  says which part breaks which of the rules at KeyId.
Result<> check_secret_id(const SecretId& id);

/// When a secret may be used: never while it is disabled, nor before `not_before`, nor from `expires` on.
/// While it is disabled it is not given out; whether its time has come is for those to heed who get it, as in
/// Key Vault: check_usable().
using SecretAttributes = KeyAttributes;

/// What is said about a secret beside its value.
struct SecretSettings {
  std::string content_type;  ///< a note of its owner's such as "password"; up to 255 printable characters
  SecretAttributes attributes;
  Tags tags;
};

/// A change of what is said about one version: what is absent stays as it is.
struct SecretUpdate {
  std::optional<std::string> content_type;
  AttributesUpdate attributes;
  std::optional<Tags> tags;  ///< in place of all there were
};

/// Everything about one version of a secret that may be shown.
struct SecretInfo {
  SecretId id;  ///< with its version
  SecretSettings settings;
  Time created{};
  Time updated{};
  bool managed = false;  ///< as KeyInfo's
};

using DeletedSecret = Deleted<SecretInfo>;

struct Secret {
  SecretInfo info;
  SecretBytes value;
};

/// Whether a secret is given out. @error Disabled  says what to do.
Result<> check_enabled(const SecretInfo& info);

/// Whether a secret may be used at the time `now`. The gateway uses none without asking.
///
/// @error Disabled          it is disabled.
/// @error PermissionDenied  its time has not come, or is over; says what to do.
Result<> check_usable(const SecretInfo& info, Time now);

/// Octets of a value, as in Key Vault.
inline constexpr std::size_t kMaxSecretSize = 25 * 1024;

/// One interface for every back end. Thread-safe. Each operation asks the access policy for the permission of
/// its name, and leaves an audit record as the operations of KeyVault do.
///
/// Errors of every operation:
/// @error PermissionDenied  the principal lacks the permission, or the secret belongs to a certificate, with
///                          which alone it changes; says which, and what to do.
/// @error NotFound          no such secret, or no such version.
/// @error InvalidInput      a name, a value or a setting that does not fit.
/// @error Unavailable       the secret at rest cannot be opened: damaged, or not of this master key.
/// @error IoFailure, ...    the store or the audit log failed; nothing was done, or its result is withheld.
class SecretVault {
 public:
  virtual ~SecretVault() = default;

  /// Keeps a value of 1 to kMaxSecretSize octets: a new version, which becomes the current one.
  /// @error DeletedButRecoverable  the name is that of a deleted secret.
  virtual Result<SecretInfo> set_secret(const Principal& principal, std::string_view vault,
                                        std::string_view name, const SecretBytes& value,
                                        const SecretSettings& settings) = 0;
  /// Whatever its dates say. @error Disabled
  virtual Result<Secret> get_secret(const Principal& principal, const SecretId& id) = 0;
  /// The current version of every secret, by name.
  virtual Result<std::vector<SecretInfo>> list_secrets(const Principal& principal,
                                                       std::string_view vault) = 0;
  /// All versions, the newest first. Needs `list`.
  virtual Result<std::vector<SecretInfo>> secret_versions(const Principal& principal, std::string_view vault,
                                                          std::string_view name) = 0;
  /// Changes what is said about one version. Needs `set`.
  virtual Result<SecretInfo> update_secret(const Principal& principal, const SecretId& id,
                                           const SecretUpdate& update) = 0;
  /// As the functions of KeyVault, with the permissions for secrets.
  virtual Result<DeletedSecret> delete_secret(const Principal& principal, std::string_view vault,
                                              std::string_view name) = 0;
  virtual Result<std::vector<DeletedSecret>> list_deleted_secrets(const Principal& principal,
                                                                  std::string_view vault) = 0;
  virtual Result<DeletedSecret> get_deleted_secret(const Principal& principal, std::string_view vault,
                                                   std::string_view name) = 0;
  virtual Result<SecretInfo> recover_secret(const Principal& principal, std::string_view vault,
                                            std::string_view name) = 0;
  virtual Result<> purge_secret(const Principal& principal, std::string_view vault,
                                std::string_view name) = 0;
  virtual Result<Bytes> backup_secret(const Principal& principal, std::string_view vault,
                                      std::string_view name) = 0;
  virtual Result<SecretInfo> restore_secret(const Principal& principal, std::string_view vault,
                                            ByteView blob) = 0;
};

}  // namespace signet::vault
