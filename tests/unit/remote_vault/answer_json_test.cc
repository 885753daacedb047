#include "gateway/remote_vault/answer_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json_texts.h"

namespace signet::gateway {
namespace {

using testing::HasSubstr;

const std::string kVersion(32, 'a');

/// The example of RFC 7517 appendix A.1, and one of RSA with 2048 bits (its appendix too).
json ec_bundle() {
  return {{"key",
           {{"kid", "https://v.example/keys/k1/" + kVersion},
            {"kty", "EC"},
            {"crv", "P-256"},
            {"key_ops", {"sign", "verify", "import"}},
            {"x", "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"},
            {"y", "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}}},
          {"attributes", {{"enabled", true}, {"nbf", 1}, {"created", 1000}, {"updated", 2000}}},
          {"tags", {{"a", "b"}}}};
}

json rsa_bundle() {
  json bundle = ec_bundle();
  bundle["key"] = {
      {"kid", "https://v.example/keys/k1/" + kVersion},
      {"kty", "RSA-HSM"},
      {"e", "AQAB"},
      {"n",
       "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
       "BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_"
       "RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbIS"
       "D08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}};
  return bundle;
}

TEST(AnswerJson, KeysOfBothKindsAreRead) {
  const vault::KeyInfo ec = read_key_bundle(ec_bundle(), "kv1").value();
  EXPECT_EQ(ec.id, (vault::KeyId{"kv1", "k1", kVersion}));
  EXPECT_EQ(ec.kind, vault::KeyKind::EcP256);
  EXPECT_EQ(vault::to_string(ec.ops), "sign,verify");
  EXPECT_EQ(ec.attributes.not_before, Time(std::chrono::seconds(1)));
  EXPECT_EQ(ec.created, Time(std::chrono::seconds(1000)));
  EXPECT_EQ(ec.tags, (vault::Tags{{"a", "b"}}));
  EXPECT_EQ(ec.public_key.size(), 91U);
  EXPECT_EQ(read_key_bundle(rsa_bundle(), "kv1").value().kind, vault::KeyKind::Rsa2048);
}

TEST(AnswerJson, AKeyThatIsNoneIsRefused) {
  const auto refused = [](const std::function<void(json&)>& change, json bundle = ec_bundle()) {
    change(bundle);
    const auto read = read_key_bundle(bundle, "kv1");
    EXPECT_FALSE(read) << bundle.dump();
    return read ? ErrorKind::Internal : read.error().kind;
  };
  EXPECT_EQ(refused([](json& b) { b.erase("key"); }), ErrorKind::InvalidInput);
  EXPECT_EQ(refused([](json& b) { b["key"] = 5; }), ErrorKind::InvalidInput);
  EXPECT_EQ(refused([](json& b) { b["key"].erase("kid"); }), ErrorKind::InvalidInput);
  EXPECT_EQ(refused([](json& b) { b["key"]["kid"] = "https://v.example/keys/k1"; }), ErrorKind::InvalidInput);
  EXPECT_EQ(refused([](json& b) { b["key"]["kid"] = "https://v.example/keys/../" + kVersion; }),
            ErrorKind::InvalidInput);
  EXPECT_EQ(refused([](json& b) { b["key"]["x"] = "AAAA"; }), ErrorKind::InvalidInput);
  EXPECT_EQ(refused([](json& b) { b["key"]["x"] = 7; }), ErrorKind::InvalidInput);
  EXPECT_EQ(refused([](json& b) { b["key"]["y"] = b["key"]["x"]; }), ErrorKind::InvalidInput)
      << "not on the curve";
  EXPECT_EQ(refused([](json& b) { b["key"]["crv"] = "P-256K"; }), ErrorKind::Unsupported);
  EXPECT_EQ(refused([](json& b) { b["key"]["kty"] = "oct"; }), ErrorKind::Unsupported);
  EXPECT_EQ(refused([](json& b) { b["key"]["n"] = "AQAB"; }, rsa_bundle()), ErrorKind::Unsupported);
  EXPECT_EQ(refused([](json& b) { b["key"]["n"] = ""; }, rsa_bundle()), ErrorKind::InvalidInput);
  EXPECT_EQ(refused([](json& b) { b["key"]["e"] = std::string(20'000, 'A'); }, rsa_bundle()),
            ErrorKind::InvalidInput);
}

TEST(AnswerJson, AttributesOfAnotherTypeSwitchAKeyOff) {
  json bundle = ec_bundle();
  bundle["attributes"] = {{"enabled", "yes"}, {"exp", "never"}, {"created", -1}};
  const vault::KeyInfo info = read_key_bundle(bundle, "kv1").value();
  EXPECT_FALSE(info.attributes.enabled);
  EXPECT_FALSE(info.attributes.expires);
  bundle["attributes"] = nullptr;
  EXPECT_TRUE(read_key_bundle(bundle, "kv1").value().attributes.enabled);
}

TEST(AnswerJson, IsAnObjectAndNothingElse) {
  for (const std::string_view text : {"", "[]", "5", "{", "nonsense"})
    EXPECT_FALSE(read_object(Slice::of(text))) << text;
  EXPECT_TRUE(read_object(Slice::of("{}")));
  EXPECT_FALSE(read_object(Slice::of(std::string(200'000, '['))));
}

TEST(AnswerJson, TextsAreOverwritten) {
  json value = {{"a", {"secret", {{"b", "other"}}}}, {"c", 5}};
  wipe_texts(value);
  EXPECT_EQ(value.dump().find("secret"), std::string::npos);
  EXPECT_EQ(value["a"][0].get<std::string>(), std::string(6, '\0'));
  json answer = {{"value", "AQID"}};
  EXPECT_EQ(secret_octets_of(answer, "value").value().size(), 3U);
  EXPECT_EQ(answer["value"].get<std::string>(), std::string(4, '\0'));
}

}  // namespace
}  // namespace signet::gateway
