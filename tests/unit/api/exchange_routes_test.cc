#include "gateway/api/exchange_routes.h"

#include <gmock/gmock.h>

#include "gateway/api/route.h"
#include "tests/unit/api/services_fixture.h"

namespace signet::gateway::api {
namespace {

using testing::ElementsAre;

class ExchangeRoutesTest : public MemoryServices, public testing::Test {
 protected:
  ExchangeRoutesTest() {
    CertificateExchangeRecord record;
    record.id = "e1";
    record.agreement = "trade";
    exchanges.records = {record};
  }
  TestCall call_;
};

TEST_F(ExchangeRoutesTest, ShowsWhatWaits) {
  const auto listed = list_certificate_exchanges(all, call_.with({}));
  ASSERT_TRUE(listed);
  EXPECT_EQ((*listed->body)["value"][0]["state"], "waiting");
  EXPECT_TRUE((*listed->body)["value"][0]["certificate"].is_null());
  EXPECT_EQ(get_certificate_exchange(all, call_.with({{"exchange", "none"}})).error().kind,
            ErrorKind::NotFound);
}

TEST_F(ExchangeRoutesTest, DecidesAsTheCallSays) {
  const auto accepted = accept_certificate_exchange(
      all, call_.with({{"exchange", "e1"}},
                      {{"certificate", "globex-2"}, {"useFrom", "2027-03-01"}, {"retireAt", "2027-04-01"}}));
  ASSERT_TRUE(accepted);
  EXPECT_EQ((*accepted->body)["changed"], true);
  EXPECT_EQ(exchanges.asked.name, "globex-2");
  EXPECT_EQ(exchanges.asked.use_from, *parse_time("2027-03-01"));
  const auto rejected =
      reject_certificate_exchange(all, call_.with({{"exchange", "e1"}}, {{"reason", "not his"}}));
  ASSERT_TRUE(rejected);
  EXPECT_EQ((*rejected->body)["reason"], "not his");
  EXPECT_EQ(reject_certificate_exchange(all, call_.with({{"exchange", "e1"}})).error().kind,
            ErrorKind::InvalidInput);
  ASSERT_TRUE(announce_rollover(all, call_.with({{"agreement", "trade"}, {"certificate", "acme-2"}})));
  EXPECT_THAT(exchanges.taken, ElementsAre("accept writer", "reject writer", "announce writer"));
}

TEST_F(ExchangeRoutesTest, OnlyAnApproverDecides) {
  for (const Route& route : routes())
    if (route.pattern == "/certificateExchanges/{exchange}/accept" ||
        route.pattern == "/certificateExchanges/{exchange}/reject")
      EXPECT_EQ(std::get<Role>(route.needs), Role::Approver);
}

}  // namespace
}  // namespace signet::gateway::api
