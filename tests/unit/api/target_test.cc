#include "gateway/api/target.h"
#include "base/percent_encoding.h"

#include <gmock/gmock.h>

namespace signet::gateway::api {
namespace {

using testing::ElementsAre;

TEST(Target, KeepsEmptySegments) {
  EXPECT_THAT(parse_target("/keys/n//sign").segments, ElementsAre("keys", "n", "", "sign"));
  EXPECT_THAT(parse_target("/keys/n/").segments, ElementsAre("keys", "n", ""));
  EXPECT_THAT(parse_target("/keys").segments, ElementsAre("keys"));
  EXPECT_THAT(parse_target("/").segments, ElementsAre(""));
}

TEST(Target, DecodesSegmentsAndParametersWithTheirNames) {
  const Target target = parse_target("/a%2Db/%41?api%2Dversion=7.5&%24filter=x%20eq+'y'&flag&=&%24top=%3D");
  EXPECT_THAT(target.segments, ElementsAre("a-b", "A"));
  EXPECT_EQ(*target.parameter("api-version"), "7.5");
  EXPECT_EQ(*target.parameter("$filter"), "x eq 'y'");
  EXPECT_EQ(*target.parameter("flag"), "");
  EXPECT_EQ(*target.parameter("$top"), "=");
  EXPECT_EQ(*target.parameter("absent"), std::nullopt);
}

TEST(Target, AParameterThatStandsThereTwiceIsRefused) {
  EXPECT_FALSE(parse_target("/x?a=1&A=2").parameter("a"));
}

TEST(Target, WhatIsEncodedComesBack) {
  const std::string text = "a b&c=d/\xC3\xA4?";
  EXPECT_EQ(*parse_target("/x?v=" + percent_encode(text)).parameter("v"), text);
}

TEST(Host, IsANameOrAnAddressWithAPort) {
  EXPECT_EQ(parse_host("Vault.Example:8443")->origin(), "https://vault.example:8443");
  EXPECT_EQ(parse_host("localhost")->origin(), "https://localhost");
  EXPECT_EQ(parse_host("[::1]:443")->origin(), "https://[::1]:443");
  for (const char* field :
       {"", ":80", "a b", "a:", "a:x", "a:123456", "a/b", "[::1", "[x]:1", "a_b", "a@b", "a:80:90"})
    EXPECT_FALSE(parse_host(field)) << field;
}

}  // namespace
}  // namespace signet::gateway::api
