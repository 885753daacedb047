#include "base/file.h"
#include "certstore/x509/publication.h"
#include "tests/unit/authority/authority_fixture.h"

/// The twelve defects that were seen in the service this one is modelled after, by their numbers. That its
/// addresses for anonymous readers take nothing but GET, and that nothing answers to other origins (12), is
/// tested where HTTP is (tests/integration/certificate_service_test.py, Published).

namespace signet::authority {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class Defects : public AuthorityTest {};

TEST_F(Defects, N01NobodyApprovesWhatHeRequestedOrEditedLast) {
  found_group();
  const Actor both{"Bo", {Role::Writer, Role::Approver}};
  const Application application = approved();
  const Request own = valued(service_.request_signing(both, {application.id, "Plant7", signing_request()}));
  const Actor same{"BO", {Role::Approver}};
  EXPECT_TRUE(
      fails_with(service_.approve_request(same, own.id), ErrorKind::PermissionDenied, "made this request"));
  EXPECT_TRUE(fails_with(service_.reject_request(same, own.id, "no"), ErrorKind::PermissionDenied));
  EXPECT_TRUE(service_.approve_request(kApprover, own.id));

  const Actor all{"Bo", {Role::Administrator, Role::Writer, Role::Approver}};
  const Application of_his = valued(service_.register_application(all, line2()));
  EXPECT_TRUE(
      fails_with(service_.approve_application(all, of_his.id), ErrorKind::PermissionDenied, "registered"));
  EXPECT_TRUE(fails_with(service_.reject_application(all, of_his.id, "no"), ErrorKind::PermissionDenied));
  valued(service_.change_application(kAdministrator, of_his.id, line2()));
  EXPECT_TRUE(fails_with(service_.approve_application(kAdministrator, of_his.id), ErrorKind::PermissionDenied,
                         "edited"));
  valued(service_.approve_application(kSecondAdministrator, of_his.id));

  const Request of_other =
      valued(service_.request_signing(kWriter, {of_his.id, "Plant7", signing_request()}));
  const Actor editor{"adam", {Role::Approver}};
  EXPECT_TRUE(
      fails_with(service_.approve_request(editor, of_other.id), ErrorKind::PermissionDenied, "edited"));
}

TEST_F(Defects, N02AnApplicationThatIsNotApprovedGetsNoCertificate) {
  found_group();
  const Application made = valued(service_.register_application(kWriter, line2()));
  const SigningOrder order{made.id, "Plant7", signing_request()};
  EXPECT_TRUE(fails_with(service_.request_signing(kWriter, order), ErrorKind::AlreadyExists, "state new"));
  valued(service_.approve_application(kAdministrator, made.id));
  const Request request = valued(service_.request_signing(kWriter, order));
  // At the approval too: it was edited since.
  valued(service_.change_application(kWriter, made.id, line2()));
  EXPECT_TRUE(
      fails_with(service_.approve_request(kApprover, request.id), ErrorKind::AlreadyExists, "state new"));
  valued(service_.reject_application(kAdministrator, made.id, "unknown plant"));
  EXPECT_TRUE(
      fails_with(service_.approve_request(kApprover, request.id), ErrorKind::AlreadyExists, "rejected"));
  EXPECT_TRUE(fails_with(service_.request_signing(kWriter, order), ErrorKind::AlreadyExists, "rejected"));
  valued(service_.unregister_application(kWriter, made.id));
  EXPECT_TRUE(fails_with(service_.request_signing(kWriter, order), ErrorKind::AlreadyExists, "unregistered"));
  EXPECT_EQ(valued(service_.request(kReader, request.id)).state, RequestState::Removed);
}

TEST_F(Defects, N03ABatchRevokesNothingOfOtherGroups) {
  const IssuerVersion here = found_group();
  const IssuerVersion there = found_group(group("Plant8"));
  const Application application = approved();
  const Request one = issued(application);
  const Request other = issued(application, "Plant8");
  valued(service_.request_revocation(kWriter, one.id, RevocationReason::Superseded));
  valued(service_.request_revocation(kWriter, other.id, RevocationReason::Superseded));
  const auto revoked = valued(service_.revoke_group(kApprover, "Plant7", true));
  ASSERT_EQ(revoked.size(), 1U);
  EXPECT_EQ(revoked.front().id, one.id);
  const Request left = valued(service_.request(kReader, other.id));
  EXPECT_EQ(left.state, RequestState::Approved);
  EXPECT_TRUE(left.certificate);
  EXPECT_THAT(crl(there).entries(), IsEmpty());
  EXPECT_EQ(crl(here).entries().size(), 1U);
}

TEST_F(Defects, N04WhatTheListDoesNotSayIsNotRevoked) {
  const IssuerVersion issuer = found_group();
  const Request request = issued(approved());
  vault::KeyUpdate disabled;
  disabled.attributes.enabled = false;
  valued(vault_->update(vault::Principal::local_operator(), issuer.key, disabled));
  EXPECT_TRUE(fails_with(service_.revoke(kApprover, request.id, RevocationReason::KeyCompromise),
                         ErrorKind::Disabled));
  EXPECT_EQ(valued(service_.request(kReader, request.id)).state, RequestState::Approved);
  vault::KeyUpdate enabled;
  enabled.attributes.enabled = true;
  valued(vault_->update(vault::Principal::local_operator(), issuer.key, enabled));

  audit_.failure = Error{ErrorKind::IoFailure, "disk full"};
  EXPECT_TRUE(fails_with(service_.revoke(kApprover, request.id, RevocationReason::KeyCompromise),
                         ErrorKind::IoFailure));
  audit_.failure.reset();
  EXPECT_EQ(valued(service_.request(kReader, request.id)).state, RequestState::Approved);
  EXPECT_EQ(crl(issuer).number(), "01");
  // The commit fails at the very end: neither is there.
  database_->set_before_commit([]() -> Result<> { return fail(ErrorKind::IoFailure, "disk full"); });
  EXPECT_TRUE(fails_with(service_.revoke(kApprover, request.id, RevocationReason::KeyCompromise),
                         ErrorKind::IoFailure));
  database_->set_before_commit({});
  EXPECT_EQ(valued(service_.request(kReader, request.id)).state, RequestState::Approved);
  EXPECT_EQ(crl(issuer).number(), "01");
  const auto row = valued(rows_.issued("Plant7", request.issuer_serial, request.certificate->serial()));
  ASSERT_TRUE(row);
  EXPECT_FALSE(row->revoked);
}

TEST_F(Defects, N05ThePasswordIsNowhereInTheClear) {
  found_group();
  const Application application = approved();
  const Request request = requested_pair(application, KeyFormat::Pem);
  const auto is_on_disk = [&](std::string_view text) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path()))
      if (entry.is_regular_file() &&
          as_text(valued(read_file(entry.path(), 1 << 26))).find(text) != std::string::npos)
        return true;
    return false;
  };
  EXPECT_TRUE(is_on_disk(request.id));  // the search finds what is there
  EXPECT_FALSE(is_on_disk(kPassword));
  valued(service_.approve_request(kApprover, request.id));
  EXPECT_FALSE(is_on_disk(kPassword));
  EXPECT_FALSE(is_on_disk("ENCRYPTED PRIVATE KEY"));
  const FetchedCertificate fetched = valued(service_.fetch(kWriter, request.id, application.id));
  EXPECT_NE(as_text(*fetched.key_file).find("ENCRYPTED PRIVATE KEY"), std::string::npos);
  EXPECT_EQ(as_text(*fetched.key_file).find("BEGIN PRIVATE KEY"), std::string::npos);
  for (const vault::AuditRecord& record : audit_.log.records())
    EXPECT_EQ(record.detail.find(kPassword), std::string::npos) << record.operation;

  EXPECT_TRUE(fails_with(service_.request_key_pair(
                             kWriter, {application.id, "Plant7", "CN=x", {}, KeyFormat::Pem, SecretBytes()}),
                         ErrorKind::InvalidInput, "password"));
}

