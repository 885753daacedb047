#include "certstore/vault/self_signed.h"

#include <fmt/format.h>

#include "certstore/vault/provider.h"
#include "certstore/vault/vault.h"
#include "certstore/x509/issue.h"

namespace signet::vault {
namespace {

using certstore::KeyUse;

constexpr std::size_t kLongestName = 64;
constexpr std::int64_t kMostDays = 3650;

Result<> check(const SelfSignedSettings& settings) {
  if (settings.common_name.empty() || settings.common_name.size() > kLongestName ||
      settings.organisation.size() > kLongestName)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a common name of 1 to {0} octets and an organisation of at most {0} are wanted",
                            kLongestName));
  if (settings.validity.count() < 1 || settings.validity.count() > kMostDays)
    return fail(ErrorKind::InvalidInput, fmt::format("a validity of 1 to {} days is wanted, not {}",
                                                     kMostDays, settings.validity.count()));
  return {};
}

Result<certstore::DistinguishedName> subject_of(const SelfSignedSettings& settings) {
  std::string text = "CN=" + certstore::escape_name_value(settings.common_name);
  if (!settings.organisation.empty()) text += ",O=" + certstore::escape_name_value(settings.organisation);
  return certstore::DistinguishedName::parse(text);
}

Result<certstore::CertificateProfile> profile_of(const SelfSignedSettings& settings, KeyKind kind) {
  SIGNET_CHECK(check(settings));
  certstore::CertificateProfile profile;
  SIGNET_TRY(profile.subject, subject_of(settings));
  if (!settings.dns_name.empty()) profile.alternative_names.dns_names = {settings.dns_name};
  profile.key_uses = {KeyUse::DigitalSignature, KeyUse::NonRepudiation};
  if (is_rsa(kind))
    profile.key_uses.insert({KeyUse::KeyEncipherment, KeyUse::DataEncipherment});
  else
    profile.key_uses.insert(KeyUse::KeyAgreement);
  profile.not_before = settings.not_before;
  profile.not_after = settings.not_before + settings.validity;
  return profile;
}

}  // namespace

Result<certstore::Certificate> make_self_signed(KeyVault& vault, const Principal& principal, const KeyId& key,
                                                const SelfSignedSettings& settings) {
  SIGNET_TRY(const KeyInfo info, vault.get(principal, key));
  SIGNET_TRY(const certstore::CertificateProfile profile, profile_of(settings, info.kind));
  SIGNET_TRY(certstore::KeyHandle handle, open_key(vault, principal, info.id));
  auto made = certstore::make_self_signed({std::move(handle), info.public_key}, profile);
  if (made) return made;
  if (auto refused = take_vault_refusal()) return fail(*std::move(refused));
  return made;
}

}  // namespace signet::vault
