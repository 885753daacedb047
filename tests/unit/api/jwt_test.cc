#include "gateway/api/jwt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "gateway/api/authentication.h"
#include "tests/unit/api/jwt_issuer.h"
#include "tests/unit/api/memory_principal_store.h"

namespace signet::gateway::api {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr std::int64_t kNoonSeconds = 1'795'000'000;
constexpr Time kNoon{std::chrono::seconds(kNoonSeconds)};
constexpr const char* kIssuer = "https://login.example/tenant";
constexpr const char* kAudience = "https://gateway.example";

json claims() {
  return {{"iss", kIssuer}, {"aud", kAudience}, {"sub", "app-1"}, {"exp", kNoonSeconds + 600}};
}

class JwtTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    rsa_ = std::make_unique<SigningKey>("RSA", "one");
    ec_ = std::make_unique<SigningKey>("P-256", "two");
  }
  static void TearDownTestSuite() {
    rsa_.reset();
    ec_.reset();
  }

  static JwkSet keys() { return *JwkSet::parse(jwk_set({rsa_->public_jwk(), ec_->public_jwk()})); }

  /// What is said of a token; "" when it is taken.
  std::string refusal(const std::string& token) {
    const auto subject = verifier_.subject_of(token);
    if (!subject) EXPECT_EQ(subject.error().kind, ErrorKind::PermissionDenied);
    return subject ? "" : subject.error().detail;
  }
  std::string with_claim(const std::string& name, const json& value) {
    json changed = claims();
    changed[name] = value;
    return refusal(rsa_->sign("RS256", changed));
  }
  std::string without_claim(const std::string& name) {
    json changed = claims();
    changed.erase(name);
    return refusal(rsa_->sign("RS256", changed));
  }
  std::string with_header(const std::string& name, const json& value) {
    json header = {{"alg", "RS256"}, {"kid", "one"}};
    header[name] = value;
    return refusal(rsa_->sign(header.dump(), claims().dump(), "RS256"));
  }

  inline static std::unique_ptr<SigningKey> rsa_;
  inline static std::unique_ptr<SigningKey> ec_;
  FixedClock clock_{kNoon};
  int reads_ = 0;
  Result<JwkSet> read_ = fail(ErrorKind::IoFailure, "the disk");
  JwtVerifier verifier_{{kIssuer, {kAudience, "other"}, "sub"},
                        keys(),
                        [this]() -> Result<JwkSet> {
                          ++reads_;
                          return std::exchange(read_, fail(ErrorKind::IoFailure, "the disk"));
                        },
                        clock_};
};

