#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "certstore/vault/certificate_lifetime.h"
#include "certstore/vault/deletion.h"
#include "certstore/vault/key_store.h"
#include "certstore/vault/secret_store.h"
#include "certstore/vault/vault_certificate.h"

/// What the embedded vault must keep of its certificates. gateway/store implements it; nothing that passes
/// here is secret in the clear.

namespace signet::vault {

/// One version of a certificate at rest.
struct StoredCertificate {
  CertificateInfo info;
  bool exportable = false;  ///< whether its secret holds the key: said when it was made, and never changed
};

/// An operation at rest, with what completes it.
struct StoredOperation {
  CertificateOperation operation;
  CertificatePolicy policy;  ///< of the version to be made
  CertificateSettings settings;
  std::string version;   ///< to be
  Bytes public_key;      ///< SubjectPublicKeyInfo
  Bytes sealed;          ///< the private half, as a StoredKey has it; empty when it is not needed any more
  std::string order;     ///< what its issuer calls it; empty until it is placed there
  bool renewal = false;  ///< begun by the policy's lifetime action
  std::string begun_by;  ///< the principal; of a renewal, whose policy it is; empty where that is not known
  Time begun{};
};

/// What was done of its policy's lifetime action for the current version of a certificate.
struct StoredRenewal {
  std::string version;  ///< that version; about another one it says nothing
  bool noticed = false;
  unsigned failures = 0;  ///< in a row
  Time next{};            ///< not to be tried before
};

/// What all versions of a certificate have in common.
struct StoredName {
  CertificateId id;  ///< without a version
  CertificatePolicy policy;
  std::optional<StoredOperation> operation;
  StoredRenewal renewal;
  std::vector<CertificateNotice> notices;  ///< queued with the change that they tell of; never read back
  std::string policy_by;  ///< the principal who set the policy last; empty where that is not known
};

/// A certificate that is in use.
struct CurrentCertificate {
  StoredName name;
  StoredCertificate current;
};

/// A new version with everything that belongs to it.
struct NewVersion {
  StoredName name;
  StoredCertificate certificate;
  StoredKey key;
  StoredSecret secret;
};

/// A certificate with everything that belongs to it but an operation; of each the oldest version first.
struct WholeCertificate {
  StoredName name;
  std::vector<StoredCertificate> versions;
  std::vector<StoredKey> keys;
  std::vector<StoredSecret> secrets;
};

/// An issuer at rest.
struct StoredIssuer {
  CertificateIssuer issuer;
  Bytes sealed_password;  ///< bound to vault and name; empty for none
  /// The key of our account there, sealed and bound likewise, its public half (SubjectPublicKeyInfo) and the
  /// account's URL; empty before they are needed.
  Bytes sealed_account_key;
  Bytes account_public_key;
  std::string account_url;
};

/// Part of a transaction: it must not call a store.
using CertificateChange = std::function<Result<>(CertificateInfo&)>;

/// Thread-safe. A change is durable when its call returns, and done as a whole or not at all. Vaults and
/// names are matched without regard to ASCII case.
/// What is deleted is there for those alone who ask for it.
class VaultCertificateStore {
 public:
  virtual ~VaultCertificateStore() = default;