TEST_F(Defects, N06ACertificateHasTheApplicationsNamesAndNoOthers) {
  found_group();
  const Application application = approved();
  const auto order = [&](const std::function<void(certstore::CertificateProfile&)>& change) {
    return service_.request_signing(kWriter, {application.id, "Plant7", signing_request(change)});
  };
  EXPECT_TRUE(fails_with(order([](auto& profile) { profile.alternative_names.uris.clear(); }),
                         ErrorKind::InvalidInput, "urn:plant7:acme:line2"));
  EXPECT_TRUE(
      fails_with(order([](auto& profile) { profile.alternative_names.uris = {"urn:plant7:acme:line3"}; }),
                 ErrorKind::InvalidInput, "urn:plant7:acme:line2"));
  const Request nameless = valued(order([](auto& profile) { profile.alternative_names.dns_names.clear(); }));
  const Request done = valued(service_.approve_request(kApprover, nameless.id));
  EXPECT_THAT(done.certificate->subject_alternative_names(), ElementsAre("URI:urn:plant7:acme:line2"));
}

TEST_F(Defects, N07AnUnregisteredApplicationThatHadCertificatesCanBeRemoved) {
  const IssuerVersion issuer = found_group();
  const Application application = approved();
  const Request request = issued(application);
  valued(service_.unregister_application(kWriter, application.id));
  valued(service_.revoke_group(kApprover, "Plant7", false));
  valued(service_.remove_application(kAdministrator, application.id));
  EXPECT_TRUE(fails_with(service_.application(kReader, application.id), ErrorKind::NotFound));
  EXPECT_NE(crl(issuer).find(request.certificate->serial()), nullptr);
}

