#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "certstore/vault/access_policy.h"
#include "certstore/vault/algorithms.h"
#include "certstore/vault/deletion.h"
#include "certstore/vault/import.h"
#include "certstore/vault/key.h"
#include "certstore/vault/rotation_policy.h"

/// The key vault: performs operations with private keys for those whom a policy allows, and never gives one
/// out.

namespace signet::vault {

/// What a new key is to be, beside its kind.
struct KeySettings {
  std::optional<KeyOps> ops;  ///< default_key_ops() unless given
  KeyAttributes attributes;
  Tags tags;
  /// It has to be in a token. Where the vault has one it is in any case; elsewhere it is refused
  /// (Unsupported).
  bool in_token = false;
};

/// One interface for every back end. Thread-safe. Each operation asks the access policy for the permission of
/// its name, then the key's attributes and key_ops, and leaves an audit record; the permission comes first,
/// so that somebody without it does not learn which keys there are.
///
/// Errors of every operation:
/// @error PermissionDenied  the principal lacks the permission; the key is expired, not yet valid, or not
///                          meant for this operation; or it belongs to a certificate, with which alone it
///                          changes. Says which, and what to do.
/// @error Disabled          of operations with the key: it is disabled.
/// @error NotFound          no such key, or no such version.
/// @error InvalidInput      a name, a digest or an algorithm that does not fit.
/// @error Unavailable       the key at rest cannot be opened: damaged, or not of this master key; or the
/// token
///                          that holds it is away, or does not do what it should.
/// @error IoFailure, ...    the store or the audit log failed; nothing was done, or its result is withheld.
class KeyVault {
 public:
  virtual ~KeyVault() = default;

  /// Makes a key inside the vault; a new version, which becomes the current one, if the name is there
  /// already. @error DeletedButRecoverable  the name is that of a deleted key.
  virtual Result<KeyInfo> create_key(const Principal& principal, std::string_view vault,
                                     std::string_view name, KeyKind kind, const KeySettings& settings) = 0;
  /// Takes a key in, as create_key().
  virtual Result<KeyInfo> import_key(const Principal& principal, std::string_view vault,
                                     std::string_view name, const KeyMaterial& key,
                                     const KeySettings& settings) = 0;
  virtual Result<KeyInfo> get(const Principal& principal, const KeyId& id) = 0;
  /// The current version of every key, by name.
  virtual Result<std::vector<KeyInfo>> list(const Principal& principal, std::string_view vault) = 0;
  /// All versions, the newest first. Needs `list`.
  virtual Result<std::vector<KeyInfo>> versions(const Principal& principal, std::string_view vault,
                                                std::string_view name) = 0;
  /// Changes what is said about one version. Needs `update`.
  virtual Result<KeyInfo> update(const Principal& principal, const KeyId& id, const KeyUpdate& update) = 0;

  /// Takes a key with all its versions out of use, until it is recovered, or purged when the vault's
  /// retention is over. Its name stays taken meanwhile. Needs `delete`.
  ///
  /// @error AlreadyExists  something links to the key and would be left without it; says what.
  virtual Result<DeletedKey> delete_key(const Principal& principal, std::string_view vault,
                                        std::string_view name) = 0;
  /// What is deleted in a vault, by name. Needs `list`.
  virtual Result<std::vector<DeletedKey>> list_deleted_keys(const Principal& principal,
                                                            std::string_view vault) = 0;
  /// Needs `get`.
  virtual Result<DeletedKey> get_deleted_key(const Principal& principal, std::string_view vault,
                                             std::string_view name) = 0;
  /// Puts a deleted key back to use, as it was. @returns its current version.
  virtual Result<KeyInfo> recover_key(const Principal& principal, std::string_view vault,
                                      std::string_view name) = 0;
  /// Removes a deleted key for good. @error PermissionDenied  also: the vault has purge protection.
  virtual Result<> purge_key(const Principal& principal, std::string_view vault, std::string_view name) = 0;

  /// A key with all its versions and what is said of them, but for its rotation policy, as a blob that nobody
  /// can read or change and that only this installation takes back. Needs `backup`.
  ///
  /// @error LimitExceeded  it would have more than kMaxBackupSize octets.
  /// @error Unsupported    a token holds the private half, and gives it to nobody.
  virtual Result<Bytes> backup_key(const Principal& principal, std::string_view vault,
                                   std::string_view name) = 0;
  /// Puts such a key back under its name, into this vault or another one. Needs `restore`.
  ///
  /// @returns its current version.
  /// @error InvalidInput           the blob was changed, comes from another installation, or is no key's.
  /// @error AlreadyExists          the name is in use.
  /// @error Unsupported            the keys of the vault are in a token.
  /// @error DeletedButRecoverable  the name is that of a deleted key.
  virtual Result<KeyInfo> restore_key(const Principal& principal, std::string_view vault, ByteView blob) = 0;

  /// Makes a new version like the current one, which expires when the key's rotation policy says. Needs
  /// `rotate`.
  virtual Result<KeyInfo> rotate_key(const Principal& principal, std::string_view vault,
                                     std::string_view name) = 0;
  /// default_rotation_policy() where none was set. Needs `getrotationpolicy`.
  virtual Result<RotationPolicy> rotation_policy(const Principal& principal, std::string_view vault,
                                                 std::string_view name) = 0;
  /// Replaces a key's policy; the times in `policy` are not looked at. Needs `setrotationpolicy`.
  ///
  /// @error InvalidInput  see check_rotation_policy().
  virtual Result<RotationPolicy> set_rotation_policy(const Principal& principal, std::string_view vault,
                                                     std::string_view name, const RotationPolicy& policy) = 0;

  /// @param digest  exactly as long as the algorithm's hash gives. @returns for ES algorithms r || s.
  virtual Result<Bytes> sign(const Principal& principal, const KeyId& id, SignatureAlgorithm algorithm,
                             ByteView digest) = 0;
  /// @returns whether the signature is this key's over this digest.
  virtual Result<bool> verify(const Principal& principal, const KeyId& id, SignatureAlgorithm algorithm,
                              ByteView digest, ByteView signature) = 0;

  virtual Result<Bytes> encrypt(const Principal& principal, const KeyId& id,
                                const EncryptionAlgorithm& algorithm, ByteView plaintext) = 0;
  /// @error CryptoFailure  the ciphertext does not decrypt. With RSA1_5 that alone is an oracle
  /// (Bleichenbacher): never
  ///                       let a stranger tell it from any other failure.
  virtual Result<SecretBytes> decrypt(const Principal& principal, const KeyId& id,
                                      const EncryptionAlgorithm& algorithm, ByteView ciphertext) = 0;
  virtual Result<Bytes> wrap_key(const Principal& principal, const KeyId& id,
                                 const EncryptionAlgorithm& algorithm, ByteView key) = 0;
  /// As decrypt(), under its own permission.
  virtual Result<SecretBytes> unwrap_key(const Principal& principal, const KeyId& id,
                                         const EncryptionAlgorithm& algorithm, ByteView wrapped) = 0;
  /// ECDH (SEC 1 section 3.3.1): the x coordinate that both sides compute. Needs the permission and the
  /// key_op `decrypt`.
  ///
  /// @param peer_point  the other side's public key, SEC 1 section 2.3.3. @error InvalidInput  not on the
  /// key's curve.
  virtual Result<SecretBytes> derive(const Principal& principal, const KeyId& id, ByteView peer_point) = 0;
};

}  // namespace signet::vault
