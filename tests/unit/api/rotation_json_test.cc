#include "gateway/api/rotation_json.h"

#include <gtest/gtest.h>

namespace signet::gateway::api {
namespace {

const Principal kCaller{};

Json shown(const vault::RotationPolicy& policy) {
  const Target target = parse_target("/keys/k/rotationpolicy");
  const Call call{kCaller, "v", "https://v.example", "/keys/k/rotationpolicy", "7.5", target, {}, {}};
  return rotation_policy_json(call, {"v", "k", "version"}, policy);
}

Result<vault::RotationPolicy> read(const std::string& text) {
  return read_rotation_policy(Json::parse(text));
}

TEST(RotationPolicyJson, IsReadAsItIsShown) {
  const std::string text =
      R"({"lifetimeActions":[{"trigger":{"timeAfterCreate":"P60D"},"action":{"type":"Rotate"}},)"
      R"({"trigger":{"timeBeforeExpiry":"P10D"},"action":{"type":"Notify"}}],"attributes":{"expiryTime":"P90D"}})";
  const Json json = shown(read(text).value());
  EXPECT_EQ(json["id"], "https://v.example/keys/k/rotationpolicy");
  EXPECT_EQ(json["lifetimeActions"], Json::parse(text)["lifetimeActions"]);
  EXPECT_EQ(json["attributes"], Json::parse(text)["attributes"]);
}

TEST(RotationPolicyJson, HasDatesOnceItWasSet) {
  vault::RotationPolicy policy = vault::default_rotation_policy();
  EXPECT_EQ(shown(policy)["attributes"], Json::object());
  policy.created = Time(std::chrono::seconds(1'795'000'000));
  policy.updated = policy.created + std::chrono::milliseconds(1'900);
  EXPECT_EQ(shown(policy)["attributes"]["created"], 1'795'000'000);
  EXPECT_EQ(shown(policy)["attributes"]["updated"], 1'795'000'001);
}

TEST(RotationPolicyJson, MayHaveWordsInAnyCaseAndNothingAtAll) {
  EXPECT_TRUE(
      read(R"({"lifetimeActions":[{"trigger":{"timeAfterCreate":"P60D"},"action":{"type":"rotate"}}]})")
          ->rotate);
  const auto nothing = read(R"({"lifetimeActions":[],"attributes":{"expiryTime":null}})").value();
  EXPECT_FALSE(nothing.rotate || nothing.notify || nothing.expiry_time);
}

TEST(RotationPolicyJson, IsRefusedWhenItSaysNothing) {
  for (const char* actions :
       {R"({})", R"("x")", R"([1])", R"([{}])", R"([{"action":{"type":"Rotate"}}])",
        R"([{"trigger":{"timeAfterCreate":"P60D"}}])",
        R"([{"trigger":{"timeAfterCreate":"P60D"},"action":{"type":"Sing"}}])",
        R"([{"trigger":{"timeAfterCreate":"60 days"},"action":{"type":"Rotate"}}])",
        R"([{"trigger":{"timeAfterCreate":60},"action":{"type":"Rotate"}}])",
        R"([{"trigger":{"timeAfterCreate":"P60D","timeBeforeExpiry":"P1D"},"action":{"type":"Rotate"}}])",
        R"([{"trigger":{"timeAfterCreate":"P60D"},"action":{"type":"Rotate"}},)"
        R"({"trigger":{"timeAfterCreate":"P70D"},"action":{"type":"Rotate"}}])"})
    EXPECT_EQ(read(std::string(R"({"lifetimeActions":)") + actions + "}").error().kind,
              ErrorKind::InvalidInput)
        << actions;
  for (const char* attributes : {R"({"expiryTime":"soon"})", R"({"expiryTime":90})", "[]"})
    EXPECT_EQ(read(std::string(R"({"attributes":)") + attributes + "}").error().kind, ErrorKind::InvalidInput)
        << attributes;
}

}  // namespace
}  // namespace signet::gateway::api
