#pragma once

#include "certstore/vault/embedded_vault_internal.h"

/// Internal to the embedded vault: what the operations with certificates are made of. Those with versions are
/// in embedded_certificates.cc; policies, operations, contacts and issuers in
/// embedded_certificate_settings.cc; what the gateway does in its own name in embedded_certificate_orders.cc
/// and embedded_certificate_lifetime.cc.

namespace signet::vault {

/// A private key on its way into a version: open, and as it will rest.
struct KeyOfVersion {
  std::shared_ptr<const PrivateKey> key;
  Bytes sealed;
};

/// A version that was begun: complete where there is a `version`, else an operation in progress.
struct BegunVersion {
  std::shared_ptr<const PrivateKey> key;  ///< from when it is there
  StoredName name;
  std::optional<NewVersion> version;
};

/// Whether an issuer is one of the vault's own, at which the gateway orders.
inline bool is_ordered(std::string_view issuer) { return issuer != kSelfIssuer && issuer != kUnknownIssuer; }

/// @error AlreadyExists  it is over.
Result<> check_in_progress(const CertificateOperation& operation);
/// @error Disabled
Result<> check_enabled(const CertificateIssuer& issuer);
Result<> check_settings(const CertificateSettings& settings);
/// The policy as the certificate's, which it was first at `created`.
CertificatePolicy with_dates(CertificatePolicy policy, const StoredName& before, Time now);
/// As an audit record has it.
std::string describe(const CertificatePolicy& policy);

/// What an issuer's password is sealed for, and the key of our account there.
Bytes context_of_issuer(const KeyId& id);
Bytes context_of_issuer_account(const KeyId& id);

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
  /// @error Unavailable  the vault is sealed.
  Result<KeyOfVersion> seal(std::shared_ptr<const PrivateKey> key, const CertificateId& id);
  /// The key of an operation in progress.
  Result<KeyOfVersion> key_of(const StoredOperation& operation, const CertificateId& id);

  /// A version as a whole. `id` has its version; the chain has its own certificate first.
  ///
  /// @error LimitExceeded  as check_chain().
  Result<NewVersion> assemble(StoredName name, const CertificateId& id, const CertificatePolicy& policy,
                              const KeyOfVersion& key, std::vector<certstore::Certificate> chain,
                              const CertificateSettings& settings);

  /// Begins a version by the policy given, or the one that there is. `id` gets its version.
  ///
  /// @param begun  what is there of it, also when it fails: State::settled() is to follow
  /// Errors as CertificateVault::create_certificate().
  Result<> begin_version(CertificateId& id, const std::optional<CertificatePolicy>& policy,
                         const CertificateSettings& settings, BegunVersion& begun);
  /// Who is to hold the key of a new version: the vault's token, if it has one.
  ///
  /// @error Unsupported   the policy wants a token, and the vault has none.
  /// @error InvalidInput  the key is to be exportable, and the vault's keys are in a token.
  Result<> take_holder(const CertificateId& id, CertificatePolicy& policy);
  Result<> put(const BegunVersion& begun);
  /// The version that an operation in progress was begun for.
  ///
  /// @error InvalidInput  none of the certificates is for its key.
  Result<NewVersion> finish_version(StoredName name, const CertificateSettings& settings,
                                    const std::vector<certstore::Certificate>& certificates);

  Result<VaultCertificate> show(const CertificateId& id);
  Result<DeletedCertificate> show_deleted(const Deleted<CertificateInfo>& deleted);

 private:
  /// Whether the policy's issuer can be asked.
  Result<> check_issuer(const CertificateId& id, const CertificatePolicy& policy);
  /// Null where there is none yet, or one of another kind.
  Result<std::shared_ptr<const PrivateKey>> current_key(const CertificateId& id,
                                                        const CertificatePolicy& policy);
  State& state_;
};

}  // namespace signet::vault
