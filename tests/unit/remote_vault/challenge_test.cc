#include "gateway/remote_vault/challenge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace signet::gateway {
namespace {

constexpr std::string_view kVault = "https://acme.vault.azure.net";

TEST(Challenge, OfAzureIsRead) {
  const auto read = read_challenge(
      R"(Bearer authorization="https://login.microsoftonline.com/72f9-11", resource="https://vault.azure.net")",
      kVault);
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->authority, "https://login.microsoftonline.com/72f9-11");
  EXPECT_EQ(read->scope, "https://vault.azure.net/.default");
}

TEST(Challenge, MayNameItsScopeAndStandInAnyForm) {
  for (
      const std::string_view field :
      {R"(bearer scope="https://vault.azure.net/.default",authorization_uri="https://LOGIN.example:443/t/")",
       R"(Bearer error="invalid_token", resource="https://acme.vault.azure.net/", authorization="https://login.example/t")"}) {
    const auto read = read_challenge(field, kVault);
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(read->authority, "https://login.example/t");
  }
}

TEST(Challenge, MayNameAnIssuerWithTheVersionOfItsTokens) {
  const auto read = read_challenge(
      R"(Bearer authorization="https://login.example/t/v2.0", resource="https://acme.vault.azure.net")",
      kVault);
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->authority, "https://login.example/t");
}

TEST(Challenge, ThatSaysTooLittleIsRefused) {
  for (const std::string_view field :
       {"", "Bearer", "Bearer ", "Basic realm=\"x\"", "Bearer authorization=https://a.example",
        "Bearer authorization=\"https://a.example\"", "Bearer resource=\"https://vault.azure.net\"",
        "Bearer authorization=\"https://a.example", "Bearer a=\"",
        "Bearer authorization=\"http://a.example/t\", resource=\"https://vault.azure.net\"",
        "Bearer authorization=\"https://a.example/%2e%2e/t\", resource=\"https://vault.azure.net\""})
    EXPECT_EQ(read_challenge(field, kVault).error().kind, ErrorKind::InvalidInput) << field;
}

TEST(Challenge, ForSomebodyElsesResourceIsRefused) {
  for (const std::string_view resource :
       {"https://graph.microsoft.com", "https://ault.azure.net", "https://x.acme.vault.azure.net"})
    EXPECT_EQ(read_challenge(
                  "Bearer authorization=\"https://a.example/t\", resource=\"" + std::string(resource) + "\"",
                  kVault)
                  .error()
                  .kind,
              ErrorKind::PermissionDenied)
        << resource;
}

TEST(Challenge, AnAuthorityIsAtOrBelowTheOneAllowed) {
  EXPECT_TRUE(is_at_or_below("https://login.example/t", "https://login.example/t"));
  EXPECT_TRUE(is_at_or_below("https://login.example/t", "https://login.example"));
  EXPECT_FALSE(is_at_or_below("https://login.example/tenant", "https://login.example/t"));
  EXPECT_FALSE(is_at_or_below("https://login.example.evil/t", "https://login.example"));
  EXPECT_FALSE(is_at_or_below("https://login.example:444", "https://login.example"));
}

}  // namespace
}  // namespace signet::gateway
