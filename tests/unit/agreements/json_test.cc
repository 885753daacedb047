#include "agreements/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "agreements/grammar.h"
#include "tests/unit/agreements/account_fixture.h"

namespace signet::agreements {
namespace {

using nlohmann::ordered_json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view kVaults = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/";

ordered_json azure_agreement() { return *parse_json(read_data("agreement.json")); }

template <class Entry>
std::vector<std::string> paths(const JsonOutcome<Entry>& outcome) {
  EXPECT_FALSE(outcome.entry);
  std::vector<std::string> all;
  for (const Problem& problem : outcome.problems) all.push_back(problem.path);
  return all;
}

std::vector<std::string> paths_of(const ordered_json& agreement) {
  return paths(read_agreement("a", agreement));
}

/// The resource as it is after it went over a wire.
ordered_json sent(const ordered_json& resource) { return *parse_json(resource.dump()); }

void expect_survives(const Account& account) {
  for (const Partner& partner : account.partners) {
    const auto outcome = read_partner(partner.name, sent(write_json(partner)));
    ASSERT_TRUE(outcome.entry) << to_string(outcome.problems);
    EXPECT_EQ(*outcome.entry, partner);
  }
  for (const CertificateEntry& certificate : account.certificates) {
    const auto outcome = read_certificate(certificate.name, sent(write_json(certificate, kVaults)), kVaults);
    ASSERT_TRUE(outcome.entry) << to_string(outcome.problems);
    EXPECT_EQ(*outcome.entry, certificate);
  }
  for (const Agreement& agreement : account.agreements) {
    const auto outcome = read_agreement(agreement.name, sent(write_json(agreement)));
    ASSERT_TRUE(outcome.entry) << to_string(outcome.problems) << write_json(agreement).dump(2);
    EXPECT_EQ(*outcome.entry, agreement) << write_json(agreement).dump(2);
  }
}

// ---- What survives

TEST(AccountJson, TheAccountsOfTheTestsSurvive) {
  for (const char* name : {"minimal.xml", "rollover.xml"}) expect_survives(good_account(read_data(name)));
}

/// A value that the setting takes and that is not its default.
std::string another_value(const Setting& setting, void* object) {
  const std::vector<std::string> values{"true",
                                        "false",
                                        "7",
                                        "1.5",
                                        "90s",
                                        "5MiB",
                                        "2027-01-31",
                                        "10.0.0.0/8",
                                        "text/x",
                                        "MD5",
                                        "AES128",
                                        "SHA2384",
                                        "unsigned",
                                        "AES192GCM",
                                        "RSA-OAEP-512",
                                        "1.2",
                                        "1.3",
                                        "binary",
                                        "base64",
                                        "Sha2",
                                        "pinned",
                                        "afterSigning",
                                        "RSASSA-PSS",
                                        "contentOnly",
                                        "NotSpecified",
                                        "decrypt",
                                        "verifyMdn",
                                        "MAMCAQE=",
                                        "DES3",
                                        "/ca.pem",
                                        "https://h.example/x",
                                        "softFail",
                                        "other"};
  const std::string before = setting.write(object);
  for (const std::string& value : values)
    if (setting.read(object, value, ParseContext{}) && setting.write(object) != before) return value;
  return {};
}

/// Gives every setting of the element, and of one entry of each list in it, a value of its own.
void fill(const Element& element, void* object) {
  for (const Setting& setting : element.settings) {
    if (setting.replaces_content) continue;
    EXPECT_NE(another_value(setting, object), "") << element.name << " " << setting.name;
  }
  for (const Element& child : element.children) fill(child, child.enter(object));
}

TEST(AccountJson, EverySettingOfTheGrammarSurvives) {
  Account account;
  fill(root_element(), &account);
  ASSERT_THAT(account.agreements, SizeIs(1));
  EXPECT_NE(account.agreements[0].retry, Retry{});
  account.agreements[0].name = "name";
  expect_survives(account);
}

TEST(AccountJson, AnAgreementOfAzuresGivesTheSameJsonBack) {
  ordered_json resource = azure_agreement();
  const auto outcome = read_agreement("host-guest", resource);
  ASSERT_TRUE(outcome.entry) << to_string(outcome.problems);
  resource.erase("location");
  EXPECT_EQ(nlohmann::json(write_json(*outcome.entry)), nlohmann::json(resource));
  EXPECT_EQ(outcome.entry->send_agreement.security_settings.sha2_algorithm_format,
            Sha2AlgorithmFormat::Sha2UnderscoreHashSize);
  EXPECT_EQ(outcome.entry->receive_agreement.sender_business_identity->value, "GUEST");
}

TEST(AccountJson, WhatAzureMayLeaveOutMayBeLeftOut) {
  ordered_json resource = azure_agreement();
  ordered_json& settings = resource["properties"]["content"]["aS2"]["sendAgreement"]["protocolSettings"];
  for (const char* name : {"receiptDeliveryUrl", "dispositionNotificationTo", "mdnText"})
    settings["mdnSettings"].erase(name);
  for (const char* name : {"signingCertificateName", "encryptionCertificateName", "sha2AlgorithmFormat"})
    settings["securitySettings"][name] = nullptr;
  settings["validationSettings"].erase("signingAlgorithm");
  settings["of no meaning"] = {1, 2, 3};
  resource["properties"].erase("metadata");
  const auto outcome = read_agreement("a", resource);
  ASSERT_TRUE(outcome.entry) << to_string(outcome.problems);
  EXPECT_EQ(outcome.entry->send_agreement.validation_settings.signing_algorithm, SigningAlgorithm::SHA2256);
}

TEST(AccountJson, AnIdentityThatIsLeftToThePartnerIsNull) {
  const Agreement agreement = good_account(read_data("minimal.xml")).agreements.at(0);
  const ordered_json resource = write_json(agreement);
  EXPECT_TRUE(resource.at("/properties/hostIdentity"_json_pointer).is_null());
  EXPECT_TRUE(
      resource.at("/properties/content/aS2/sendAgreement/senderBusinessIdentity"_json_pointer).is_null());
  ordered_json without = azure_agreement();
  without["properties"].erase("hostIdentity");
  EXPECT_THAT(paths_of(without), ElementsAre("/properties/hostIdentity"));
}

TEST(AccountJson, TheExtensionStandsInMetadataByItsPath) {
  const Agreement agreement = good_account(read_data("rollover.xml")).agreements.at(0);
  const ordered_json metadata = write_json(agreement)["properties"]["metadata"];
  EXPECT_EQ(metadata.value("x:connection/@url", ""), "https://globex.example/as2");
  EXPECT_EQ(metadata.value("receiveAgreement/x:allowWeak[1]/@algorithm", ""), "SHA1");
  EXPECT_EQ(metadata.value("sendAgreement/x:certificates[1]/x:certificate[2]/@name", ""), "globex-2027");
  EXPECT_FALSE(metadata.contains("receiveAgreement/x:limits/@maxCompressionRatio"));  // the default
}

// ---- What is refused

TEST(AccountJson, EverythingThatIsWrongIsToldAtOnce) {
  ordered_json resource = azure_agreement();
  ordered_json& properties = resource["properties"];
  properties["agreementType"] = "AS3";
  properties["hostPartner"] = 5;
  properties.erase("guestPartner");
  ordered_json& receive = properties["content"]["aS2"]["receiveAgreement"]["protocolSettings"];
  receive["mdnSettings"]["needMDN"] = "true";
  receive["mdnSettings"]["micHashingAlgorithm"] = "sha1";
  receive["validationSettings"]["interchangeDuplicatesValidityDays"] = 0;
  receive["validationSettings"].erase("signMessage");
  receive.erase("errorSettings");
  properties["content"]["aS2"].erase("sendAgreement");
  EXPECT_THAT(
      paths_of(resource),
      ElementsAre("/properties/agreementType", "/properties/hostPartner", "/properties/guestPartner",
                  "/properties/content/aS2/receiveAgreement/protocolSettings/mdnSettings/needMDN",
                  "/properties/content/aS2/receiveAgreement/protocolSettings/mdnSettings/micHashingAlgorithm",
                  "/properties/content/aS2/receiveAgreement/protocolSettings/validationSettings/signMessage",
                  "/properties/content/aS2/receiveAgreement/protocolSettings/validationSettings/"
                  "interchangeDuplicatesValidityDays",
                  "/properties/content/aS2/receiveAgreement/protocolSettings/errorSettings",
                  "/properties/content/aS2/sendAgreement"));
  const std::vector<Problem> problems = read_agreement("a", resource).problems;
  EXPECT_EQ(problems[0].expected, "one of NotSpecified, AS2, X12, Edifact");
  EXPECT_EQ(problems[0].found, "'AS3'");
  EXPECT_EQ(problems[1].found, "the number 5");
  EXPECT_EQ(problems[3].expected, "true or false");
  EXPECT_EQ(problems[3].found, "the text 'true'");
}

TEST(AccountJson, WhatIsNoResourceIsRefused) {
  for (const char* text : {"{}", "[]", "5", "null", R"({"properties":[]})", R"({"properties":null})"})
    EXPECT_THAT(paths(read_partner("p", *parse_json(text))), ElementsAre("/properties")) << text;
  EXPECT_THAT(paths_of(*parse_json(R"({"properties":{"content":[]}})")), Contains("/properties/content"));
}

TEST(AccountJson, ANameThatIsNoneIsRefused) {
  const ordered_json partner = write_json(Partner{"x", PartnerType::B2B, {}, {}});
  for (const std::string& name : {std::string(), std::string("a/b"), std::string(81, 'a'), std::string("ä")})
    EXPECT_THAT(paths(read_partner(name, partner)), ElementsAre("/name")) << name;
  EXPECT_TRUE(read_partner(std::string(80, 'a'), partner).entry);
}

TEST(AccountJson, IdentitiesAreAListOfObjects) {
  ordered_json partner = *parse_json(
      R"({"properties":{"partnerType":"B2B","content":{"b2b":{"businessIdentities":[
         {"qualifier":"AS2Identity","value":"ACME"},{"qualifier":"ZZ"},7,{"qualifier":"ZZ","value":""}]}}}})");
  EXPECT_THAT(paths(read_partner("p", partner)),
              ElementsAre("/properties/content/b2b/businessIdentities/1/value",
                          "/properties/content/b2b/businessIdentities/2",
                          "/properties/content/b2b/businessIdentities/3/value"));
  partner["properties"]["content"]["b2b"]["businessIdentities"] = "ACME";
  EXPECT_THAT(paths(read_partner("p", partner)), ElementsAre("/properties/content/b2b/businessIdentities"));
  partner["properties"].erase("content");
  EXPECT_TRUE(read_partner("p", partner).entry);
}

