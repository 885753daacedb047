#include "gateway/simulator/simulated_account.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "agreements/certificate_roles.h"
#include "agreements/directory.h"

namespace signet::gateway::simulator {
namespace {

using agreements::Account;
using agreements::Agreement;
using agreements::CertificateRole;
using agreements::DatedCertificate;
using agreements::Metadata;
using agreements::OneWayAgreement;
using agreements::Partner;
using agreements::ResolvedAgreement;

constexpr std::string_view kSuffix = "-simulated";
constexpr std::size_t kMaxName = 80;       ///< of an entry of the account
constexpr std::size_t kMaxIdentity = 128;  ///< [RFC4130 6.2]

std::string simulated_name(std::string_view name, std::size_t limit) {
  return std::string(name.substr(0, limit - kSuffix.size())) + std::string(kSuffix);
}

bool is_mark(const agreements::MetadataEntry& entry) { return entry.name == kSimulatedMark; }

bool is_simulated(const Metadata& metadata) { return std::any_of(metadata.begin(), metadata.end(), is_mark); }

bool stands_for(const Metadata& metadata, std::string_view agreement) {
  return std::any_of(metadata.begin(), metadata.end(),
                     [&](const auto& entry) { return is_mark(entry) && entry.value == agreement; });
}

/// Takes the entries out of which `goes` says so.
template <class Goes>
Account without(Account account, const Goes& goes) {
  const auto entry_goes = [&](const auto& entry) { return goes(entry.metadata); };
  std::erase_if(account.partners, entry_goes);
  std::erase_if(account.certificates, entry_goes);
  std::erase_if(account.agreements, entry_goes);
  return account;
}

template <class Entry>
Result<> check_free(const std::vector<Entry>& entries, std::string_view what, const std::string& name) {
  const bool taken =
      std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.name == name; });
  if (!taken) return {};
  return fail(
      ErrorKind::AlreadyExists,
      fmt::format("the account has {} '{}' already: take an earlier simulation away with 'signet simulate "
                  "remove', or rename it if it is real",
                  what, name));
}

// ---- The gateway's side

/// Of the guest's certificates this one alone; a role without a name of Azure's then takes it from the
/// others.
void trust_only(OneWayAgreement& direction, CertificateRole role, const std::string& certificate) {
  std::erase_if(direction.certificates, [&](const auto& list) { return list.role == role; });
  auto& azure_name = role == CertificateRole::Encrypt
                         ? direction.security_settings.encryption_certificate_name
                         : direction.security_settings.signing_certificate_name;
  if (role != CertificateRole::VerifyMdn) azure_name = certificate;
}

/// The agreement as it is, with another guest.
Agreement with_simulated_guest(Agreement agreement, const SimulationSettings& settings,
                               const std::string& partner) {
  agreement.name = simulated_name(agreement.name, kMaxName);
  agreement.guest_partner = partner;
  agreement.guest_identity.reset();
  agreement.metadata = {{std::string(kSimulatedMark), settings.agreement}};

  OneWayAgreement& receive = agreement.receive_agreement;
  receive.sender_business_identity.reset();
  trust_only(receive, CertificateRole::VerifyMessage, settings.certificate.name);
  receive.mdn_settings.receipt_delivery_url =
      receive.mdn_settings.send_mdn_asynchronously ? settings.receipt_url : "";
  receive.receipt_policy.allowed_urls = {settings.receipt_url};
  receive.receipt_policy.allowed_networks.clear();
  receive.required_basic_authentication.reset();  // those secrets are between us and the real guest
  receive.required_client_certificate.reset();
  receive.delivery = {};

  OneWayAgreement& send = agreement.send_agreement;
  send.receiver_business_identity.reset();
  send.pickup.reset();  // those documents are for the real guest
  trust_only(send, CertificateRole::Encrypt, settings.certificate.name);
  trust_only(send, CertificateRole::VerifyMdn, settings.certificate.name);
  send.mdn_settings.send_mdn_asynchronously = !settings.gateway_receipt_url.empty();
  send.mdn_settings.receipt_delivery_url = settings.gateway_receipt_url;

  agreement.connection = {.url = settings.partner_url,
                          .connect_timeout = agreement.connection.connect_timeout,
                          .total_timeout = agreement.connection.total_timeout};
  return agreement;
}

Partner make_partner(const std::string& name, const std::set<std::string>& identities,
                     Metadata metadata = {}) {
  Partner partner{name, agreements::PartnerType::B2B, {}, std::move(metadata)};
  for (const std::string& identity : identities)
    partner.business_identities.push_back({std::string(agreements::kAs2Qualifier), identity});
  return partner;
}

// ---- The simulated partner's side

void use(OneWayAgreement& direction, CertificateRole role, std::vector<DatedCertificate> certificates) {
  direction.certificates.push_back({role, std::move(certificates)});
}

