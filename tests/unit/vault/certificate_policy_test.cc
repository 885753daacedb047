#include "certstore/vault/certificate_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "certstore/vault/certificate_policy_json.h"
#include "tests/unit/vault/vault_fixture.h"

namespace signet::vault {
namespace {

using certstore::KeyUse;
using certstore::KeyUses;
using nlohmann::json;
using testing::HasSubstr;

CertificatePolicy policy(std::string_view text = "{}") {
  CertificatePolicy base;
  base.issuer = kSelfIssuer;
  base.subject = "CN=as2.acme.example";
  const auto read = apply_json(base, json::parse(text));
  EXPECT_TRUE(read) << (read ? "" : read.error().detail);
  return read.value_or(CertificatePolicy());
}

std::string refusal(std::string_view text) {
  const auto read = apply_json(policy(), json::parse(text));
  if (!read) return read.error().detail;
  const auto checked = check_policy(*read);
  return checked ? "taken" : checked.error().detail;
}

TEST(CertificatePolicy, HasKeyVaultsDefaults) {
  const json value = to_json(policy());
  EXPECT_EQ(value["key_props"],
            json::parse(R"({"exportable":true,"kty":"RSA","key_size":2048,"reuse_key":false})"));
  EXPECT_EQ(value["secret_props"]["contentType"], "application/x-pkcs12");
  EXPECT_EQ(value["x509_props"]["key_usage"], json::parse(R"(["digitalSignature","keyEncipherment"])"));
  EXPECT_EQ(value["x509_props"]["ekus"], json::parse(R"(["1.3.6.1.5.5.7.3.1","1.3.6.1.5.5.7.3.2"])"));
  EXPECT_EQ(value["x509_props"]["validity_months"], 12);
  EXPECT_EQ(value["lifetime_actions"][0]["trigger"]["lifetime_percentage"], 80);
  EXPECT_EQ(value["lifetime_actions"][0]["action"]["action_type"], "AutoRenew");
  EXPECT_TRUE(check_policy(policy()));
  CertificatePolicy unknown = policy();
  unknown.issuer = kUnknownIssuer;
  EXPECT_EQ(lifetime_actions_of(unknown)[0].type, LifetimeActionType::EmailContacts);
}

TEST(CertificatePolicy, MakesNoAuthoritiesThoughAzuresDefaultPolicyAsksForTheirKeyUsage) {
  const CertificatePolicy azures = policy(
      R"({"x509_props":{"key_usage":["cRLSign","dataEncipherment","digitalSignature","keyEncipherment","keyAgreement","keyCertSign"]}})");
  ASSERT_TRUE(check_policy(azures));
  const KeyUses made = profile_of(azures, Time{}).value().key_uses;
  EXPECT_FALSE(made.contains(KeyUse::KeyCertSign));
  EXPECT_EQ(made.size(), 5U);
}

TEST(CertificatePolicy, KnowsItsOwnIssuersInAnyCase) {
  EXPECT_EQ(issuer_name("self"), kSelfIssuer);
  EXPECT_EQ(issuer_name("UNKNOWN"), kUnknownIssuer);
  EXPECT_EQ(issuer_name("Acme"), "Acme");
}

TEST(CertificatePolicy, IsKeptWithoutDefaultsThatDependOnOtherMembers) {
  const CertificatePolicy kept = apply_json({}, json(to_stored_json(policy()))).value();
  EXPECT_FALSE(kept.key_uses || kept.lifetime_actions);
  EXPECT_EQ(kept.subject, policy().subject);
  EXPECT_EQ(kept.issuer, policy().issuer);
  CertificatePolicy said = policy(R"({"x509_props":{"key_usage":[]},"lifetime_actions":[]})");
  const CertificatePolicy kept_too = apply_json({}, json(to_stored_json(said))).value();
  EXPECT_EQ(kept_too.key_uses, KeyUses());
  EXPECT_EQ(kept_too.lifetime_actions, std::vector<LifetimeAction>());
}

TEST(CertificatePolicy, ReadsWhatItWrites) {
  const char* const text =
      R"({"key_props":{"exportable":false,"kty":"EC","key_size":384,"reuse_key":true,"crv":"P-384"},
    "secret_props":{"contentType":"application/x-pem-file"},
    "x509_props":{"subject":"CN=a, O=b","sans":{"dns_names":["a.example"],"emails":["a@a.example"],"upns":["a@b"],
    "uris":["urn:a"],"ipAddresses":["192.0.2.1"]},"ekus":["1.3.6.1.5.5.7.3.4"],"key_usage":["digitalSignature","keyAgreement"],
    "validity_months":24},"lifetime_actions":[{"trigger":{"days_before_expiry":30},"action":{"action_type":"EmailContacts"}}],
    "issuer":{"name":"Unknown","cty":"OV-SSL","cert_transparency":true},"attributes":{"enabled":false,"created":0,"updated":0}})";
  EXPECT_EQ(json(to_json(policy(text))), json::parse(text));
  EXPECT_TRUE(check_policy(policy(text)));
}

