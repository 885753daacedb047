#include "agreements/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agreements/certificate_roles.h"
#include "tests/unit/agreements/account_fixture.h"

namespace signet::agreements {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Time day(const char* text) { return parse_time(text).value_or(Time{}); }

Account two_partners() { return good_account(read_data("minimal.xml")); }

std::vector<std::string> names(const std::vector<DatedCertificate>& certificates) {
  std::vector<std::string> result;
  for (const DatedCertificate& certificate : certificates) result.push_back(certificate.name);
  return result;
}

// ---- Names

TEST(AgreementDirectory, FindsAnAgreementByTheNamesOnTheWire) {
  const auto directory = AgreementDirectory::build(two_partners());
  ASSERT_TRUE(directory);
  const ResolvedAgreement* in = (*directory)->find_inbound("GLOBEX", "ACME");
  ASSERT_NE(in, nullptr);
  EXPECT_EQ(in->agreement.name, "acme-globex");
  EXPECT_EQ(in->send_from, "ACME");
  EXPECT_EQ(in->send_to, "GLOBEX");
  EXPECT_EQ((*directory)->find_outbound("ACME", "GLOBEX"), in);
  EXPECT_EQ((*directory)->by_name("acme-globex"), in);
}

TEST(AgreementDirectory, CaseDirectionAndWholeNamesMatter) {
  const auto directory = AgreementDirectory::build(two_partners());
  ASSERT_TRUE(directory);
  EXPECT_EQ((*directory)->find_inbound("globex", "ACME"), nullptr);
  EXPECT_EQ((*directory)->find_inbound("ACME", "GLOBEX"), nullptr);
  EXPECT_EQ((*directory)->find_inbound("GLOBEXA", "CME"), nullptr);
  EXPECT_EQ((*directory)->find_inbound("", ""), nullptr);
  EXPECT_EQ((*directory)->find_outbound("GLOBEX", "ACME"), nullptr);
  EXPECT_EQ((*directory)->by_name("ACME-GLOBEX"), nullptr);
}

TEST(AgreementDirectory, TheDirectionsIdentityBeatsTheAgreementsAndThatThePartners) {
  Account account = two_partners();
  account.partners[1].business_identities.push_back({"as2identity", "GLOBEX TEST"});
  account.partners[1].business_identities.push_back({"AS2Identity", "GLOBEX-IN"});
  Agreement& agreement = account.agreements[0];
  EXPECT_EQ(resolve(AccountIndex(account), agreement).error().kind, ErrorKind::InvalidInput);
  agreement.guest_identity = BusinessIdentity{"AS2Identity", "GLOBEX TEST"};
  agreement.receive_agreement.sender_business_identity = BusinessIdentity{"AS2IDENTITY", "GLOBEX-IN"};
  const Result<ResolvedAgreement> resolved = resolve(AccountIndex(account), agreement);
  ASSERT_TRUE(resolved) << resolved.error().detail;
  EXPECT_EQ(resolved->receive_from, "GLOBEX-IN");
  EXPECT_EQ(resolved->receive_to, "ACME");
  EXPECT_EQ(resolved->send_to, "GLOBEX TEST");
}

TEST(AgreementDirectory, RefusesNamesThatDoNotResolve) {
  const Account good = two_partners();
  Account account = good;
  account.agreements[0].guest_partner = "Initech";
  EXPECT_EQ(AgreementDirectory::build(account).error().kind, ErrorKind::NotFound);
  account = good;
  account.partners[1].business_identities.clear();
  EXPECT_EQ(AgreementDirectory::build(account).error().kind, ErrorKind::InvalidInput);
  account = good;
  account.agreements[0].guest_identity = BusinessIdentity{"AS2Identity", "OTHER"};
  EXPECT_THAT(AgreementDirectory::build(account).error().detail, HasSubstr("'OTHER'"));
  account = good;
  account.partners[1].business_identities = {{"ZZ", "GLOBEX"}};
  account.agreements[0].guest_identity = BusinessIdentity{"ZZ", "GLOBEX"};
  EXPECT_THAT(AgreementDirectory::build(account).error().detail, HasSubstr("AS2Identity"));
  for (const std::string& bad : {std::string(129, 'a'), std::string(" a"), std::string("a\n"),
                                 std::string("\xC3\xA4"), std::string()}) {
    account = good;
    account.partners[1].business_identities[0].value = bad;
    EXPECT_FALSE(AgreementDirectory::build(account)) << bad;
  }
}

TEST(AgreementDirectory, RefusesTwoAgreementsForTheSameNames) {
  Account account = two_partners();
  account.agreements.push_back(account.agreements[0]);
  account.agreements[1].name = "second";
  const auto directory = AgreementDirectory::build(account);
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().kind, ErrorKind::AlreadyExists);
  EXPECT_THAT(directory.error().detail, HasSubstr("'acme-globex'"));
  EXPECT_THAT(directory.error().detail, HasSubstr("'second'"));
}

