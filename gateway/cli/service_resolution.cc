#include "gateway/cli/service_resolution_internal.h"

#include <algorithm>

#include "agreements/certificate_roles.h"

namespace signet::gateway {
namespace {

using certstore::ServiceBinding;
using certstore::ServiceCandidate;
using certstore::ServiceCertificate;
using certstore::ServiceDefinitions;
using certstore::ServiceUse;
using certstore::Thumbprint;

agreements::CertificateEntry entry_of(const std::string& name, const ServiceCandidate& candidate) {
  return {
      name,
      candidate.chain.front().der(),
      agreements::KeyReference{candidate.key.key_vault, candidate.key.key_name, candidate.key.key_version},
      {}};
}

std::string gone(const std::string& where, const Thumbprint& thumbprint) {
  return where + " has no certificate " + to_string(thumbprint) + " (any more)";
}

Result<> resolve(const ServiceCertificate& definition, const ServiceBinding& binding,
                 const agreements::Account& account, Candidates& candidates, ServiceCertificates& services) {
  if (definition.use == ServiceUse::Intermediate) {
    if (const auto* entry = public_certificate(account, binding.thumbprint))
      services.bound.push_back({{binding.name, entry->public_certificate, std::nullopt, {}}, {}});
    else
      services.broken.emplace(binding.name, gone("the account", binding.thumbprint));
    return {};
  }
  SIGNET_TRY(const auto found, candidates.find(definition.store, binding.thumbprint));
  if (!found) {
    services.broken.emplace(binding.name, gone("key vault '" + definition.store + "'", binding.thumbprint));
    return {};
  }
  BoundCertificate bound{entry_of(binding.name, *found), {found->chain.begin() + 1, found->chain.end()}};
  bound.for_listeners_only = definition.use == ServiceUse::Listeners;
  for (const Thumbprint& thumbprint : binding.earlier) {
    SIGNET_TRY(const auto earlier, candidates.find(definition.store, thumbprint));
    if (earlier) bound.earlier.push_back(entry_of(binding.name, *earlier));
  }
  const agreements::CertificateEntry* hidden = agreements::find_certificate(account, binding.name);
  if (hidden != nullptr && hidden->key && hidden->public_certificate != bound.entry.public_certificate)
    bound.earlier.push_back(*hidden);
  services.bound.push_back(std::move(bound));
  return {};
}

std::string key_of(const certstore::Certificate& certificate) {
  return certstore::key_thumbprint(certificate.public_key());
}

}  // namespace

Result<std::optional<ServiceCandidate>> Candidates::find(const std::string& vault,
                                                         const Thumbprint& thumbprint) {
  auto known = read_.find(vault);
  if (known == read_.end()) {
    SIGNET_TRY(std::vector<ServiceCandidate> all, store_.candidates(vault));
    known = read_.emplace(vault, std::move(all)).first;
  }
  std::optional<ServiceCandidate> found;
  for (const ServiceCandidate& candidate : known->second)
    if (thumbprint.is_of(candidate.chain.front()) && (!found || (!found->enabled && candidate.enabled)))
      found = candidate;
  return found;
}

const agreements::CertificateEntry* public_certificate(const agreements::Account& account,
                                                       const Thumbprint& thumbprint) {
  for (const agreements::CertificateEntry& entry : account.certificates)
    if (!entry.key)
      if (const auto certificate = certstore::Certificate::parse(entry.public_certificate);
          certificate && thumbprint.is_of(*certificate))
        return &entry;
  return nullptr;
}

Result<ServiceCertificates> resolve_all(const ServiceDefinitions& definitions,
                                        const std::vector<ServiceBinding>& bindings,
                                        const agreements::Account& account, Candidates& candidates) {
  ServiceCertificates services;
  for (const ServiceBinding& binding : bindings)
    if (const ServiceCertificate* definition = definitions.find(binding.name))
      SIGNET_CHECK(resolve(*definition, binding, account, candidates, services));
  return services;
}

std::vector<std::string> names_of_private_keys(const agreements::Agreement& agreement) {
  using agreements::CertificateRole;
  std::vector<std::string> names;
  for (const CertificateRole role :
       {CertificateRole::Decrypt, CertificateRole::SignMdn, CertificateRole::SignMessage})
    for (const agreements::DatedCertificate& dated : agreements::certificates_for(agreement, role))
      names.push_back(dated.name);
  if (!agreement.connection.client_certificate_name.empty())
    names.push_back(agreement.connection.client_certificate_name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

KeysOfListeners keys_of_listeners(const ServiceCertificates& services) {
  KeysOfListeners keys;
  for (const BoundCertificate& bound : services.bound)
    if (bound.for_listeners_only)
      if (const auto own = certstore::Certificate::parse(bound.entry.public_certificate))
        keys.emplace(key_of(*own), bound.entry.name);
  return keys;
}

std::optional<std::string> listener_with_key_of(const agreements::CertificateEntry& certificate,
                                                const KeysOfListeners& keys) {
  if (keys.empty()) return std::nullopt;
  const auto parsed = certstore::Certificate::parse(certificate.public_certificate);
  const auto found = parsed ? keys.find(key_of(*parsed)) : keys.end();
  if (found == keys.end()) return std::nullopt;
  return found->second;
}

}  // namespace signet::gateway