TEST(CertificatePolicy, WhatIsNotMentionedStays) {
  CertificatePolicy before =
      policy(R"({"x509_props":{"validity_months":24},"key_props":{"exportable":false}})");
  const CertificatePolicy after =
      apply_json(
          before,
          json::parse(R"({"x509_props":{"sans":{}},"issuer":{},"attributes":{},"other":1,"key_props":null})"))
          .value();
  EXPECT_EQ(to_json(after), to_json(before));
}

TEST(CertificatePolicy, SaysWhetherTheKeyIsInAToken) {
  const CertificatePolicy wanted = policy(R"({"key_props":{"kty":"EC-HSM","crv":"P-384"}})");
  EXPECT_TRUE(wanted.in_token);
  EXPECT_EQ(wanted.kind, KeyKind::EcP384);
  EXPECT_EQ(to_json(wanted)["key_props"]["kty"], "EC-HSM");
  EXPECT_TRUE(apply_json(wanted, json::parse(R"({"key_props":{"reuse_key":true}})")).value().in_token);
  EXPECT_FALSE(apply_json(wanted, json::parse(R"({"key_props":{"kty":"EC"}})")).value().in_token);
}

TEST(CertificatePolicy, RefusesWhatIsNone) {
  EXPECT_THAT(refusal(R"([])"), HasSubstr("an object"));
  EXPECT_THAT(refusal(R"({"key_props":1})"), HasSubstr("/key_props: an object is wanted, got number"));
  EXPECT_THAT(refusal(R"({"key_props":{"kty":"oct"}})"), HasSubstr("'oct' is no type of key"));
  EXPECT_THAT(refusal(R"({"key_props":{"kty":"oct-HSM"}})"), HasSubstr("no type of key"));
  EXPECT_THAT(refusal(R"({"key_props":{"key_size":1024}})"), HasSubstr("RSA-1024"));
  EXPECT_THAT(refusal(R"({"key_props":{"key_size":"2048"}})"), HasSubstr("a whole number is wanted"));
  EXPECT_THAT(refusal(R"({"key_props":{"kty":"EC","crv":"P-256K"}})"), HasSubstr("/key_props/crv"));
  EXPECT_THAT(refusal(R"({"key_props":{"exportable":"yes"}})"), HasSubstr("true or false"));
  EXPECT_THAT(refusal(R"({"secret_props":{"contentType":"text/plain"}})"),
              HasSubstr("application/x-pem-file"));
  EXPECT_THAT(refusal(R"({"x509_props":{"subject":"acme"}})"), HasSubstr("the name 'acme'"));
  EXPECT_THAT(refusal(R"({"x509_props":{"subject":""}})"), HasSubstr("got neither"));
  EXPECT_THAT(refusal(R"({"x509_props":{"sans":{"dns_names":["a b"]}}})"), HasSubstr("is no DNS name"));
  EXPECT_THAT(refusal(R"({"x509_props":{"ekus":["serverAuth"]}})"), HasSubstr("object identifier"));
  EXPECT_THAT(refusal(R"({"x509_props":{"ekus":[1]}})"), HasSubstr("/x509_props/ekus/0: a text"));
  EXPECT_THAT(refusal(R"({"x509_props":{"key_usage":["signing"]}})"), HasSubstr("'signing' is no key usage"));
  EXPECT_THAT(refusal(R"({"x509_props":{"validity_months":0}})"), HasSubstr("1 to 1200 months"));
  EXPECT_THAT(refusal(R"({"x509_props":{"validity_months":-1}})"), HasSubstr("smaller whole number"));
  EXPECT_THAT(refusal(R"({"issuer":{"name":"a b"}})"), HasSubstr("cannot name a certificate issuer"));
}