TEST_F(Defects, N08TheServiceHasNoOtherNameToFallBackOn) {
  found_group();
  const Request request = requested(approved());
  valued(vault_->set_policy(vault::Principal::local_operator(), {"signet", vault::Principal::authority()}));
  EXPECT_TRUE(
      fails_with(service_.approve_request(kApprover, request.id), ErrorKind::PermissionDenied, "authority"));
  EXPECT_EQ(valued(service_.request(kReader, request.id)).state, RequestState::New);
  // Whoever can use the gateway's keys, or is the operator, cannot use an issuer's.
  const vault::KeyId key{"signet", "issuer-Plant7", {}};
  const Bytes octets = digest(Hash::Sha256, as_bytes("x"));
  EXPECT_FALSE(
      vault_->sign(vault::Principal::local_operator(), key, vault::SignatureAlgorithm::RS256, octets));
}

TEST_F(Defects, N08AnIssuersKeyIsOfUseToTheServiceAlone) {
  found_group();
  const vault::KeyId key{"signet", "ISSUER-plant7", {}};
  const Bytes octets = digest(Hash::Sha256, as_bytes("x"));
  const vault::Principal mallory{"mallory"};
  valued(
      vault_->set_policy(vault::Principal::local_operator(),
                         {"signet", mallory,
                          valued(vault::parse_key_permissions("sign,verify,decrypt,unwrapKey,backup,restore,"
                                                              "create,get"))}));
  for (const vault::Principal& one : {vault::Principal::gateway(), mallory})
    EXPECT_TRUE(fails_with(vault_->sign(one, key, vault::SignatureAlgorithm::RS256, octets),
                           ErrorKind::PermissionDenied, "only the certificate service"));
  EXPECT_TRUE(fails_with(vault_->decrypt(mallory, key, {}, octets), ErrorKind::PermissionDenied, "issuer"));
  EXPECT_TRUE(
      fails_with(vault_->unwrap_key(mallory, key, {}, octets), ErrorKind::PermissionDenied, "issuer"));
  EXPECT_TRUE(fails_with(vault_->backup_key(mallory, "signet", "issuer-Plant7"), ErrorKind::PermissionDenied,
                         "only the certificate service"));
  EXPECT_TRUE(vault_->verify(mallory, key, vault::SignatureAlgorithm::RS256, octets, Bytes(256)));
}

TEST_F(Defects, N08NobodyElseMakesOrBringsAlongAKeyOfAnIssuersName) {
  found_group();
  const vault::Principal operator_ = vault::Principal::local_operator();
  const auto refused = [](const auto& result) {
    return fails_with(result, ErrorKind::PermissionDenied,
                      "for the issuers' keys of the certificate service");
  };
  for (const char* name : {"issuer-Plant7", "Issuer-plant7", "issuer-Mine", "issuer-"}) {
    EXPECT_TRUE(refused(vault_->create_key(operator_, "signet", name, vault::KeyKind::Rsa2048, {}))) << name;
    EXPECT_TRUE(refused(vault_->import_key(operator_, "signet", name, {}, {}))) << name;
    EXPECT_TRUE(
        refused(vault_->create_certificate(operator_, "signet", name, vault::CertificatePolicy(), {})))
        << name;
  }
  valued(vault_->create_key(operator_, "signet", "issuers", vault::KeyKind::Rsa2048, {}));
  EXPECT_TRUE(fails_with(vault_->rotate_key(operator_, "signet", "issuer-Plant7"),
                         ErrorKind::PermissionDenied, "only the certificate service"));
  EXPECT_TRUE(fails_with(vault_->set_rotation_policy(operator_, "signet", "issuer-Plant7", {}),
                         ErrorKind::PermissionDenied, "only the certificate service"));
  EXPECT_THAT(valued(vault_->versions(operator_, "signet", "issuer-Plant7")), testing::SizeIs(1));
}

