#pragma once

#include <chrono>
#include <memory>

#include "base/clock.h"
#include "certstore/vault/audit_log.h"
#include "certstore/vault/key_store.h"
#include "certstore/vault/master_key.h"
#include "certstore/vault/secret_store.h"
#include "certstore/vault/vault.h"

namespace signet::vault {

struct EmbeddedVaultOptions {
  /// How old what is held in memory of policies and keys may grow before the store is asked whether another
  /// process changed something. Changes through this object count at once.
  std::chrono::milliseconds refresh_interval{1000};
};

/// The vault inside the gateway. Keys are sealed at rest under the master key, in a KeyStore, opened when
/// first used and then held, parsed and ready, in OpenSSL's secure heap. Secrets are sealed likewise, in a
/// SecretStore, and opened for each use.
class EmbeddedVault final : public KeyVault, public SecretVault {
 public:
  /// `store`, `secrets`, `audit` and `clock` must outlive the vault. The first master key that opens a store
  /// becomes the only one.
  ///
  /// @error CryptoFailure  the store's keys are sealed under another master key.
  static Result<std::unique_ptr<EmbeddedVault>> open(KeyStore& store, SecretStore& secrets, AuditLog& audit,
                                                     MasterKey master_key, const Clock& clock,
                                                     EmbeddedVaultOptions options = {});
  ~EmbeddedVault() override;

  /// Replaces what one principal may do in one vault; without permissions the policy is removed.
  ///
  /// @error PermissionDenied  only the local operator may.
  Result<> set_policy(const Principal& principal, const AccessPolicy& policy);
  /// The policies of a vault. @error PermissionDenied  only the local operator may.
  Result<std::vector<AccessPolicy>> policies(const Principal& principal, std::string_view vault);

  Result<KeyInfo> create_key(const Principal& principal, std::string_view vault, std::string_view name,
                             KeyKind kind, const KeySettings& settings) override;
  Result<KeyInfo> import_key(const Principal& principal, std::string_view vault, std::string_view name,
                             const KeyMaterial& key, const KeySettings& settings) override;
  Result<KeyInfo> get(const Principal& principal, const KeyId& id) override;
  Result<std::vector<KeyInfo>> list(const Principal& principal, std::string_view vault) override;
  Result<std::vector<KeyInfo>> versions(const Principal& principal, std::string_view vault,
                                        std::string_view name) override;
  Result<KeyInfo> update(const Principal& principal, const KeyId& id, const KeyUpdate& update) override;
  Result<Bytes> sign(const Principal& principal, const KeyId& id, SignatureAlgorithm algorithm,
                     ByteView digest) override;
  Result<bool> verify(const Principal& principal, const KeyId& id, SignatureAlgorithm algorithm,
                      ByteView digest, ByteView signature) override;
  Result<Bytes> encrypt(const Principal& principal, const KeyId& id, const EncryptionAlgorithm& algorithm,
                        ByteView plaintext) override;
  Result<SecretBytes> decrypt(const Principal& principal, const KeyId& id,
                              const EncryptionAlgorithm& algorithm, ByteView ciphertext) override;
  Result<Bytes> wrap_key(const Principal& principal, const KeyId& id, const EncryptionAlgorithm& algorithm,
                         ByteView key) override;
  Result<SecretBytes> unwrap_key(const Principal& principal, const KeyId& id,
                                 const EncryptionAlgorithm& algorithm, ByteView wrapped) override;
  Result<SecretBytes> derive(const Principal& principal, const KeyId& id, ByteView peer_point) override;

  Result<SecretInfo> set_secret(const Principal& principal, std::string_view vault, std::string_view name,
                                const SecretBytes& value, const SecretSettings& settings) override;
  Result<Secret> get_secret(const Principal& principal, const SecretId& id) override;
  Result<std::vector<SecretInfo>> list_secrets(const Principal& principal, std::string_view vault) override;
  Result<std::vector<SecretInfo>> secret_versions(const Principal& principal, std::string_view vault,
                                                  std::string_view name) override;
  Result<SecretInfo> update_secret(const Principal& principal, const SecretId& id,
                                   const SecretUpdate& update) override;
  Result<> delete_secret(const Principal& principal, std::string_view vault, std::string_view name) override;

 private:
  class State;
  explicit EmbeddedVault(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace signet::vault
