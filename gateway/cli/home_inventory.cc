#include "gateway/cli/home_inventory.h"

#include <fmt/format.h>

#include "base/log.h"
#include "certstore/vault/certificate_lifetime.h"
#include "certstore/vault/vault_certificate_store.h"
#include "gateway/api/principal.h"
#include "gateway/cli/certificates_file.h"

namespace signet::gateway {
namespace {

using Kind = CertificatePlace::Kind;

Result<> add_account(Home& home, InventoryBuilder& inventory) {
  SIGNET_TRY(const agreements::StoredAccount stored, home.accounts().load());
  for (const agreements::CertificateEntry& entry : stored.account.certificates)
    if (const auto certificate = certstore::Certificate::parse(entry.public_certificate))
      inventory.add(summary_of(*certificate), {Kind::Account, entry.name}, entry.key.has_value());
  return {};
}

/// When a current version will have made room for the next one, if its policy has it renewed: halfway between
/// that and its end at the latest, unless that fails.
std::optional<Time> renewed_until(const vault::CurrentCertificate& certificate, Time now) {
  const auto actions = vault::lifetime_actions_of(certificate.name.policy);
  if (actions.empty() || actions.front().type != vault::LifetimeActionType::AutoRenew) return std::nullopt;
  const certstore::Certificate& own = certificate.current.info.chain.front();
  const Time due = vault::due_time(actions.front(), own);
  const Time latest = due + (own.not_after() - due) / 2;
  return now < latest ? std::optional(latest) : std::nullopt;
}

/// The newest version of each is what clients get.
Result<> add_vaults(Home& home, InventoryBuilder& inventory) {
  SIGNET_TRY(const auto versions, home.service_bindings().candidates({}));
  for (const certstore::ServiceCandidate& version : versions) {
    const certstore::KeyReference& key = version.key;
    inventory.add(summary_of(version.chain.front()),
                  {Kind::KeyVault, fmt::format("{}/{}/{}", key.key_vault, key.key_name, key.key_version)},
                  true);
  }
  SIGNET_TRY(const auto current, home.vault_certificates().in_use());
  for (const vault::CurrentCertificate& certificate : current) {
    const vault::CertificateInfo& info = certificate.current.info;
    if (!info.settings.enabled) continue;
    inventory.use(info.chain.front().thumbprint_sha256(),
                  {fmt::format("key vault '{}'", info.id.vault), "current", std::nullopt,
                   renewed_until(certificate, home.clock().now())});
  }
  return {};
}

/// The certificate service's own. One that was renewed is kept for its lists, and nothing new goes by it.
Result<> add_issuers(Home& home, InventoryBuilder& inventory) {
  SIGNET_TRY(const auto groups, home.authority_store().groups());
  for (const authority::Group& group : groups) {
    SIGNET_TRY(const auto issuers, home.authority_store().issuers(group.name));
    for (const authority::IssuerVersion& issuer : issuers) {
      inventory.add(summary_of(issuer.certificate), {Kind::KeyVault, vault::to_string(issuer.key)}, true);
      if (issuer.active)
        inventory.use(issuer.certificate.thumbprint_sha256(),
                      {fmt::format("issuer of group '{}'", group.name), "issuer", {}, {}});
    }
  }
  return {};
}

Result<> add_principals(Home& home, InventoryBuilder& inventory) {
  SIGNET_TRY(const auto certificates, home.principal_store().certificates({}));
  for (const api::ManagementCertificate& certificate : certificates) {
    inventory.add({certificate.thumbprint,
                   certificate.subject,
                   {},
                   {},
                   {},
                   certificate.not_before,
                   certificate.not_after},
                  {Kind::Principal, certificate.principal}, false);
    inventory.use(certificate.thumbprint,
                  {fmt::format("principal '{}'", certificate.principal), "managementClient", {}, {}});
  }
  return {};
}

/// A file that cannot be read keeps nobody from seeing the others.
void add_file(const std::filesystem::path& file, const CertificateTask& task, InventoryBuilder& inventory) {
  if (file.empty()) return;
  const auto read = read_certificates_file(file);
  if (!read)
    return log::warning("authorities-not-read", {{"file", file.string()}, {"reason", read.error().detail}});
  for (const certstore::Certificate& authority : *read) {
    inventory.add(summary_of(authority), {Kind::File, file.string()}, false);
    inventory.use(authority.thumbprint_sha256(), task);
  }
}

/// Names are what they stand for in the account as messages see it: also service certificates.
void add_tasks(const AccountSnapshot& account, const ServeSettings& settings, InventoryBuilder& inventory) {
  const auto use = [&](const std::string& name, const CertificateTask& task) {
    if (const auto certificate = account.certificate(name))
      inventory.use(certificate->thumbprint_sha256(), task);
  };
  for (const agreements::Agreement& agreement : account.account().agreements) {
    for (const NamedTask& named : tasks_of(agreement)) use(named.certificate, named.task);
    add_file(agreement.connection.tls_trust.ca_file,
             {fmt::format("agreement '{}'", agreement.name), "tlsTrust", {}, {}}, inventory);
  }
  for (const std::string& name : settings.tls_certificate)
    use(name, {"tls-certificate", "tlsServer", {}, {}});
  for (const std::string& name : settings.api_certificate)
    use(name, {"api-certificate", "tlsServer", {}, {}});
}

}  // namespace

Result<std::vector<InventoryEntry>> HomeInventory::certificates() {
  SIGNET_TRY(const ServeSettings settings, read_serve_settings(given_, home_.directory() / "serve.toml"));
  SIGNET_TRY(const auto account, home_.current_account());
  InventoryBuilder inventory;
  SIGNET_CHECK(add_account(home_, inventory));
  SIGNET_CHECK(add_vaults(home_, inventory));
  SIGNET_CHECK(add_issuers(home_, inventory));
  SIGNET_CHECK(add_principals(home_, inventory));
  add_tasks(*account, settings, inventory);
  add_file(settings.smtp_authorities, {"smtp-authorities", "tlsTrust", {}, {}}, inventory);
  return std::move(inventory).finish();
}

}  // namespace signet::gateway
