#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tests/unit/vault/vault_fixture.h"

/// A vault with the issuer `ca`, at which a certificate is ordered.

namespace signet::gateway {

using vault::fails_with;
using vault::kOperator;

class IssuanceFixture : public vault::VaultFixture {
 protected:
  IssuanceFixture() { set_issuer({}); }

  void set_issuer(vault::IssuerUpdate update) {
    update.provider = "ACME";
    update.directory = "https://ca.example/directory";
    ASSERT_TRUE(vault_->set_certificate_issuer(kOperator, "kv1", "ca", update));
  }

  /// With an account that is registered, unless `url` is empty.
  std::unique_ptr<vault::IssuerAccount> account(const std::string& url = "https://ca.example/account/1") {
    auto opened = vault_->open_issuer_account("kv1", "ca").value();
    if (opened->url() != url) EXPECT_TRUE(opened->keep_url(url));
    return opened;
  }

  static vault::CertificatePolicy policy() {
    vault::CertificatePolicy wanted;
    wanted.kind = vault::KeyKind::EcP256;
    wanted.subject = "CN=as2.acme.example, O=Acme";
    wanted.alternative_names.dns_names = {"as2.acme.example", "EDI.acme.example"};
    wanted.issuer = "ca";
    return wanted;
  }

  vault::CertificateOperation create() {
    return vault_->create_certificate(kOperator, "kv1", "c1", policy(), {true, {{"team", "edi"}}}).value();
  }
  vault::CertificateOperation operation() {
    return vault_->certificate_operation(kOperator, "kv1", "c1").value();
  }
};

}  // namespace signet::gateway
