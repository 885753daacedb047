#pragma once

#include <functional>

#include "base/clock.h"
#include "base/stream.h"
#include "certstore/authority/authority.h"
#include "certstore/vault/access_check.h"
#include "certstore/vault/secret.h"
#include "certstore/vault/vault.h"
#include "certstore/vault/vault_certificate.h"
#include "gateway/api/account_services.h"
#include "gateway/api/exchange_services.h"
#include "gateway/api/lifecycle_services.h"
#include "gateway/api/service_certificate_services.h"
#include "gateway/api/vault_services.h"

namespace signet::gateway::api {

/// The certificate service, and who checks on it.
struct AuthorityServices {
  authority::Authority& service;
  /// What %servicehost% stands for in a group's URLs: "pki.example.com:4083"; empty: nothing.
  std::string publication_host;
  /// The audit log's lines as they are now, all of them whole.
  std::function<Result<Slice>()> audit_log;
};

/// What the routes' handlers work with. Everything outlives the handler, and is thread-safe.
struct Services {
  vault::KeyVault& keys;
  vault::SecretVault& secrets;
  vault::CertificateVault& certificates;
  vault::AccessCheck& access;
  const Clock& clock;
  AccountServices account;
  VaultServices vaults;
  ServiceCertificateAdministration& service_certificates;
  AuthorityServices authority;
  RolloverAdministration& rollovers;
  CertificateInventory& inventory;
  CertificateExchangeAdministration& exchanges;
};

}  // namespace signet::gateway::api