TEST(AgreementDirectory, FindsOneOfManyWhateverTheirNumber) {
  Account account = two_partners();
  const Agreement pattern = account.agreements[0];
  account.agreements.clear();
  for (int i = 0; i < 5'000; ++i) {
    const std::string name = "P" + std::to_string(i);
    account.partners.push_back({name, PartnerType::B2B, {{"AS2Identity", name}}, {}});
    account.agreements.push_back(pattern);
    account.agreements.back().name = name;
    account.agreements.back().guest_partner = name;
  }
  const auto directory = AgreementDirectory::build(account);
  ASSERT_TRUE(directory);
  for (int i = 0; i < 5'000; ++i) {
    const std::string name = "P" + std::to_string(i);
    ASSERT_NE((*directory)->find_inbound(name, "ACME"), nullptr);
    EXPECT_EQ((*directory)->find_inbound(name, "ACME")->agreement.name, name);
  }
}

// ---- Roles

TEST(CertificateRoles, TwoNamesAreEnoughForAllSix) {
  const Agreement agreement = two_partners().agreements[0];
  using Role = CertificateRole;
  for (const Role role : {Role::VerifyMessage, Role::Encrypt, Role::VerifyMdn})
    EXPECT_THAT(names(certificates_for(agreement, role)), ElementsAre("globex")) << to_string(role);
  for (const Role role : {Role::Decrypt, Role::SignMessage, Role::SignMdn})
    EXPECT_THAT(names(certificates_for(agreement, role)), ElementsAre("acme")) << to_string(role);
}

TEST(CertificateRoles, EachDirectionsNamesAreItsOwn) {
  Agreement agreement;
  agreement.receive_agreement.security_settings.signing_certificate_name = "guest-sign";
  agreement.receive_agreement.security_settings.encryption_certificate_name = "our-decrypt";
  agreement.send_agreement.security_settings.signing_certificate_name = "our-sign";
  agreement.send_agreement.security_settings.encryption_certificate_name = "guest-encrypt";
  using Role = CertificateRole;
  EXPECT_THAT(names(certificates_for(agreement, Role::VerifyMessage)), ElementsAre("guest-sign"));
  EXPECT_THAT(names(certificates_for(agreement, Role::Decrypt)), ElementsAre("our-decrypt"));
  EXPECT_THAT(names(certificates_for(agreement, Role::SignMdn)), ElementsAre("our-sign"));
  EXPECT_THAT(names(certificates_for(agreement, Role::SignMessage)), ElementsAre("our-sign"));
  EXPECT_THAT(names(certificates_for(agreement, Role::Encrypt)), ElementsAre("guest-encrypt"));
  EXPECT_THAT(names(certificates_for(agreement, Role::VerifyMdn)), ElementsAre("guest-sign"));
  agreement.receive_agreement.certificates.push_back({Role::SignMdn, {{"our-mdn", {}, {}}}});
  EXPECT_THAT(names(certificates_for(agreement, Role::SignMdn)), ElementsAre("our-mdn"));
  EXPECT_THAT(certificates_for(Agreement{}, Role::SignMdn), IsEmpty());
}

TEST(CertificateRoles, TheNewestActiveComesFirst) {
  const Agreement agreement = good_account(read_data("rollover.xml")).agreements[0];
  const auto active = [&](CertificateRole role, const char* time) {
    return active_certificates(agreement, role, day(time));
  };
  using Role = CertificateRole;
  EXPECT_THAT(active(Role::VerifyMessage, "2026-11-30T23:59:59Z"), ElementsAre("globex-2026"));
  EXPECT_THAT(active(Role::VerifyMessage, "2026-12-01"), ElementsAre("globex-2027", "globex-2026"));
  EXPECT_THAT(active(Role::VerifyMdn, "2026-12-01"), ElementsAre("globex-2027", "globex-2026"));
  EXPECT_THAT(active(Role::Encrypt, "2026-12-08T08:29:59Z"), ElementsAre("globex-2026"));
  EXPECT_THAT(active(Role::Encrypt, "2026-12-08T08:30:00Z"), ElementsAre("globex-2027", "globex-2026"));
  EXPECT_THAT(active(Role::Encrypt, "2026-12-15T12:00:00Z"), ElementsAre("globex-2027"));
}

TEST(CertificateRoles, AListedCertificateHasTheListedDatesAndAmongEqualsTheFirstWins) {
  Agreement agreement;
  agreement.receive_agreement.security_settings.signing_certificate_name = "a";
  agreement.receive_agreement.certificates = {
      {CertificateRole::VerifyMessage,
       {{"b", day("2026-01-01"), {}}, {"c", day("2026-01-01"), {}}, {"a", {}, day("2026-06-01")}}}};
  EXPECT_THAT(active_certificates(agreement, CertificateRole::VerifyMessage, day("2026-05-31")),
              ElementsAre("b", "c", "a"));
  EXPECT_THAT(active_certificates(agreement, CertificateRole::VerifyMessage, day("2026-06-01")),
              ElementsAre("b", "c"));
}

