#include "gateway/cli/account_services.h"

#include <fmt/format.h>
#include <openssl/x509.h>

#include "agreements/certificate_roles.h"
#include "base/openssl.h"
#include "certstore/x509/validity.h"

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

}  // namespace

std::optional<agreements::CertificateFact> ParsedCertificateFacts::find(
    const agreements::CertificateEntry& entry, std::string& why_not) const {
  const auto certificate = certstore::Certificate::parse(entry.public_certificate);
  if (!certificate) {
    why_not = certificate.error().detail;
    return std::nullopt;
  }
  agreements::CertificateFact fact;
  fact.is_private = entry.key.has_value();
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
  const auto certificate = certstore::Certificate::parse(entry.public_certificate);
  if (!certificate) return "";
  for (const certstore::Finding& finding :
       certstore::examine(*certificate, to_purpose(purpose), certificate->not_before()))
    if (finding.problem == certstore::CertificateProblem::KeyUsage) return finding.text;
  return "";
}

agreements::SecretFact VaultSecretFacts::find(std::string_view key_vault,
                                              std::string_view secret_name) const {
  const auto versions = vault_.secret_versions(vault::Principal::local_operator(), key_vault, secret_name);
  if (!versions) return {versions.error().detail, ""};
  const vault::SecretInfo& current = versions->front();
  if (const auto usable = vault::check_usable(current, now_); !usable) return {"", usable.error().detail};
  return {};
}

Result<certstore::KeyHandle> VaultLookup::public_key(const certstore::KeyReference& key) {
  SIGNET_TRY(const vault::KeyInfo info,
             vault_.get(vault::Principal::local_operator(), {key.key_vault, key.key_name, key.key_version}));
  const unsigned char* cursor = info.public_key.data();
  EVP_PKEY* parsed = d2i_PUBKEY(nullptr, &cursor, static_cast<long>(info.public_key.size()));
  if (parsed == nullptr)
    return fail(take_openssl_error(ErrorKind::Internal, "reading a public key of the vault"));
  return certstore::KeyHandle::adopt(parsed);
}

Result<certstore::KeyHandle> VaultLookup::public_key_of(const certstore::KeyReference& key,
                                                        const certstore::Certificate& certificate) {
  if (!key.key_version.empty()) return public_key(key);
  SIGNET_TRY(const auto versions,
             vault_.versions(vault::Principal::local_operator(), key.key_vault, key.key_name));
  for (const vault::KeyInfo& version : versions) {
    SIGNET_TRY(certstore::KeyHandle handle, public_key({key.key_vault, key.key_name, version.id.version}));
    if (certificate.has_public_key(handle.native())) return handle;
  }
  return public_key(key);
}

Result<std::vector<std::string>> AccountUsage::agreements_naming(std::string_view certificate) {
  SIGNET_TRY(const agreements::StoredAccount stored, accounts_.load());
  std::vector<std::string> naming;
  for (const agreements::Agreement& agreement : stored.account.agreements)
    for (const std::string& name : agreements::certificates_named(agreement))
      if (name == certificate) naming.push_back(agreement.name);
  return naming;
}

Result<std::vector<std::string>> check_private_certificates(const agreements::Account& account,
                                                            vault::KeyVault& vault) {
  VaultLookup lookup(vault);
  std::vector<std::string> objections;
  for (const agreements::CertificateEntry& entry : account.certificates) {
    if (!entry.key) continue;
    const certstore::KeyReference reference{entry.key->key_vault, entry.key->key_name,
                                            entry.key->key_version};
    SIGNET_TRY(const certstore::Certificate certificate,
               certstore::Certificate::parse(entry.public_certificate));
    const auto key = lookup.public_key_of(reference, certificate);
    if (!key)
      objections.push_back(fmt::format("certificate '{}': {}", entry.name, key.error().detail));
    else if (!certificate.has_public_key(key->native()))
      objections.push_back(fmt::format(
          "certificate '{}' ({}) was not issued for the key {}: name the key that it was made for, or "
          "upload the certificate of this key",
          entry.name, certificate.thumbprint_sha1(), to_string(reference)));
  }
  return objections;
}

}  // namespace signet::gateway
