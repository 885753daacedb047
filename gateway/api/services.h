#pragma once

#include "base/clock.h"
#include "certstore/vault/access_check.h"
#include "certstore/vault/secret.h"
#include "certstore/vault/vault.h"
#include "certstore/vault/vault_certificate.h"
#include "gateway/api/account_services.h"
#include "gateway/api/service_certificate_services.h"
#include "gateway/api/vault_services.h"

namespace signet::gateway::api {

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
};

}  // namespace signet::gateway::api
