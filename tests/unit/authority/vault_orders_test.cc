#include "base/random.h"
#include "gateway/issuance/authority_provider.h"
#include "gateway/issuance/order_desk.h"
#include "tests/unit/authority/authority_fixture.h"

/// Certificates of vaults that the certificate service issues: AutoRenew without anybody outside.

namespace signet::authority {
namespace {

using certstore::Purpose;
using testing::HasSubstr;
using testing::SizeIs;

const vault::Principal kOperator = vault::Principal::local_operator();

class VaultOrders : public AuthorityTest {
 protected:
  /// A group of stations, ours among them, and the vault's issuer for it.
  Application set_up(bool approves) {
    Group stations = group("Stations", CertificateType::As2Station);
    stations.approves_vault_orders = approves;
    issuer_ = found_group(stations);
    const Application ours = approved(
        As2Station{"Acme", "https://as2.acme.example/as2", {Purpose::Sign, Purpose::Encrypt, Purpose::Tls}});
    vault::IssuerUpdate update;
    update.provider = "signet";
    update.organisation = "Stations";
    update.account = ours.id;
    valued(vault_->set_certificate_issuer(kOperator, "signet", "internal", update));
    return ours;
  }
  static vault::CertificatePolicy policy(const std::string& host = "as2.acme.example") {
    vault::CertificatePolicy wanted;
    wanted.kind = vault::KeyKind::EcP256;
    wanted.subject = "CN=" + host;
    wanted.alternative_names.dns_names = {host};
    wanted.issuer = "internal";
    return wanted;
  }
  auto create(const vault::CertificatePolicy& wanted = policy()) {
    return vault_->create_certificate(kOperator, "signet", "as2", wanted, {});
  }
  vault::VaultCertificate made() { return valued(vault_->get_certificate(kOperator, {"signet", "as2", {}})); }