TEST_F(JwtTest, SaysWhoseATokenIsThatTheIssuerSigned) {
  for (const char* algorithm : {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
    EXPECT_EQ(verifier_.subject_of(rsa_->sign(algorithm, claims())).value_or("?"), "app-1") << algorithm;
  EXPECT_EQ(verifier_.subject_of(ec_->sign("ES256", claims())).value_or("?"), "app-1");
  for (const auto& [curve, algorithm] : {std::pair("P-384", "ES384"), std::pair("P-521", "ES512")}) {
    const SigningKey key(curve, curve);
    verifier_.take_up(*JwkSet::parse(jwk_set({key.public_jwk()})));
    EXPECT_EQ(verifier_.subject_of(key.sign(algorithm, claims())).value_or("?"), "app-1") << curve;
  }
}

TEST_F(JwtTest, TakesNoTokenWithoutASignature) {
  for (const char* none : {"none", "None", "NONE", ""}) {
    const std::string header = json{{"alg", none}, {"kid", "one"}}.dump();
    const std::string unsigned_token =
        base64url(as_bytes(header)) + "." + base64url(as_bytes(claims().dump())) + ".";
    EXPECT_THAT(refusal(unsigned_token), HasSubstr("none for the algorithm")) << none;
  }
  const std::string token = rsa_->sign("RS256", claims());
  EXPECT_THAT(refusal(token.substr(0, token.rfind('.') + 1)), HasSubstr("signature"));
}

TEST_F(JwtTest, TakesNoPublicKeyForASharedSecret) {
  for (const char* algorithm : {"HS256", "HS384", "HS512"})
    for (const std::string& secret : {rsa_->public_pem(), rsa_->public_jwk().dump()})
      EXPECT_THAT(refusal(sign_hmac(algorithm, "one", secret, claims())),
                  HasSubstr("none for the algorithm"));
}

TEST_F(JwtTest, TakesAKeyForItsOwnAlgorithmsAlone) {
  EXPECT_THAT(refusal(rsa_->sign(json{{"alg", "ES256"}, {"kid", "one"}}.dump(), claims().dump(), "RS256")),
              HasSubstr("none for the algorithm"));
  EXPECT_THAT(refusal(ec_->sign(json{{"alg", "ES384"}, {"kid", "two"}}.dump(), claims().dump(), "ES256")),
              HasSubstr("none for the algorithm"));
  json only = rsa_->public_jwk();
  only["alg"] = "PS256";
  verifier_.take_up(*JwkSet::parse(jwk_set({only})));
  EXPECT_EQ(refusal(rsa_->sign("PS256", claims())), "");
  EXPECT_THAT(refusal(rsa_->sign("RS256", claims())), HasSubstr("none for the algorithm"));
}

TEST_F(JwtTest, TakesNothingThatWasChanged) {
  json more = claims();
  more["sub"] = "administrator";
  for (const std::string& token :
       {rsa_->sign("RS256", claims()), rsa_->sign("PS256", claims()), ec_->sign("ES256", claims())}) {
    const std::size_t first = token.find('.');
    const std::size_t last = token.rfind('.');
    EXPECT_THAT(refusal(token.substr(0, first + 1) + base64url(as_bytes(more.dump())) + token.substr(last)),
                HasSubstr("does not verify"));
    Bytes signature = *parse_base64url(token.substr(last + 1));
    signature[signature.size() / 2] ^= 1;
    EXPECT_THAT(refusal(token.substr(0, last + 1) + base64url(signature)), HasSubstr("does not verify"));
    signature = *parse_base64url(token.substr(last + 1));
    signature.insert(signature.begin(), 0);
    EXPECT_THAT(refusal(token.substr(0, last + 1) + base64url(signature)), HasSubstr("does not verify"));
  }
  // Another spelling of the same two numbers.
  const std::string token = ec_->sign("ES256", claims());
  Bytes spelled = *parse_base64url(token.substr(token.rfind('.') + 1));
  spelled.insert(spelled.begin() + 32, 0);
  spelled.insert(spelled.begin(), 0);
  EXPECT_THAT(refusal(token.substr(0, token.rfind('.') + 1) + base64url(spelled)),
              HasSubstr("does not verify"));
}

TEST_F(JwtTest, TakesNoSignatureOfAnothersKeyUnderAKnownName) {
  const SigningKey stranger("RSA", "one");
  EXPECT_THAT(refusal(stranger.sign("RS256", claims())), HasSubstr("does not verify"));
  // Nor of one that the token brings along.
  const json header = {{"alg", "RS256"},
                       {"kid", "one"},
                       {"jwk", stranger.public_jwk()},
                       {"jku", "https://stranger.example/keys"}};
  EXPECT_THAT(refusal(stranger.sign(header.dump(), claims().dump(), "RS256")), HasSubstr("does not verify"));
}

TEST_F(JwtTest, TakesNoTokenOfAnotherIssuerOrForAnotherService) {
  for (const json& issuer : std::vector<json>{"https://login.example/tenant/", "https://LOGIN.example/tenant",
                                              "", 7, nullptr, json::array({kIssuer})})
    EXPECT_THAT(with_claim("iss", issuer), HasSubstr("not of the issuer")) << issuer;
  EXPECT_THAT(without_claim("iss"), HasSubstr("not of the issuer"));
  for (const json& audience :
       std::vector<json>{"https://gateway.example/", "", 7, json::array(), json::array({"x", "y"}),
                         json{{"https://gateway.example", true}}})
    EXPECT_THAT(with_claim("aud", audience), HasSubstr("another service")) << audience;
  EXPECT_THAT(without_claim("aud"), HasSubstr("another service"));
  EXPECT_EQ(with_claim("aud", json::array({"x", kAudience})), "");
  EXPECT_EQ(with_claim("aud", "other"), "");
}

TEST_F(JwtTest, TakesATokenInItsTimeAlone) {
  EXPECT_THAT(without_claim("exp"), HasSubstr("no end"));
  for (const json& end : std::vector<json>{"2099-01-01", nullptr, -1, 1e300, true})
    EXPECT_THAT(with_claim("exp", end), HasSubstr("'exp' is no time")) << end;
  EXPECT_THAT(with_claim("exp", kNoonSeconds), HasSubstr("has ended"));
  EXPECT_THAT(with_claim("exp", kNoonSeconds + 0.9), HasSubstr("has ended"));
  EXPECT_EQ(with_claim("exp", kNoonSeconds + 1), "");
  EXPECT_THAT(with_claim("nbf", kNoonSeconds + 31), HasSubstr("counts from"));
  EXPECT_THAT(with_claim("nbf", "soon"), HasSubstr("'nbf' is no time"));
  EXPECT_EQ(with_claim("nbf", kNoonSeconds + 30), "");
  const std::string token = rsa_->sign("RS256", claims());
  EXPECT_EQ(refusal(token), "");
  clock_.set(kNoon + std::chrono::seconds(600));
  EXPECT_THAT(refusal(token), HasSubstr("has ended"));
}

TEST_F(JwtTest, TakesNoTokenThatDoesNotSayWhoseItIs) {
  EXPECT_THAT(without_claim("sub"), HasSubstr("'sub'"));
  for (const json& subject : std::vector<json>{"", 7, nullptr, json::array({"app-1"}), std::string(256, 'x')})
    EXPECT_THAT(with_claim("sub", subject), HasSubstr("'sub'")) << subject;
}

TEST_F(JwtTest, TakesNoHeaderThatAsksForMore) {
  EXPECT_THAT(with_header("crit", json::array({"exp"})), HasSubstr("'crit'"));
  EXPECT_THAT(with_header("cty", "JWT"), HasSubstr("within a token"));
  EXPECT_THAT(with_header("typ", "dpop+jwt"), HasSubstr("type"));
  EXPECT_THAT(with_header("kid", 1), HasSubstr("does not name"));
  EXPECT_THAT(with_header("kid", "three"), HasSubstr("no key 'three'"));
  EXPECT_EQ(with_header("typ", "at+jwt"), "");
  EXPECT_EQ(with_header("typ", "JWT"), "");
}

TEST_F(JwtTest, TakesNoTokenInAnotherForm) {
  const std::string token = rsa_->sign("RS256", claims());
  for (const std::string& other :
       {"x" + token, token + "x", token + ".", token + ".x.y", "." + token, std::string(".."),
        std::string("a.b"), token + "=", token + "\n", " " + token})
    EXPECT_NE(refusal(other), "") << other;
  const std::string inner = base64url(as_bytes(token));
  EXPECT_NE(refusal(inner + "." + inner + "." + inner), "");
  EXPECT_THAT(refusal(std::string(kLongestJwt + 1, 'x')), HasSubstr("octets"));
  json large = claims();
  large["groups"] = std::string(kLongestJwt, 'x');
  EXPECT_THAT(refusal(rsa_->sign("RS256", large)), HasSubstr("octets"));
}

TEST_F(JwtTest, TakesNoMemberTwice) {
  const std::string twice = R"({"alg":"RS256","kid":"one","alg":"RS256"})";
  EXPECT_THAT(refusal(rsa_->sign(twice, claims().dump(), "RS256")), HasSubstr("twice"));
  std::string two_subjects = claims().dump();
  two_subjects.insert(1, R"("sub":"administrator",)");
  EXPECT_THAT(refusal(rsa_->sign(R"({"alg":"RS256","kid":"one"})", two_subjects, "RS256")),
              HasSubstr("twice"));
  EXPECT_THAT(refusal(rsa_->sign(R"({"alg":"RS256","kid":"one"})", "[]", "RS256")),
              HasSubstr("no JSON object"));
}

TEST_F(JwtTest, ReadsTheKeysAgainForANewOneAtMostOnceAMinute) {
  const SigningKey next("P-256", "next");
  const std::string token = next.sign("ES256", claims());
  EXPECT_NE(refusal(token), "");  // the disk
  EXPECT_EQ(reads_, 1);
  read_ = *JwkSet::parse(jwk_set({next.public_jwk()}));
  clock_.set(kNoon + std::chrono::seconds(59));
  EXPECT_NE(refusal(token), "");
  EXPECT_EQ(reads_, 1);
  clock_.set(kNoon + std::chrono::seconds(60));
  EXPECT_EQ(refusal(token), "");
  EXPECT_EQ(reads_, 2);
  EXPECT_NE(refusal(rsa_->sign("RS256", claims())), "");  // no key of the issuer's any more
  EXPECT_EQ(reads_, 2);
  clock_.set(kNoon - std::chrono::hours(1));
  EXPECT_EQ(refusal(token), "");
  EXPECT_NE(refusal(rsa_->sign("RS256", claims())), "");
  EXPECT_EQ(reads_, 3);
}

TEST_F(JwtTest, APrincipalIsKnownByItsSubject) {
  MemoryPrincipalStore store;
  ASSERT_TRUE(store.add({"id", "deployer", {}, true, kNoon, "app-1"}));
  Authenticator authenticator(store, &verifier_, clock_);
  HttpRequest request;
  request.headers.add("Authorization", "Bearer " + rsa_->sign("RS256", claims()));
  EXPECT_EQ(authenticator.authenticate(request)->name, "deployer");
  EXPECT_FALSE(Authenticator(store, nullptr, clock_).authenticate(request));

  ASSERT_TRUE(store.update({"id", "deployer", {}, false, kNoon, "app-1"}));
  EXPECT_THAT(authenticator.authenticate(request).error().detail, HasSubstr("disabled"));
  ASSERT_TRUE(store.update({"id", "deployer", {}, true, kNoon, "APP-1"}));
  EXPECT_THAT(authenticator.authenticate(request).error().detail, HasSubstr("nobody's"));
}

class JwkSetTest : public JwtTest {
 protected:
  std::string refusal_of(const std::string& text) {
    const auto set = JwkSet::parse(text);
    return set ? "" : set.error().detail;
  }
  std::string refusal_of_keys(const std::vector<json>& keys) { return refusal_of(jwk_set(keys)); }
  json changed(const std::string& name, const json& value) {
    json key = rsa_->public_jwk();
    key[name] = value;
    return key;
  }
};

TEST_F(JwkSetTest, LeavesAsideWhatVerifiesNothing) {
  json nameless = rsa_->public_jwk();
  nameless.erase("kid");
  const json symmetric = {{"kty", "oct"}, {"kid", "s"}, {"k", "AAAA"}};
  const json short_key = SigningKey("RSA-1024", "short").public_jwk();
  for (const json& key :
       {nameless, symmetric, short_key, changed("use", "enc"), changed("key_ops", json::array({"encrypt"})),
        changed("alg", "RSA-OAEP"), changed("kty", "rsa"), changed("n", "!"), json("text")}) {
    EXPECT_THAT(refusal_of_keys({key}), HasSubstr("none of its keys")) << key;
    EXPECT_EQ(JwkSet::parse(jwk_set({key, ec_->public_jwk()}))->size(), 1U) << key;
  }
  EXPECT_EQ(refusal_of_keys({changed("use", "sig")}), "");
  EXPECT_EQ(refusal_of_keys({changed("key_ops", json::array({"verify"}))}), "");
}

TEST_F(JwkSetTest, IsRefusedWholeWhenItIsNone) {
  for (const char* text : {"", "x", "[]", "{}", R"({"keys":{}})"})
    EXPECT_THAT(refusal_of(text), HasSubstr("no JWK Set")) << text;
  EXPECT_THAT(refusal_of_keys({rsa_->public_jwk(), rsa_->public_jwk()}), HasSubstr("two of its keys"));
  EXPECT_THAT(refusal_of_keys({changed("d", "AQAB")}), HasSubstr("private"));
  json off_curve = ec_->public_jwk();
  off_curve["x"] = off_curve["y"];
  EXPECT_THAT(refusal_of_keys({off_curve}), HasSubstr("make no EC key"));
}

}  // namespace
}  // namespace signet::gateway::api
