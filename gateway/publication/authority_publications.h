#pragma once

#include "certstore/authority/authority.h"
#include "gateway/publication/publications.h"

namespace signet::gateway {

/// What the certificate service publishes, as its store has it at the moment: what is in the store is
/// published. Both are borrowed, and must outlive this.
class AuthorityPublications final : public Publications {
 public:
  AuthorityPublications(authority::Authority& service, const Clock& clock)
      : service_(service), clock_(clock) {}

  Result<Published> crl(const std::string& group, const std::string& serial) override;
  Result<Published> issuer(const std::string& group, const std::string& serial) override;
  Published ocsp(ByteView request, std::string_view network) override;

 private:
  authority::Authority& service_;
  const Clock& clock_;
};

}  // namespace signet::gateway
