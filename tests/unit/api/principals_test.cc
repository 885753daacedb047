#include "gateway/api/principals.h"

#include <gtest/gtest.h>

#include "gateway/api/authentication.h"
#include "tests/unit/api/memory_principal_store.h"

namespace signet::gateway::api {
namespace {

constexpr Time kNoon{std::chrono::seconds(1'795'000'000)};

class MemoryAudit final : public vault::AuditLog {
 public:
  Result<> append(const vault::AuditRecord& record) override {
    if (broken) return fail(ErrorKind::IoFailure, "no room");
    operations.push_back(record.operation + " " + record.key.name);
    last = record.result;
    return {};
  }
  bool broken = false;
  std::vector<std::string> operations;
  vault::AuditResult last{};
};

class PrincipalsTest : public testing::Test {
 protected:
  HttpRequest request_with(const std::string& authorization) {
    HttpRequest request;
    request.headers.add("Authorization", authorization);
    return request;
  }
  bool lets_in(const std::string& token) {
    return authenticator_.authenticate(request_with("Bearer " + token)).has_value();
  }

  FixedClock clock_{kNoon};
  MemoryPrincipalStore store_;
  MemoryAudit audit_;
  Principals principals_{store_, audit_, clock_};
  Authenticator authenticator_{store_, nullptr, clock_};
  const vault::Principal operator_ = vault::Principal::local_operator();
};

TEST_F(PrincipalsTest, AChangeWithoutARecordIsNotMade) {
  audit_.broken = true;
  EXPECT_FALSE(principals_.add(operator_, "app", {}));
  audit_.broken = false;
  ASSERT_TRUE(principals_.add(operator_, "app", {}));
  audit_.broken = true;
  EXPECT_FALSE(principals_.create_token(operator_, "app", kNoon + std::chrono::hours(1)));
  EXPECT_FALSE(principals_.change(operator_, "app", {.roles = Roles{Role::Administrator}}));
  EXPECT_FALSE(principals_.remove(operator_, "app"));
  EXPECT_TRUE(principals_.find("app")->roles.empty());
  EXPECT_TRUE(principals_.tokens("")->empty());
}

TEST_F(PrincipalsTest, AChangeThatFailsIsRecordedAsFailed) {
  ASSERT_TRUE(principals_.add(operator_, "app", {}));
  EXPECT_EQ(audit_.last, vault::AuditResult::Success);
  EXPECT_EQ(principals_.add(operator_, "App", {}).error().kind, ErrorKind::AlreadyExists);
  EXPECT_EQ(audit_.last, vault::AuditResult::Failed);
  EXPECT_FALSE(principals_.revoke_token(operator_, std::string(32, '0')));
  EXPECT_EQ(audit_.last, vault::AuditResult::Failed);
}

TEST_F(PrincipalsTest, ARevocationsRecordNamesWhoseTokenItWas) {
  ASSERT_TRUE(principals_.add(operator_, "app", {}));
  const NewToken made = *principals_.create_token(operator_, "app", kNoon + std::chrono::hours(1));
  ASSERT_TRUE(principals_.revoke_token(operator_, made.info.id));
  EXPECT_EQ(audit_.operations.back(), "revokeToken app");
  EXPECT_EQ(audit_.last, vault::AuditResult::Success);
}

TEST_F(PrincipalsTest, NoNameOfThisMachinesOwnIsGivenOut) {
  for (const char* name : {"operator", "OPERATOR", "gateway", "", "a b", "x\n", "\xC3\xA4"})
    EXPECT_EQ(principals_.add(operator_, name, {}).error().kind, ErrorKind::InvalidInput) << name;
  EXPECT_TRUE(principals_.add(operator_, "a.b-c_d@example", {}));
}

TEST_F(PrincipalsTest, ATokenLetsItsPrincipalInUntilItEnds) {
  ASSERT_TRUE(principals_.add(operator_, "app", {}));
  const NewToken made = *principals_.create_token(operator_, "app", kNoon + std::chrono::hours(1));
  EXPECT_TRUE(lets_in(made.token));
  EXPECT_EQ(authenticator_.authenticate(request_with("bearer " + made.token))->name, "app");
  EXPECT_FALSE(lets_in(made.token + "x"));
  EXPECT_FALSE(lets_in(made.info.id));
  clock_.set(kNoon + std::chrono::hours(1));
  EXPECT_FALSE(lets_in(made.token));
}

TEST_F(PrincipalsTest, ARevokedTokenAndADisabledPrincipalAreNotLetIn) {
  ASSERT_TRUE(principals_.add(operator_, "app", {}));
  const NewToken one = *principals_.create_token(operator_, "app", kNoon + std::chrono::hours(1));
  const NewToken two = *principals_.create_token(operator_, "app", kNoon + std::chrono::hours(1));
  ASSERT_TRUE(principals_.revoke_token(operator_, one.info.id));
  EXPECT_FALSE(lets_in(one.token));
  EXPECT_TRUE(lets_in(two.token));
  ASSERT_TRUE(principals_.change(operator_, "app", {.enabled = false}));
  EXPECT_FALSE(lets_in(two.token));
  ASSERT_TRUE(principals_.change(operator_, "app", {.enabled = true}));
  EXPECT_TRUE(lets_in(two.token));
  ASSERT_TRUE(principals_.remove(operator_, "app"));
  EXPECT_FALSE(lets_in(two.token));
}

TEST_F(PrincipalsTest, ATokenEndsInTheFutureAndNotInALongTime) {
  ASSERT_TRUE(principals_.add(operator_, "app", {}));
  EXPECT_TRUE(principals_.create_token(operator_, "app", kNoon + kLongestTokenLife));
  for (const Time expires :
       {kNoon, kNoon - std::chrono::hours(1), kNoon + kLongestTokenLife + std::chrono::seconds(1)})
    EXPECT_FALSE(principals_.create_token(operator_, "app", expires));
}

TEST_F(PrincipalsTest, OtherSchemesThanBearerSayNothing) {
  for (const char* field : {"", "Bearer", "Bearer ", "Basic YTpi", "sgt_x", "BearerX y"})
    EXPECT_FALSE(Authenticator::says_who(request_with(field))) << field;
  EXPECT_TRUE(Authenticator::says_who(request_with("Bearer x")));
  EXPECT_FALSE(Authenticator::says_who(HttpRequest()));
}

TEST(Challenge, IsReadableToAzuresClients) {
  EXPECT_EQ(vault_challenge("https://vault.example:1/t", "https://vault.example", ""),
            R"(Bearer authorization="https://vault.example:1/t", resource="https://vault.example")");
  EXPECT_NE(vault_challenge("o", "r", "invalid_token").find(R"(, error="invalid_token")"), std::string::npos);
}

}  // namespace
}  // namespace signet::gateway::api
