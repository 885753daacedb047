#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "certstore/vault/access_policy.h"
#include "certstore/vault/certificate_policy.h"
#include "certstore/vault/deletion.h"
#include "certstore/vault/import.h"
#include "certstore/vault/key.h"
#include "certstore/vault/tags.h"
#include "certstore/x509/certificate.h"

/// Certificates of the vault: each version is a certificate with a key and a secret of the same name and
/// version, made as the certificate's policy says.

namespace signet::vault {

/// A certificate, or one version of it. Named as keys are, but for "contacts", "issuers" and "restore".
using CertificateId = KeyId;

/// @error InvalidInput  says which part breaks which rule.
Result<> check_certificate_id(const CertificateId& id);

inline constexpr std::size_t kMostInChain = 20;           ///< certificates
inline constexpr std::size_t kLargestChain = 256 * 1024;  ///< octets of their DER together

/// Of a version, its own certificate included. @error LimitExceeded  more or larger certificates.
Result<> check_chain(const std::vector<certstore::Certificate>& chain);

/// What is said about a certificate beside its policy. A disabled one has a disabled key and secret.
struct CertificateSettings {
  bool enabled = true;
  Tags tags;
};

struct CertificateUpdate {
  std::optional<bool> enabled;  ///< absent: as before
  std::optional<Tags> tags;     ///< absent: as before; else replaced as a whole
};

/// Everything about one version of a certificate that may be shown.
struct CertificateInfo {
  CertificateId id;  ///< with its version; without one where there is only a pending operation
  /// Its own certificate, then those of its issuers as far as they were given. Empty where there is only a
  /// pending operation.
  std::vector<certstore::Certificate> chain;
  CertificateSettings settings;
  Time created{};
  Time updated{};
};

enum class OperationStatus { InProgress, Completed, Cancelled, Failed };

/// "inProgress", "completed", "cancelled", "failed": also the form that is stored.
std::string_view to_string(OperationStatus status);
/// @error InvalidInput
Result<OperationStatus> parse_operation_status(std::string_view text);

/// Why an issuer made no certificate, as Key Vault's operations tell it.
struct OperationFailure {
  std::string code;     ///< kRequestRejected or kIssuerError
  std::string message;  ///< for those who asked

  friend bool operator==(const OperationFailure&, const OperationFailure&) = default;
};
inline constexpr std::string_view kRequestRejected = "Request rejected";  ///< it says no to this request
inline constexpr std::string_view kIssuerError =
    "Certificate issuer error";  ///< it says no, or nothing, to us

/// The making of a version. The last one of each certificate is kept.
struct CertificateOperation {
  CertificateId id;  ///< without a version
  std::string issuer;
  Bytes request;  ///< PKCS#10, DER
  OperationStatus status = OperationStatus::InProgress;
  bool cancellation_requested = false;
  std::string request_id;  ///< 32 lower-case hexadecimal digits
  std::string details;     ///< what is waited for, while it is in progress at an issuer of the vault
  std::optional<OperationFailure> failure;  ///< of one that failed
};

/// A certificate as it is shown.
struct VaultCertificate {
  CertificateInfo info;
  CertificatePolicy policy;
  bool pending = false;  ///< there is an operation to be asked for
};

/// A certificate that was deleted, by its newest version.
struct DeletedCertificate {
  VaultCertificate certificate;
  Deletion deletion;
};

/// A certificate with its key, from a file.
struct CertificateFile {
  ImportedKey contents;  ///< with at least one certificate
  CertificateContent content = CertificateContent::Pkcs12;
};

/// Reads a PFX or PEM file as read_key_file() does. @error InvalidInput  it has no certificate.
Result<CertificateFile> read_certificate_file(ByteView file, const std::optional<SecretBytes>& passphrase);

/// Somebody who is told of a vault's certificates.
struct CertificateContact {
  std::string email;
  std::string name;
  std::string phone;

  friend bool operator==(const CertificateContact&, const CertificateContact&) = default;
};

/// Somebody of an issuer's customer.
struct IssuerAdministrator {
  std::string first_name;
  std::string last_name;
  std::string email;
  std::string phone;

