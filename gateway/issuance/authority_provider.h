#pragma once

#include <string>

#include "certstore/authority/authority.h"
#include "certstore/vault/certificate_provider.h"

/// Certificates by the certificate service of this installation: what issuers of the provider Signet are
/// asked by.

namespace signet::gateway {

/// The issuer's organisation is the certificate group, its account the id of the application that the
/// certificates are for. An order's name is the id of the request.
class AuthorityProvider final : public vault::CertificateProvider {
 public:
  /// `authority` outlives this.
  explicit AuthorityProvider(authority::Authority& authority) : authority_(authority) {}

  Result<std::string> order(vault::IssuerAccount& account, const vault::OrderedCertificate& wanted) override;
  Result<std::string> find(vault::IssuerAccount& account, const vault::OrderedCertificate& wanted) override;
  /// A request waits until somebody approves it, unless the service does so itself.
  Result<vault::OrderProgress> poll(vault::IssuerAccount& account, const std::string& order,
                                    const vault::OrderedCertificate& wanted) override;
  Result<> cancel(vault::IssuerAccount& account, const std::string& order) override;
  /// @error Unavailable  an Approver was asked to do it.
  [[nodiscard]] bool orders_lapse() const override { return false; }  ///< an Approver said no
  Result<> revoke(vault::IssuerAccount& account, const certstore::Certificate& certificate,
                  vault::RevocationReason reason) override;

 private:
  authority::Authority& authority_;
};

}  // namespace signet::gateway
