#include "gateway/simulator/simulated_account.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agreements/certificate_roles.h"
#include "agreements/directory.h"

namespace signet::gateway::simulator {
namespace {

using agreements::Account;
using agreements::Agreement;
using agreements::CertificateRole;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

agreements::Partner partner(const std::string& name, const std::vector<std::string>& identities) {
  agreements::Partner made{name};
  for (const std::string& identity : identities)
    made.business_identities.push_back({std::string(agreements::kAs2Qualifier), identity});
  return made;
}

agreements::CertificateEntry certificate(const std::string& name, bool ours) {
  agreements::CertificateEntry entry{name, to_bytes("the certificate " + name), std::nullopt, {}};
  if (ours) entry.key = agreements::KeyReference{"signet", name, ""};
  return entry;
}

/// Acme, who is known by two names and is about to change its certificate, and Globex, with everything that
/// an agreement can say.
Account acmes() {
  Account account;
  account.partners = {partner("Acme", {"ACME", "ACME-2"}), partner("Globex", {"GLOBEX"})};
  account.certificates = {certificate("acme-sign", true),     certificate("acme-next", true),
                          certificate("acme-crypt", true),    certificate("globex-sign", false),
                          certificate("globex-crypt", false), certificate("unused", true)};
  Agreement agreement;
  agreement.name = "trade";
  agreement.host_partner = "Acme";
  agreement.guest_partner = "Globex";
  agreement.host_identity = {std::string(agreements::kAs2Qualifier), "ACME"};
  agreement.retry.attempts = 7;
  agreement.connection.url = "https://as2.globex.example/as2";
  agreement.connection.client_certificate_name = "acme-sign";
  agreement.connection.tls_trust = {agreements::TlsTrustMode::Pinned, "", {"globex-sign"}};
  agreement.connection.basic_authentication = {"acme", "signet", "password"};

  auto& receive = agreement.receive_agreement;
  receive.receiver_business_identity = {std::string(agreements::kAs2Qualifier), "ACME-2"};
  receive.security_settings.signing_certificate_name = "globex-sign";
  receive.security_settings.encryption_certificate_name = "acme-crypt";
  receive.certificates = {{CertificateRole::VerifyMessage, {{"globex-crypt", std::nullopt, std::nullopt}}}};
  receive.validation_settings.compress_message = true;
  receive.receipt_policy.allowed_urls = {"https://as2.globex.example/receipts"};
  receive.receipt_policy.allowed_networks = {"10.0.0.0/8"};
  receive.delivery.folder = "/srv/erp/orders";
  receive.required_basic_authentication = {"globex", "signet", "globex-password"};
  receive.required_client_certificate.emplace();

  auto& send = agreement.send_agreement;
  send.security_settings.signing_certificate_name = "acme-sign";
  send.security_settings.encryption_certificate_name = "globex-crypt";
  send.certificates = {{CertificateRole::SignMessage, {{"acme-next", Time(), std::nullopt}}},
                       {CertificateRole::VerifyMdn, {{"globex-sign", std::nullopt, std::nullopt}}}};
  send.validation_settings.compress_message = true;
  send.encryption.content_cipher = agreements::ContentCipher::AES256GCM;
  send.mdn_settings.send_mdn_asynchronously = true;
  send.mdn_settings.receipt_delivery_url = "https://as2.acme.example/as2/receipts";
  send.pickup.emplace().folder = "/srv/erp/to-globex";
  account.agreements = {agreement};
  return account;
}

SimulationSettings settings() {
  return {.agreement = "trade",
          .partner_url = "http://127.0.0.1:4180/as2",
          .receipt_url = "http://127.0.0.1:4181/as2/receipts",
          .gateway_url = "http://127.0.0.1:4080/as2",
          .gateway_receipt_url = "",
          .certificate = certificate("test-key", true)};
}

Simulation simulated(const Account& account = acmes(), const SimulationSettings& wanted = settings()) {
  auto simulation = simulate_guest(account, wanted);
  EXPECT_TRUE(simulation) << simulation.error().detail;
  return *std::move(simulation);
}

std::vector<std::string> names(const Agreement& agreement, CertificateRole role) {
  std::vector<std::string> found;
  for (const auto& dated : agreements::certificates_for(agreement, role)) found.push_back(dated.name);
  return found;
}

void expect_error(const Result<Simulation>& simulation, ErrorKind kind, const std::string& words) {
  ASSERT_FALSE(simulation);
  EXPECT_EQ(simulation.error().kind, kind);
  EXPECT_THAT(simulation.error().detail, HasSubstr(words));
}

TEST(SimulatedAccount, AddsAPartnerACertificateAndAnAgreementAndTakesThemAwayAgain) {
  const Account gateway = simulated().gateway;
  EXPECT_EQ(gateway.partners.size(), acmes().partners.size() + 1);
  EXPECT_EQ(gateway.certificates.size(), acmes().certificates.size() + 1);
  EXPECT_EQ(gateway.agreements.size(), acmes().agreements.size() + 1);
  EXPECT_EQ(without_simulations(gateway), acmes());
  EXPECT_EQ(without_simulations(acmes()), acmes());
}

TEST(SimulatedAccount, TrustsTheTestKeyAloneAndNeverInTheRealAgreement) {
  const Account gateway = simulated().gateway;
  const Agreement& agreement = gateway.agreements.back();
  for (const CertificateRole role :
       {CertificateRole::VerifyMessage, CertificateRole::Encrypt, CertificateRole::VerifyMdn})
    EXPECT_THAT(names(agreement, role), ElementsAre("test-key")) << to_string(role);
  EXPECT_THAT(names(agreement, CertificateRole::SignMessage), ElementsAre("acme-sign", "acme-next"));
  EXPECT_THAT(names(agreement, CertificateRole::Decrypt), ElementsAre("acme-crypt"));
  EXPECT_FALSE(gateway.certificates.back().key) << "the key is the simulated partner's";
}

TEST(SimulatedAccount, KeepsWhatIsAgreedAndReachesNothingThatIsReal) {
  const Agreement agreement = simulated().gateway.agreements.back();
  EXPECT_EQ(agreement.name, "trade-simulated");
  EXPECT_EQ(agreement.guest_partner, "Globex-simulated");
  EXPECT_EQ(agreement.retry.attempts, 7U);
  EXPECT_TRUE(agreement.send_agreement.validation_settings.compress_message);
  EXPECT_EQ(agreement.send_agreement.encryption.content_cipher, agreements::ContentCipher::AES256GCM);

  EXPECT_EQ(agreement.receive_agreement.delivery.folder, "");
  EXPECT_FALSE(agreement.receive_agreement.required_basic_authentication);
  EXPECT_FALSE(agreement.receive_agreement.required_client_certificate);
  EXPECT_FALSE(agreement.send_agreement.pickup) << "what lies there is for the real guest";
  EXPECT_THAT(agreement.receive_agreement.receipt_policy.allowed_urls,
              ElementsAre("http://127.0.0.1:4181/as2/receipts"));
  EXPECT_THAT(agreement.receive_agreement.receipt_policy.allowed_networks, IsEmpty());
  EXPECT_EQ(agreement.connection, agreements::Connection{.url = "http://127.0.0.1:4180/as2"});
  EXPECT_FALSE(agreement.send_agreement.mdn_settings.send_mdn_asynchronously);
}

TEST(SimulatedAccount, AsksForPostedReceiptsWhereThatIsWanted) {
  SimulationSettings wanted = settings();
  wanted.gateway_receipt_url = "http://127.0.0.1:4080/as2/receipts";
  const auto mdn = simulated(acmes(), wanted).gateway.agreements.back().send_agreement.mdn_settings;
  EXPECT_TRUE(mdn.send_mdn_asynchronously);
  EXPECT_EQ(mdn.receipt_delivery_url, wanted.gateway_receipt_url);
}

TEST(SimulatedAccount, ThePartnersSideFitsTheGateways) {
  const Simulation simulation = simulated();
  const auto gateway = agreements::AgreementDirectory::build(simulation.gateway);
  const auto partner_side = agreements::AgreementDirectory::build(simulation.partner);
  ASSERT_TRUE(gateway) << gateway.error().detail;
  ASSERT_TRUE(partner_side) << partner_side.error().detail;
  const auto* ours = (*gateway)->by_name(simulation.agreement);
  const auto* theirs = (*partner_side)->by_name(simulation.agreement);
  ASSERT_TRUE(ours != nullptr && theirs != nullptr);
  EXPECT_EQ(ours->send_from, "ACME");
  EXPECT_EQ(ours->receive_to, "ACME-2");
  EXPECT_EQ((std::pair{ours->send_from, ours->send_to}),
            (std::pair{theirs->receive_from, theirs->receive_to}));
  EXPECT_EQ((std::pair{theirs->send_from, theirs->send_to}),
            (std::pair{ours->receive_from, ours->receive_to}));

  EXPECT_THAT(names(theirs->agreement, CertificateRole::VerifyMessage),
              ElementsAre("acme-sign", "acme-next"));
  EXPECT_THAT(names(theirs->agreement, CertificateRole::Encrypt), ElementsAre("acme-crypt"));
  EXPECT_THAT(names(theirs->agreement, CertificateRole::VerifyMdn), ElementsAre("acme-sign", "acme-next"));
  for (const CertificateRole role :
       {CertificateRole::Decrypt, CertificateRole::SignMessage, CertificateRole::SignMdn})
    EXPECT_THAT(names(theirs->agreement, role), ElementsAre("test-key")) << to_string(role);
  EXPECT_TRUE(theirs->agreement.receive_agreement.validation_settings.compress_message);
  EXPECT_TRUE(theirs->agreement.send_agreement.validation_settings.compress_message);
  EXPECT_EQ(theirs->agreement.connection.url, "http://127.0.0.1:4080/as2");
}

TEST(SimulatedAccount, ThePartnerHasNoKeyOfTheGatewaysAndNoCertificateThatItDoesNotNeed) {
  std::vector<std::string> held;
  for (const auto& entry : simulated().partner.certificates) {
    held.push_back(entry.name);
    EXPECT_EQ(entry.key.has_value(), entry.name == "test-key") << entry.name;
  }
  EXPECT_THAT(held, ElementsAre("acme-crypt", "acme-next", "acme-sign", "test-key"));
}

TEST(SimulatedAccount, IsReplacedByTheNextOne) {
  SimulationSettings another = settings();
  another.partner_url = "http://127.0.0.1:5180/as2";
  const Account again = simulated(simulated().gateway, another).gateway;
  EXPECT_EQ(again.agreements.size(), 2U);
  EXPECT_EQ(again.agreements.back().connection.url, "http://127.0.0.1:5180/as2");
  EXPECT_EQ(without_simulations(again), acmes());
}

TEST(SimulatedAccount, NeverTakesTheNameOfSomethingReal) {
  Account account = acmes();
  account.partners.push_back(partner("Globex-simulated", {"X"}));
  expect_error(simulate_guest(account, settings()), ErrorKind::AlreadyExists, "a partner 'Globex-simulated'");
  account = acmes();
  account.certificates.push_back(certificate("test-key", false));
  expect_error(simulate_guest(account, settings()), ErrorKind::AlreadyExists, "a certificate 'test-key'");
  account = acmes();
  account.agreements.push_back(account.agreements.front());
  account.agreements.back().name = "trade-simulated";
  expect_error(simulate_guest(account, settings()), ErrorKind::AlreadyExists,
               "an agreement 'trade-simulated'");
}

TEST(SimulatedAccount, RefusesAnAgreementThatIsNotThereOrIsSimulatedItself) {
  SimulationSettings wanted = settings();
  wanted.agreement = "no-such";
  expect_error(simulate_guest(acmes(), wanted), ErrorKind::NotFound, "'no-such'");
  wanted.agreement = "trade-simulated";
  expect_error(simulate_guest(simulated().gateway, wanted), ErrorKind::InvalidInput,
               "simulated partner already");
}

TEST(SimulatedAccount, LongNamesStayWithinTheirBounds) {
  Account account = acmes();
  account.partners.back().business_identities.front().value = std::string(128, 'G');
  account.agreements.front().name = std::string(80, 'a');
  SimulationSettings wanted = settings();
  wanted.agreement = account.agreements.front().name;
  const Simulation simulation = simulated(account, wanted);
  EXPECT_EQ(simulation.agreement, std::string(70, 'a') + "-simulated");
  EXPECT_EQ(simulation.gateway.partners.back().business_identities.front().value,
            std::string(118, 'G') + "-simulated");
}

}  // namespace
}  // namespace signet::gateway::simulator
