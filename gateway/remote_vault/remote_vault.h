#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "certstore/vault/audit_log.h"
#include "certstore/vault/secret.h"
#include "certstore/vault/vault.h"
#include "gateway/remote_vault/vault_client.h"

namespace signet::gateway {

/// A vault elsewhere that speaks Key Vault's REST contract: Azure's, or another Signet's. The keys are there,
/// and what they may do is decided there, for the client or the principal of the link; here it is asked in
/// the name of the gateway, which may do everything, and of the operator, who looks and makes keys, but uses
/// none and gets no secret. Nobody else may do anything.
///
/// What the gateway does not need is done at that vault: such an operation is Unsupported, and so is
/// derive(), which the contract has no word for. Each use of a key or a secret leaves a record in our audit
/// log as well, before its result is given.
///
/// @error Unavailable  of every operation: it does not answer, or not as a key vault does.
class RemoteVault final : public vault::KeyVault {
 public:
  /// `client`, `audit` and `clock` outlive it.
  RemoteVault(VaultLink link, HttpClient& client, vault::AuditLog& audit, const Clock& clock,
              VaultClientLimits limits = {});

  [[nodiscard]] const VaultLink& link() const { return client_.link(); }
  /// Whether it answers and takes who we are; what was so a few seconds ago counts.
  Result<> check();
  void stop() { client_.stop(); }

  Result<vault::Secret> get_secret(const vault::Principal& principal, const vault::SecretId& id);
  /// As SecretVault::secret_versions().
  Result<std::vector<vault::SecretInfo>> secret_versions(const vault::Principal& principal,
                                                         std::string_view name);

  Result<vault::KeyInfo> create_key(const vault::Principal& principal, std::string_view vault,
                                    std::string_view name, vault::KeyKind kind,
                                    const vault::KeySettings& settings) override;
  Result<vault::KeyInfo> import_key(const vault::Principal& principal, std::string_view vault,
                                    std::string_view name, const vault::KeyMaterial& key,
                                    const vault::KeySettings& settings) override;
  /// What is known of a key may be half a minute old.
  Result<vault::KeyInfo> get(const vault::Principal& principal, const vault::KeyId& id) override;
  Result<std::vector<vault::KeyInfo>> list(const vault::Principal& principal,
                                           std::string_view vault) override;
  Result<std::vector<vault::KeyInfo>> versions(const vault::Principal& principal, std::string_view vault,
                                               std::string_view name) override;
  Result<vault::KeyInfo> update(const vault::Principal& principal, const vault::KeyId& id,
                                const vault::KeyUpdate& update) override;
  Result<vault::DeletedKey> delete_key(const vault::Principal& principal, std::string_view vault,
                                       std::string_view name) override;
  Result<std::vector<vault::DeletedKey>> list_deleted_keys(const vault::Principal& principal,
                                                           std::string_view vault) override;
  Result<vault::DeletedKey> get_deleted_key(const vault::Principal& principal, std::string_view vault,
                                            std::string_view name) override;
  Result<vault::KeyInfo> recover_key(const vault::Principal& principal, std::string_view vault,
                                     std::string_view name) override;
  Result<> purge_key(const vault::Principal& principal, std::string_view vault,
                     std::string_view name) override;
  Result<Bytes> backup_key(const vault::Principal& principal, std::string_view vault,
                           std::string_view name) override;
  Result<vault::KeyInfo> restore_key(const vault::Principal& principal, std::string_view vault,
                                     ByteView blob) override;
  Result<vault::KeyInfo> rotate_key(const vault::Principal& principal, std::string_view vault,
                                    std::string_view name) override;
  Result<vault::RotationPolicy> rotation_policy(const vault::Principal& principal, std::string_view vault,
                                                std::string_view name) override;
  Result<vault::RotationPolicy> set_rotation_policy(const vault::Principal& principal, std::string_view vault,
                                                    std::string_view name,
                                                    const vault::RotationPolicy& policy) override;

  Result<Bytes> sign(const vault::Principal& principal, const vault::KeyId& id,
                     vault::SignatureAlgorithm algorithm, ByteView digest) override;
  Result<bool> verify(const vault::Principal& principal, const vault::KeyId& id,
                      vault::SignatureAlgorithm algorithm, ByteView digest, ByteView signature) override;
  Result<Bytes> encrypt(const vault::Principal& principal, const vault::KeyId& id,
                        const vault::EncryptionAlgorithm& algorithm, ByteView plaintext) override;
  Result<SecretBytes> decrypt(const vault::Principal& principal, const vault::KeyId& id,
                              const vault::EncryptionAlgorithm& algorithm, ByteView ciphertext) override;
  Result<Bytes> wrap_key(const vault::Principal& principal, const vault::KeyId& id,
                         const vault::EncryptionAlgorithm& algorithm, ByteView key) override;
  Result<SecretBytes> unwrap_key(const vault::Principal& principal, const vault::KeyId& id,
                                 const vault::EncryptionAlgorithm& algorithm, ByteView wrapped) override;
  Result<SecretBytes> derive(const vault::Principal& principal, const vault::KeyId& id,
                             ByteView peer_point) override;

 private:
  using Steady = std::chrono::steady_clock;
  struct Use {
    std::string_view operation;
    vault::AuditObject object = vault::AuditObject::Key;
  };
  struct Known {
    vault::KeyInfo info;
    Steady::time_point until;
  };

  template <class Work>
  auto audited(const vault::Principal& principal, Use use, const vault::KeyId& id, std::string detail,
               Work work) -> std::invoke_result_t<Work, vault::AuditRecord&>;
  Result<> append(vault::AuditRecord record, const Error* error);
  Result<nlohmann::json> use_key(const vault::KeyId& id, std::string_view word, const nlohmann::json& body,
                                 vault::AuditRecord& record);
  Result<Bytes> hide(const vault::Principal& principal, Use use, std::string_view word,
                     const vault::KeyId& id, const vault::EncryptionAlgorithm& algorithm, ByteView plaintext);
  Result<SecretBytes> open(const vault::Principal& principal, Use use, std::string_view word,
                           const vault::KeyId& id, const vault::EncryptionAlgorithm& algorithm,
                           ByteView ciphertext);
  Result<vault::KeyInfo> make(const vault::Principal& principal, Use use, const vault::KeyId& id,
                              std::string detail, const std::string& target, const nlohmann::json& body);

  /// Whether the vault opens what is encrypted so at all. @error  what it said instead
  Result<bool> offers(const vault::KeyId& id, std::string_view word,
                      const vault::EncryptionAlgorithm& algorithm);

  Result<vault::KeyInfo> fetch(const vault::KeyId& id);
  Result<std::vector<vault::KeyInfo>> fetch_all(const std::string& target);
  [[nodiscard]] Error not_offered(std::string_view operation) const;
  [[nodiscard]] std::string at() const { return "at " + link().url; }

  VaultClient client_;
  vault::AuditLog& audit_;
  const Clock& clock_;

  std::mutex mutex_;  ///< guards what follows
  std::unordered_map<std::string, Known> known_;
  std::set<std::string> offered_;  ///< algorithms that it has been seen to do
  Steady::time_point answered_{};
};

}  // namespace signet::gateway