TEST(AccountJson, AnExtensionSettingThatNobodyKnowsIsRefused) {
  ordered_json resource = azure_agreement();
  ordered_json& metadata = resource["properties"]["metadata"];
  metadata["x:conection/@url"] = "https://guest.example/";
  metadata["x:retry/@attempts"] = 4;
  metadata["x:retry/@factor"] = "many";
  metadata["receiveAgreement/x:receiptPolicy/x:allowUrl[2]/@url"] = "https://guest.example/";
  metadata["receiveAgreement/x:encryption/@keyTransport"] = "RSA-OAEP";  // the other direction's
  metadata["receiveAgreement/x:allowWeak[1]/@algorithm"] = "SHA1";       // without reason and end
  EXPECT_THAT(paths_of(resource),
              ::testing::UnorderedElementsAre(
                  "/properties/metadata/x:conection~1@url", "/properties/metadata/x:retry~1@attempts",
                  "/properties/metadata/x:retry~1@factor",
                  "/properties/metadata/receiveAgreement~1x:receiptPolicy~1x:allowUrl[2]~1@url",
                  "/properties/metadata/receiveAgreement~1x:encryption~1@keyTransport",
                  "/properties/metadata/receiveAgreement~1x:allowWeak[1]~1@reason",
                  "/properties/metadata/receiveAgreement~1x:allowWeak[1]~1@until"));
}

