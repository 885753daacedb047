#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "agreements/grammar.h"
#include "agreements/reference.h"
#include "agreements/xml.h"
#include "tests/unit/agreements/account_fixture.h"

namespace signet::agreements {
namespace {

constexpr const char* kSchema = SIGNET_SOURCE_DIR "/agreements/schema/signet-account-2026.xsd";
constexpr const char* kExtensionSchema = SIGNET_SOURCE_DIR "/agreements/schema/signet-ext-2026.xsd";
constexpr const char* kDocument = SIGNET_SOURCE_DIR "/docs/agreements.md";
constexpr const char* kBegin = "<!-- settings: begin -->\n";
constexpr const char* kEnd = "<!-- settings: end -->\n";

bool renewing() { return std::getenv("SIGNET_RENEW_REFERENCE") != nullptr; }

void expect_is(const std::string& path, const std::string& text) {
  if (renewing()) std::ofstream(path, std::ios::binary) << text;
  const Result<std::string> there = read_text_file(path);
  ASSERT_TRUE(there) << path;
  EXPECT_TRUE(*there == text)
      << path << " is not what the grammar makes; renew it: SIGNET_RENEW_REFERENCE=1 agreements_test";
}

/// A folder for one test, removed afterwards.
class Folder {
 public:
  Folder() {
    std::string name = ::testing::TempDir() + "signet-xsd-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Whether xmllint finds the document valid; what it says is in `words`.
bool xmllint_accepts(const std::string& xml, std::string& words) {
  const Folder folder;
  std::ofstream(folder.file("a.xml"), std::ios::binary) << xml;
  const std::string command = std::string("xmllint --noout --nonet --schema '") + kSchema + "' '" +
                              folder.file("a.xml") + "' > '" + folder.file("out") + "' 2>&1";
  const int status = std::system(command.c_str());
  words = read_text_file(folder.file("out")).value_or(std::string());
  return status == 0;
}

void expect_valid(const std::string& xml) {
  std::string words;
  EXPECT_TRUE(xmllint_accepts(xml, words)) << words << xml;
}

// ---- A document with every element and attribute, each with a value that is not its default

std::string sample_value(const Setting& setting) {
  static const std::map<std::string, std::string> samples{
      {"xs:string", "some text"},  {"words", "words"},   {"line", "a line"},
      {"name", "a-name"},          {"identity", "ID 1"}, {"url", "https://h/x"},
      {"mediaType", "text/plain"}, {"duration", "77s"},  {"size", "77MiB"},
      {"moment", "2031-02-03"},    {"factor", "1.25"},   {"network", "10.20.0.0/16"}};
  if (setting.type.schema_name == "xs:boolean") return setting.default_text == "true" ? "false" : "true";
  if (setting.type.name == "certificate") return "MAMCAQE=";
  if (setting.type.name == "path") return "/etc/ca.pem";
  if (setting.type.schema_name.starts_with("integer")) return "9";
  if (const auto sample = samples.find(setting.type.schema_name); sample != samples.end())
    return sample->second;
  // An enum: its last value that may be written here.
  const std::string& expected = setting.type.expected;
  std::string value = expected.substr(expected.rfind(", ") + 2);
  if (value == setting.default_text) value = expected.substr(7, expected.find(", ") - 7);
  return value;
}

void append_sample(const Element& element, const std::string& indent, std::string& xml,
                   std::set<std::string>& names) {
  const std::string name = qualified(element.space, element.name);
  names.insert(name);
  xml += indent + "<" + name;
  if (element.name == "integrationAccount")
    xml += " xmlns='urn:signet:account:2026' xmlns:x='urn:signet:ext:2026'";
  std::string content;
  for (const Setting& setting : element.settings) {
    names.insert(setting.form == Form::Content ? name : qualified(setting.space, setting.name));
    if (setting.replaces_content) continue;
    if (setting.form == Form::Attribute)
      xml += " " + std::string(setting.name) + "='" + sample_value(setting) + "'";
    if (setting.form == Form::Content) content = sample_value(setting);
  }
  xml += ">" + content;
  for (const Setting& setting : element.settings)
    if (setting.form == Form::Element)
      xml += "\n" + indent + "  <" + std::string(setting.name) + ">" + sample_value(setting) + "</" +
             std::string(setting.name) + ">";
  for (const Element& child : element.children) {
    xml += "\n";
    append_sample(child, indent + "  ", xml, names);
  }
  xml += "</" + name + ">";
}

TEST(AccountSchema, IsWhatTheGrammarMakes) {
  expect_is(kSchema, account_schema());
  expect_is(kExtensionSchema, extension_schema());
}

TEST(AccountSchema, TheDocumentationHasEverySetting) {
  Result<std::string> text = read_text_file(kDocument);
  ASSERT_TRUE(text);
  const std::size_t begin = text->find(kBegin);
  const std::size_t end = text->find(kEnd);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const std::size_t from = begin + std::string_view(kBegin).size();
  expect_is(kDocument, text->substr(0, from) + "\n" + settings_reference() + text->substr(end));
}

TEST(AccountSchema, TheExamplesOfTheDocumentationAreAccounts) {
  const Result<std::string> text = read_text_file(kDocument);
  ASSERT_TRUE(text);
  int examples = 0;
  const std::string_view fence = "```xml\n";
  for (std::size_t at = text->find(fence); at != std::string::npos; at = text->find(fence, at + 1)) {
    const std::size_t begin = at + fence.size();
    std::string xml = text->substr(begin, text->find("```", begin) - begin);
    // Examples show the part that matters; what is around it stands here.
    if (xml.starts_with("<agreement ")) xml = "<agreements>" + xml + "</agreements>";
    if (!xml.starts_with("<integrationAccount"))
      xml = "<integrationAccount xmlns=\"urn:signet:account:2026\" xmlns:x=\"urn:signet:ext:2026\">" + xml +
            "</integrationAccount>";
    good_account(xml);
    expect_valid(xml);
    ++examples;
  }
  EXPECT_GE(examples, 3);
}

TEST(AccountSchema, AcceptsTheSamples) {
  for (const char* name : {"minimal.xml", "rollover.xml"}) expect_valid(read_data(name));
  expect_valid(write_account(Account{}));
}

TEST(AccountSchema, ParserWriterAndSchemaKnowEveryElementAndAttribute) {
  std::string xml;
  std::set<std::string> names;
  append_sample(root_element(), "", xml, names);
  EXPECT_GT(names.size(), 100U);

  const Account account = good_account(xml);
  const std::string written = write_account(account);
  EXPECT_EQ(good_account(written), account);
  expect_valid(xml);
  expect_valid(written);
  const std::string xsd = account_schema() + extension_schema();
  for (const std::string& name : names) {
    const std::string local = name.substr(name.find(':') + 1);
    EXPECT_NE(xsd.find("name=\"" + local + "\""), std::string::npos) << name;
    if (name != "x:file") {
      EXPECT_NE(written.find(local), std::string::npos) << name << " was not written";
    }
  }
}

TEST(AccountSchema, RefusesWhatTheParserRefuses) {
  const char* const refused[] = {
      "<needMDN>true</needMDN>",
      "<x:retry atempts='3'/>",
      "<x:retry attempts='0'/>",
      "<x:retry attempts='101'/>",
      "<x:retry factor='0.5'/>",
      "<x:retry firstInterval='5 minutes'/>",
      "<agreementType>as2</agreementType>",
      "<sendAgreement><mdnSettings><needMDN>yes</needMDN></mdnSettings></sendAgreement>",
      "<sendAgreement><x:limits/></sendAgreement>",
      "<sendAgreement><x:requireClientCertificate/></sendAgreement>",
      ("<sendAgreement><x:requireBasicAuthentication userName='u' keyVault='v' "
       "secretName='s'/></sendAgreement>"),
      "<sendAgreement><x:allowWeak algorithm='SHA1' reason='r'/></sendAgreement>",
      "<sendAgreement><x:allowWeak algorithm='MD5' reason='r' until='2030-01-01'/></sendAgreement>",
      "<sendAgreement><x:encryption contentCipher='AES256'/></sendAgreement>",
      "<sendAgreement><x:certificates role='encrypts'/></sendAgreement>",
      "<hostIdentity><qualifier>ZZ</qualifier></hostIdentity>",
  };
  for (const char* inside : refused) {
    const std::string xml = minimal_with(inside);
    std::string words;
    EXPECT_FALSE(xmllint_accepts(xml, words)) << inside;
    EXPECT_FALSE(parse_account(xml).account) << inside;
  }
}

}  // namespace
}  // namespace signet::agreements
