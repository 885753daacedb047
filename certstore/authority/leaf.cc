#include <fmt/format.h>

#include <algorithm>

#include "certstore/authority/leaf_internal.h"
#include "certstore/authority/uri_internal.h"
#include "certstore/vault/calendar_period.h"

namespace signet::authority {
namespace {

using certstore::CertificateProfile;
using certstore::KeyType;
using certstore::KeyUse;
using certstore::Purpose;

constexpr std::string_view kEmailProtection = "1.3.6.1.5.5.7.3.4";
constexpr int kLargestRsaKey = 4096;

void add_once(std::vector<std::string>& names, std::string name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
}

std::string normal_name(std::string_view name) {
  const auto address = normal_ip_address(name);
  return address ? *address : to_lower(name);
}

std::vector<std::string> urls_of(const Application& application) {
  if (const auto* opc_ua = std::get_if<OpcUaApplication>(&application.description))
    return opc_ua->discovery_urls;
  return {std::get<As2Station>(application.description).url};
}

void set_names(CertificateProfile& profile, const Application& application, const Request& request) {
  // Not what the PKCS#10 request has: the authority writes the URI.
  if (std::holds_alternative<OpcUaApplication>(application.description))
    profile.alternative_names.uris = {uri_of(application.description)};
  for (const std::string& name : request.domain_names)
    (is_ip_address(name) ? profile.alternative_names.ip_addresses : profile.alternative_names.dns_names)
        .push_back(name);
}

/// OPC 10000-6 section 6.2.2, table 42.
void set_opc_ua_uses(CertificateProfile& profile) {
  profile.key_uses = {KeyUse::DigitalSignature, KeyUse::NonRepudiation, KeyUse::KeyEncipherment,
                      KeyUse::DataEncipherment};
  profile.extended_key_usages = {std::string(certstore::kServerAuthentication),
                                 std::string(certstore::kClientAuthentication)};
}

/// RFC 8550 section 4.4 for signatures and encryption, RFC 5280 section 4.2.1.12 for TLS.
void set_station_uses(CertificateProfile& profile, const std::set<Purpose>& purposes, KeyType key_type) {
  const KeyUse for_encryption = key_type == KeyType::Rsa ? KeyUse::KeyEncipherment : KeyUse::KeyAgreement;
  if (purposes.count(Purpose::Sign) != 0)
    profile.key_uses.insert({KeyUse::DigitalSignature, KeyUse::NonRepudiation});
  if (purposes.count(Purpose::Encrypt) != 0) profile.key_uses.insert(for_encryption);
  if (purposes.count(Purpose::Sign) != 0 || purposes.count(Purpose::Encrypt) != 0)
    profile.extended_key_usages.emplace_back(kEmailProtection);
  if (purposes.count(Purpose::Tls) == 0) return;
  profile.key_uses.insert({KeyUse::DigitalSignature, for_encryption});
  profile.extended_key_usages.emplace_back(certstore::kServerAuthentication);
  profile.extended_key_usages.emplace_back(certstore::kClientAuthentication);
}

void set_uses(CertificateProfile& profile, const Group& group, const Application& application,
              KeyType key_type) {
  switch (group.type) {
    case CertificateType::OpcUaApplication:
      return set_opc_ua_uses(profile);
    case CertificateType::OpcUaHttps:
      profile.key_uses = {KeyUse::DigitalSignature, KeyUse::KeyEncipherment};
      profile.extended_key_usages = {std::string(certstore::kServerAuthentication)};
      return;
    case CertificateType::As2Station:
      return set_station_uses(profile, std::get<As2Station>(application.description).purposes, key_type);
  }
}

Result<> check_key(const Group& group, const certstore::CertificationRequest& request) {
  if (group.type != CertificateType::As2Station && request.key_type != KeyType::Rsa)
    return fail(ErrorKind::InvalidInput,
                fmt::format("certificates of the type {} have RSA keys: make the request with one of {} bits",
                            to_string(group.type), group.issued.key_bits));
  if (request.key_type != KeyType::Rsa ||
      (request.key_bits >= group.issued.key_bits && request.key_bits <= kLargestRsaKey))
    return {};
  return fail(ErrorKind::InvalidInput,
              fmt::format("group '{}' takes RSA keys of {} to {} bits, and the request's has {}", group.name,
                          group.issued.key_bits, kLargestRsaKey, request.key_bits));
}

Result<> check_uri(const Application& application, const std::vector<std::string>& uris) {
  if (!std::holds_alternative<OpcUaApplication>(application.description)) return {};
  const std::string& wanted = uri_of(application.description);
  if (std::find(uris.begin(), uris.end(), wanted) != uris.end()) return {};
  return fail(
      ErrorKind::InvalidInput,
      fmt::format("the request is to have the application's URI '{}' among its subject alternative names, "
                  "and has {}",
                  wanted, uris.empty() ? "none" : "'" + printable(uris.front()) + "'"));
}

Result<> check_common_name(const certstore::DistinguishedName& subject) {
  if (!subject.common_name().empty()) return {};
  return fail(ErrorKind::InvalidInput,
              fmt::format("the subject needs a common name, such as 'CN=line2,O=Acme', and is '{}'",
                          printable(subject.text())));
}

}  // namespace

Result<> check_type_fits(const Group& group, const Application& application) {
  const bool is_station = std::holds_alternative<As2Station>(application.description);
  if (is_station == (group.type == CertificateType::As2Station)) return {};
  return fail(
      ErrorKind::AlreadyExists,
      fmt::format("group '{}' is for certificates of the type {}, and the application is {}", group.name,
                  to_string(group.type), is_station ? "an AS2 station" : "one of OPC UA"));
}

Result<std::vector<std::string>> domain_names_of(const Application& application,
                                                 const std::vector<std::string>& asked_for) {
  std::vector<std::string> names;
  for (const std::string& name : asked_for) add_once(names, normal_name(name));
  for (const std::string& url : urls_of(application)) {
    SIGNET_TRY(const std::string host, host_of(url, "the application's URL"));
    add_once(names, normal_name(host));
  }
  return names;
}

std::vector<std::string> domain_names_of(const certstore::CertificationRequest& request) {
  std::vector<std::string> names;
  for (const std::string& name : request.profile.alternative_names.dns_names)
    add_once(names, normal_name(name));
  for (const std::string& address : request.profile.alternative_names.ip_addresses)
    add_once(names, normal_name(address));
  return names;
}

Result<certstore::CertificationRequest> read_signing_request(const Group& group,
                                                             const Application& application,
                                                             ByteView pem_or_der) {
  SIGNET_TRY(certstore::CertificationRequest request, certstore::CertificationRequest::parse(pem_or_der));
  SIGNET_CHECK(check_common_name(request.profile.subject));
  SIGNET_CHECK(check_key(group, request));
  SIGNET_CHECK(check_uri(application, request.profile.alternative_names.uris));
  return request;
}

Result<CertificateProfile> leaf_profile(const Group& group, const Application& application,
                                        const Request& request, KeyType key_type) {
  CertificateProfile profile;
  SIGNET_TRY(profile.subject, certstore::DistinguishedName::parse(request.subject));
  SIGNET_CHECK(check_common_name(profile.subject));
  SIGNET_TRY(const certstore::DistinguishedName issuer, certstore::DistinguishedName::parse(group.subject));
  if (profile.subject == issuer)
    return fail(ErrorKind::InvalidInput,
                fmt::format("the subject '{}' is the issuer's own", printable(request.subject)));
  set_names(profile, application, request);
  set_uses(profile, group, application, key_type);
  SIGNET_CHECK(certstore::check_profile(profile));
  return profile;
}

Result<> set_leaf_dates(CertificateProfile& profile, const Group& group, const Certificate& issuer,
                        Time now) {
  const Time yesterday = std::chrono::floor<std::chrono::days>(now) - std::chrono::days(1);
  const Time end = yesterday + vault::CalendarPeriod{.months = group.issued.lifetime_months};
  profile.not_before = std::max(yesterday, issuer.not_before());
  profile.not_after = std::min(end, issuer.not_after());
  if (issuer.not_before() <= now && profile.not_after >= now + std::chrono::days(1)) return {};
  return fail(ErrorKind::AlreadyExists,
              fmt::format("the issuer of group '{}' is valid from {} to {}: an Administrator has to renew it",
                          group.name, to_rfc3339(issuer.not_before()), to_rfc3339(issuer.not_after())));
}

certstore::Publication publication_for(const Group& group, const std::string& issuer_serial) {
  certstore::Publication publication;
  const auto add = [&](std::vector<std::string>& urls, const std::string& url_template) {
    if (!url_template.empty()) urls.push_back(expand_url(url_template, group.name, issuer_serial));
  };
  add(publication.crl_urls, group.crl_distribution_point);
  add(publication.issuer_urls, group.authority_information_access);
  add(publication.ocsp_urls, group.ocsp_responder);
  return publication;
}

}  // namespace signet::authority