TEST(AccountJson, TwoEntriesOfOneNameAreRefused) {
  ordered_json resource = azure_agreement();
  ordered_json& metadata = resource["properties"]["metadata"];
  for (const char* number : {"1", "2"}) {
    const std::string entry = std::string("receiveAgreement/x:allowWeak[") + number + "]/@";
    metadata[entry + "algorithm"] = "SHA1";
    metadata[entry + "reason"] = "old";
    metadata[entry + "until"] = "2027-01-01";
  }
  EXPECT_THAT(paths_of(resource), ElementsAre("/properties/metadata/receiveAgreement~1x:allowWeak[2]"));
}

TEST(AccountJson, NoFileIsEverReadForJson) {
  ordered_json resource = *parse_json(R"({"properties":{"publicCertificate":"MAMCAQE=","metadata":{}}})");
  resource["properties"]["metadata"]["publicCertificate/@x:file"] = data_file("globex.pem");
  EXPECT_THAT(paths(read_certificate("c", resource, kVaults)),
              ElementsAre("/properties/metadata/publicCertificate~1@x:file"));
}

TEST(AccountJson, CharactersThatXmlDoesNotHaveAreRefused) {
  ordered_json resource = azure_agreement();
  resource["properties"]["content"]["aS2"]["receiveAgreement"]["protocolSettings"]["mdnSettings"]["mdnText"] =
      std::string("a\0b", 3);
  resource["properties"]["metadata"]["note"] = "\x01";
  EXPECT_THAT(paths_of(resource),
              ElementsAre("/properties/content/aS2/receiveAgreement/protocolSettings/mdnSettings/mdnText",
                          "/properties/metadata/note"));
}

