#include "gateway/exchange/revocation_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_certificates.h"

namespace signet::gateway {
namespace {

using agreements::LookedUpUse;
using agreements::RevocationPolicy;
using testing::AllOf;
using testing::HasSubstr;

class FakeLists final : public RevocationCheck {
 public:
  RevocationFinding look_up(const certstore::Certificate& /*certificate*/,
                            const std::shared_ptr<const AccountSnapshot>& /*account*/,
                            Time /*now*/) override {
    return finding;
  }
  RevocationFinding look_up_server(const TlsServer& /*server*/, const std::string& /*agreement*/,
                                   const std::shared_ptr<const AccountSnapshot>& /*account*/,
                                   Time /*now*/) override {
    return finding;
  }
  void decided(const std::string& agreement, LookedUpUse role, RevocationOutcome outcome) override {
    told = fmt_of(agreement, role, outcome);
  }
  static std::string fmt_of(const std::string& agreement, LookedUpUse role, RevocationOutcome outcome) {
    return agreement + " " + std::string(to_string(role)) + " " + std::string(to_string(outcome));
  }
  RevocationFinding finding;
  std::string told;
};

class RevocationCheckTest : public testing::Test {
 protected:
  RevocationVerdict judge(RevocationStatus status, RevocationPolicy policy,
                          const std::string& reason = "why") {
    lists_.finding = {status, reason};
    agreements::Agreement agreement;
    agreement.name = "trade";
    agreement.revocation.policy = policy;
    return judge_revocation(lists_, agreement, LookedUpUse::Encrypt, certificate_, nullptr, Time(), "id");
  }
  const certstore::Certificate certificate_ =
      test::make_certificate({.common_name = "Globex", .key = "ec:P-256"}).certificate;
  FakeLists lists_;
};

TEST_F(RevocationCheckTest, WhatIsNotRevokedIsUsableWhateverThePolicy) {
  for (const auto policy : {RevocationPolicy::HardFail, RevocationPolicy::SoftFail})
    for (const auto status : {RevocationStatus::NotRevoked, RevocationStatus::NothingToCheck}) {
      const RevocationVerdict verdict = judge(status, policy, "");
      EXPECT_EQ(verdict.outcome, RevocationOutcome::Usable);
      EXPECT_EQ(verdict.text, "");
      EXPECT_EQ(lists_.told, "trade encrypt usable");
    }
}

TEST_F(RevocationCheckTest, WhatIsRevokedIsRefusedWhateverThePolicy) {
  for (const auto policy : {RevocationPolicy::HardFail, RevocationPolicy::SoftFail}) {
    const RevocationVerdict verdict = judge(RevocationStatus::Revoked, policy);
    EXPECT_EQ(verdict.outcome, RevocationOutcome::Revoked);
    EXPECT_THAT(verdict.text, AllOf(HasSubstr("is revoked: why"), HasSubstr("CN=Globex"),
                                    HasSubstr(certificate_.thumbprint_sha256())));
    EXPECT_EQ(lists_.told, "trade encrypt revoked");
  }
}

TEST_F(RevocationCheckTest, WhatNobodyCanSayIsRefusedOrUsedAsTheAgreementSays) {
  EXPECT_EQ(judge(RevocationStatus::Unknown, RevocationPolicy::HardFail).outcome, RevocationOutcome::NoList);
  EXPECT_EQ(judge(RevocationStatus::Pending, RevocationPolicy::HardFail).outcome, RevocationOutcome::NotYet);
  for (const auto status : {RevocationStatus::Unknown, RevocationStatus::Pending}) {
    const RevocationVerdict verdict = judge(status, RevocationPolicy::SoftFail);
    EXPECT_EQ(verdict.outcome, RevocationOutcome::Unchecked);
    EXPECT_THAT(verdict.text, HasSubstr("was not checked: why"));
  }
}

TEST_F(RevocationCheckTest, WithoutAnyListsNobodyCanSay) {
  const auto found = NoRevocationLists::instance().look_up(certificate_, nullptr, Time());
  EXPECT_EQ(found.status, RevocationStatus::Unknown);
  EXPECT_NE(found.reason, "");
}

TEST_F(RevocationCheckTest, OfACertificateThatIsGoneNobodyCanSay) {
  agreements::Agreement agreement;
  agreement.name = "trade";
  const auto verdict = judge_missing_certificate(lists_, agreement, LookedUpUse::SignMessage, "ABCD", "id");
  EXPECT_EQ(verdict.outcome, RevocationOutcome::NoList);
  EXPECT_THAT(verdict.text, HasSubstr("ABCD"));
}

}  // namespace
}  // namespace signet::gateway