  friend bool operator==(const IssuerAdministrator&, const IssuerAdministrator&) = default;
};

/// An authority that issues certificates for a vault, as far as it may be shown: its password is not here.
struct CertificateIssuer {
  KeyId id;  ///< without a version
  std::string provider;
  std::string account;
  std::string organisation;
  std::vector<IssuerAdministrator> administrators;
  std::string directory;  ///< where its service is described: an https URL (RFC 8555 section 7.1.1), or empty
  /// Who vouches for that service's TLS certificates; the machine's authorities where there are none.
  std::vector<certstore::Certificate> authorities;
  bool enabled = true;
  Time created{};
  Time updated{};
};

/// The directory; the organisation where that is an https URL and there is no directory: clients of Azure's
/// have no word for one.
std::string directory_of(const CertificateIssuer& issuer);

/// What is to be changed of an issuer, or said of a new one; absent members are as before.
struct IssuerUpdate {
  std::optional<std::string> provider;
  std::optional<std::string> account;
  std::optional<SecretBytes> password;
  std::optional<std::string> organisation;
  std::optional<std::vector<IssuerAdministrator>> administrators;
  std::optional<std::string> directory;
  std::optional<std::vector<certstore::Certificate>> authorities;
  std::optional<bool> enabled;
};

/// Makes a policy of the one that there is.
using PolicyChange = std::function<Result<CertificatePolicy>(CertificatePolicy)>;

/// One interface for every back end. Thread-safe. Each operation asks the access policy for the permission of
/// its name, before it looks at what there is, and leaves an audit record as the operations of KeyVault do.
///
/// Errors of every operation:
/// @error PermissionDenied  the principal lacks the permission.
/// @error NotFound          no such certificate, version, operation, issuer, or no contacts.
/// @error InvalidInput      a name, a policy or a setting that does not fit.
/// @error IoFailure, ...    the store or the audit log failed; nothing was done, or its result is withheld.
class CertificateVault {
 public:
  virtual ~CertificateVault() = default;

  /// Begins a new version: at once complete where the policy's issuer is Self, in progress where it is
  /// Unknown (merge_certificate() completes it) or an issuer of the vault (the gateway orders it there:
  /// certificate_orders.h). The current version stays what it is until then.
  ///
  /// @param policy  kept as the certificate's; the one that there is already when absent.
  /// @error AlreadyExists          an operation is in progress; or the name is that of a key or of a secret.
  /// @error DeletedButRecoverable  the name is that of something deleted.
  /// @error NotFound               the vault has no such issuer.
  /// @error Disabled               it has, and it may not be used.
  /// @error Unsupported            its provider is none that orders can be placed at.
  virtual Result<CertificateOperation> create_certificate(const Principal& principal, std::string_view vault,
                                                          std::string_view name,
                                                          const std::optional<CertificatePolicy>& policy,
                                                          const CertificateSettings& settings) = 0;
  /// Takes a certificate and its key in as a new version. Its policy is what the certificate says, with
  /// issuer Unknown.
  ///
  /// @param change  of that policy, where it is given: whether the key is exportable, say. The kind of key
  ///                cannot be changed.
  /// @error AlreadyExists  as create_certificate().
  virtual Result<VaultCertificate> import_certificate(const Principal& principal, std::string_view vault,
                                                      std::string_view name, const CertificateFile& file,
                                                      const PolicyChange& change,
                                                      const CertificateSettings& settings) = 0;

  virtual Result<VaultCertificate> get_certificate(const Principal& principal, const CertificateId& id) = 0;
  /// The current version of every certificate, by name; with `include_pending` also those that have none yet.
  virtual Result<std::vector<CertificateInfo>> list_certificates(const Principal& principal,
                                                                 std::string_view vault,
                                                                 bool include_pending) = 0;
  /// All versions, the newest first. Needs `list`.
  virtual Result<std::vector<CertificateInfo>> certificate_versions(const Principal& principal,
                                                                    std::string_view vault,
                                                                    std::string_view name) = 0;
  /// Changes what is said about one version, its key and its secret. Needs `update`.
  virtual Result<VaultCertificate> update_certificate(const Principal& principal, const CertificateId& id,
                                                      const CertificateUpdate& update) = 0;

  /// Needs `get`.
  virtual Result<CertificatePolicy> certificate_policy(const Principal& principal, std::string_view vault,
                                                       std::string_view name) = 0;
  /// For the versions to come. Needs `update`.
  virtual Result<CertificatePolicy> update_certificate_policy(const Principal& principal,
                                                              std::string_view vault, std::string_view name,
                                                              const PolicyChange& change) = 0;

