#include "certstore/x509/certification_request.h"
#include "gateway/store/resource_store.h"
#include "tests/support/soft_token.h"
#include "tests/unit/authority/authority_fixture.h"

/// Groups and their issuers.

namespace signet::authority {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Issuers : public AuthorityTest {
 protected:
  Result<Group> create(const std::function<void(Group&)>& change) {
    Group wanted = group();
    change(wanted);
    return service_.create_group(kAdministrator, wanted);
  }
  /// An authority elsewhere that signs an issuer's request.
  struct Root {
    certstore::SigningKey key = key_of();
    Certificate certificate = valued(certstore::make_self_signed_authority(key, profile()));
    static certstore::CertificateProfile profile() {
      certstore::CertificateProfile profile;
      profile.subject = valued(certstore::DistinguishedName::parse("CN=Acme Root"));
      profile.key_uses = {certstore::KeyUse::KeyCertSign, certstore::KeyUse::CrlSign};
      profile.basic_constraints = {true, 1};
      profile.not_before = valued(parse_time("2026-01-01"));
      profile.not_after = valued(parse_time("2030-12-01"));
      return profile;
    }
    [[nodiscard]] Certificate sign(
        const Bytes& request, const std::function<void(certstore::CertificateProfile&)>& change = {}) const {
      auto asked = valued(certstore::CertificationRequest::parse(request));
      asked.profile.not_before = valued(parse_time("2026-11-01"));
      asked.profile.not_after = valued(parse_time("2030-11-01"));
      if (change) change(asked.profile);
      return valued(certstore::issue_certificate(key, certificate, asked.public_key, asked.profile));
    }
  };
};

TEST_F(Issuers, AGroupsRulesAreChecked) {
  const std::vector<std::pair<std::string, std::function<void(Group&)>>> wrong = {
      {"letters and digits", [](Group& group) { group.name = "two words"; }},
      {"letters and digits", [](Group& group) { group.name = ""; }},
      {"common name", [](Group& group) { group.subject = "O=Acme"; }},
      {"subject", [](Group& group) { group.subject = "CN="; }},
      {"1 to 60 months", [](Group& group) { group.issued.lifetime_months = 61; }},
      {"1 to 60 months", [](Group& group) { group.issued.lifetime_months = 0; }},
      {"1 to 1200 months", [](Group& group) { group.issuer.lifetime_months = 1201; }},
      {"twice their lifetime", [](Group& group) { group.issuer.lifetime_months = 23; }},
      {"2048, 3072 or 4096", [](Group& group) { group.issued.key_bits = 1024; }},
      {"larger than the issuer's", [](Group& group) { group.issued.key_bits = 3072; }},
      {"4096 bits", [](Group& group) { group.issuer.lifetime_months = 60; }},
      {"SHA-256", [](Group& group) { group.issued.hash = Hash::Sha1; }},
      {"1 to 366 days", [](Group& group) { group.crl_lifetime = std::chrono::days(0); }},
      {"http or https", [](Group& group) { group.crl_distribution_point = "ldap://acme.example/x"; }},
      {"%serial%", [](Group& group) { group.ocsp_responder = "http://%servicehost%/ocsp"; }},
      {"no key vault 'nowhere'", [](Group& group) { group.key_vault = "nowhere"; }},
  };
  for (const auto& [text, change] : wrong) {
    const auto made = create(change);
    ASSERT_FALSE(made) << text;
    EXPECT_NE(made.error().detail.find(text), std::string::npos) << made.error().detail;
  }
  EXPECT_THAT(valued(service_.groups(kReader)), IsEmpty());
}

// By notAfter as well as by size: what is fine today is not fine for ever.
TEST_F(Issuers, AKeyThatBecomesTooSmallForItsLifetimeIsRefused) {
  found_group();
  const Application application = approved();
  const Request request = requested(application);
  clock_.set(valued(parse_time("2029-10-01")));  // the issuer of 2026 ends in 2029-11
  const Request clipped = valued(service_.approve_request(kApprover, request.id));
  EXPECT_LT(clipped.certificate->not_after(), valued(parse_time("2029-11-18")));
  clock_.set(valued(parse_time("2028-06-01")));
  EXPECT_TRUE(fails_with(service_.create_issuer(kAdministrator, "Plant7"), ErrorKind::InvalidInput, "4096"));
}

TEST_F(Issuers, AChangeNeedsTheRevisionThatWasRead) {
  Group made = valued(create([](Group&) {}));
  Group first = made;
  first.crl_lifetime = std::chrono::days(3);
  const Group changed = valued(service_.change_group(kAdministrator, first));
  EXPECT_EQ(changed.crl_lifetime, std::chrono::days(3));
  EXPECT_TRUE(
      fails_with(service_.change_group(kAdministrator, first), ErrorKind::AlreadyExists, "read it again"));
  Group other_type = changed;
  other_type.type = CertificateType::As2Station;
  EXPECT_TRUE(fails_with(service_.change_group(kAdministrator, other_type), ErrorKind::AlreadyExists));
}

TEST_F(Issuers, TheServiceIsLetIntoVaultsOfHomesThatWereMadeBeforeAndThatIsRecorded) {
  valued(create([](Group&) {}));
  EXPECT_THAT(audit_.of("letAuthorityIn"), SizeIs(1));
  valued(create([](Group& group) { group.name = "Plant8"; }));
  EXPECT_THAT(audit_.of("letAuthorityIn"), SizeIs(1));
}

TEST_F(Issuers, ARenewedOneLeavesTheOldOneAndItsListAddressable) {
  const IssuerVersion first = found_group();
  const Application application = approved();
  const Request of_first = issued(application);
  pass(std::chrono::hours(24 * 30));
  const IssuerVersion second = valued(service_.create_issuer(kAdministrator, "Plant7"));
  EXPECT_NE(first.key, second.key);
  const Request of_second = issued(application);
  EXPECT_EQ(of_second.issuer_serial, second.certificate.serial());
  EXPECT_EQ(valued(service_.published_issuer("plant7", to_lower(first.certificate.serial()))),
            first.certificate);

  const auto all = valued(service_.issuers(kReader, "Plant7"));
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_TRUE(all[0].active);
  EXPECT_FALSE(all[1].active);
  const TrustList trust = valued(service_.trust_list(kReader, "Plant7"));
  EXPECT_THAT(trust.trusted, ElementsAre(second.certificate, first.certificate));
  EXPECT_THAT(trust.crls, SizeIs(2));

  // One list for each issuer that is concerned.
  valued(service_.request_revocation(kWriter, of_first.id, RevocationReason::Superseded));
  valued(service_.request_revocation(kWriter, of_second.id, RevocationReason::Superseded));
  EXPECT_THAT(valued(service_.revoke_group(kApprover, "Plant7", false)), SizeIs(1));
  EXPECT_THAT(crl(first).entries(), IsEmpty());
  EXPECT_THAT(valued(service_.revoke_group(kApprover, "Plant7", true)), SizeIs(1));
  EXPECT_EQ(crl(first).entries().front().serial, of_first.certificate->serial());
  EXPECT_EQ(crl(second).entries().front().serial, of_second.certificate->serial());
  EXPECT_THAT(valued(service_.revoke_group(kApprover, "Plant7", true)), IsEmpty());
}

TEST_F(Issuers, AChangedSubjectDemandsARenewal) {
  found_group();
  const Application application = approved();
  Group changed = valued(service_.group(kReader, "Plant7"));
  changed.subject = "CN=Plant7 CA 2027,O=Acme";
  valued(service_.change_group(kAdministrator, changed));
  const Request request = requested(application);
  EXPECT_TRUE(fails_with(service_.approve_request(kApprover, request.id), ErrorKind::AlreadyExists, "renew"));
  EXPECT_EQ(valued(service_.request(kReader, request.id)).state, RequestState::New);
  valued(service_.create_issuer(kAdministrator, "Plant7"));
  EXPECT_EQ(valued(service_.approve_request(kApprover, request.id)).certificate->issuer(),
            "CN=Plant7 CA 2027,O=Acme");
}

TEST_F(Issuers, DatesAreClippedIntoTheIssuers) {
  const IssuerVersion issuer = found_group();
  const Application application = approved();
  const Request at_once = issued(application);
  EXPECT_EQ(at_once.certificate->not_before(), issuer.certificate.not_before());
  EXPECT_EQ(at_once.certificate->not_before(), valued(parse_time("2026-11-17")));
  EXPECT_EQ(at_once.certificate->not_after(), valued(parse_time("2027-11-17")));
  clock_.set(valued(parse_time("2029-06-01T12:00:00Z")));
  const Request late = issued(application);
  EXPECT_EQ(late.certificate->not_before(), valued(parse_time("2029-05-31")));
  EXPECT_EQ(late.certificate->not_after(), issuer.certificate.not_after());
  clock_.set(issuer.certificate.not_after() - std::chrono::hours(1));
  EXPECT_TRUE(fails_with(service_.approve_request(kApprover, requested(application).id),
                         ErrorKind::AlreadyExists, "renew"));
}

TEST_F(Issuers, AnAuthorityElsewhereCertifiesOne) {
  const Root root;
  valued(create([](Group&) {}));
  EXPECT_TRUE(fails_with(service_.install_issuer(kAdministrator, "Plant7", {root.certificate}),
                         ErrorKind::AlreadyExists, "no key"));
  const IssuerRequest waiting = valued(service_.request_issuer(kAdministrator, "Plant7"));
  EXPECT_EQ(valued(service_.issuer_request(kReader, "Plant7"))->request, waiting.request);
  const Certificate own = root.sign(waiting.request);
  EXPECT_TRUE(fails_with(service_.install_issuer(kAdministrator, "Plant7", {}), ErrorKind::InvalidInput,
                         "no certificate"));
  EXPECT_TRUE(fails_with(service_.install_issuer(kAdministrator, "Plant7", {own}), ErrorKind::InvalidInput,
                         "self-signed"));
  EXPECT_TRUE(
      fails_with(service_.install_issuer(kAdministrator, "Plant7", {root.certificate, root.certificate}),
                 ErrorKind::InvalidInput, "not for the key"));
  EXPECT_TRUE(fails_with(service_.install_issuer(kAdministrator, "Plant7", {own, Root().certificate}),
                         ErrorKind::InvalidInput, "behind it"));
  const Certificate no_authority = root.sign(waiting.request, [](certstore::CertificateProfile& profile) {
    profile.basic_constraints = {};
    profile.key_uses = {certstore::KeyUse::DigitalSignature};
  });
  EXPECT_TRUE(fails_with(service_.install_issuer(kAdministrator, "Plant7", {no_authority, root.certificate}),
                         ErrorKind::InvalidInput, "no authority's"));
  const Certificate other_name = root.sign(waiting.request, [](certstore::CertificateProfile& profile) {
    profile.subject = valued(certstore::DistinguishedName::parse("CN=Another"));
  });
  EXPECT_TRUE(fails_with(service_.install_issuer(kAdministrator, "Plant7", {other_name, root.certificate}),
                         ErrorKind::InvalidInput, "group's subject"));
  // The same authority, without room for one below itself.
  certstore::CertificateProfile profile = Root::profile();
  profile.basic_constraints = {true, 0};
  const Certificate narrow = valued(certstore::make_self_signed_authority(root.key, profile));
  EXPECT_TRUE(fails_with(service_.install_issuer(kAdministrator, "Plant7", {own, narrow}),
                         ErrorKind::InvalidInput, "up to a self-signed one"));
  const Certificate over = root.sign(waiting.request, [](certstore::CertificateProfile& wanted) {
    wanted.not_after = valued(parse_time("2026-11-02"));
  });
  EXPECT_TRUE(fails_with(service_.install_issuer(kAdministrator, "Plant7", {over, root.certificate}),
                         ErrorKind::InvalidInput, "not to be trusted"));

  const IssuerVersion issuer =
      valued(service_.install_issuer(kAdministrator, "Plant7", {own, root.certificate}));
  EXPECT_TRUE(issuer.active);
  EXPECT_FALSE(valued(service_.issuer_request(kReader, "Plant7")));
  EXPECT_THAT(crl(issuer).entries(), IsEmpty());
  const Application application = approved();
  const Request request = issued(application);
  EXPECT_THAT(valued(service_.fetch(kWriter, request.id, application.id)).issuers,
              ElementsAre(own, root.certificate));
  EXPECT_THAT(valued(service_.trust_list(kReader, "Plant7")).issuers, ElementsAre(root.certificate));
}

TEST_F(Issuers, KeepsItsKeyInATokenWhereTheVaultHasOne) {
  const test::SoftToken token("authority");
  valued(vault_->set_token(vault::Principal::local_operator(), "hsm", token.uri()));
  let_in("hsm");
  Group wanted = group();
  wanted.key_vault = "hsm";
  const IssuerVersion issuer = found_group(wanted);
  EXPECT_TRUE(valued(vault_->get(vault::Principal::authority(), issuer.key)).in_token);
  const Application application = approved();
  const Request first = issued(application);
  valued(service_.revoke(kApprover, first.id, RevocationReason::Superseded));
  EXPECT_NE(crl(issuer).find(first.certificate->serial()), nullptr);

  // While it is away nothing is issued, and nothing is lost.
  const Request second = requested(application);
  token.take_away();
  EXPECT_TRUE(fails_with(service_.approve_request(kApprover, second.id), ErrorKind::Unavailable));
  EXPECT_EQ(valued(service_.request(kReader, second.id)).state, RequestState::New);
  token.put_back();
  EXPECT_EQ(valued(service_.approve_request(kApprover, second.id)).state, RequestState::Approved);
}

TEST_F(Issuers, NothingTakesAKeyOfAnIssuerAway) {
  const IssuerVersion issuer = found_group();
  const vault::Principal operator_ = vault::Principal::local_operator();
  EXPECT_TRUE(fails_with(vault_->delete_key(operator_, "signet", "ISSUER-plant7"), ErrorKind::AlreadyExists,
                         "Plant7"));
  gateway::SqliteResourceStore resources(database_);
  EXPECT_TRUE(
      fails_with(resources.delete_vault("SIGNET", "{}", clock_.now()), ErrorKind::AlreadyExists, "Plant7"));
  EXPECT_TRUE(service_.reissue_crl(kAdministrator, "Plant7", issuer.certificate.serial()));
}

TEST_F(Issuers, AKeyWithoutAnIssuerIsDisabledInTime) {
  const IssuerVersion issuer = found_group();
  database_->set_before_commit([]() -> Result<> { return fail(ErrorKind::IoFailure, "disk full"); });
  EXPECT_FALSE(service_.create_issuer(kAdministrator, "Plant7"));
  database_->set_before_commit({});
  const auto left_behind = [&] {
    return valued(vault_->create_key(vault::Principal::authority(), "signet", "issuer-Plant7",
                                     vault::KeyKind::Rsa2048, {}));
  }();
  pass(std::chrono::minutes(59));
  valued(service_.keep_up());
  EXPECT_TRUE(valued(vault_->get(vault::Principal::authority(), left_behind.id)).attributes.enabled);
  pass(std::chrono::minutes(2));
  valued(service_.keep_up());
  EXPECT_FALSE(valued(vault_->get(vault::Principal::authority(), left_behind.id)).attributes.enabled);
  EXPECT_TRUE(valued(vault_->get(vault::Principal::authority(), issuer.key)).attributes.enabled);
}

TEST_F(Issuers, AListThatAFastClockMadeIsMadeAnew) {
  const IssuerVersion issuer = found_group();
  pass(std::chrono::hours(24 * 30));
  valued(service_.reissue_crl(kAdministrator, "Plant7", issuer.certificate.serial()));
  pass(-std::chrono::hours(24 * 29));
  EXPECT_EQ(valued(service_.keep_up()), 1U);
  EXPECT_LE(crl(issuer).this_update(), clock_.now());
}

TEST_F(Issuers, AListLeavesOutWhatHadEndedWhenTheOneBeforeWasMade) {
  const IssuerVersion issuer = found_group();
  const Request request = issued(approved());
  valued(service_.revoke(kApprover, request.id, RevocationReason::Superseded));
  const auto lists = [&] { return crl(issuer).find(request.certificate->serial()) != nullptr; };
  clock_.set(request.certificate->not_after() + std::chrono::hours(1));
  valued(service_.reissue_crl(kAdministrator, "Plant7", issuer.certificate.serial()));
  EXPECT_TRUE(lists());  // once after its end
  pass(std::chrono::hours(1));
  valued(service_.reissue_crl(kAdministrator, "Plant7", issuer.certificate.serial()));
  EXPECT_FALSE(lists());
}

}  // namespace
}  // namespace signet::authority
