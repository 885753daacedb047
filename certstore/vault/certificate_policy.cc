#include "certstore/vault/certificate_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "certstore/vault/calendar_period.h"
#include "certstore/vault/word_list.h"

namespace signet::vault {
namespace {

using certstore::KeyUse;
using certstore::KeyUses;

constexpr int kMostMonths = 1200;
constexpr int kDaysOfAMonth = 27;  // of Key Vault's bound of days_before_expiry
constexpr int kDefaultPercentage = 80;
constexpr std::size_t kLongestWord = 127;
/// For relying parties whose clocks are slow.
constexpr std::chrono::minutes kBackdating{5};

constexpr std::array<Word<CertificateContent>, 2> kContents{
    {{CertificateContent::Pkcs12, "application/x-pkcs12"},
     {CertificateContent::Pem, "application/x-pem-file"}}};

constexpr std::array<Word<KeyUse>, 9> kKeyUses{{{KeyUse::DigitalSignature, "digitalSignature"},
                                                {KeyUse::NonRepudiation, "nonRepudiation"},
                                                {KeyUse::KeyEncipherment, "keyEncipherment"},
                                                {KeyUse::DataEncipherment, "dataEncipherment"},
                                                {KeyUse::KeyAgreement, "keyAgreement"},
                                                {KeyUse::KeyCertSign, "keyCertSign"},
                                                {KeyUse::CrlSign, "cRLSign"},
                                                {KeyUse::EncipherOnly, "encipherOnly"},
                                                {KeyUse::DecipherOnly, "decipherOnly"}}};

constexpr std::array<Word<LifetimeActionType>, 2> kActions{
    {{LifetimeActionType::AutoRenew, "AutoRenew"}, {LifetimeActionType::EmailContacts, "EmailContacts"}}};

Result<> check_action(const LifetimeAction& action, const CertificatePolicy& policy) {
  const int most_days = policy.validity_months * kDaysOfAMonth;
  if (action.lifetime_percentage.has_value() == action.days_before_expiry.has_value())
    return fail(ErrorKind::InvalidInput,
                "a lifetime action has one trigger: lifetime_percentage or days_before_expiry");
  if (action.lifetime_percentage && (*action.lifetime_percentage < 1 || *action.lifetime_percentage > 99))
    return fail(ErrorKind::InvalidInput,
                fmt::format("lifetime_percentage is 1 to 99, not {}", *action.lifetime_percentage));
  if (action.days_before_expiry && (*action.days_before_expiry < 1 || *action.days_before_expiry > most_days))
    return fail(ErrorKind::InvalidInput,
                fmt::format("days_before_expiry is 1 to {} for {} months, not {}", most_days,
                            policy.validity_months, *action.days_before_expiry));
  if (action.type == LifetimeActionType::AutoRenew && policy.issuer == kUnknownIssuer)
    return fail(
        ErrorKind::InvalidInput,
        "nobody renews certificates of the issuer Unknown by himself: the action can only be EmailContacts");
  return {};
}

Result<> check_actions(const CertificatePolicy& policy) {
  const std::vector<LifetimeAction> actions = lifetime_actions_of(policy);
  if (actions.size() > 1)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a policy has one lifetime action at most, not {}", actions.size()));
  for (const LifetimeAction& action : actions) SIGNET_CHECK(check_action(action, policy));
  return {};
}

Result<> check_issuer(const CertificatePolicy& policy) {
  if (auto named = check_object_id({"vault", policy.issuer, {}}, "certificate issuer"); !named) return named;
  if (policy.certificate_type.size() > kLongestWord ||
      printable(policy.certificate_type) != policy.certificate_type)
    return fail(ErrorKind::InvalidInput,
                fmt::format("'{}' is no type of certificate", printable(policy.certificate_type)));
  return {};
}

int months_between(Time from, Time to) {
  constexpr double kDays = 30.44;
  const double days = std::chrono::duration<double, std::chrono::days::period>(to - from).count();
  return static_cast<int>(std::clamp(std::lround(days / kDays), 1L, long{kMostMonths}));
}

}  // namespace

std::string_view to_string(CertificateContent content) { return word_of(kContents, content); }
Result<CertificateContent> parse_certificate_content(std::string_view text) {
  return find_word(kContents, text, "content type of a certificate");
}
std::string_view to_string(KeyUse use) { return word_of(kKeyUses, use); }
Result<KeyUse> parse_key_use(std::string_view text) { return find_word(kKeyUses, text, "key usage"); }
std::string_view to_string(LifetimeActionType type) { return word_of(kActions, type); }
Result<LifetimeActionType> parse_lifetime_action_type(std::string_view text) {
  return find_word(kActions, text, "lifetime action");
}

std::string issuer_name(std::string_view given) {
  for (const std::string_view own : {kSelfIssuer, kUnknownIssuer})
    if (equal_ignoring_case(given, own)) return std::string(own);
  return std::string(given);
}

KeyUses default_key_uses(KeyKind kind) {
  KeyUses uses{KeyUse::DigitalSignature};
  if (is_rsa(kind)) uses.insert(KeyUse::KeyEncipherment);
  return uses;
}

KeyUses key_uses_of(const CertificatePolicy& policy) {
  return policy.key_uses ? *policy.key_uses : default_key_uses(policy.kind);
}

std::vector<LifetimeAction> lifetime_actions_of(const CertificatePolicy& policy) {
  if (policy.lifetime_actions) return *policy.lifetime_actions;
  const bool renews = policy.issuer != kUnknownIssuer;
  return {{kDefaultPercentage, std::nullopt,
           renews ? LifetimeActionType::AutoRenew : LifetimeActionType::EmailContacts}};
}

Result<> check_policy(const CertificatePolicy& policy) {
  if (policy.validity_months < 1 || policy.validity_months > kMostMonths)
    return fail(ErrorKind::InvalidInput, fmt::format("a validity of 1 to {} months is wanted, not {}",
                                                     kMostMonths, policy.validity_months));
  SIGNET_CHECK(check_issuer(policy));
  SIGNET_CHECK(check_actions(policy));
  SIGNET_TRY(const certstore::CertificateProfile profile, profile_of(policy, Time{}));
  return check_profile(profile);
}

Result<certstore::CertificateProfile> profile_of(const CertificatePolicy& policy, Time now) {
  certstore::CertificateProfile profile;
  SIGNET_TRY(profile.subject, certstore::DistinguishedName::parse(policy.subject));
  profile.alternative_names = policy.alternative_names;
  profile.key_uses = key_uses_of(policy);
  profile.key_uses.erase(KeyUse::KeyCertSign);  // no policy makes authorities [RFC5280 4.2.1.9]
  profile.extended_key_usages = policy.extended_key_usages;
  profile.not_before = std::chrono::floor<std::chrono::seconds>(now) - kBackdating;
  profile.not_after = profile.not_before + CalendarPeriod{0, policy.validity_months};
  return profile;
}

CertificatePolicy policy_of(const certstore::Certificate& certificate, KeyKind kind) {
  const certstore::CertificateProfile profile = certstore::profile_of(certificate);
  CertificatePolicy policy;
  policy.kind = kind;
  policy.subject = profile.subject.text();
  policy.alternative_names = profile.alternative_names;
  policy.extended_key_usages = profile.extended_key_usages;
  policy.key_uses = profile.key_uses;
  policy.validity_months = months_between(profile.not_before, profile.not_after);
  return policy;
}

KeyOps key_ops_of(KeyKind kind, const KeyUses& uses) {
  if (uses.empty()) return default_key_ops(kind);
  KeyOps ops;
  for (const KeyUse use :
       {KeyUse::DigitalSignature, KeyUse::NonRepudiation, KeyUse::KeyCertSign, KeyUse::CrlSign})
    if (uses.contains(use)) ops.add_all({KeyOp::Sign, KeyOp::Verify});
  for (const KeyUse use : {KeyUse::KeyEncipherment, KeyUse::DataEncipherment})
    if (uses.contains(use)) ops.add_all({KeyOp::Encrypt, KeyOp::Decrypt, KeyOp::WrapKey, KeyOp::UnwrapKey});
  for (const KeyUse use : {KeyUse::KeyAgreement, KeyUse::DecipherOnly})
    if (uses.contains(use)) ops.add(KeyOp::Decrypt);
  if (uses.contains(KeyUse::EncipherOnly)) ops.add(KeyOp::Encrypt);
  if (!is_rsa(kind))
    for (const KeyOp op : {KeyOp::Encrypt, KeyOp::WrapKey, KeyOp::UnwrapKey}) ops.remove(op);
  return ops;
}

}  // namespace signet::vault
