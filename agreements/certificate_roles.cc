#include "agreements/certificate_roles.h"

#include <algorithm>
#include <unordered_set>

namespace signet::agreements {

namespace {

/// Where a role without certificates of its own looks; itself: nowhere.
CertificateRole substitute(CertificateRole role) {
  switch (role) {
    case CertificateRole::VerifyMessage:
      return CertificateRole::Encrypt;
    case CertificateRole::Decrypt:
      return CertificateRole::SignMessage;
    case CertificateRole::SignMessage:
      return CertificateRole::Decrypt;
    case CertificateRole::Encrypt:
      return CertificateRole::VerifyMessage;
    case CertificateRole::SignMdn:
      return CertificateRole::SignMessage;
    case CertificateRole::VerifyMdn:
      return CertificateRole::VerifyMessage;
  }
  return role;
}

/// Of an agreement that may be changed or not, and so the name.
template <class AnAgreement>
auto find_azure_name(AnAgreement& agreement, CertificateRole role)
    -> decltype(&agreement.send_agreement.security_settings.signing_certificate_name) {
  auto& settings = direction_of(agreement, role).security_settings;
  switch (role) {
    case CertificateRole::VerifyMessage:
    case CertificateRole::SignMessage:
      return &settings.signing_certificate_name;
    case CertificateRole::Decrypt:
    case CertificateRole::Encrypt:
      return &settings.encryption_certificate_name;
    case CertificateRole::SignMdn:
    case CertificateRole::VerifyMdn:
      break;
  }
  return nullptr;
}

/// The role's certificates without those of another role.
std::vector<DatedCertificate> own_certificates(const Agreement& agreement, CertificateRole role) {
  std::vector<DatedCertificate> found;
  for (const RoleCertificates& list : direction_of(agreement, role).certificates)
    if (list.role == role) found.insert(found.end(), list.certificates.begin(), list.certificates.end());
  const std::string* named = azure_name_of(agreement, role);
  if (named == nullptr || named->empty()) return found;
  const auto has_name = [&](const DatedCertificate& certificate) { return certificate.name == *named; };
  if (std::none_of(found.begin(), found.end(), has_name))
    found.insert(found.begin(), DatedCertificate{*named, std::nullopt, std::nullopt});
  return found;
}

}  // namespace

bool is_receiving(CertificateRole role) {
  return role == CertificateRole::VerifyMessage || role == CertificateRole::Decrypt ||
         role == CertificateRole::SignMdn;
}

const OneWayAgreement& direction_of(const Agreement& agreement, CertificateRole role) {
  return is_receiving(role) ? agreement.receive_agreement : agreement.send_agreement;
}

OneWayAgreement& direction_of(Agreement& agreement, CertificateRole role) {
  return is_receiving(role) ? agreement.receive_agreement : agreement.send_agreement;
}

const std::string* azure_name_of(const Agreement& agreement, CertificateRole role) {
  return find_azure_name(agreement, role);
}

std::string* azure_name_of(Agreement& agreement, CertificateRole role) {
  return find_azure_name(agreement, role);
}

std::vector<DatedCertificate> certificates_for(const Agreement& agreement, CertificateRole role) {
  std::vector<DatedCertificate> own = own_certificates(agreement, role);
  if (!own.empty()) return own;
  if (role == CertificateRole::SignMdn || role == CertificateRole::VerifyMdn)
    return certificates_for(agreement, substitute(role));
  return own_certificates(agreement, substitute(role));
}

std::vector<std::string> active_certificates(const Agreement& agreement, CertificateRole role, Time time) {
  std::vector<DatedCertificate> certificates = certificates_for(agreement, role);
  std::erase_if(certificates,
                [&](const DatedCertificate& certificate) { return !certificate.active_at(time); });
  // nullopt compares as less than every time: what always was active is the oldest.
  std::stable_sort(
      certificates.begin(), certificates.end(),
      [](const DatedCertificate& a, const DatedCertificate& b) { return a.active_from > b.active_from; });
  std::vector<std::string> names;
  names.reserve(certificates.size());
  for (DatedCertificate& certificate : certificates) names.push_back(std::move(certificate.name));
  return names;
}

bool needs_private_key(CertificateRole role) {
  return role == CertificateRole::Decrypt || role == CertificateRole::SignMdn ||
         role == CertificateRole::SignMessage;
}

std::vector<CertificateRole> roles_looked_up(const Agreement& agreement) {
  const ValidationSettings& out = agreement.send_agreement.validation_settings;
  const MdnSettings& receipts = agreement.send_agreement.mdn_settings;
  std::vector<CertificateRole> roles;
  const auto add_if = [&roles](bool asked, CertificateRole role) {
    if (asked) roles.push_back(role);
  };
  add_if(agreement.receive_agreement.validation_settings.check_certificate_revocation_list_on_receive,
         CertificateRole::VerifyMessage);
  if (!out.check_certificate_revocation_list_on_send || agreement.connection.url.empty()) return roles;
  add_if(out.sign_message, CertificateRole::SignMessage);
  add_if(out.encrypt_message, CertificateRole::Encrypt);
  add_if(receipts.need_mdn && receipts.sign_mdn, CertificateRole::VerifyMdn);
  return roles;
}

std::vector<std::string> certificates_named(const Agreement& agreement) {
  std::vector<std::string> names;
  std::unordered_set<std::string> seen;
  const auto add = [&](const std::string& name) {
    if (!name.empty() && seen.insert(name).second) names.push_back(name);
  };
  for (const OneWayAgreement* direction : {&agreement.receive_agreement, &agreement.send_agreement}) {
    add(direction->security_settings.signing_certificate_name);
    add(direction->security_settings.encryption_certificate_name);
    for (const RoleCertificates& list : direction->certificates)
      for (const DatedCertificate& certificate : list.certificates) add(certificate.name);
  }
  if (const auto& required = agreement.receive_agreement.required_client_certificate)
    for (const std::string& name : required->certificates) add(name);
  add(agreement.connection.client_certificate_name);
  for (const std::string& name : agreement.connection.tls_trust.certificates) add(name);
  return names;
}

}  // namespace signet::agreements