  /// The last operation. Needs `get`.
  virtual Result<CertificateOperation> certificate_operation(const Principal& principal,
                                                             std::string_view vault,
                                                             std::string_view name) = 0;
  /// Ends an operation without a certificate; its key is forgotten. At an issuer of the vault it is a wish:
  /// the operation stays in progress until the gateway has called the order off, or it is complete. Needs
  /// `update`.
  /// @error AlreadyExists  it is not in progress.
  virtual Result<CertificateOperation> cancel_certificate_operation(const Principal& principal,
                                                                    std::string_view vault,
                                                                    std::string_view name) = 0;
  /// Forgets an operation, and its key where it was in progress. @returns it as it was. Needs `update`.
  virtual Result<CertificateOperation> delete_certificate_operation(const Principal& principal,
                                                                    std::string_view vault,
                                                                    std::string_view name) = 0;
  /// Completes an operation of the issuer Unknown by the certificate that was issued for its request, found
  /// among those given by its public key. Needs `create`.
  ///
  /// @error InvalidInput      none of them is for the request's key.
  /// @error AlreadyExists     no operation is in progress.
  /// @error PermissionDenied  it is in progress at an issuer of the vault.
  virtual Result<VaultCertificate> merge_certificate(const Principal& principal, std::string_view vault,
                                                     std::string_view name,
                                                     const std::vector<certstore::Certificate>& certificates,
                                                     const CertificateUpdate& settings) = 0;

  /// Takes a certificate out of use with its key and its secret, in all versions, until it is recovered or
  /// its retention is over. An operation is forgotten.
  ///
  /// @error AlreadyExists  something links to its key.
  virtual Result<DeletedCertificate> delete_certificate(const Principal& principal, std::string_view vault,
                                                        std::string_view name) = 0;
  /// By name. Needs `list`.
  virtual Result<std::vector<Deleted<CertificateInfo>>> list_deleted_certificates(const Principal& principal,
                                                                                  std::string_view vault) = 0;
  /// Needs `get`.
  virtual Result<DeletedCertificate> get_deleted_certificate(const Principal& principal,
                                                             std::string_view vault,
                                                             std::string_view name) = 0;
  /// Puts a certificate back to use, with its key and its secret.
  virtual Result<VaultCertificate> recover_certificate(const Principal& principal, std::string_view vault,
                                                       std::string_view name) = 0;
  /// Removes all three for good. @error PermissionDenied  also where the vault has purge protection.
  virtual Result<> purge_certificate(const Principal& principal, std::string_view vault,
                                     std::string_view name) = 0;

  /// All versions with their keys and secrets and the policy, as a blob that only this installation opens.
  virtual Result<Bytes> backup_certificate(const Principal& principal, std::string_view vault,
                                           std::string_view name) = 0;
  /// @error InvalidInput           no such blob.
  /// @error AlreadyExists          the name is in use, for a key or a secret too.
  /// @error DeletedButRecoverable  it is deleted.
  virtual Result<VaultCertificate> restore_certificate(const Principal& principal, std::string_view vault,
                                                       ByteView blob) = 0;

  /// One list for a vault; all three need `managecontacts`.
  virtual Result<std::vector<CertificateContact>> certificate_contacts(const Principal& principal,
                                                                       std::string_view vault) = 0;
  virtual Result<> set_certificate_contacts(const Principal& principal, std::string_view vault,
                                            const std::vector<CertificateContact>& contacts) = 0;
  /// @returns those that there were.
  virtual Result<std::vector<CertificateContact>> delete_certificate_contacts(const Principal& principal,
                                                                              std::string_view vault) = 0;

  /// Puts an issuer, new or in the place of one that there is. Needs `setissuers`.
  virtual Result<CertificateIssuer> set_certificate_issuer(const Principal& principal, std::string_view vault,
                                                           std::string_view name,
                                                           const IssuerUpdate& issuer) = 0;
  /// Needs `setissuers`.
  virtual Result<CertificateIssuer> update_certificate_issuer(const Principal& principal,
                                                              std::string_view vault, std::string_view name,
                                                              const IssuerUpdate& update) = 0;
  /// Needs `getissuers`.
  virtual Result<CertificateIssuer> certificate_issuer(const Principal& principal, std::string_view vault,
                                                       std::string_view name) = 0;
  /// Needs `listissuers`.
  virtual Result<std::vector<CertificateIssuer>> list_certificate_issuers(const Principal& principal,
                                                                          std::string_view vault) = 0;
  /// @returns it as it was. Needs `deleteissuers`.
  virtual Result<CertificateIssuer> delete_certificate_issuer(const Principal& principal,
                                                              std::string_view vault,
                                                              std::string_view name) = 0;
};

}  // namespace signet::vault
