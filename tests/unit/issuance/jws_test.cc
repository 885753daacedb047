#include "gateway/issuance/jws.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/openssl.h"
#include "certstore/vault/private_key_internal.h"
#include "tests/unit/issuance/issuance_fixture.h"

namespace signet::gateway {
namespace {

using nlohmann::json;

// RFC 7515 appendix A.1 and A.3: the payload that both sign.
constexpr std::string_view kPayload =
    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

constexpr std::string_view kX = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
constexpr std::string_view kY = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

/// SubjectPublicKeyInfo of the key of appendix A.3.
Bytes public_key_of_a3() {
  Bytes der = parse_hex("3059301306072a8648ce3d020106082a8648ce3d03010703420004").value();
  for (const std::string_view coordinate : {kX, kY}) {
    const Bytes octets = parse_base64url(coordinate).value();
    der.insert(der.end(), octets.begin(), octets.end());
  }
  return der;
}

bool verify_es256(const Bytes& public_key, std::string_view input, std::string_view signature) {
  const unsigned char* at = public_key.data();
  const EvpPkeyPtr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(public_key.size())));
  const Bytes der = vault::ecdsa_raw_to_der(parse_base64url(signature).value()).value();
  const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), der.data(), der.size(), as_bytes(input).data(), input.size()) == 1;
}

TEST(Jwk, ThumbprintsAreThoseOfTheRfcs) {
  // [RFC7638 3.1]
  EXPECT_EQ(jwk_thumbprint({{"kty", "RSA"},
                            {"n",
                             "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR"
                             "1L6tSoc_BJECPebWKRXjB"
                             "ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
                             "FDW2QvzqY368QQMicAtaSqzs8"
                             "KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-"
                             "bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_"
                             "xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"},
                            {"e", "AQAB"},
                            {"alg", "RS256"},
                            {"kid", "2011-04-29"}}),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  EXPECT_EQ(jwk_thumbprint(ec_jwk(public_key_of_a3()).value()),
            "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
}

TEST(Jwk, AKeyOnP256IsItsPoint) {
  EXPECT_EQ(ec_jwk(public_key_of_a3()).value(),
            (json{{"kty", "EC"}, {"crv", "P-256"}, {"x", kX}, {"y", kY}}));
  Bytes other = public_key_of_a3();
  other[20] ^= 1;  // another curve
  EXPECT_TRUE(fails_with(ec_jwk(other), ErrorKind::Internal, "P-256"));
  EXPECT_TRUE(fails_with(ec_jwk(Bytes(64)), ErrorKind::Internal, "P-256"));
}

TEST(Jws, NoncesAndTokensAreOfBase64urlAlone) {
  for (const char* good : {"a", "fresh", "-_09AZaz"}) EXPECT_TRUE(is_base64url(good));
  for (const char* bad : {"", "a=", "a/b", "a+b", "../x", "a b", "a\r\n"})
    EXPECT_FALSE(is_base64url(bad)) << bad;
}

TEST(Jws, SigningInputAndHmacAreThoseOfTheRfc) {
  // [RFC7515 A.1]
  const std::string input = signing_input("{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}", kPayload);
  EXPECT_EQ(input,
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ");
  const Bytes key =
      parse_base64url(
          "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
          .value();
  EXPECT_EQ(base64url(hmac_sha256(key, as_bytes(input))), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  const json header{{"alg", "HS256"}, {"kid", "kid-1"}};
  const json made = sign_hs256(SecretBytes::copy_of(key), header, kPayload);
  EXPECT_EQ(made["protected"], base64url(as_bytes(header.dump())));
  EXPECT_EQ(made["payload"], base64url(as_bytes(kPayload)));
  EXPECT_EQ(made["signature"], base64url(hmac_sha256(key, as_bytes(signing_input(header.dump(), kPayload)))));
}

class JwsOfAccounts : public IssuanceFixture {};

TEST_F(JwsOfAccounts, SignaturesAreRAndSOverTheSigningInput) {
  // [RFC7515 A.3]: what tells that ours are right, too
  EXPECT_TRUE(
      verify_es256(public_key_of_a3(), signing_input("{\"alg\":\"ES256\"}", kPayload),
                   "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"));
  const auto ours = account();
  const json header{{"alg", "ES256"}, {"nonce", "n"}, {"url", "https://ca.example/order"}};
  const json made = json::parse(sign_es256(*ours, header, "{}").value());
  EXPECT_TRUE(verify_es256(ours->public_key(), signing_input(header.dump(), "{}"),
                           made["signature"].get<std::string>()));
  EXPECT_FALSE(verify_es256(ours->public_key(), signing_input(header.dump(), "{ }"),
                            made["signature"].get<std::string>()));
  EXPECT_EQ(json::parse(sign_es256(*ours, header, "").value())["payload"], "");
}

TEST_F(JwsOfAccounts, TheKeyStaysTheSameUntilTheCredentialsChange) {
  const Bytes key = account()->public_key();
  EXPECT_EQ(account()->public_key(), key);
  vault::IssuerUpdate update;
  update.enabled = true;
  ASSERT_TRUE(vault_->update_certificate_issuer(kOperator, "kv1", "ca", update));
  EXPECT_EQ(account()->public_key(), key);
  update.account = "another";
  ASSERT_TRUE(vault_->update_certificate_issuer(kOperator, "kv1", "ca", update));
  const auto other = vault_->open_issuer_account("kv1", "ca").value();
  EXPECT_NE(other->public_key(), key);
  EXPECT_EQ(other->url(), "");
}

}  // namespace
}  // namespace signet::gateway
