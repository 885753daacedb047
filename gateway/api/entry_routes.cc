#include "gateway/api/entry_routes.h"

#include "agreements/certificate_roles.h"
#include "gateway/api/entry_handlers_internal.h"
#include "gateway/api/other_agreements.h"
#include "gateway/api/vault_references.h"

namespace signet::gateway::api {
namespace {

using agreements::Account;
using agreements::Agreement;
using agreements::CertificateEntry;
using agreements::Partner;

/// Agreements that name the partner.
std::vector<std::string> users_of_partner(const Account& account, const std::vector<OtherAgreement>& others,
                                          std::string_view name) {
  std::vector<std::string> users;
  for (const Agreement& agreement : account.agreements)
    if (agreement.host_partner == name || agreement.guest_partner == name)
      users.push_back(fmt::format("agreement '{}'", agreement.name));
  for (const OtherAgreement& agreement : others)
    if (agreement.names_partner(name)) users.push_back(fmt::format("agreement '{}'", agreement.name));
  return users;
}

std::vector<std::string> users_of_certificate(const Account& account, std::string_view name) {
  std::vector<std::string> users;
  for (const Agreement& agreement : account.agreements) {
    const std::vector<std::string> named = agreements::certificates_named(agreement);
    if (std::find(named.begin(), named.end(), name) != named.end())
      users.push_back(fmt::format("agreement '{}'", agreement.name));
  }
  return users;
}

}  // namespace

// ---- Partners

Result<Answer> put_partner(Services& services, const Call& call) {
  SIGNET_CHECK(account_of(services.account, call));
  SIGNET_TRY(agreements::StoredAccount stored, services.account.accounts.load());
  const std::string name = name_of(find_entry(stored.account.partners, call.parameter("name")), call);
  return put(services, call, agreements::read_partner(name, call.body));
}

Result<Answer> get_partner(Services& services, const Call& call) { return get<Partner>(services, call); }

Result<Answer> delete_partner(Services& services, const Call& call) {
  SIGNET_TRY(const auto others, other_agreements(services.account));
  return remove<Partner>(services, call, [&](const Account& account, std::string_view name) {
    return users_of_partner(account, others, name);
  });
}

Result<Answer> list_partners(Services& services, const Call& call) {
  SIGNET_TRY(const std::string type, filter_of(call, "partnerType"));
  return list<Partner>(services, call, type,
                       [](const Partner& partner) { return agreements::to_string(partner.partner_type); });
}

Result<Answer> partner_content(Services& services, const Call& call) {
  return content_of(services, call, get_partner);
}

Result<Answer> partner_callback_url(Services& services, const Call& call) {
  return content_callback_url(services, call, get_partner);
}

// ---- Certificates

Result<Answer> put_certificate(Services& services, const Call& call) {
  SIGNET_CHECK(account_of(services.account, call));
  const Json* id = nullptr;
  if (const auto at = Json::json_pointer("/properties/key/keyVault/id"); call.body.contains(at))
    id = &call.body.at(at);
  const std::string given = id != nullptr && id->is_string() ? id->get<std::string>() : std::string();
  const std::string_view elsewhere = vaults_prefix(services.account.installation, given);
  SIGNET_TRY(agreements::StoredAccount stored, services.account.accounts.load());
  const CertificateEntry* before = find_entry(stored.account.certificates, call.parameter("name"));
  auto outcome = agreements::read_certificate(
      name_of(before, call), call.body,
      elsewhere.empty() ? default_vaults(services.account.installation) : elsewhere);
  if (outcome.entry && outcome.entry->public_certificate.empty()) {
    agreements::Problem missing;
    missing.path = "/properties/publicCertificate";
    missing.expected = "the certificate that the key is for";
    missing.found = "none";
    outcome.problems.push_back(std::move(missing));
    outcome.entry.reset();
  }
  if (outcome.entry) {
    SIGNET_CHECK(check_key(services, call, *outcome.entry, before));
    SIGNET_CHECK(check_trust(services, call, stored.account, *outcome.entry, before));
  }
  return put(services, call, std::move(outcome));
}

Result<Answer> get_account_certificate(Services& services, const Call& call) {
  return get<CertificateEntry>(services, call);
}

Result<Answer> delete_account_certificate(Services& services, const Call& call) {
  return remove<CertificateEntry>(services, call, users_of_certificate);
}

Result<Answer> list_account_certificates(Services& services, const Call& call) {
  return list<CertificateEntry>(services, call, {},
                                [](const CertificateEntry&) { return std::string_view(); });
}

}  // namespace signet::gateway::api