/// Receives what the host sends, and sends what the host receives.
Agreement mirrored(const ResolvedAgreement& ours, const SimulationSettings& settings) {
  const Agreement& host = ours.agreement;
  Agreement agreement;
  agreement.name = host.name;
  agreement.host_partner = host.guest_partner;
  agreement.guest_partner = host.host_partner;
  agreement.connection.url = settings.gateway_url;
  const std::string qualifier(agreements::kAs2Qualifier);

  OneWayAgreement& receive = agreement.receive_agreement;
  receive.sender_business_identity = {qualifier, ours.send_from};
  use(receive, CertificateRole::VerifyMessage,
      agreements::certificates_for(host, CertificateRole::SignMessage));
  receive.security_settings.encryption_certificate_name = settings.certificate.name;
  receive.security_settings.sha2_algorithm_format =
      host.send_agreement.security_settings.sha2_algorithm_format;
  const auto& sent = host.send_agreement.validation_settings;
  receive.validation_settings.sign_message = sent.sign_message;
  receive.validation_settings.encrypt_message = sent.encrypt_message;
  receive.validation_settings.compress_message = sent.compress_message;
  receive.mdn_settings.mic_hashing_algorithm = host.send_agreement.mdn_settings.mic_hashing_algorithm;
  receive.mic = host.send_agreement.mic;
  receive.allow_weak = host.send_agreement.allow_weak;

  OneWayAgreement& send = agreement.send_agreement;
  send.receiver_business_identity = {qualifier, ours.receive_to};
  use(send, CertificateRole::Encrypt, agreements::certificates_for(host, CertificateRole::Decrypt));
  use(send, CertificateRole::VerifyMdn, agreements::certificates_for(host, CertificateRole::SignMdn));
  send.security_settings.signing_certificate_name = settings.certificate.name;
  send.security_settings.sha2_algorithm_format =
      host.receive_agreement.security_settings.sha2_algorithm_format;
  const auto& demanded = host.receive_agreement.validation_settings;
  send.validation_settings.sign_message = demanded.sign_message;
  send.validation_settings.encrypt_message = demanded.encrypt_message;
  send.validation_settings.compress_message = demanded.compress_message;
  send.mdn_settings.need_mdn = host.receive_agreement.mdn_settings.need_mdn;
  send.mdn_settings.sign_mdn = host.receive_agreement.mdn_settings.sign_mdn;
  send.mdn_settings.receipt_delivery_url = settings.receipt_url;
  send.expected_receipt.require_signed_mdn = send.mdn_settings.sign_mdn;
  send.mic = host.receive_agreement.mic;
  // What the real guest encrypts with is his secret; that he does as he is done by is the best guess.
  send.encryption = host.send_agreement.encryption;
  send.envelope_settings.message_content_type = host.send_agreement.envelope_settings.message_content_type;
  return agreement;
}

/// The host's certificates that the agreement uses, as the guest has them.
std::vector<agreements::CertificateEntry> public_certificates(const Account& account,
                                                              const Agreement& agreement) {
  std::set<std::string> names;
  for (const CertificateRole role :
       {CertificateRole::SignMessage, CertificateRole::Decrypt, CertificateRole::SignMdn})
    for (const DatedCertificate& certificate : agreements::certificates_for(agreement, role))
      names.insert(certificate.name);
  std::vector<agreements::CertificateEntry> entries;
  for (const std::string& name : names)
    if (const auto* entry = agreements::find_certificate(account, name))
      entries.push_back({name, entry->public_certificate, std::nullopt, {}});
  return entries;
}

}  // namespace

Result<Simulation> simulate_guest(const Account& account, const SimulationSettings& settings) {
  const Agreement* original = agreements::find_agreement(account, settings.agreement);
  if (original == nullptr)
    return fail(ErrorKind::NotFound, fmt::format("there is no agreement '{}'", settings.agreement));
  if (is_simulated(original->metadata))
    return fail(ErrorKind::InvalidInput,
                fmt::format("agreement '{}' is with a simulated partner already", settings.agreement));
  SIGNET_TRY(const ResolvedAgreement resolved,
             agreements::resolve(agreements::AccountIndex(account), *original));
  const std::string partner = simulated_name(original->guest_partner, kMaxName);
  const std::string identity = simulated_name(resolved.receive_from, kMaxIdentity);
  const Agreement agreement = with_simulated_guest(*original, settings, partner);

  Simulation simulation;
  simulation.agreement = agreement.name;
  simulation.gateway =
      without(account, [&](const Metadata& metadata) { return stands_for(metadata, settings.agreement); });
  Account& ours = simulation.gateway;
  SIGNET_CHECK(check_free(ours.partners, "a partner", partner));
  SIGNET_CHECK(check_free(ours.certificates, "a certificate", settings.certificate.name));
  SIGNET_CHECK(check_free(ours.agreements, "an agreement", agreement.name));
  const Metadata mark = agreement.metadata;
  ours.partners.push_back(make_partner(partner, {identity}, mark));
  ours.certificates.push_back(
      {settings.certificate.name, settings.certificate.public_certificate, std::nullopt, mark});
  ours.agreements.push_back(agreement);

  SIGNET_TRY(const ResolvedAgreement simulated,
             agreements::resolve(agreements::AccountIndex(ours), agreement));
  Account& theirs = simulation.partner;
  theirs.partners = {make_partner(partner, {identity}),
                     make_partner(original->host_partner, {simulated.send_from, simulated.receive_to})};
  theirs.certificates = public_certificates(account, *original);
  theirs.certificates.push_back(settings.certificate);
  theirs.agreements = {mirrored(simulated, settings)};
  return simulation;
}

Account without_simulations(Account account) { return without(std::move(account), is_simulated); }

}  // namespace signet::gateway::simulator
