#include "gateway/cli/account_services.h"

#include <fmt/format.h>
#include <openssl/x509.h>

#include <algorithm>
#include <utility>

#include "agreements/certificate_roles.h"
#include "base/openssl.h"
#include "certstore/x509/validity.h"
#include "gateway/cli/service_certificates.h"

namespace signet::gateway {
namespace {

certstore::Purpose to_purpose(agreements::CertificatePurpose purpose) {
  switch (purpose) {
    case agreements::CertificatePurpose::Sign:
    case agreements::CertificatePurpose::Verify:
      return certstore::Purpose::Sign;
    case agreements::CertificatePurpose::Encrypt:
    case agreements::CertificatePurpose::Decrypt:
      return certstore::Purpose::Encrypt;
    case agreements::CertificatePurpose::TlsClient:
    case agreements::CertificatePurpose::TlsTrust:
      return certstore::Purpose::Tls;
  }
  return certstore::Purpose::Sign;
}

std::string describe_key(const certstore::Certificate& certificate) {
  switch (certificate.key_type()) {
    case certstore::KeyType::Rsa:
      return fmt::format("RSA {}", certificate.key_bits());
    case certstore::KeyType::Ec:
      return fmt::format("EC {}", certificate.curve());
    case certstore::KeyType::Other:
      break;
  }
  return "another kind of key";
}

/// Whether a service certificate is bound under the name of a certificate of the account, so that nobody gets
/// that one by it.
Result<bool> is_hidden(Home& home, const ServeSettings& settings, const agreements::Account& account,
                       std::string_view name) {
  SIGNET_TRY(const ServiceCertificates services,
             resolve_service_certificates(home, service_definitions_of(settings), account));
  return std::any_of(services.bound.begin(), services.bound.end(),
                     [&](const BoundCertificate& bound) { return bound.entry.name == name; });
}

std::filesystem::path settings_file(const Home& home) { return home.directory() / "serve.toml"; }

}  // namespace

const Result<certstore::Certificate>& ParsedCertificateFacts::parsed(
    const agreements::CertificateEntry& entry) const {
  const auto known = parsed_.find(as_text(entry.public_certificate));
  if (known != parsed_.end()) return known->second;
  auto certificate = certstore::Certificate::parse(entry.public_certificate);
  return parsed_.emplace(as_text(entry.public_certificate), std::move(certificate)).first->second;
}

std::optional<agreements::CertificateFact> ParsedCertificateFacts::find(
    const agreements::CertificateEntry& entry, std::string& why_not) const {
  const auto& certificate = parsed(entry);
  if (!certificate) {
    why_not = certificate.error().detail;
    return std::nullopt;
  }
  agreements::CertificateFact fact;
  fact.not_before = certificate->not_before();
  fact.not_after = certificate->not_after();
  fact.key = describe_key(*certificate);
  if (auto strong = certstore::check_key_strength(*certificate); !strong)
    fact.key_weakness = strong.error().detail;
  fact.fingerprint = certificate->thumbprint_sha256();
  return fact;
}

std::string ParsedCertificateFacts::objection(const agreements::CertificateEntry& entry,
                                              agreements::CertificatePurpose purpose) const {
  const auto& certificate = parsed(entry);
  if (!certificate) return "";
  for (const certstore::Finding& finding :
       certstore::examine(*certificate, to_purpose(purpose), certificate->not_before()))
    if (finding.problem == certstore::CertificateProblem::KeyUsage) return finding.text;
  return "";
}

agreements::RevocationFact ParsedCertificateFacts::revocation_of(
    const agreements::CertificateEntry& entry) const {
  const auto& certificate = parsed(entry);
  if (!certificate) return {};
  if (certificate->self_signed()) return {true, "", ""};
  if (!find_prospect_) return {};
  Prospect prospect = find_prospect_(*certificate);
  return {false, std::move(prospect.never), std::move(prospect.advice)};
}

agreements::KeyFact HomeVaultFacts::key_of(const agreements::CertificateEntry& entry) const {
  const auto certificate = certstore::Certificate::parse(entry.public_certificate);
  if (!certificate || !entry.key) return {};
  const certstore::KeyReference reference{entry.key->key_vault, entry.key->key_name, entry.key->key_version};
  const auto key = VaultLookup(home_).public_key_of(reference, *certificate);
  if (!key) return {key.error().detail, ""};
  if (certificate->has_public_key(key->native())) return {};
  return {"", fmt::format("{}, which the certificate ({}) was not issued for", to_string(reference),
                          certificate->thumbprint_sha1())};
}

agreements::SecretFact HomeVaultFacts::secret(std::string_view key_vault,
                                              std::string_view secret_name) const {
  const auto current = home_.secret_info(key_vault, secret_name);
  if (!current) return {current.error().detail, ""};
  if (const auto usable = vault::check_usable(*current, now_); !usable) return {"", usable.error().detail};
  return {};
}

Result<certstore::KeyHandle> VaultLookup::public_key(const certstore::KeyReference& key) {
  SIGNET_TRY(vault::KeyVault* const vault, home_.key_vault(key.key_vault));
  SIGNET_TRY(const vault::KeyInfo info,
             vault->get(vault::Principal::local_operator(), {key.key_vault, key.key_name, key.key_version}));
  const unsigned char* cursor = info.public_key.data();
  EVP_PKEY* parsed = d2i_PUBKEY(nullptr, &cursor, static_cast<long>(info.public_key.size()));
  if (parsed == nullptr)
    return fail(take_openssl_error(ErrorKind::Internal, "reading a public key of the vault"));
  return certstore::KeyHandle::adopt(parsed);
}

Result<certstore::KeyHandle> VaultLookup::public_key_of(const certstore::KeyReference& key,
                                                        const certstore::Certificate& certificate) {
  if (!key.key_version.empty()) return public_key(key);
  SIGNET_TRY(vault::KeyVault* const vault, home_.key_vault(key.key_vault));
  SIGNET_TRY(const auto versions,
             vault->versions(vault::Principal::local_operator(), key.key_vault, key.key_name));
  for (const vault::KeyInfo& version : versions) {
    SIGNET_TRY(certstore::KeyHandle handle, public_key({key.key_vault, key.key_name, version.id.version}));
    if (certificate.has_public_key(handle.native())) return handle;
  }
  return public_key(key);
}

Result<std::vector<std::string>> HomeUsage::users_of(std::string_view certificate) {
  SIGNET_TRY(const agreements::StoredAccount stored, home_.accounts().load());
  std::vector<std::string> users;
  for (const agreements::Agreement& agreement : stored.account.agreements)
    for (const std::string& name : agreements::certificates_named(agreement))
      if (name == certificate) users.push_back(fmt::format("agreement '{}'", agreement.name));
  SIGNET_TRY(const ServeSettings settings, read_serve_settings({}, settings_file(home_)));
  SIGNET_TRY(const bool hidden, is_hidden(home_, settings, stored.account, certificate));
  if (hidden) users.clear();
  const auto shows = [&](const std::vector<std::string>& names) {
    return !hidden && std::find(names.begin(), names.end(), certificate) != names.end();
  };
  if (shows(settings.tls_certificate)) users.push_back("tls-certificate in " + settings_file(home_).string());
  if (shows(settings.api_certificate)) users.push_back("api-certificate in " + settings_file(home_).string());
  const auto* entry = agreements::find_certificate(stored.account, certificate);
  if (entry != nullptr && !entry->key) SIGNET_CHECK(add_bound_to(*entry, users));
  return users;
}

Result<> HomeUsage::add_bound_to(const agreements::CertificateEntry& entry, std::vector<std::string>& users) {
  SIGNET_TRY(const auto bindings, home_.service_bindings().bindings());
  const auto certificate = certstore::Certificate::parse(entry.public_certificate);
  for (const certstore::ServiceBinding& binding : bindings)
    if (certificate && binding.thumbprint.is_of(*certificate))
      users.push_back(fmt::format("the binding of the service certificate '{}'", binding.name));
  return {};
}

Result<> check_shown_certificates(Home& home, const agreements::Account& before,
                                  const agreements::Account& after, const ServeSettings& settings,
                                  std::string_view where) {
  const auto is_private = [](const agreements::Account& account, std::string_view name) {
    const agreements::CertificateEntry* entry = agreements::find_certificate(account, name);
    return entry != nullptr && entry->key;
  };
  for (const auto& [setting, names] : {std::pair("tls-certificate", settings.tls_certificate),
                                       std::pair("api-certificate", settings.api_certificate)})
    for (const std::string& name : names) {
      SIGNET_TRY(const bool hidden, is_hidden(home, settings, after, name));
      if (!hidden && is_private(before, name) && !is_private(after, name))
        return fail(ErrorKind::AlreadyExists,
                    fmt::format("this account lacks the private certificate '{}', which HTTPS listeners show "
                                "({}{}): keep it, or name another one there first; nothing was changed",
                                name, setting, where));
    }
  return {};
}

Result<> check_listeners_certificate(Home& home, const agreements::Account& before,
                                     const agreements::Account& after) {
  SIGNET_TRY(const ServeSettings settings, read_serve_settings({}, settings_file(home)));
  return check_shown_certificates(home, before, after, settings, " in " + settings_file(home).string());
}

}  // namespace signet::gateway
