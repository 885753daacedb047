#include "certstore/account/certificates.h"

#include <fmt/format.h>

#include <algorithm>

namespace signet::certstore {
namespace {

constexpr std::size_t kLongestName = 80;

bool allowed_in_name(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  const bool digit = c >= '0' && c <= '9';
  return letter || digit || std::string_view("-_.()").find(c) != std::string_view::npos;
}

Result<> check_reference(const KeyReference& key) {
  if (!key.key_vault.empty() && !key.key_name.empty()) return {};
  return fail(
      ErrorKind::InvalidInput,
      fmt::format(
          "a private certificate needs the names of its key vault and of its key, got keyVault '{}' and "
          "keyName '{}'",
          printable(key.key_vault), printable(key.key_name)));
}

/// An upload does not say what for, so it is examined for both uses in messages; what both find is said once.
std::vector<Finding> examine_for_messages(const Certificate& certificate, Time now) {
  std::vector<Finding> findings = examine(certificate, Purpose::Sign, now);
  for (Finding& finding : examine(certificate, Purpose::Encrypt, now))
    if (std::find(findings.begin(), findings.end(), finding) == findings.end())
      findings.push_back(std::move(finding));
  return findings;
}

bool same(const StoredCertificate& a, const StoredCertificate& b) {
  return a.certificate == b.certificate && a.key == b.key && a.metadata == b.metadata;
}

/// Messages are believed, signed and read by what is in use: another certificate, and whoever holds its key,
/// takes that place only where somebody means it. Without its key ours could not be used at all, which would
/// be noticed with the next message, and the upload be long forgotten.
Result<> check_replacement(const StoredCertificate& before, const std::vector<std::string>& users,
                           const std::optional<KeyReference>& key, WhenInUse when_in_use) {
  if (users.empty()) return {};
  if (before.is_private() && !key)
    return fail(
        ErrorKind::AlreadyExists,
        fmt::format("the name stands for a private certificate with key '{}', which {} relies on, and this "
                    "upload has no key: give its key, or upload it under another name",
                    to_string(*before.key), fmt::join(users, ", ")));
  if (when_in_use == WhenInUse::Replace) return {};
  return fail(ErrorKind::AlreadyExists,
              fmt::format("the name stands for another certificate (thumbprint {}), which {} relies on: "
                          "upload it under another name, to be named beside that one; or have it take that "
                          "one's place at once with --replace",
                          before.certificate.thumbprint_sha1(), fmt::join(users, ", ")));
}

}  // namespace

Result<> check_certificate_name(std::string_view name) {
  const bool fits = !name.empty() && name.size() <= kLongestName;
  if (fits && std::all_of(name.begin(), name.end(), allowed_in_name)) return {};
  return fail(
      ErrorKind::InvalidInput,
      fmt::format(
          "'{}' is no name for a certificate: 1 to {} letters, digits and - _ . ( ) are, and this has {}{}",
          printable(name), kLongestName, name.size(), fits ? ", others among them" : ""));
}

Result<UploadOutcome> IntegrationAccountCertificates::upload(std::string_view name, ByteView certificate,
                                                             const std::optional<KeyReference>& key,
                                                             std::string_view metadata,
                                                             WhenInUse when_in_use) {
  const auto in_context = [name](Error error) {
    return fail(std::move(error).within(fmt::format("uploading certificate '{}'", name)));
  };
  SIGNET_CHECK(check_certificate_name(name));
  auto parsed = Certificate::parse(certificate);
  if (!parsed) return in_context(std::move(parsed).error());
  if (auto strong = check_key_strength(*parsed); !strong) return in_context(std::move(strong).error());
  if (key) {
    if (auto matches = check_key(*parsed, *key); !matches) return in_context(std::move(matches).error());
  }
  auto kept = keep(name, *std::move(parsed), key, metadata, when_in_use);
  if (!kept) return in_context(std::move(kept).error());
  return kept;
}

Result<UploadOutcome> IntegrationAccountCertificates::keep(std::string_view name, Certificate certificate,
                                                           const std::optional<KeyReference>& key,
                                                           std::string_view metadata, WhenInUse when_in_use) {
  const Time now = clock_.now();
  SIGNET_TRY(const std::optional<StoredCertificate> before, store_.get(name));
  StoredCertificate stored{std::string(name), std::move(certificate), key, now, now, std::string(metadata)};
  std::vector<Finding> warnings = examine_for_messages(stored.certificate, now);
  if (before && same(*before, stored))
    return UploadOutcome{UploadChange::Unchanged, *before, std::move(warnings)};
  if (!before) {
    SIGNET_CHECK(check_case(name));
    SIGNET_CHECK(store_.put(stored));
    return UploadOutcome{UploadChange::Created, std::move(stored), std::move(warnings)};
  }
  SIGNET_TRY(std::vector<std::string> users, usage_.users_of(name));
  SIGNET_CHECK(check_replacement(*before, users, key, when_in_use));
  stored.created = before->created;
  SIGNET_CHECK(store_.put(stored));
  return UploadOutcome{UploadChange::Replaced, std::move(stored), std::move(warnings), before->certificate,
                       std::move(users)};
}

Result<> IntegrationAccountCertificates::check_key(const Certificate& certificate,
                                                   const KeyReference& key) const {
  SIGNET_CHECK(check_reference(key));
  auto vault_key = vault_.public_key(key);
  if (!vault_key)
    return fail(std::move(vault_key).error().within(fmt::format("its key '{}'", to_string(key))));
  if (certificate.has_public_key(vault_key->native())) return {};
  return fail(
      ErrorKind::CryptoFailure,
      fmt::format(
          "certificate '{}' (SHA-256 thumbprint {}) was issued for the public key {}, but key '{}' of the "
          "vault is {}: upload the certificate that was issued for this key, or name the key (or its "
          "version) that it was issued for",
          printable(certificate.subject()), certificate.thumbprint_sha256(),
          key_thumbprint(certificate.public_key()), to_string(key), key_thumbprint(vault_key->native())));
}

// Azure's resource names do not differ by case; two that did could not both be exported to it.
Result<> IntegrationAccountCertificates::check_case(std::string_view name) const {
  SIGNET_TRY(const std::vector<StoredCertificate> all, store_.list());
  for (const StoredCertificate& other : all) {
    if (!equal_ignoring_case(other.name, name)) continue;
    return fail(
        ErrorKind::AlreadyExists,
        fmt::format("there is a certificate '{}', which differs in case only: replace that one, or choose "
                    "another name",
                    other.name));
  }
  return {};
}

Result<StoredCertificate> IntegrationAccountCertificates::find(std::string_view name) const {
  SIGNET_TRY(std::optional<StoredCertificate> found, store_.get(name));
  if (found) return *std::move(found);
  return fail(
      ErrorKind::NotFound,
      fmt::format(
          "the integration account has no certificate '{}': upload it, or look at the list of those it has",
          printable(name)));
}

Result<std::vector<StoredCertificate>> IntegrationAccountCertificates::list() const { return store_.list(); }

Result<> IntegrationAccountCertificates::remove(std::string_view name) {
  SIGNET_CHECK(find(name));
  SIGNET_TRY(const std::vector<std::string> users, usage_.users_of(name));
  if (!users.empty())
    return fail(ErrorKind::AlreadyExists,
                fmt::format("certificate '{}' is named by {}: take it out there first", printable(name),
                            fmt::join(users, ", ")));
  SIGNET_CHECK(store_.remove(name));
  return {};
}

}  // namespace signet::certstore
