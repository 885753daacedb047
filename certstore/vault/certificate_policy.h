#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "certstore/vault/key.h"
#include "certstore/x509/profile.h"

/// How the versions of a certificate are made: Key Vault's certificate policy.

namespace signet::vault {

/// Who issues a certificate, beside the issuers of the vault by their names.
inline constexpr std::string_view kSelfIssuer = "Self";        ///< signed by its own key, at once
inline constexpr std::string_view kUnknownIssuer = "Unknown";  ///< somebody outside: request and merge

/// As policies have it: the two words above as they are spelled, in whatever case they come.
std::string issuer_name(std::string_view given);

/// As what the secret of a certificate's name holds it.
enum class CertificateContent { Pkcs12, Pem };

/// "application/x-pkcs12", "application/x-pem-file".
std::string_view to_string(CertificateContent content);
/// @error InvalidInput  lists those there are.
Result<CertificateContent> parse_certificate_content(std::string_view text);

/// RFC 5280's words, "digitalSignature"... @error InvalidInput  lists those there are.
std::string_view to_string(certstore::KeyUse use);
Result<certstore::KeyUse> parse_key_use(std::string_view text);

enum class LifetimeActionType { AutoRenew, EmailContacts };

/// "AutoRenew", "EmailContacts"; read in any case. @error InvalidInput
std::string_view to_string(LifetimeActionType type);
Result<LifetimeActionType> parse_lifetime_action_type(std::string_view text);

/// What is to be done when a version's end comes near. One of the two triggers, and not both.
struct LifetimeAction {
  std::optional<int> lifetime_percentage;  ///< 1 to 99
  std::optional<int> days_before_expiry;   ///< 1 to 27 for each month of validity
  LifetimeActionType type = LifetimeActionType::AutoRenew;

  friend bool operator==(const LifetimeAction&, const LifetimeAction&) = default;
};

struct CertificatePolicy {
  KeyKind kind = KeyKind::Rsa2048;
  bool in_token = false;   ///< whether a token is to hold the key, as it does in vaults that have one
  bool exportable = true;  ///< whether the secret of the certificate's name holds the private key as well
  bool reuse_key = false;  ///< whether a new version keeps the key of the one before
  CertificateContent content = CertificateContent::Pkcs12;

  std::string subject;  ///< as it was given; DistinguishedName::parse() reads it
  certstore::AlternativeNames alternative_names;
  std::vector<std::string> extended_key_usages{std::string(certstore::kServerAuthentication),
                                               std::string(certstore::kClientAuthentication)};
  /// default_key_uses() where absent.
  std::optional<certstore::KeyUses> key_uses;
  int validity_months = 12;  ///< 1 to 1200

  /// One at 80 % of the lifetime where absent: EmailContacts for Unknown, else AutoRenew.
  std::optional<std::vector<LifetimeAction>> lifetime_actions;

  std::string issuer{kUnknownIssuer};
  std::string certificate_type;  ///< a word of the issuer's, such as "OV-SSL"
  bool certificate_transparency = false;

  bool enabled = true;
  Time created{};
  Time updated{};
};

/// digitalSignature, and keyEncipherment for RSA.
certstore::KeyUses default_key_uses(KeyKind kind);
certstore::KeyUses key_uses_of(const CertificatePolicy& policy);
std::vector<LifetimeAction> lifetime_actions_of(const CertificatePolicy& policy);

/// @error InvalidInput  says which member breaks which rule: a subject or alternative names that are none,
///                      months, an action's trigger, AutoRenew where nobody renews, an issuer's name.
Result<> check_policy(const CertificatePolicy& policy);

/// What a version that is made now says of itself. @error InvalidInput  as check_policy().
Result<certstore::CertificateProfile> profile_of(const CertificatePolicy& policy, Time now);

/// The policy that an imported certificate has: what it says itself, and issuer Unknown.
CertificatePolicy policy_of(const certstore::Certificate& certificate, KeyKind kind);

/// What the key of such a certificate may be used for: sign and verify for the uses that sign, encrypt,
/// decrypt, wrapKey and unwrapKey for those that encipher (CMS deciphers the key of a message by `decrypt`),
/// decrypt for keyAgreement. A certificate that says nothing of its use allows everything that its kind of
/// key can do.
KeyOps key_ops_of(KeyKind kind, const certstore::KeyUses& uses);

}  // namespace signet::vault
