#include "gateway/issuance/order_desk.h"

#include "gateway/issuance/acme_provider.h"
#include "tests/unit/issuance/issuance_fixture.h"

namespace signet::gateway {
namespace {

using testing::HasSubstr;
using vault::OperationStatus;
using vault::OrderProgress;

/// An issuer that does what a test says.
class ScriptedProvider final : public vault::CertificateProvider {
 public:
  Result<std::string> order(vault::IssuerAccount&, const vault::OrderedCertificate&) override {
    ++orders;
    if (refusal) return fail(*refusal);
    return "https://ca.example/order/1";
  }
  Result<OrderProgress> poll(vault::IssuerAccount&, const std::string& order,
                             const vault::OrderedCertificate&) override {
    ++polls;
    EXPECT_EQ(order, "https://ca.example/order/1");
    if (refusal) return fail(*refusal);
    return progress;
  }
  Result<> cancel(vault::IssuerAccount&, const std::string&) override {
    ++cancels;
    if (refusal) return fail(*refusal);
    return {};
  }
  Result<> revoke(vault::IssuerAccount&, const certstore::Certificate&, vault::RevocationReason) override {
    return {};
  }

  [[nodiscard]] bool orders_lapse() const override { return lapse; }

  bool lapse = true;
  int orders = 0;
  int polls = 0;
  int cancels = 0;
  std::optional<Error> refusal;
  OrderProgress progress = vault::StillOrdering{std::chrono::seconds(10), "it is looked at"};
};

class OrderDesks : public IssuanceFixture {
 protected:
  OrderDesk desk() {
    return OrderDesk({*vault_, [this](std::string_view) { return &issuer_; }, clock_});
  }
  void pass(std::chrono::seconds time) { clock_.set(clock_.now() + time); }

