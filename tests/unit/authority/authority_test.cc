#include "tests/unit/authority/authority_fixture.h"

namespace signet::authority {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// The whole way of a certificate, from the group to the list that ends it.
TEST_F(AuthorityTest, ACertificateIsRequestedApprovedFetchedAndRevoked) {
  const Group made = valued(service_.create_group(kAdministrator, group()));
  EXPECT_EQ(made.created, (Stamp{"adam", clock_.now()}));
  const IssuerVersion issuer = valued(service_.create_issuer(kAdministrator, "Plant7"));
  EXPECT_TRUE(issuer.active);
  EXPECT_EQ(issuer.certificate.subject(), "CN=Plant7 CA,O=Acme");
  EXPECT_THAT(crl(issuer).entries(), IsEmpty());

  const Application application = approved();
  const Request request = requested(application);
  EXPECT_EQ(request.state, RequestState::New);
  const Request approved = valued(service_.approve_request(kApprover, request.id));
  EXPECT_EQ(approved.state, RequestState::Approved);
  EXPECT_EQ(approved.approved, (Stamp{"anna", clock_.now()}));

  const FetchedCertificate fetched = valued(service_.fetch(kWriter, request.id, application.id));
  const Certificate& certificate = *fetched.request.certificate;
  EXPECT_EQ(certificate.issuer(), "CN=Plant7 CA,O=Acme");
  EXPECT_THAT(fetched.issuers, ElementsAre(issuer.certificate));
  EXPECT_THAT(certificate.subject_alternative_names(),
              UnorderedElementsAre("URI:urn:plant7:acme:line2", "DNS:plc2.acme.example"));
  EXPECT_EQ(crl(issuer).find(certificate.serial()), nullptr);

  const Request revoked = valued(service_.revoke(kApprover, request.id, RevocationReason::KeyCompromise));
  EXPECT_EQ(revoked.state, RequestState::Revoked);
  const certstore::Crl list = crl(issuer);
  EXPECT_EQ(list.number(), "02");
  ASSERT_NE(list.find(certificate.serial()), nullptr);
  EXPECT_EQ(list.find(certificate.serial())->reason, RevocationReason::KeyCompromise);
  const auto row = valued(rows_.issued("Plant7", issuer.certificate.serial(), certificate.serial()));
  ASSERT_TRUE(row);
  EXPECT_EQ(row->revoked, (Stamp{"anna", clock_.now()}));
  EXPECT_EQ(row->reason, RevocationReason::KeyCompromise);
}

TEST_F(AuthorityTest, AKeyPairIsHandedOutUnderItsPasswordAndThenDestroyed) {
  const IssuerVersion issuer = found_group();
  const Application application = approved();
  for (const KeyFormat format : {KeyFormat::Pfx, KeyFormat::Pem}) {
    const Request request = requested_pair(application, format);
    EXPECT_THAT(secrets_in_vault(), ElementsAre("request-" + request.id + "-password"));
    valued(service_.approve_request(kApprover, request.id));
    EXPECT_THAT(secrets_in_vault(), ElementsAre("request-" + request.id + "-key"));

    const FetchedCertificate fetched = valued(service_.fetch(kWriter, request.id, application.id));
    ASSERT_TRUE(fetched.key_file);
    const auto key = valued(vault::read_key_file(*fetched.key_file, SecretBytes::copy_of(kPassword)));
    EXPECT_THAT(key.certificates, ElementsAre(*fetched.request.certificate, issuer.certificate));
    EXPECT_TRUE(fails_with(vault::read_key_file(*fetched.key_file, SecretBytes::copy_of("another password")),
                           ErrorKind::CryptoFailure));
    EXPECT_THAT(fetched.request.domain_names, ElementsAre("plc2.acme.example", "192.0.2.7"));

    valued(service_.accept_request(kWriter, request.id));
    EXPECT_THAT(secrets_in_vault(), IsEmpty());
    const FetchedCertificate again = valued(service_.fetch(kWriter, request.id, application.id));
    EXPECT_FALSE(again.key_file);
    EXPECT_TRUE(again.request.certificate);
  }
}

}  // namespace
}  // namespace signet::authority