TEST_F(Defects, N09LeavesSayWhereTheirListAndTheirIssuerAre) {
  const IssuerVersion issuer = found_group();
  const Request request = issued(approved());
  const std::string serial = issuer.certificate.serial();
  const certstore::Publication said = certstore::publication_of(*request.certificate);
  EXPECT_THAT(said.crl_urls, ElementsAre("http://pki.acme.example/certs/crl/" + serial + "/Plant7.crl"));
  EXPECT_THAT(said.issuer_urls,
              ElementsAre("http://pki.acme.example/certs/issuer/" + serial + "/Plant7.cer"));
  EXPECT_THAT(said.ocsp_urls, ElementsAre("http://pki.acme.example/certs/ocsp"));
}

TEST_F(Defects, N10AListEndsSoonAndHasTheReasonsThatWereGivenAndNothingElse) {
  const IssuerVersion issuer = found_group();
  EXPECT_THAT(crl(issuer).entries(), IsEmpty());
  EXPECT_EQ(crl(issuer).next_update() - crl(issuer).this_update(), std::chrono::days(7));
  EXPECT_EQ(valued(service_.keep_up()), 0U);
  pass(std::chrono::hours(84));
  EXPECT_EQ(valued(service_.keep_up()), 1U);
  EXPECT_EQ(crl(issuer).number(), "02");
  EXPECT_EQ(crl(issuer).this_update(), clock_.now());
  const Request request = issued(approved());
  valued(service_.revoke(kApprover, request.id, RevocationReason::CessationOfOperation));
  pass(std::chrono::hours(84));
  valued(service_.keep_up());
  const certstore::Crl list = crl(issuer);
  EXPECT_EQ(list.number(), "04");
  ASSERT_EQ(list.entries().size(), 1U);
  EXPECT_EQ(list.entries().front().reason, RevocationReason::CessationOfOperation);
  EXPECT_EQ(list.entries().front().revoked, clock_.now() - std::chrono::hours(84));
}

TEST_F(Defects, N11AWrongStateIsAConflictAndLargeKeysAreTaken) {
  Group large = group();
  large.issued.key_bits = large.issuer.key_bits = 4096;
  EXPECT_TRUE(check_group(large, clock_.now()));
  found_group();
  const Application application = approved();
  const Request request = issued(application);
  EXPECT_TRUE(fails_with(service_.approve_request(kApprover, request.id), ErrorKind::AlreadyExists,
                         "state Approved"));
  EXPECT_TRUE(fails_with(service_.reject_request(kApprover, request.id, "no"), ErrorKind::AlreadyExists));
  EXPECT_TRUE(fails_with(service_.remove_request(kWriter, request.id), ErrorKind::AlreadyExists));
  EXPECT_TRUE(fails_with(service_.purge_request(kAdministrator, request.id), ErrorKind::AlreadyExists));
  EXPECT_TRUE(
      fails_with(service_.approve_application(kAdministrator, application.id), ErrorKind::AlreadyExists));
  EXPECT_TRUE(
      fails_with(service_.remove_application(kAdministrator, application.id), ErrorKind::AlreadyExists));
  EXPECT_TRUE(fails_with(service_.create_group(kAdministrator, group("PLANT7")), ErrorKind::AlreadyExists));
  valued(service_.revoke(kApprover, request.id, RevocationReason::Superseded));
  EXPECT_TRUE(fails_with(service_.revoke(kApprover, request.id, RevocationReason::Superseded),
                         ErrorKind::AlreadyExists));
  EXPECT_TRUE(fails_with(service_.accept_request(kWriter, request.id), ErrorKind::AlreadyExists));
  EXPECT_TRUE(fails_with(service_.fetch(kWriter, request.id, application.id), ErrorKind::AlreadyExists));
}

}  // namespace
}  // namespace signet::authority
