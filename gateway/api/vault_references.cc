#include "gateway/api/vault_references.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace signet::gateway::api {
namespace {

using agreements::Agreement;

/// A secret, and what decides who gets to see it, or something made with it.
struct SecretUse {
  std::string key_vault;
  std::string secret_name;
  std::string url;
  agreements::TlsTrust trust;
  bool name_may_differ = false;  ///< of the server, from what its certificate says

  friend bool operator==(const SecretUse&, const SecretUse&) = default;
};
using SecretUses = std::array<std::optional<SecretUse>, 3>;

SecretUses uses_of(const Agreement& agreement) {
  const agreements::OneWayAgreement& receive = agreement.receive_agreement;
  SecretUses uses;
  if (const auto& basic = agreement.connection.basic_authentication)
    uses[0] = {basic->key_vault, basic->secret_name, agreement.connection.url, agreement.connection.tls_trust,
               agreement.send_agreement.message_connection_settings.ignore_certificate_name_mismatch ||
                   receive.acknowledgement_connection_settings.ignore_certificate_name_mismatch};
  if (const auto& basic = receive.required_basic_authentication)
    uses[1] = {basic->key_vault, basic->secret_name, {}, {}};
  if (const auto& webhook = receive.delivery.webhook)
    uses[2] = {webhook->key_vault, webhook->secret_name, webhook->url, {}};
  return uses;
}

}  // namespace

Result<> check_secrets(Services& services, const Call& call, const Agreement& agreement,
                       const Agreement* before) {
  if (call.principal.roles.has(Role::Administrator)) return {};
  const SecretUses stored = before != nullptr ? uses_of(*before) : SecretUses();
  const SecretUses wanted = uses_of(agreement);
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (wanted[i] && wanted[i] != stored[i])
      SIGNET_CHECK(services.access.check_access(call.vault_principal(), "get",
                                                {wanted[i]->key_vault, wanted[i]->secret_name, {}},
                                                vault::SecretPermission::Get));
  return {};
}

Result<> check_trust(Services& services, const Call& call, const agreements::Account& account,
                     const agreements::CertificateEntry& certificate,
                     const agreements::CertificateEntry* before) {
  if (call.principal.roles.has(Role::Administrator)) return {};
  if (before != nullptr && before->public_certificate == certificate.public_certificate) return {};
  for (const Agreement& agreement : account.agreements) {
    const auto& basic = agreement.connection.basic_authentication;
    const std::vector<std::string>& trusted = agreement.connection.tls_trust.certificates;
    if (basic && std::find(trusted.begin(), trusted.end(), certificate.name) != trusted.end())
      SIGNET_CHECK(services.access.check_access(call.vault_principal(), "get",
                                                {basic->key_vault, basic->secret_name, {}},
                                                vault::SecretPermission::Get));
  }
  return {};
}

Result<> check_key(Services& services, const Call& call, const agreements::CertificateEntry& certificate,
                   const agreements::CertificateEntry* before) {
  if (!certificate.key || call.principal.roles.has(Role::Administrator)) return {};
  if (before != nullptr && before->key == certificate.key) return {};
  return services.access.check_access(
      call.vault_principal(), "get",
      {certificate.key->key_vault, certificate.key->key_name, certificate.key->key_version},
      vault::KeyPermission::Get);
}

}  // namespace signet::gateway::api