std::vector<std::string> looked_up(const Agreement& agreement) {
  std::vector<std::string> all;
  for (const LookedUp& one : certificates_looked_up(agreement)) {
    all.emplace_back(to_string(one.use));
    for (const std::string& name : names(one.certificates)) all.back() += " " + name;
  }
  return all;
}

TEST(CertificateRoles, OnlyThoseThatAreUsedAreLookedUp) {
  Agreement agreement = two_partners().agreements[0];
  agreement.connection.url = "https://globex.example/as2";
  EXPECT_THAT(looked_up(agreement), IsEmpty());
  agreement.receive_agreement.validation_settings.check_certificate_revocation_list_on_receive = true;
  EXPECT_THAT(looked_up(agreement), ElementsAre("verifyMessage globex"));
  auto& out = agreement.send_agreement;
  out.validation_settings.check_certificate_revocation_list_on_send = true;
  out.validation_settings.sign_message = out.validation_settings.encrypt_message = true;
  out.mdn_settings.need_mdn = out.mdn_settings.sign_mdn = true;
  EXPECT_THAT(looked_up(agreement),
              ElementsAre("verifyMessage globex", "signMessage acme", "encrypt globex", "verifyMdn globex"));
  out.validation_settings.sign_message = false;
  out.mdn_settings.sign_mdn = false;
  EXPECT_THAT(looked_up(agreement), ElementsAre("verifyMessage globex", "encrypt globex"));
  out.validation_settings.encrypt_message = false;
  out.mdn_settings.sign_mdn = true;
  EXPECT_THAT(looked_up(agreement), ElementsAre("verifyMessage globex", "verifyMdn globex"));
  agreement.connection.url.clear();
  EXPECT_THAT(looked_up(agreement), ElementsAre("verifyMessage globex")) << "we send nothing";
}

TEST(CertificateRoles, WhatTlsShowsIsLookedUpAsFarAsItIsNamed) {
  Agreement agreement;
  agreement.receive_agreement.required_client_certificate = RequiredClientCertificate{{"globex-client"}};
  agreement.connection.tls_trust.mode = TlsTrustMode::Pinned;
  agreement.connection.tls_trust.certificates = {"globex-server"};
  EXPECT_THAT(looked_up(agreement), IsEmpty());
  EXPECT_FALSE(looks_up_server(agreement));
  agreement.receive_agreement.validation_settings.check_certificate_revocation_list_on_receive = true;
  agreement.send_agreement.validation_settings.check_certificate_revocation_list_on_send = true;
  EXPECT_THAT(looked_up(agreement),
              ElementsAre("verifyMessage", "tlsClient globex-client", "tlsServer globex-server"));
  agreement.connection.tls_trust.mode = TlsTrustMode::CertificateAuthorities;
  EXPECT_THAT(looked_up(agreement), ElementsAre("verifyMessage", "tlsClient globex-client"));
  EXPECT_TRUE(looks_up_server(agreement));
}

TEST(WeakExceptions, HoldUntilTheirEndForTheirAlgorithmAndDirection) {
  const Agreement agreement = good_account(read_data("rollover.xml")).agreements[0];
  EXPECT_TRUE(allows_weak(agreement.receive_agreement, WeakAlgorithm::SHA1, day("2027-03-31")));
  EXPECT_FALSE(allows_weak(agreement.receive_agreement, WeakAlgorithm::SHA1, day("2027-04-01")));
  EXPECT_FALSE(allows_weak(agreement.receive_agreement, WeakAlgorithm::DES3, day("2027-03-31")));
  EXPECT_FALSE(allows_weak(agreement.send_agreement, WeakAlgorithm::SHA1, day("2027-03-31")));
}

TEST(ContentCiphers, FollowTheEncryptionAlgorithmUnlessNamed) {
  OneWayAgreement direction;
  EXPECT_EQ(direction.validation_settings.encryption_algorithm, EncryptionAlgorithm::NotSpecified);
  EXPECT_EQ(content_cipher(direction), Cipher::Aes256Cbc);
  direction.validation_settings.encryption_algorithm = EncryptionAlgorithm::DES3;
  EXPECT_EQ(content_cipher(direction), Cipher::Des3Cbc);
  direction.validation_settings.encryption_algorithm = EncryptionAlgorithm::RC2;
  EXPECT_EQ(content_cipher(direction), std::nullopt);
  direction.encryption.content_cipher = ContentCipher::AES128GCM;
  EXPECT_EQ(content_cipher(direction), Cipher::Aes128Gcm);
}

}  // namespace
}  // namespace signet::agreements
