#include "certstore/authority/group.h"

#include <algorithm>

#include "certstore/authority/uri_internal.h"
#include "certstore/vault/calendar_period.h"
#include "certstore/vault/word_list.h"
#include "certstore/x509/distinguished_name.h"

namespace signet::authority {
namespace {

constexpr std::array<vault::Word<CertificateType>, 3> kCertificateTypes = {
    {{CertificateType::OpcUaApplication, "RsaSha256ApplicationCertificateType"},
     {CertificateType::OpcUaHttps, "HttpsCertificateType"},
     {CertificateType::As2Station, "As2CertificateType"}}};

constexpr std::size_t kLongestGroupName = 48;
constexpr int kLongestIssued = 60;
constexpr int kLongestIssuer = 1200;
constexpr std::int64_t kLongestCrl = 366;
/// "through 2030": the first moment that is behind it.
constexpr Time kEndOf112Bits = std::chrono::sys_days{std::chrono::January / 1 / 2031};

Result<> check_name(std::string_view name) {
  const auto is_fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (!name.empty() && name.size() <= kLongestGroupName && std::all_of(name.begin(), name.end(), is_fine))
    return {};
  return fail(ErrorKind::InvalidInput,
              fmt::format("'{}' cannot be a group's name: 1 to {} letters and digits are wanted",
                          printable(name), kLongestGroupName));
}

Result<> check_lifetime(int months, int longest, std::string_view what) {
  if (months >= 1 && months <= longest) return {};
  return fail(ErrorKind::InvalidInput,
              fmt::format("the lifetime of {} is 1 to {} months, not {}", what, longest, months));
}

Result<> check_key_settings(const KeySettings& settings, std::string_view what) {
  if (settings.key_bits != 2048 && settings.key_bits != 3072 && settings.key_bits != 4096)
    return fail(ErrorKind::InvalidInput,
                fmt::format("the key of {} has 2048, 3072 or 4096 bits, not {}", what, settings.key_bits));
  if (settings.hash != Hash::Sha256 && settings.hash != Hash::Sha384 && settings.hash != Hash::Sha512)
    return fail(ErrorKind::InvalidInput, fmt::format("{} is signed with SHA-256, SHA-384 or SHA-512, not {}",
                                                     what, to_string(settings.hash)));
  return {};
}

Result<> check_template(std::string_view text, std::string_view what) {
  if (text.empty()) return {};
  const std::string url = expand_url(text, "Group", "0123456789ABCDEF0123456789ABCDEF01234567");
  if (url.find('%') != std::string::npos)
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("{}: %group% and %serial% are all that is filled in, in '{}'", what, printable(text)));
  SIGNET_CHECK(host_of(url, what));
  if (has_scheme(url, "http") || has_scheme(url, "https")) return {};
  return fail(ErrorKind::InvalidInput,
              fmt::format("{}: an http or https URL is wanted, not '{}'", what, printable(text)));
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

}  // namespace

std::string_view to_string(CertificateType type) { return vault::word_of(kCertificateTypes, type); }

Result<CertificateType> parse_certificate_type(std::string_view text) {
  if (equal_ignoring_case(text, "ApplicationCertificateType")) return CertificateType::OpcUaApplication;
  return vault::find_word(kCertificateTypes, text, "certificate type");
}

Result<Hash> parse_certificate_hash(std::string_view text) {
  for (const Hash hash : {Hash::Sha256, Hash::Sha384, Hash::Sha512})
    if (equal_ignoring_case(text, to_string(hash))) return hash;
  return fail(ErrorKind::InvalidInput,
              fmt::format("certificates are signed with sha-256, sha-384 or sha-512, not with '{}'",
                          printable(text)));
}

Result<> check_key_for(int key_bits, Time not_after, bool is_authority, std::string_view what) {
  if (not_after < kEndOf112Bits) return {};
  const int needed = is_authority ? 4096 : 3072;
  if (key_bits >= needed) return {};
  return fail(ErrorKind::InvalidInput,
              fmt::format("{} would be valid until {}: beyond 2030 its key needs {} bits or more, not {}; "
                          "choose a larger key or a shorter lifetime",
                          what, to_rfc3339(not_after), needed, key_bits));
}

Result<> check_group(const Group& group, Time now) {
  SIGNET_CHECK(check_name(group.name));
  SIGNET_CHECK(vault::check_vault_name(group.key_vault));
  auto subject = certstore::DistinguishedName::parse(group.subject);
  if (!subject) return fail(std::move(subject.error()).within("the issuer's subject"));
  if (subject->common_name().empty())
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("the issuer's subject needs a common name, such as 'CN=Acme Plant CA,O=Acme', not '{}'",
                    printable(group.subject)));
  SIGNET_CHECK(check_lifetime(group.issued.lifetime_months, kLongestIssued, "issued certificates"));
  SIGNET_CHECK(check_lifetime(group.issuer.lifetime_months, kLongestIssuer, "an issuer"));
  SIGNET_CHECK(check_key_settings(group.issued, "issued certificates"));
  SIGNET_CHECK(check_key_settings(group.issuer, "an issuer"));
  if (group.issuer.lifetime_months < 2 * group.issued.lifetime_months)
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("an issuer of {} months is too short for certificates of {}: twice their lifetime or "
                    "more is needed, so that it is renewed before it cuts theirs short",
                    group.issuer.lifetime_months, group.issued.lifetime_months));
  if (group.issued.key_bits > group.issuer.key_bits)
    return fail(ErrorKind::InvalidInput, fmt::format("issued keys of {} bits are larger than the issuer's {}",
                                                     group.issued.key_bits, group.issuer.key_bits));
  const auto end = [now](const KeySettings& settings) {
    return now + vault::CalendarPeriod{.months = settings.lifetime_months};
  };
  SIGNET_CHECK(check_key_for(group.issued.key_bits, end(group.issued), false, "what is issued"));
  SIGNET_CHECK(check_key_for(group.issuer.key_bits, end(group.issuer), true, "the issuer"));
  if (group.crl_lifetime.count() < 1 || group.crl_lifetime.count() > kLongestCrl)
    return fail(ErrorKind::InvalidInput, fmt::format("a revocation list is valid for 1 to {} days, not {}",
                                                     kLongestCrl, group.crl_lifetime.count()));
  SIGNET_CHECK(check_template(group.crl_distribution_point, "the CRL distribution point"));
  SIGNET_CHECK(check_template(group.authority_information_access, "the authority information access"));
  return check_template(group.ocsp_responder, "the OCSP responder");
}

std::string expand_url(std::string_view url_template, std::string_view group,
                       std::string_view issuer_serial) {
  std::string url(url_template);
  replace_all(url, "%group%", group);
  replace_all(url, "%serial%", issuer_serial);
  return url;
}

}  // namespace signet::authority