TEST(AccountJson, ProblemsAreBounded) {
  ordered_json partner = *parse_json(R"({"properties":{"partnerType":"B2B","content":{"b2b":{}}}})");
  ordered_json identities = ordered_json::array();
  for (int i = 0; i < 3000; ++i) identities.push_back(i);
  partner["properties"]["content"]["b2b"]["businessIdentities"] = std::move(identities);
  EXPECT_THAT(read_partner("p", partner).problems, SizeIs(kMaxProblems + 1));
}

// ---- Notes

TEST(AccountJson, AnyJsonIsANote) {
  const ordered_json notes = *parse_json(
      R"({"text":"plain","empty":"","number":5,"list":[1,"a",null,{"b":1.5}],"object":{},"yes":true,"nothing":null,
          "like":"json:5","liker":"json:\"json:5\"","broken":"json:{","spaced":"json: 5"})");
  ordered_json partner = write_json(Partner{"p", PartnerType::B2B, {}, {}});
  partner["properties"]["metadata"] = notes;
  const auto outcome = read_partner("p", partner);
  ASSERT_TRUE(outcome.entry) << to_string(outcome.problems);
  EXPECT_EQ(outcome.entry->metadata.at(0).value, "plain");
  EXPECT_EQ(outcome.entry->metadata.at(2).value, "json:5");
  EXPECT_EQ(write_json(*outcome.entry)["properties"]["metadata"], notes);
}

TEST(AccountJson, AnyNoteOfTheXmlIsJson) {
  Account account;
  account.partners.push_back({"p", PartnerType::B2B, {}, {}});
  for (const char* value : {"json:5", "json: 5", "json:\"json:5\"", "json:\"a\"", "json:", "json:[", "", "5"})
    account.partners[0].metadata.push_back(
        {"note " + std::to_string(account.partners[0].metadata.size()), value});
  expect_survives(account);
}