  std::optional<IssuerVersion> issuer_;
  gateway::AuthorityProvider provider_{service_};
  gateway::OrderDesk desk_{{*vault_, [this](std::string_view) { return &provider_; }, clock_}};
};

TEST_F(VaultOrders, AGroupThatSaysSoIssuesAndRenewsByItself) {
  set_up(true);
  valued(create());
  EXPECT_TRUE(desk_.work());
  const Certificate first = made().info.chain.front();
  EXPECT_EQ(first.issuer(), issuer_->certificate.subject());
  EXPECT_EQ(made().info.chain.back(), issuer_->certificate);

  pass(std::chrono::hours(24 * 300));  // over 80 % of 12 months
  valued(vault_->renew_due());
  EXPECT_TRUE(desk_.work());
  const Certificate second = made().info.chain.front();
  EXPECT_NE(second, first);
  EXPECT_GT(second.not_after(), first.not_after());
  EXPECT_THAT(audit_.of("approveRequest"), SizeIs(2));
  EXPECT_THAT(audit_.of("approveRequest").front(), HasSubstr("authority success"));
}

TEST_F(VaultOrders, OthersWaitForAnApprover) {
  set_up(false);
  valued(create());
  EXPECT_FALSE(desk_.work());
  const auto waiting = valued(service_.requests(kReader, {.states = {RequestState::New}}, {})).items;
  ASSERT_THAT(waiting, SizeIs(1));
  EXPECT_EQ(waiting.front().submitted.by, "gateway");
  EXPECT_THAT(valued(vault_->certificate_operation(kOperator, "signet", "as2")).details,
              HasSubstr("Approver"));
  valued(service_.approve_request(kApprover, waiting.front().id));
  pass(std::chrono::seconds(11));
  EXPECT_TRUE(desk_.work());
  EXPECT_EQ(valued(service_.request(kReader, waiting.front().id)).state, RequestState::Accepted);
  EXPECT_EQ(made().info.chain.front(), *valued(service_.request(kReader, waiting.front().id)).certificate);
}

TEST_F(VaultOrders, TheServiceApprovesNoNamesOfOthers) {
  set_up(true);
  valued(create(policy("as2.globex.example")));
  EXPECT_FALSE(desk_.work());
  EXPECT_THAT(valued(service_.requests(kReader, {.states = {RequestState::New}}, {})).items, SizeIs(1));
}

TEST_F(VaultOrders, ARejectionEndsTheOperationAndSaysWhy) {
  set_up(false);
  valued(create());
  desk_.work();
  const auto waiting = valued(service_.requests(kReader, {}, {})).items;
  valued(service_.reject_request(kApprover, waiting.front().id, "another name, please"));
  pass(std::chrono::seconds(11));
  EXPECT_TRUE(desk_.work());
  const auto operation = valued(vault_->certificate_operation(kOperator, "signet", "as2"));
  EXPECT_EQ(operation.status, vault::OperationStatus::Failed);
  EXPECT_THAT(operation.failure.value().message, HasSubstr("another name, please"));
}

TEST_F(VaultOrders, ACancelledOneLeavesNoRequestBehind) {
  set_up(false);
  valued(create());
  desk_.work();
  valued(vault_->cancel_certificate_operation(kOperator, "signet", "as2"));
  desk_.work();
  EXPECT_THAT(valued(service_.requests(kReader, {.states = {RequestState::Removed}}, {})).items, SizeIs(1));
}

TEST_F(VaultOrders, WhoOrdersDoesNotApproveNorReject) {
  set_up(false);
  const vault::Principal anna{kApprover.principal};
  valued(vault_->set_policy(
      kOperator,
      {"signet", anna, {}, {}, valued(vault::parse_certificate_permissions("create,get,update"))}));
  valued(vault_->create_certificate(anna, "signet", "as2", policy(), {}));
  desk_.work();
  const auto waiting = valued(service_.requests(kReader, {}, {})).items;
  ASSERT_THAT(waiting, SizeIs(1));
  EXPECT_EQ(waiting.front().ordered_by, "anna");
  EXPECT_TRUE(fails_with(service_.approve_request(kApprover, waiting.front().id), ErrorKind::PermissionDenied,
                         "ordered this certificate"));
  EXPECT_TRUE(fails_with(service_.reject_request(kApprover, waiting.front().id, "no"),
                         ErrorKind::PermissionDenied, "ordered this certificate"));
  const Actor second{"albert", {Role::Approver}};
  valued(service_.approve_request(second, waiting.front().id));
  pass(std::chrono::seconds(11));
  EXPECT_TRUE(desk_.work());

  // Its renewal is whose the policy is.
  pass(std::chrono::hours(24 * 300));
  valued(vault_->renew_due());
  desk_.work();
  const auto renewal = valued(service_.requests(kReader, {.states = {RequestState::New}}, {})).items;
  ASSERT_THAT(renewal, SizeIs(1));
  EXPECT_EQ(renewal.front().ordered_by, "anna");
}

TEST_F(VaultOrders, ARejectionIsFinalAlsoForTheNextProcess) {
  set_up(false);
  valued(create());
  desk_.work();
  const auto waiting = valued(service_.requests(kReader, {}, {})).items;
  valued(service_.reject_request(kApprover, waiting.front().id, "no"));
  gateway::OrderDesk after_restart{{*vault_, [this](std::string_view) { return &provider_; }, clock_}};
  EXPECT_TRUE(after_restart.work());
  EXPECT_EQ(valued(vault_->certificate_operation(kOperator, "signet", "as2")).status,
            vault::OperationStatus::Failed);
  EXPECT_THAT(valued(service_.requests(kReader, {}, {})).items, SizeIs(1));
}

TEST_F(VaultOrders, AnOrderWhoseIdWasNotNotedIsFoundAgain) {
  const Application ours = set_up(true);
  const Bytes asked = signing_request([](auto& profile) {
    profile.subject = valued(certstore::DistinguishedName::parse("CN=as2.acme.example"));
    profile.alternative_names = {};
    profile.alternative_names.dns_names = {"as2.acme.example"};
  });
  const Request first = valued(service_.request_for_vault({ours.id, "Stations", asked, "walter"}));
  EXPECT_EQ(first.state, RequestState::Approved);
  EXPECT_EQ(valued(service_.request_for_vault({ours.id, "Stations", asked, "walter"})).id, first.id);
  EXPECT_NE(valued(service_.request_for_vault({ours.id, "Stations", asked, "wilma"})).id, first.id);
}

TEST_F(VaultOrders, OneThatIsCalledOffBeforeItsIdWasNotedLeavesNoRequest) {
  set_up(false);
  const auto operation = valued(create());
  // As a gateway does that dies between the two steps.
  const vault::PendingOrder order = valued(vault_->pending_orders()).front();
  const auto account = valued(vault_->open_issuer_account("signet", "internal"));
  const std::string placed = valued(provider_.order(*account, order.wanted));
  valued(vault_->cancel_certificate_operation(kOperator, "signet", operation.id.name));
  desk_.work();
  EXPECT_EQ(valued(service_.request(kReader, placed)).state, RequestState::Removed);
  EXPECT_THAT(valued(vault_->pending_orders()), testing::IsEmpty());
}

TEST_F(VaultOrders, AnOrderIsFoundAgainAmongManyOfOthersForTheSameKey) {
  const Application ours = set_up(false);
  const Bytes asked = signing_request([](auto& profile) {
    profile.subject = valued(certstore::DistinguishedName::parse("CN=as2.acme.example"));
    profile.alternative_names = {};
    profile.alternative_names.dns_names = {"as2.acme.example"};
  });
  const Request first = valued(service_.request_for_vault({ours.id, "Stations", asked, "walter"}));
  Change others;
  for (std::size_t i = 0; i < AuthorityStore::kMostRequestsFor; ++i) {
    Request other = first;
    other.id = random_guid();
    other.submitted.by = kWriter.principal;
    other.revision = 0;
    others.requests.push_back(other);
  }
  ASSERT_TRUE(valued(rows_.commit(others)));
  EXPECT_EQ(valued(service_.request_for_vault({ours.id, "Stations", asked, "walter"})).id, first.id);
}

TEST_F(VaultOrders, ACancelledOneThatWasApprovedIsRevoked) {
  for (const bool approves : {true, false}) {
    SCOPED_TRACE(approves);
    Group stations = group(approves ? "Automatic" : "Manual", CertificateType::As2Station);
    stations.approves_vault_orders = approves;
    const IssuerVersion issuer = found_group(stations);
    const Application ours = approved(globex());
    const Bytes asked = signing_request([](auto& profile) {
      profile.subject = valued(certstore::DistinguishedName::parse("CN=as2.globex.example"));
      profile.alternative_names = {};
      profile.alternative_names.dns_names = {"as2.globex.example"};
    });
    Request made = valued(service_.request_for_vault({ours.id, stations.name, asked, {}}));
    if (!approves) made = valued(service_.approve_request(kApprover, made.id));
    valued(service_.cancel_for_vault(made.id));
    valued(service_.cancel_for_vault(made.id));  // says nothing new
    const Request after = valued(service_.request(kReader, made.id));
    EXPECT_EQ(after.state, approves ? RequestState::Revoked : RequestState::Approved);
    EXPECT_EQ(after.revocation_requested.has_value(), !approves);
    EXPECT_EQ(crl(issuer).find(made.certificate->serial()) != nullptr, approves);
  }
}

TEST_F(VaultOrders, TheServiceApprovesNoSubjectOfMoreThanACommonName) {
  set_up(true);
  vault::CertificatePolicy more = policy();
  more.subject = "CN=as2.acme.example,O=Globex Bank";
  valued(create(more));
  EXPECT_FALSE(desk_.work());
  EXPECT_THAT(valued(service_.requests(kReader, {.states = {RequestState::New}}, {})).items, SizeIs(1));
}

TEST_F(VaultOrders, TheServiceApprovesNoHostThatIsNoAlternativeName) {
  const Application ours = set_up(true);
  const Bytes asked = signing_request([](auto& profile) {
    profile.subject = valued(certstore::DistinguishedName::parse("CN=as2.acme.example"));
    profile.alternative_names = {};
  });
  EXPECT_EQ(valued(service_.request_for_vault({ours.id, "Stations", asked, {}})).state, RequestState::New);
}

TEST_F(VaultOrders, AnIssuerThatNamesNoGroupIsRefusedBeforeAnythingIsOrdered) {
  set_up(true);
  vault::IssuerUpdate update;
  update.account = "";
  valued(vault_->update_certificate_issuer(kOperator, "signet", "internal", update));
  EXPECT_TRUE(fails_with(create(), ErrorKind::InvalidInput, "account"));
}

TEST_F(VaultOrders, RevokingIsTheGroupsDecisionToo) {
  set_up(true);
  valued(create());
  desk_.work();
  const Certificate certificate = made().info.chain.front();
  EXPECT_TRUE(valued(service_.revoke_for_vault("Stations", certificate, RevocationReason::Superseded)));
  EXPECT_NE(crl(*issuer_).find(certificate.serial()), nullptr);
  EXPECT_TRUE(
      fails_with(service_.revoke_for_vault("Stations", issuer_->certificate, RevocationReason::Superseded),
                 ErrorKind::NotFound));
}

}  // namespace
}  // namespace signet::authority
