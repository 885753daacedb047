#include "gateway/api/json_body.h"

#include <gtest/gtest.h>

namespace signet::gateway::api {
namespace {

std::string nested(std::size_t depth) {
  return std::string(R"({"a":)") + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
}

std::string wide(std::size_t members) {
  std::string text = "{";
  for (std::size_t i = 0; i < members; ++i)
    text += (i == 0 ? "\"m" : ",\"m") + std::to_string(i) + "\":\":::\"";
  return text + "}";
}

TEST(Body, IsAnObjectOrNothing) {
  EXPECT_EQ(parse_body(Slice::of(R"({"a":1})"))->at("a"), 1);
  EXPECT_TRUE(parse_body(Slice())->empty());
  EXPECT_TRUE(parse_body(Slice::of(" \r\n"))->empty());
  for (const char* text : {"[]", "1", "\"x\"", "null", "{", "{\"a\":}", "{'a':1}", "{\"a\":1} {}",
                           "{\"a\":NaN}", "{\"a\":\"\xFF\"}"})
    EXPECT_EQ(parse_body(Slice::of(text)).error().kind, ErrorKind::InvalidInput) << text;
}

TEST(Body, IsBoundedInDepthAndSize) {
  EXPECT_TRUE(parse_body(Slice::of(nested(kDeepestBody))));
  EXPECT_EQ(parse_body(Slice::of(nested(kDeepestBody + 1))).error().kind, ErrorKind::LimitExceeded);
  EXPECT_EQ(parse_body(Slice::of(std::string(kLongestBody - 10, '['))).error().kind,
            ErrorKind::LimitExceeded);
  EXPECT_EQ(parse_body(Slice::of(std::string(kLongestBody + 1, ' '))).error().kind, ErrorKind::LimitExceeded);
  EXPECT_TRUE(parse_body(Slice::of(wide(kMostMembers))));
  EXPECT_EQ(parse_body(Slice::of(wide(kMostMembers + 1))).error().kind, ErrorKind::LimitExceeded);
  EXPECT_TRUE(parse_body(Slice::of(R"({"a":)" + wide(kMostMembers) + R"(,"b":)" + wide(kMostMembers) + "}")));
  EXPECT_TRUE(
      parse_body(Slice::of("{\"a\":\"" + std::string(100, '[') + "\\\"" + std::string(100, '[') + "\"}")));
}

TEST(Member, MayBeAbsentOrNullButOfNoOtherType) {
  const Json body = Json::parse(
      R"({"t":"x","b":true,"n":5,"o":{"k":"v"},"w":["a"],"z":null,"big":18446744073709551615,"f":1.5})");
  EXPECT_EQ(**text_member(body, "t"), "x");
  EXPECT_EQ(**flag_member(body, "b"), true);
  EXPECT_EQ(**integer_member(body, "n"), 5);
  EXPECT_EQ(object_member(body, "o")->at("k"), "v");
  EXPECT_EQ((*map_member(body, "o"))->at("k"), "v");
  EXPECT_EQ((*words_member(body, "w"))->front(), "a");
  for (const char* name : {"z", "absent"}) {
    EXPECT_EQ(*text_member(body, name), std::nullopt);
    EXPECT_EQ(*integer_member(body, name), std::nullopt);
    EXPECT_TRUE(object_member(body, name)->empty());
  }
  EXPECT_FALSE(text_member(body, "n"));
  EXPECT_FALSE(flag_member(body, "t"));
  EXPECT_FALSE(integer_member(body, "big"));
  EXPECT_FALSE(integer_member(body, "f"));
  EXPECT_FALSE(words_member(body, "o"));
  EXPECT_FALSE(map_member(body, "w"));
  EXPECT_FALSE(object_member(body, "t"));
}

TEST(Member, ThatIsRequiredIsNamedWhenItIsMissing) {
  EXPECT_EQ(*required("t", text_member(Json{{"t", "x"}}, "t")), "x");
  EXPECT_NE(required("alg", text_member(Json::object(), "alg")).error().detail.find("'alg'"),
            std::string::npos);
}

TEST(Member, SecretsAreTextsThatAreKeptApart) {
  const Json body = {{"s", "correct horse"}, {"n", 1}, {"z", nullptr}, {"empty", ""}};
  EXPECT_EQ(as_text((*secret_member(body, "s"))->view()), "correct horse");
  EXPECT_TRUE((*secret_member(body, "empty"))->empty());
  EXPECT_FALSE(secret_member(body, "z")->has_value());
  EXPECT_FALSE(secret_member(body, "absent")->has_value());
  EXPECT_FALSE(secret_member(body, "n"));
}

TEST(Member, OctetsAreBase64UrlWithoutPadding) {
  EXPECT_EQ(**octets_member(Json{{"v", "-_8"}}, "v"), (Bytes{0xFB, 0xFF}));
  for (const char* text : {"+/8", "-_8=", "-", "a b"})
    EXPECT_FALSE(octets_member(Json{{"v", text}}, "v")) << text;
}

}  // namespace
}  // namespace signet::gateway::api