TEST(CertificatePolicy, RefusesLifetimeActionsThatAreNone) {
  const auto action = [](const std::string& trigger, const std::string& type) {
    return refusal(R"({"lifetime_actions":[{"trigger":{)" + trigger + R"(},"action":{"action_type":")" +
                   type + R"("}}]})");
  };
  EXPECT_EQ(action(R"("days_before_expiry":324)", "EmailContacts"), "taken");
  EXPECT_THAT(action(R"("days_before_expiry":325)", "EmailContacts"), HasSubstr("1 to 324"));
  EXPECT_THAT(action(R"("lifetime_percentage":100)", "AutoRenew"), HasSubstr("1 to 99"));
  EXPECT_THAT(action(R"("lifetime_percentage":80,"days_before_expiry":9)", "AutoRenew"),
              HasSubstr("one trigger"));
  EXPECT_THAT(action("", "AutoRenew"), HasSubstr("one trigger"));
  EXPECT_THAT(action(R"("lifetime_percentage":80)", "Renew"), HasSubstr("'Renew' is no lifetime action"));
  EXPECT_THAT(
      refusal(R"({"issuer":{"name":"Unknown"},"lifetime_actions":[{"trigger":{"lifetime_percentage":80},
      "action":{"action_type":"AutoRenew"}}]})"),
      HasSubstr("can only be EmailContacts"));
}

TEST(CertificatePolicy, CountsMonthsAsCalendarsDo) {
  const auto ends = [](const char* now, int months) {
    CertificatePolicy wanted = policy();
    wanted.validity_months = months;
    return to_rfc3339(profile_of(wanted, parse_time(now).value() + std::chrono::minutes(5)).value().not_after)
        .substr(0, 10);
  };
  EXPECT_EQ(ends("2026-11-28T12:00:00Z", 12), "2027-11-28");
  EXPECT_EQ(ends("2026-08-31T12:00:00Z", 6), "2027-02-28");
  EXPECT_EQ(ends("2027-12-31T12:00:00Z", 2), "2028-02-29");
}

TEST(CertificatePolicy, TheKeyMayDoWhatTheCertificateIsFor) {
  const auto ops = [](KeyKind kind, certstore::KeyUses uses) { return to_string(key_ops_of(kind, uses)); };
  EXPECT_EQ(ops(KeyKind::Rsa2048, {KeyUse::DigitalSignature}), "sign,verify");
  EXPECT_EQ(ops(KeyKind::Rsa2048, {KeyUse::KeyEncipherment}), "encrypt,decrypt,wrapKey,unwrapKey");
  EXPECT_EQ(ops(KeyKind::EcP256, {KeyUse::NonRepudiation, KeyUse::KeyAgreement}), "sign,verify,decrypt");
  EXPECT_EQ(ops(KeyKind::EcP256, {KeyUse::KeyEncipherment}), "decrypt");
  EXPECT_EQ(ops(KeyKind::EcP256, {}), "sign,verify,decrypt");
}

}  // namespace
}  // namespace signet::vault
