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
    found.insert(found.begin(), DatedCertificate{*named, std::nullopt, std::nullopt, false});
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

namespace {

/// From when on certificates take the place of others that the guest has not accepted yet; nothing: none.
std::optional<Time> held_from(const std::vector<DatedCertificate>& certificates) {
  std::optional<Time> first;
  for (const DatedCertificate& certificate : certificates)
    if (certificate.awaits_acceptance && certificate.active_from)
      first = first ? std::min(*first, *certificate.active_from) : *certificate.active_from;
  return first;
}

/// What is replaced by one that is not accepted goes on for as long as that is so.
bool is_active(DatedCertificate certificate, CertificateRole role, const std::optional<Time>& held,
               Time time) {
  if (certificate.awaits_acceptance && role != CertificateRole::Decrypt) return false;
  if (held && certificate.active_until && *certificate.active_until > *held) certificate.active_until.reset();
  return certificate.active_at(time);
}

}  // namespace

std::vector<std::string> active_certificates(const Agreement& agreement, CertificateRole role, Time time) {
  std::vector<DatedCertificate> certificates = certificates_for(agreement, role);
  const std::optional<Time> held = held_from(certificates);
  std::erase_if(certificates, [&](const DatedCertificate& certificate) {
    return !is_active(certificate, role, held, time);
  });
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

std::string_view to_string(LookedUpUse use) {
  switch (use) {
    case LookedUpUse::VerifyMessage:
      return to_string(CertificateRole::VerifyMessage);
    case LookedUpUse::SignMessage:
      return to_string(CertificateRole::SignMessage);
    case LookedUpUse::Encrypt:
      return to_string(CertificateRole::Encrypt);
    case LookedUpUse::VerifyMdn:
      return to_string(CertificateRole::VerifyMdn);
    case LookedUpUse::TlsClient:
      return "tlsClient";
    case LookedUpUse::TlsServer:
      return "tlsServer";
  }
  return "";
}

bool looks_up_server(const Agreement& agreement) {
  return agreement.send_agreement.validation_settings.check_certificate_revocation_list_on_send;
}

std::vector<LookedUp> certificates_looked_up(const Agreement& agreement) {
  const OneWayAgreement& in = agreement.receive_agreement;
  const ValidationSettings& out = agreement.send_agreement.validation_settings;
  const MdnSettings& receipts = agreement.send_agreement.mdn_settings;
  std::vector<LookedUp> all;
  const auto add_role = [&](bool asked, LookedUpUse use, CertificateRole role) {
    if (asked) all.push_back({use, certificates_for(agreement, role)});
  };
  const auto add_names = [&all](LookedUpUse use, const std::vector<std::string>& names) {
    all.push_back({use, {}});
    for (const std::string& name : names)
      all.back().certificates.push_back({name, std::nullopt, std::nullopt});
  };
  if (in.validation_settings.check_certificate_revocation_list_on_receive) {
    add_role(true, LookedUpUse::VerifyMessage, CertificateRole::VerifyMessage);
    if (in.required_client_certificate)
      add_names(LookedUpUse::TlsClient, in.required_client_certificate->certificates);
  }
  const Connection& connection = agreement.connection;
  if (looks_up_server(agreement) && connection.tls_trust.mode == TlsTrustMode::Pinned)
    add_names(LookedUpUse::TlsServer, connection.tls_trust.certificates);
  if (!out.check_certificate_revocation_list_on_send || connection.url.empty()) return all;
  add_role(out.sign_message, LookedUpUse::SignMessage, CertificateRole::SignMessage);
  add_role(out.encrypt_message, LookedUpUse::Encrypt, CertificateRole::Encrypt);
  add_role(receipts.need_mdn && receipts.sign_mdn, LookedUpUse::VerifyMdn, CertificateRole::VerifyMdn);
  return all;
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
