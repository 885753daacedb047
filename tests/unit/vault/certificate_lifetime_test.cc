#include "certstore/vault/certificate_lifetime.h"

#include "tests/unit/vault/vault_fixture.h"

namespace signet::vault {
namespace {

using testing::ElementsAre;
using Event = CertificateNotice::Event;

class CertificateLifetime : public VaultFixture {
 protected:
  CertificatePolicy policy(std::string_view issuer = kSelfIssuer) {
    CertificatePolicy wanted;
    wanted.kind = KeyKind::EcP256;
    wanted.subject = "CN=as2.acme.example";
    wanted.issuer = issuer;
    return wanted;
  }
  void create(const CertificatePolicy& wanted) {
    ASSERT_TRUE(vault_->create_certificate(kOperator, "kv1", "c1", wanted, {true, {{"team", "edi"}}}));
  }
  std::vector<Event> round() {
    std::vector<Event> events;
    const CertificateLifetimes::Round done = vault_->renew_due().value();
    next_ = done.next;
    for (const CertificateNotice& notice : done.events) events.push_back(notice.event);
    return events;
  }
  std::vector<Event> queued() {
    std::vector<Event> events;
    const auto notices = vault_->notices().value();
    for (const CertificateNotice& notice : notices) events.push_back(notice.event);
    return events;
  }
  std::vector<CertificateInfo> versions() {
    return vault_->certificate_versions(kOperator, "kv1", "c1").value();
  }
  void pass(std::chrono::hours time) { clock_.set(clock_.now() + time); }

  std::optional<Time> next_;
};

TEST_F(CertificateLifetime, SelfIssuedOnesAreRenewedOnceWhenFourFifthsOfTheirLifeAreOver) {
  create(policy());
  EXPECT_THAT(round(), ElementsAre());
  ASSERT_TRUE(next_);
  EXPECT_EQ(to_rfc3339(*next_).substr(0, 10), "2027-09-08");
  clock_.set(*next_);
  EXPECT_THAT(round(), ElementsAre(Event::Renewed));
  EXPECT_THAT(round(), ElementsAre());
  ASSERT_EQ(versions().size(), 2U);
  EXPECT_EQ(versions()[0].settings.tags, (Tags{{"team", "edi"}}));
  EXPECT_NE(vault_->get(kOperator, versions()[0].id)->public_key,
            vault_->get(kOperator, versions()[1].id)->public_key);
  EXPECT_THAT(queued(), ElementsAre(Event::Renewed));
  EXPECT_EQ(audit_.last().operation, "renewCertificate");
  EXPECT_EQ(audit_.last().principal, "gateway");
}

TEST_F(CertificateLifetime, TheKeyIsKeptWhereThePolicySaysSo) {
  CertificatePolicy kept = policy();
  kept.reuse_key = true;
  create(kept);
  pass(std::chrono::days(300));
  EXPECT_THAT(round(), ElementsAre(Event::Renewed));
  EXPECT_EQ(vault_->get(kOperator, versions()[0].id)->public_key,
            vault_->get(kOperator, versions()[1].id)->public_key);
}

TEST_F(CertificateLifetime, ContactsAreToldOnceOfEachVersion) {
  CertificatePolicy told = policy();
  told.lifetime_actions = {{std::nullopt, 30, LifetimeActionType::EmailContacts}};
  create(told);
  pass(std::chrono::days(330));
  EXPECT_THAT(round(), ElementsAre());
  pass(std::chrono::days(10));
  EXPECT_THAT(round(), ElementsAre(Event::NearExpiry));
  EXPECT_THAT(round(), ElementsAre());
  create(told);
  pass(std::chrono::days(340));
  EXPECT_THAT(round(), ElementsAre(Event::NearExpiry));
  EXPECT_THAT(queued(), ElementsAre(Event::NearExpiry, Event::NearExpiry));
}

TEST_F(CertificateLifetime, WhatFailsIsTriedAgainLessAndLessOften) {
  IssuerUpdate issuer;
  issuer.provider = "ACME";
  issuer.directory = "https://ca.example/dir";
  ASSERT_TRUE(vault_->set_certificate_issuer(kOperator, "kv1", "ca", issuer));
  create(policy());
  ASSERT_TRUE(vault_->update_certificate_policy(kOperator, "kv1", "c1",
                                                [](CertificatePolicy before) -> Result<CertificatePolicy> {
                                                  before.issuer = "ca";
                                                  return before;
                                                }));
  issuer.enabled = false;
  ASSERT_TRUE(vault_->update_certificate_issuer(kOperator, "kv1", "ca", issuer));
  pass(std::chrono::days(300));
  for (const int wait : {1, 2, 4, 8, 16, 24, 24}) {
    EXPECT_THAT(round(), ElementsAre(Event::NotRenewed));
    EXPECT_EQ(next_, clock_.now() + std::chrono::hours(wait));
    pass(std::chrono::hours(wait) - std::chrono::hours(1));
    if (wait > 1) EXPECT_THAT(round(), ElementsAre());
    pass(std::chrono::hours(1));
  }
  issuer.enabled = true;
  ASSERT_TRUE(vault_->update_certificate_issuer(kOperator, "kv1", "ca", issuer));
  EXPECT_THAT(round(), ElementsAre(Event::RenewalBegins));
  EXPECT_THAT(round(), ElementsAre());
  const PendingOrder order = vault_->pending_orders()->at(0);
  ASSERT_TRUE(vault_->fail_order(order, {std::string(kRequestRejected), "no"}));
  EXPECT_THAT(round(), ElementsAre());
  EXPECT_EQ(next_, clock_.now() + std::chrono::hours(24));
  EXPECT_EQ(queued().back(), Event::NotRenewed);
  EXPECT_EQ(vault_->notices()->back().reason, "no");
}

TEST_F(CertificateLifetime, DisabledOnesAndThoseWithoutAnActionAreLeftAlone) {
  create(policy());
  ASSERT_TRUE(vault_->update_certificate(kOperator, {"kv1", "c1", ""}, {false, std::nullopt}));
  pass(std::chrono::days(300));
  EXPECT_THAT(round(), ElementsAre());
  CertificatePolicy idle = policy();
  idle.lifetime_actions = std::vector<LifetimeAction>();
  create(idle);
  pass(std::chrono::days(300));
  EXPECT_THAT(round(), ElementsAre());
  EXPECT_FALSE(next_);
}

TEST(LifetimeActions, DaysBeforeTheEndDoNotReachIntoTheFirstHalfOfALife) {
  const auto made = test::make_certificate({.common_name = "short", .key = "ec:P-256"});
  const certstore::Certificate& certificate = made.certificate;
  const auto lifetime = certificate.not_after() - certificate.not_before();
  EXPECT_EQ(due_time({std::nullopt, 100'000, LifetimeActionType::AutoRenew}, certificate),
            certificate.not_before() + lifetime / 2);
  EXPECT_EQ(due_time({std::nullopt, 1, LifetimeActionType::AutoRenew}, certificate),
            certificate.not_after() - std::chrono::days(1));
  EXPECT_EQ(due_time({80, std::nullopt, LifetimeActionType::AutoRenew}, certificate),
            certificate.not_before() + lifetime / 100 * 80);
}

}  // namespace
}  // namespace signet::vault
