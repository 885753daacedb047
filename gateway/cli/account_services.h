#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agreements/lint.h"
#include "certstore/account/certificates.h"
#include "certstore/vault/secret.h"
#include "certstore/vault/vault.h"
#include "gateway/cli/home.h"
#include "gateway/cli/serve_settings.h"
#include "gateway/revocation/prospect.h"

/// The narrow interfaces that the account's modules ask for, answered from the home's vault and store.

namespace signet::gateway {

/// Certificates as the linter sees them, each parsed once from the account under check: a host's own are
/// named by thousands of agreements. Of one thread.
class ParsedCertificateFacts final : public agreements::CertificateFacts {
 public:
  /// Whether a certificate that another one issued can be looked up in revocation lists.
  using FindProspect = std::function<Prospect(const certstore::Certificate&)>;
  /// Without `find_prospect`, nothing is known of that.
  explicit ParsedCertificateFacts(FindProspect find_prospect = {})
      : find_prospect_(std::move(find_prospect)) {}

  [[nodiscard]] std::optional<agreements::CertificateFact> find(const agreements::CertificateEntry& entry,
                                                                std::string& why_not) const override;
  [[nodiscard]] std::string objection(const agreements::CertificateEntry& entry,
                                      agreements::CertificatePurpose purpose) const override;
  [[nodiscard]] agreements::RevocationFact revocation_of(
      const agreements::CertificateEntry& entry) const override;

 private:
  const Result<certstore::Certificate>& parsed(const agreements::CertificateEntry& entry) const;
  const FindProspect find_prospect_;
  mutable std::map<std::string, Result<certstore::Certificate>, std::less<>> parsed_;  ///< by DER
};

/// The vault's keys and secrets as the linter sees them at a moment, in the operator's name.
class HomeVaultFacts final : public agreements::VaultFacts {
 public:
  HomeVaultFacts(Home& home, Time now) : home_(home), now_(now) {}
  [[nodiscard]] agreements::KeyFact key_of(const agreements::CertificateEntry& entry) const override;
  [[nodiscard]] agreements::SecretFact secret(std::string_view key_vault,
                                              std::string_view secret_name) const override;

 private:
  Home& home_;
  const Time now_;
};

/// The public halves of keys of the vaults, in the operator's name.
class VaultLookup final : public certstore::KeyVaultLookup {
 public:
  explicit VaultLookup(Home& home) : home_(home) {}
  Result<certstore::KeyHandle> public_key(const certstore::KeyReference& key) override;
  /// Of a reference without version: the version that the certificate was issued for, else the current one.
  Result<certstore::KeyHandle> public_key_of(const certstore::KeyReference& key,
                                             const certstore::Certificate& certificate);

 private:
  Home& home_;
};

/// Who names a certificate: agreements of the stored account, in any role, serve.toml for listeners, and the
/// bindings of intermediate service certificates.
class HomeUsage final : public certstore::CertificateUsage {
 public:
  explicit HomeUsage(Home& home) : home_(home) {}
  /// @error InvalidInput  serve.toml cannot be read.
  Result<std::vector<std::string>> users_of(std::string_view certificate) override;

 private:
  Result<> add_bound_to(const agreements::CertificateEntry& entry, std::vector<std::string>& users);
  Home& home_;
};

/// Whether another account still has the private certificates that HTTPS listeners show, as far as no service
/// certificate is bound under their names.
///
/// @param where  " in FILE", behind the name of the setting in an error; may be empty
/// @error AlreadyExists  it has not.
Result<> check_shown_certificates(Home& home, const agreements::Account& before,
                                  const agreements::Account& after, const ServeSettings& settings,
                                  std::string_view where);
/// The same of those that serve.toml names, with which the gateway could not start again.
Result<> check_listeners_certificate(Home& home, const agreements::Account& before,
                                     const agreements::Account& after);

}  // namespace signet::gateway