  ScriptedProvider issuer_;
};

TEST_F(OrderDesks, AnOrderIsPlacedOnceAndLookedAfterWhenItIsDue) {
  create();
  OrderDesk first = desk();
  first.work();
  first.work();
  EXPECT_EQ((std::pair{issuer_.orders, issuer_.polls}), (std::pair{1, 1}));
  EXPECT_EQ(operation().details, "it is looked at");
  pass(std::chrono::seconds(10));
  first.work();
  EXPECT_EQ(issuer_.polls, 2);
  OrderDesk after_restart = desk();
  after_restart.work();
  EXPECT_EQ((std::pair{issuer_.orders, issuer_.polls}), (std::pair{1, 3}));
}

TEST_F(OrderDesks, WhatIsIssuedForAnotherKeyFailsTheOperation) {
  create();
  const auto other = test::make_certificate({.common_name = "as2.acme.example", .key = "ec:P-256"});
  issuer_.progress = vault::Issued{{other.certificate}};
  desk().work();
  EXPECT_EQ(operation().status, OperationStatus::Failed);
  EXPECT_EQ(operation().failure->code, vault::kIssuerError);
}

TEST_F(OrderDesks, AnIssuerThatIsAwayIsTriedAtGrowingIntervals) {
  create();
  issuer_.refusal = Error{ErrorKind::Unavailable, "nobody is there"};
  OrderDesk one = desk();
  for (const int wait : {5, 10, 20}) {
    const int before = issuer_.orders;
    one.work();
    EXPECT_EQ(issuer_.orders, before + 1);
    pass(std::chrono::seconds(wait - 1));
    one.work();
    EXPECT_EQ(issuer_.orders, before + 1);
    pass(std::chrono::seconds(1));
  }
  EXPECT_EQ(operation().status, OperationStatus::InProgress);
  EXPECT_EQ(operation().details, "nobody is there");
  pass(std::chrono::hours(7 * 24));
  one.work();
  EXPECT_EQ(operation().status, OperationStatus::Failed);
  EXPECT_EQ(operation().failure, (vault::OperationFailure{"Certificate issuer error", "nobody is there"}));
}

TEST_F(OrderDesks, ARefusalEndsTheOperation) {
  for (const auto& [kind, code] : {std::pair{ErrorKind::PermissionDenied, "Request rejected"},
                                   std::pair{ErrorKind::Unsupported, "Certificate issuer error"}}) {
    create();
    issuer_.refusal = Error{kind, "no"};
    desk().work();
    EXPECT_EQ(operation().failure, (vault::OperationFailure{code, "no"}));
  }
}

TEST_F(OrderDesks, AnOrderThatFailedWhileNobodyWasHereIsPlacedAgainOnce) {
  create();
  desk().work();
  issuer_.progress = vault::OperationFailure{std::string(vault::kRequestRejected), "nobody answered"};
  OrderDesk after_restart = desk();
  EXPECT_FALSE(after_restart.work());
  EXPECT_EQ(operation().status, OperationStatus::InProgress);
  EXPECT_TRUE(after_restart.work());
  EXPECT_EQ(issuer_.orders, 2);
  EXPECT_EQ(operation().status, OperationStatus::Failed);
}

TEST_F(OrderDesks, ARefusalThatCameWhileNobodyWasHereIsTakenForOne) {
  create();
  issuer_.lapse = false;
  desk().work();
  issuer_.progress = vault::OperationFailure{std::string(vault::kRequestRejected), "an Approver said no"};
  OrderDesk after_restart = desk();
  EXPECT_TRUE(after_restart.work());
  EXPECT_EQ(issuer_.orders, 1);
  EXPECT_EQ(operation().status, OperationStatus::Failed);
}

TEST_F(OrderDesks, AnIssuerThatIsGoneEndsTheOperation) {
  create();
  ASSERT_TRUE(vault_->delete_certificate_issuer(kOperator, "kv1", "ca"));
  desk().work();
  EXPECT_EQ(operation().failure->code, "Certificate issuer error");
}

TEST_F(OrderDesks, AWishToCancelIsGrantedAlsoByAnIssuerThatIsAway) {
  create();
  OrderDesk one = desk();
  one.work();
  const auto wished = vault_->cancel_certificate_operation(kOperator, "kv1", "c1").value();
  EXPECT_EQ(wished.status, OperationStatus::InProgress);
  EXPECT_TRUE(wished.cancellation_requested);
  issuer_.refusal = Error{ErrorKind::Unavailable, "nobody is there"};
  one.work();
  EXPECT_EQ(issuer_.cancels, 1);
  EXPECT_EQ(operation().status, OperationStatus::Cancelled);
}

TEST_F(OrderDesks, AnOperationThatWasDeletedIsLeftAlone) {
  create();
  OrderDesk one = desk();
  one.work();
  ASSERT_TRUE(vault_->delete_certificate_operation(kOperator, "kv1", "c1"));
  pass(std::chrono::seconds(10));
  one.work();
  EXPECT_EQ(issuer_.polls, 1);
}

TEST(AcmeIdentifiers, AreNamesAddressesAndACommonNameThatIsAHosts) {
  vault::CertificatePolicy policy;
  policy.subject = "CN=AS2.acme.example, O=Acme";
  policy.alternative_names.dns_names = {"edi.acme.example", "EDI.acme.example"};
  policy.alternative_names.ip_addresses = {"192.0.2.1"};
  EXPECT_EQ(identifiers_of(policy).value(),
            (nlohmann::json{{{"type", "dns"}, {"value", "edi.acme.example"}},
                            {{"type", "ip"}, {"value", "192.0.2.1"}},
                            {{"type", "dns"}, {"value", "as2.acme.example"}}}));
  policy.alternative_names = {};
  policy.subject = "CN=Acme Trading";
  EXPECT_TRUE(fails_with(identifiers_of(policy), ErrorKind::PermissionDenied, "has none"));
  policy.alternative_names.emails = {"edi@acme.example"};
  EXPECT_TRUE(fails_with(identifiers_of(policy), ErrorKind::PermissionDenied, "mail addresses"));
}

}  // namespace
}  // namespace signet::gateway
