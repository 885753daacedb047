#pragma once

#include "certstore/vault/embedded_vault_internal.h"

/// Internal to the embedded vault: what the operations with certificates are made of. The versions are made
/// in embedded_certificates.cc; policies, operations, contacts and issuers are in
/// embedded_certificate_settings.cc.

namespace signet::vault {

/// A private key on its way into a version: open, and as it will rest.
struct KeyOfVersion {
  std::shared_ptr<const PrivateKey> key;
  Bytes sealed;
};

/// @error AlreadyExists  it is over.
Result<> check_in_progress(const CertificateOperation& operation);

class EmbeddedVault::CertificateSteps {
 public:
  explicit CertificateSteps(State& state) : state_(state) {}

  /// A certificate that gets a version: as the store has it, or a new one. Its name is spelled as it was
  /// first written.
  ///
  /// @error AlreadyExists  an operation is in progress; or a key or a secret has the name.
  Result<StoredName> begin(const CertificateId& id);
  /// @error NotFound
  Result<StoredName> known(const CertificateId& id);
  /// @error NotFound  also where there is a certificate, but no operation.
  Result<StoredName> with_operation(const CertificateId& id);

  /// The key of a new version: that of the current one where the policy wants it again, else a new one.
  ///
  /// @error Disabled      the current one is.
  /// @error InvalidInput  it would become exportable.
  Result<KeyOfVersion> make_key(const CertificateId& id, const CertificatePolicy& policy);
  KeyOfVersion seal(std::shared_ptr<const PrivateKey> key, ByteView pkcs8, const CertificateId& id);
  /// The key of an operation in progress.
  Result<KeyOfVersion> key_of(const StoredOperation& operation, const CertificateId& id);

  /// A version as a whole. `id` has its version; the chain has its own certificate first.
  ///
  /// @error LimitExceeded  as check_chain().
  Result<NewVersion> assemble(StoredName name, const CertificateId& id, const CertificatePolicy& policy,
                              const KeyOfVersion& key, std::vector<certstore::Certificate> chain,
                              const CertificateSettings& settings);

  Result<VaultCertificate> show(const CertificateId& id);
  Result<DeletedCertificate> show_deleted(const Deleted<CertificateInfo>& deleted);

 private:
  /// Null where there is none yet, or one of another kind.
  Result<std::shared_ptr<const PrivateKey>> current_key(const CertificateId& id,
                                                        const CertificatePolicy& policy);
  State& state_;
};

}  // namespace signet::vault
