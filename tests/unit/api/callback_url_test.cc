#include "gateway/api/callback_url.h"

#include <gmock/gmock.h>

#include "tests/unit/api/account_services_fixture.h"

namespace signet::gateway::api {
namespace {

constexpr const char* kPath =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Logic/integrationAccounts/a";

struct CallbackUrls : AccountFixture {
  std::string url(AccessKey key = AccessKey::Primary, Time end = kNow + std::chrono::hours(1)) {
    return make_callback_url(services, key, kPath, "2019-05-01", end)->text();
  }
  bool opens(const std::string& text, Time now = kNow) {
    return check_callback(services, text.substr(0, text.find('?')), parse_target(text), now).has_value();
  }
};

std::string with(std::string text, std::string_view piece, std::string_view other) {
  const std::size_t at = text.find(piece);
  EXPECT_NE(at, std::string::npos) << piece;
  return text.replace(at, piece.size(), other);
}

TEST_F(CallbackUrls, OpenTheirPathUntilTheyAreOver) {
  for (const AccessKey key : {AccessKey::Primary, AccessKey::Secondary}) EXPECT_TRUE(opens(url(key)));
  EXPECT_TRUE(opens(url(), kNow + std::chrono::minutes(59)));
  EXPECT_FALSE(opens(url(), kNow + std::chrono::hours(1)));
}

TEST_F(CallbackUrls, OpenNothingElse) {
  const std::string good = url();
  EXPECT_FALSE(opens(with(good, "/a?", "/b?")));
  EXPECT_FALSE(opens(with(good, "/a?", "/a/partners/p?")));
  EXPECT_FALSE(opens(with(good, "2019-05-01", "2016-06-01")));
  EXPECT_FALSE(opens(with(good, "se=20", "se=21")));
  EXPECT_FALSE(opens(with(good, "sig=", "sig=A")));
  EXPECT_FALSE(opens(good.substr(0, good.size() - 1)));
  EXPECT_FALSE(opens(good + "&sig=x"));
  EXPECT_FALSE(opens(std::string(kPath) + "?sig="));
}

TEST_F(CallbackUrls, OfAKeyThatWasRenewedOpenNothingAnyMore) {
  const std::string first = url(AccessKey::Primary);
  const std::string second = url(AccessKey::Secondary);
  ASSERT_TRUE(renew_access_key(services, AccessKey::Primary, kNow));
  EXPECT_FALSE(opens(first));
  EXPECT_TRUE(opens(second));
  EXPECT_TRUE(opens(url(AccessKey::Primary)));
}

TEST_F(CallbackUrls, OfAnotherInstallationOpenNothing) {
  const std::string here = url();
  const AccountServices other{
      accounts, judge,        resources,
      audit,    installation, [] { return SecretBytes::copy_of("another key of another gateway.."); }};
  EXPECT_FALSE(check_callback(other, kPath, parse_target(here), kNow));
}

}  // namespace
}  // namespace signet::gateway::api
