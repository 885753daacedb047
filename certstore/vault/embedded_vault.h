#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "certstore/vault/access_check.h"
#include "certstore/vault/audit_log.h"
#include "certstore/vault/certificate_lifetime.h"
#include "certstore/vault/certificate_orders.h"
#include "certstore/vault/key_store.h"
#include "certstore/vault/master_key.h"
#include "certstore/vault/secret_store.h"
#include "certstore/vault/token_store.h"
#include "certstore/vault/token_uri.h"
#include "certstore/vault/vault.h"
#include "certstore/vault/vault_certificate.h"
#include "certstore/vault/vault_certificate_store.h"

namespace signet::vault {

/// What a rotation policy led to.
struct RotationEvent {
  enum class What { Rotated, NearExpiry, Failed };
  What what = What::Failed;
  KeyInfo key;         ///< the new version of Rotated, else the current one
  std::string reason;  ///< of Failed
};

/// What those read who need a key while there is none.
inline constexpr std::string_view kSealed = "the vault is sealed: `signet vault unseal` opens it";

struct EmbeddedVaultOptions {
  /// For vaults whose keys are in tokens; must outlive the vault. Without one every vault holds its keys.
  TokenStore* tokens = nullptr;
};

/// The vault inside the gateway. Keys are sealed at rest under the master key, in a KeyStore, opened when
/// first used and then held, parsed and ready, in OpenSSL's secure heap; or they are in a PKCS#11 token,
/// which makes and uses them, and their names in it are sealed. Secrets are sealed likewise, in a
/// SecretStore, and opened for each use. Certificates are in a VaultCertificateStore; a change of one comes
/// to its key and its secret in the same transaction, so the three stores are of one database.
class EmbeddedVault final : public KeyVault,
                            public SecretVault,
                            public CertificateVault,
                            public CertificateOrders,
                            public CertificateLifetimes,
                            public AccessCheck {
 public:
  /// `store`, `secrets`, `certificates`, `audit` and `clock` must outlive the vault. The first master key
  /// that opens a store becomes the only one.
  ///
  /// @error CryptoFailure  the store's keys are sealed under another master key.
  static Result<std::unique_ptr<EmbeddedVault>> open(KeyStore& store, SecretStore& secrets,
                                                     VaultCertificateStore& certificates, AuditLog& audit,
                                                     MasterKey master_key, const Clock& clock,
                                                     EmbeddedVaultOptions options = {});
  /// Without its master key: everything that needs a key or a secret fails with Unavailable until unseal().
  static std::unique_ptr<EmbeddedVault> open_sealed(KeyStore& store, SecretStore& secrets,
                                                    VaultCertificateStore& certificates, AuditLog& audit,
                                                    const Clock& clock, EmbeddedVaultOptions options = {});
  ~EmbeddedVault() override;

  [[nodiscard]] bool is_sealed() const;
  /// Forgets the master key and every opened key, and wipes them. What is under way with one ends first; the
  /// vault is sealed for everybody else at once, and also when an error is returned.
  ///
  /// @param patience  how long to wait for what is under way
  /// @error Unavailable  something is under way still: the keys that it uses are wiped when it ends.
  Result<> seal(const Principal& principal, std::chrono::milliseconds patience);
  /// Its record comes first. @error CryptoFailure  another master key than this store's; nothing changes.
  Result<> unseal(const Principal& principal, MasterKey master_key);

  /// Seals everything in the store anew, under another master key, in one transaction. This object serves all
  /// the while. The old key is kept, sealed under the new one, for backups that were made under it, and for
  /// nothing else.
  ///
  /// @param next  must be on disk already: without it nothing opens the store afterwards
  /// @error Unavailable  the vault is sealed; or something in the store does not open: says what. Nothing was
  ///                     changed.
  /// @error IoFailure    the store, which cannot say either whether it was changed: master_key_check() does.
  Result<> change_master_key(const Principal& principal, const MasterKey& next);

  /// The octets of a key for an HMAC, that come from the master key. @error Unavailable  the vault is sealed.
  Result<SecretBytes> mac_key(std::string_view purpose) const;

  /// Replaces what one principal may do in one vault; without permissions the policy is removed.
  ///
  /// @error PermissionDenied  only the local operator may.
  Result<> set_policy(const Principal& principal, const AccessPolicy& policy);
  /// How a vault treats what is deleted in it. No permission is needed: it shows with everything in the
  /// vault, and says nothing about what there is.
  Result<VaultSettings> settings(std::string_view vault);
  /// @error PermissionDenied  only the local operator may.
  /// @error InvalidInput      a retention of fewer or more days than are allowed.
  /// @error AlreadyExists     the vault has purge protection, and this would weaken it.
  Result<> set_settings(const Principal& principal, std::string_view vault, const VaultSettings& settings);

  /// Says in which token the keys of a vault are, all of them; or where that token is found now.
  ///
  /// @error PermissionDenied  only the local operator may.
  /// @error Unavailable       the token is not there, or does not let us in.
  /// @error AlreadyExists     the vault has keys, or another token.
  Result<> set_token(const Principal& principal, std::string_view vault, const TokenUri& token);
  /// Nothing where the vault holds its keys itself.
  Result<std::optional<TokenUri>> token(std::string_view vault);
  /// Whether the vault's token, if it has one, is there and lets us in. @error Unavailable  says why not.
  Result<> check_token(std::string_view vault);
  /// Removes from tokens what an operation that was cut short left behind, or what could not be removed in
  /// its time. To be called at the start and now and then.
  ///
  /// @error Unavailable  one of the tokens.
  Result<> settle_tokens();

  /// Removes for good what is deleted and was to be purged by now, in every vault. Nothing gives such a thing
  /// out any more before this is called, or lets it be recovered.
  Result<> purge_overdue();

  /// Rotates every key whose policy says that its time has come, in the gateway's name, which needs no
  /// permission for that: the policy is the permission. Tells of those whose end is near; without a policy of
  /// their own they have default_rotation_policy(). One that fails does not stop the others. Keys that are
  /// disabled or belong to certificates are left alone. Ends early, between two keys, when it is asked to
  /// stop.
  ///
  /// @error IoFailure, ...  the policies could not be read.
  Result<std::vector<RotationEvent>> rotate_due(const std::stop_token& stop = {});

  /// What was changed in the stores past this object counts from now on, and not only after a refresh.
  void forget();

  /// The policies of a vault. @error PermissionDenied  only the local operator may.
  Result<std::vector<AccessPolicy>> policies(const Principal& principal, std::string_view vault);

  Result<> check_access(const Principal& principal, std::string_view operation, const KeyId& what,
                        KeyPermission needed) override;
  Result<> check_access(const Principal& principal, std::string_view operation, const KeyId& what,
                        SecretPermission needed) override;
  Result<> check_access(const Principal& principal, std::string_view operation, const KeyId& what,
                        CertificatePermission needed) override;

  Result<KeyInfo> create_key(const Principal& principal, std::string_view vault, std::string_view name,
                             KeyKind kind, const KeySettings& settings) override;
  Result<KeyInfo> import_key(const Principal& principal, std::string_view vault, std::string_view name,
                             const KeyMaterial& key, const KeySettings& settings) override;
  Result<KeyInfo> get(const Principal& principal, const KeyId& id) override;
  Result<std::vector<KeyInfo>> list(const Principal& principal, std::string_view vault) override;
  Result<std::vector<KeyInfo>> versions(const Principal& principal, std::string_view vault,
                                        std::string_view name) override;
  Result<KeyInfo> update(const Principal& principal, const KeyId& id, const KeyUpdate& update) override;
  Result<DeletedKey> delete_key(const Principal& principal, std::string_view vault,
                                std::string_view name) override;
  Result<std::vector<DeletedKey>> list_deleted_keys(const Principal& principal,
                                                    std::string_view vault) override;
  Result<DeletedKey> get_deleted_key(const Principal& principal, std::string_view vault,
                                     std::string_view name) override;
  Result<KeyInfo> recover_key(const Principal& principal, std::string_view vault,
                              std::string_view name) override;
  Result<> purge_key(const Principal& principal, std::string_view vault, std::string_view name) override;
  Result<Bytes> backup_key(const Principal& principal, std::string_view vault,
                           std::string_view name) override;
  Result<KeyInfo> restore_key(const Principal& principal, std::string_view vault, ByteView blob) override;
  Result<KeyInfo> rotate_key(const Principal& principal, std::string_view vault,
                             std::string_view name) override;
  Result<RotationPolicy> rotation_policy(const Principal& principal, std::string_view vault,
                                         std::string_view name) override;
  Result<RotationPolicy> set_rotation_policy(const Principal& principal, std::string_view vault,
                                             std::string_view name, const RotationPolicy& policy) override;

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
  Result<DeletedSecret> delete_secret(const Principal& principal, std::string_view vault,
                                      std::string_view name) override;
  Result<std::vector<DeletedSecret>> list_deleted_secrets(const Principal& principal,
                                                          std::string_view vault) override;
  Result<DeletedSecret> get_deleted_secret(const Principal& principal, std::string_view vault,
                                           std::string_view name) override;
  Result<SecretInfo> recover_secret(const Principal& principal, std::string_view vault,
                                    std::string_view name) override;
  Result<> purge_secret(const Principal& principal, std::string_view vault, std::string_view name) override;
  Result<Bytes> backup_secret(const Principal& principal, std::string_view vault,
                              std::string_view name) override;
  Result<SecretInfo> restore_secret(const Principal& principal, std::string_view vault,
                                    ByteView blob) override;

  Result<CertificateOperation> create_certificate(const Principal& principal, std::string_view vault,
                                                  std::string_view name,
                                                  const std::optional<CertificatePolicy>& policy,
                                                  const CertificateSettings& settings) override;
  Result<VaultCertificate> import_certificate(const Principal& principal, std::string_view vault,
                                              std::string_view name, const CertificateFile& file,
                                              const PolicyChange& change,
                                              const CertificateSettings& settings) override;
  Result<VaultCertificate> get_certificate(const Principal& principal, const CertificateId& id) override;
  Result<std::vector<CertificateInfo>> list_certificates(const Principal& principal, std::string_view vault,
                                                         bool include_pending) override;
  Result<std::vector<CertificateInfo>> certificate_versions(const Principal& principal,
                                                            std::string_view vault,
                                                            std::string_view name) override;
  Result<VaultCertificate> update_certificate(const Principal& principal, const CertificateId& id,
                                              const CertificateUpdate& update) override;
  Result<CertificatePolicy> certificate_policy(const Principal& principal, std::string_view vault,
                                               std::string_view name) override;
  Result<CertificatePolicy> update_certificate_policy(const Principal& principal, std::string_view vault,
                                                      std::string_view name,
                                                      const PolicyChange& change) override;
  Result<CertificateOperation> certificate_operation(const Principal& principal, std::string_view vault,
                                                     std::string_view name) override;
  Result<CertificateOperation> cancel_certificate_operation(const Principal& principal,
                                                            std::string_view vault,
                                                            std::string_view name) override;
  Result<CertificateOperation> delete_certificate_operation(const Principal& principal,
                                                            std::string_view vault,
                                                            std::string_view name) override;
  Result<VaultCertificate> merge_certificate(const Principal& principal, std::string_view vault,
                                             std::string_view name,
                                             const std::vector<certstore::Certificate>& certificates,
                                             const CertificateUpdate& settings) override;
  Result<DeletedCertificate> delete_certificate(const Principal& principal, std::string_view vault,
                                                std::string_view name) override;
  Result<std::vector<Deleted<CertificateInfo>>> list_deleted_certificates(const Principal& principal,
                                                                          std::string_view vault) override;
  Result<DeletedCertificate> get_deleted_certificate(const Principal& principal, std::string_view vault,
                                                     std::string_view name) override;
  Result<VaultCertificate> recover_certificate(const Principal& principal, std::string_view vault,
                                               std::string_view name) override;
  Result<> purge_certificate(const Principal& principal, std::string_view vault,
                             std::string_view name) override;
  Result<Bytes> backup_certificate(const Principal& principal, std::string_view vault,
                                   std::string_view name) override;
  Result<VaultCertificate> restore_certificate(const Principal& principal, std::string_view vault,
                                               ByteView blob) override;
  Result<std::vector<CertificateContact>> certificate_contacts(const Principal& principal,
                                                               std::string_view vault) override;
  Result<> set_certificate_contacts(const Principal& principal, std::string_view vault,
                                    const std::vector<CertificateContact>& contacts) override;
  Result<std::vector<CertificateContact>> delete_certificate_contacts(const Principal& principal,
                                                                      std::string_view vault) override;
  Result<CertificateIssuer> set_certificate_issuer(const Principal& principal, std::string_view vault,
                                                   std::string_view name,
                                                   const IssuerUpdate& issuer) override;
  Result<CertificateIssuer> update_certificate_issuer(const Principal& principal, std::string_view vault,
                                                      std::string_view name,
                                                      const IssuerUpdate& update) override;
  Result<CertificateIssuer> certificate_issuer(const Principal& principal, std::string_view vault,
                                               std::string_view name) override;
  Result<std::vector<CertificateIssuer>> list_certificate_issuers(const Principal& principal,
                                                                  std::string_view vault) override;
  Result<CertificateIssuer> delete_certificate_issuer(const Principal& principal, std::string_view vault,
                                                      std::string_view name) override;

  Result<std::vector<PendingOrder>> pending_orders() override;
  Result<std::unique_ptr<IssuerAccount>> open_issuer_account(std::string_view vault,
                                                             std::string_view issuer) override;
  Result<> note_order(const PendingOrder& order) override;
  Result<VaultCertificate> complete_order(const PendingOrder& order,
                                          const std::vector<certstore::Certificate>& chain) override;
  Result<> fail_order(const PendingOrder& order, const OperationFailure& failure) override;
  Result<> cancel_order(const PendingOrder& order) override;
  Result<> revoke_certificate(const Principal& principal, const CertificateId& id, RevocationReason reason,
                              const Revoke& revoke) override;

  Result<Round> renew_due() override;
  Result<std::vector<CertificateNotice>> notices() override;
  Result<> put_notice_mailed(const CertificateNotice& notice) override;
  Result<> remove_notice(const CertificateNotice& notice) override;
  Result<std::vector<CertificateContact>> contacts_to_tell(std::string_view vault) override;

 private:
  /// @returns nothing when nothing is due.
  Result<std::optional<RotationEvent>> rotate_if_due(const KeyId& id);

  class CertificateSteps;
  class LifetimeRound;
  class StoredIssuerAccount;
  class State;
  explicit EmbeddedVault(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace signet::vault
