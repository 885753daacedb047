#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certstore/authority/application.h"
#include "certstore/authority/group.h"
#include "certstore/authority/pattern_internal.h"
#include "certstore/authority/uri_internal.h"

namespace signet::authority {
namespace {

bool like(std::string_view text, std::string_view pattern) {
  return Pattern::parse(pattern).value().matches(text);
}

// [OPC 10000-4 7.7.3]
TEST(Pattern, MatchesAsLikeDoes) {
  EXPECT_TRUE(like("anything", ""));
  EXPECT_TRUE(like("Line 2", "line%"));
  EXPECT_TRUE(like("Line 2", "%2"));
  EXPECT_TRUE(like("aXbXc", "a%x%c"));
  EXPECT_TRUE(like("cat", "c_t"));
  EXPECT_TRUE(like("cat", "[abc]at"));
  EXPECT_TRUE(like("fat", "[^abc]at"));
  for (const char* const one : {"abc1", "abc3", "abc4", "abc5", "abc6", "abc8"})
    EXPECT_TRUE(like(one, "abc[13-68]")) << one;
  for (const char* const one : {"abc2", "abc7", "abc-"}) EXPECT_FALSE(like(one, "abc[13-68]")) << one;
  EXPECT_FALSE(like("ABC4", "ABC[^13-5]"));
  EXPECT_TRUE(like("a-", "a[b-]"));
  EXPECT_TRUE(like("100%", "100\\%"));
  EXPECT_TRUE(like("", "%"));
  EXPECT_FALSE(like("Line 2", "line"));
  EXPECT_FALSE(like("cat", "c_"));
  EXPECT_FALSE(like("cat", "[^c]at"));
  EXPECT_FALSE(like("1000", "100\\%"));
}

TEST(Pattern, RefusesWhatIsNone) {
  EXPECT_FALSE(Pattern::parse("[abc"));
  EXPECT_FALSE(Pattern::parse("abc\\"));
  EXPECT_FALSE(Pattern::parse(std::string(1001, '%')));
}

TEST(Pattern, TakesNoLongerThanTheLengthsTogether) {
  std::string pattern;
  for (int at = 0; at < 300; ++at) pattern += "%a";
  EXPECT_FALSE(like(std::string(20'000, 'a') + "b", pattern + "c"));
}

TEST(Uri, HasAHost) {
  EXPECT_EQ(host_of("opc.tcp://PLC7:4840/ua", "x").value(), "plc7");
  EXPECT_EQ(host_of("https://user@acme.example/", "x").value(), "acme.example");
  EXPECT_EQ(host_of("https://[2001:DB8::1]:8443/x", "x").value(), "2001:db8::1");
  EXPECT_EQ(host_of("http://acme.example", "x").value(), "acme.example");
  EXPECT_EQ(host_of("http://acme.example?q", "x").value(), "acme.example");
  for (const char* const none :
       {"urn:a:b", "http:", "http://", "http:///path", "https://[zz]/", "acme.example", ""})
    EXPECT_FALSE(host_of(none, "x")) << none;
}

TEST(Group, KeysAreLargeEnoughForTheDayOnWhichTheyEnd) {
  const Time end_of_2030 = parse_time("2030-12-31T23:59:59Z").value();
  const Time in_2031 = parse_time("2031-01-01T00:00:00Z").value();
  EXPECT_TRUE(check_key_for(2048, end_of_2030, false, "x"));
  EXPECT_TRUE(check_key_for(2048, end_of_2030, true, "x"));
  EXPECT_FALSE(check_key_for(2048, in_2031, false, "x"));
  EXPECT_TRUE(check_key_for(3072, in_2031, false, "x"));
  EXPECT_FALSE(check_key_for(3072, in_2031, true, "x"));
  EXPECT_TRUE(check_key_for(4096, in_2031, true, "x"));
}

}  // namespace
}  // namespace signet::authority