TEST(AccountJson, ANoteWithAnExtensionsNameStaysANote) {
  Account account = good_account(read_data("minimal.xml"));
  account.agreements[0].metadata = {{"a", "1"}, {"x:connection/@url", "2"}, {"b", "3"}, {"c/x:d", ""}};
  expect_survives(account);
  ordered_json twice = write_json(account.agreements[0]);
  twice["properties"]["metadata"]["b"] = "4";
  EXPECT_THAT(paths_of(twice), Contains("/properties/metadata/metadata"));
}

TEST(AccountJson, ANoteNeedsAName) {
  ordered_json partner = write_json(Partner{"p", PartnerType::B2B, {}, {}});
  for (const char* name : {"", " ", "a\nb"}) {
    partner["properties"]["metadata"] = {{name, "x"}};
    EXPECT_FALSE(read_partner("p", partner).entry) << name;
  }
}

// ---- Certificates

TEST(AccountJson, AKeyIsNamedByItsVaultsId) {
  ordered_json resource = *parse_json(
      R"({"properties":{"key":{"keyVault":{"id":"/SUBSCRIPTIONS/s/resourcegroups/g/providers/Microsoft.KeyVault/vaults/kv1"},
         "keyName":"k","keyVersion":"0123"}}})");
  const auto outcome = read_certificate("c", resource, kVaults);
  ASSERT_TRUE(outcome.entry) << to_string(outcome.problems);
  EXPECT_EQ(outcome.entry->key, (KeyReference{"kv1", "k", "0123"}));
  EXPECT_THAT(outcome.entry->public_certificate, IsEmpty());
  EXPECT_EQ(
      write_json(*outcome.entry, kVaults)["properties"]["key"]["keyVault"],
      (ordered_json{
          {"id", std::string(kVaults) + "kv1"}, {"name", "kv1"}, {"type", "Microsoft.KeyVault/vaults"}}));

  ordered_json& vault = resource["properties"]["key"]["keyVault"];
  for (const char* id :
       {"kv1", "/subscriptions/other/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv1",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/a/b"}) {
    vault = {{"id", id}};
    EXPECT_THAT(paths(read_certificate("c", resource, kVaults)), ElementsAre("/properties/key/keyVault/id"))
        << id;
  }
  vault = "kv1";
  EXPECT_THAT(paths(read_certificate("c", resource, kVaults)), ElementsAre("/properties/key/keyVault"));
}

TEST(AccountJson, ACertificateHasOctetsOrAKey) {
  EXPECT_THAT(paths(read_certificate("c", *parse_json(R"({"properties":{}})"), kVaults)),
              ElementsAre("/properties"));
  EXPECT_THAT(
      paths(read_certificate("c", *parse_json(R"({"properties":{"publicCertificate":"MAMC"}})"), kVaults)),
      ElementsAre("/properties/publicCertificate"));
  EXPECT_TRUE(
      read_certificate("c", *parse_json(R"({"properties":{"publicCertificate":"MAMCAQE="}})"), kVaults)
          .entry);
}

// ---- Text

TEST(AccountJson, TextIsBoundedAndJson) {
  EXPECT_TRUE(parse_json(R"({"a":"[[[[{{{{\"[["})"));
  EXPECT_TRUE(parse_json(std::string(kMaxJsonDepth, '[') + std::string(kMaxJsonDepth, ']')));
  EXPECT_EQ(
      parse_json(std::string(kMaxJsonDepth + 1, '[') + std::string(kMaxJsonDepth + 1, ']')).error().kind,
      ErrorKind::LimitExceeded);
  EXPECT_EQ(parse_json('"' + std::string(kMaxJsonSize, 'a') + '"').error().kind, ErrorKind::LimitExceeded);
  for (const char* text : {"", "{", "{\"a\":1,}", "nul", "\"\xFF\"", "{} {}", "1e999", "'a'"})
    EXPECT_EQ(parse_json(text).error().kind, ErrorKind::InvalidInput) << text;
}

}  // namespace
}  // namespace signet::agreements