  /// Adds a version, its key and its secret, which become the current ones; and does as put_name().
  ///
  /// @error AlreadyExists  there is such a version; the name is that of a key or a secret of its own; or the
  ///                       operation in the store is in progress and not the one that `name` has, or is that
  ///                       one and completed.
  /// @error DeletedButRecoverable  the name is deleted.
  virtual Result<> put_version(const NewVersion& version) = 0;
  /// Replaces the policy of a name, which may be new, and its operation. Without an operation the name is
  /// there already, and that of the store stays.
  ///
  /// @error AlreadyExists, DeletedButRecoverable  as above.
  /// @error NotFound  no such name, and no operation.
  virtual Result<> put_name(const StoredName& name) = 0;
  /// @error NotFound
  virtual Result<StoredName> load_name(std::string_view vault, std::string_view name) = 0;
  /// An empty version asks for the one put last. @error NotFound
  virtual Result<StoredCertificate> load(const CertificateId& id) = 0;
  /// The current version of every certificate of a vault, by name.
  virtual Result<std::vector<CertificateInfo>> list(std::string_view vault) = 0;
  /// The names that have no version yet.
  virtual Result<std::vector<StoredName>> list_without_version(std::string_view vault) = 0;
  /// All versions of a certificate, the newest first; none when there is no such certificate.
  virtual Result<std::vector<CertificateInfo>> versions(std::string_view vault, std::string_view name) = 0;
  /// Changes settings and updated of a version, from what they are at that moment, and those of its key and
  /// its secret with them.
  ///
  /// @returns the version as it is then. @error NotFound, and what `change` returns
  virtual Result<CertificateInfo> update(const CertificateId& id, const CertificateChange& change) = 0;
  /// Forgets the operation, and the name where it has no version. @error NotFound
  virtual Result<> remove_operation(std::string_view vault, std::string_view name) = 0;

  /// The names in every vault with an operation in progress at an issuer of their vault.
  virtual Result<std::vector<StoredName>> in_progress() = 0;
  /// Replaces `order` and `details` of an operation that is in progress, known by its request id, and nothing
  /// else of it. @error NotFound
  virtual Result<> note_order(const CertificateId& id, const StoredOperation& operation) = 0;
  /// The certificates in use in every vault.
  virtual Result<std::vector<CurrentCertificate>> in_use() = 0;
  /// In the order in which they were queued.
  virtual Result<std::vector<CertificateNotice>> notices() = 0;
  /// Notes that a notice was mailed. @error NotFound
  virtual Result<> put_notice_mailed(std::int64_t number) = 0;
  virtual Result<> remove_notice(std::int64_t number) = 0;

  /// Takes a name out of use with its keys and secrets, and forgets its operation. @error NotFound
  virtual Result<> soft_delete(std::string_view vault, std::string_view name, const Deletion& deletion) = 0;
  /// What is deleted in a vault, by name.
  virtual Result<std::vector<Deleted<CertificateInfo>>> list_deleted(std::string_view vault) = 0;
  /// @error NotFound
  virtual Result<Deleted<CertificateInfo>> load_deleted(std::string_view vault, std::string_view name) = 0;
  /// The policy of a deleted name. @error NotFound
  virtual Result<StoredName> load_deleted_name(std::string_view vault, std::string_view name) = 0;
  /// What is deleted in any vault and was to be purged by `now`.
  virtual Result<std::vector<Deleted<CertificateInfo>>> overdue(Time now) = 0;
  /// Puts a deleted name back to use, with its keys and secrets. @error NotFound
  virtual Result<> recover(std::string_view vault, std::string_view name) = 0;
  /// Removes for good what this deletion took out of use, with its keys and secrets. @error NotFound  another
  /// one did, or none.
  virtual Result<> purge(std::string_view vault, std::string_view name, const Deletion& deletion) = 0;

  /// As it is at one moment. @error NotFound
  virtual Result<WholeCertificate> load_all(std::string_view vault, std::string_view name) = 0;
  /// Adds a new name with everything that belongs to it.
  ///
  /// @error AlreadyExists, DeletedButRecoverable  the name is taken, by a key or a secret too.
  virtual Result<> put_all(const WholeCertificate& certificate) = 0;

  /// In their order; none when there are none.
  virtual Result<std::vector<CertificateContact>> contacts(std::string_view vault) = 0;
  virtual Result<> put_contacts(std::string_view vault, const std::vector<CertificateContact>& contacts) = 0;

  /// Adds or replaces.
  virtual Result<> put_issuer(const StoredIssuer& issuer) = 0;
  /// @error NotFound
  virtual Result<StoredIssuer> load_issuer(std::string_view vault, std::string_view name) = 0;
  /// By name.
  virtual Result<std::vector<CertificateIssuer>> list_issuers(std::string_view vault) = 0;
  /// @error NotFound
  virtual Result<> remove_issuer(std::string_view vault, std::string_view name) = 0;
};

}  // namespace signet::vault
