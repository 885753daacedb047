#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agreements/directory.h"
#include "agreements/model.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "certstore/x509/key_handle.h"
#include "gateway/exchange/service_certificates.h"

namespace signet::gateway {

/// The certificates of the account that may have issued others. Those of ours have keys, and are none. One
/// that cannot be read is left out.
std::vector<certstore::Certificate> public_authorities(const agreements::Account& account);

/// The account as it was at one moment: agreements to look up, certificates parsed and keys opened when first
/// asked for, then kept. Immutable to its users, thread-safe, shared; a change of the account makes a new
/// one.
class AccountSnapshot {
 public:
  /// Opens, in the gateway's name, the key of the vault that a certificate was issued for.
  using OpenKey = std::function<Result<certstore::KeyHandle>(const agreements::KeyReference&,
                                                             const certstore::Certificate&)>;

  /// Gets, in the gateway's name, a secret of the vault.
  using GetSecret =
      std::function<Result<SecretBytes>(const std::string& key_vault, const std::string& secret_name)>;

  /// @param services  become certificates of the account: with_service_certificates()
  /// @error  as AgreementDirectory::build().
  static Result<std::shared_ptr<const AccountSnapshot>> build(agreements::Account account, OpenKey open_key,
                                                              GetSecret get_secret,
                                                              ServiceCertificates services = {});

  [[nodiscard]] const agreements::AgreementDirectory& directory() const { return *directory_; }
  [[nodiscard]] const agreements::Account& account() const { return directory_->account(); }

  /// @error NotFound  no certificate of this name.  @error InvalidInput  it does not parse.
  [[nodiscard]] Result<certstore::Certificate> certificate(const std::string& name) const;
  /// By its SHA-256 thumbprint, whatever its name: a certificate of the account, or what a name of a service
  /// certificate stood for before. Nothing when there is none. Looks through all of them.
  [[nodiscard]] std::optional<certstore::Certificate> find_certificate(std::string_view thumbprint) const;
  /// The end of its validity. Nothing but that is kept, so it may be asked of all there are.
  ///
  /// @error  as certificate().
  [[nodiscard]] Result<Time> not_after(const std::string& name) const;
  /// A certificate of ours with its key's handle, for messages.
  ///
  /// @error NotFound  no such certificate, or it has no key.  @error PermissionDenied, ...  the vault says
  /// no, or the key is for listeners alone.
  [[nodiscard]] Result<certstore::PrivateCertificate> private_certificate(const std::string& name) const;
  /// The same for a listener. @error  as above, but for the last.
  [[nodiscard]] Result<certstore::PrivateCertificate> listener_certificate(const std::string& name) const;
  /// What opens messages that were encrypted for a certificate of ours: itself, and what its name stood for
  /// before, the newest first. Each is there or says why not, as private_certificate().
  [[nodiscard]] std::vector<Result<certstore::PrivateCertificate>> decrypting_certificates(
      const std::string& name) const;
  /// The intermediates to be shown with a certificate of the account: those of its public certificates that
  /// issued it, one by the other, and those that came with a service certificate. See
  /// certstore::issuers_of().
  ///
  /// @error  as certificate(), of this one; entries that do not parse are nobody's issuer.
  [[nodiscard]] Result<std::vector<certstore::Certificate>> issuers_of(const std::string& name) const;
  /// public_authorities() of the account. Whoever asks first parses all of its certificates; those who ask at
  /// the same time wait for that.
  [[nodiscard]] const std::vector<certstore::Certificate>& authorities() const;
  /// The password, as the vault has it now: it is asked each time, and nothing is kept here.
  ///
  /// @error NotFound  no such secret.  @error PermissionDenied, ...  the vault says no.
  [[nodiscard]] Result<SecretBytes> password(const agreements::BasicAuthentication& credentials) const;

 private:
  AccountSnapshot(std::shared_ptr<const agreements::AgreementDirectory> directory, OpenKey open_key,
                  GetSecret get_secret, ServiceCertificates services);

  [[nodiscard]] Result<certstore::Certificate> parse(const std::string& name) const;
  [[nodiscard]] Result<> check_for_messages(const std::string& name,
                                            const certstore::Certificate& certificate) const;
  [[nodiscard]] const BoundCertificate* bound(const std::string& name) const;
  [[nodiscard]] Result<certstore::PrivateCertificate> open_earlier(
      const std::string& name, const agreements::CertificateEntry& entry) const;

  const std::shared_ptr<const agreements::AgreementDirectory> directory_;
  const agreements::AccountIndex entries_;
  const OpenKey open_key_;
  const GetSecret get_secret_;
  const ServiceCertificates services_;
  /// SHA-256 of the public keys that are for listeners alone, and the names that say so.
  std::map<std::string, std::string, std::less<>> keys_of_listeners_;

  mutable std::mutex mutex_;
  mutable std::map<std::string, certstore::Certificate, std::less<>> parsed_;
  mutable std::map<std::string, certstore::KeyHandle, std::less<>> opened_;
  mutable std::map<std::string, Time, std::less<>> ends_;
  mutable std::map<std::string, std::vector<certstore::Certificate>, std::less<>> issuers_;
  mutable std::once_flag authorities_parsed_;
  mutable std::vector<certstore::Certificate> authorities_;
};

/// Gives the account as it is now; cheap enough to be asked for every message.
using CurrentAccount = std::function<Result<std::shared_ptr<const AccountSnapshot>>()>;

}  // namespace signet::gateway
