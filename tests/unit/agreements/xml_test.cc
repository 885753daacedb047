#include "agreements/xml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "agreements/xml_scan.h"
#include "tests/unit/agreements/account_fixture.h"

namespace signet::agreements {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

/// The one problem of a document that has one.
Problem only_problem(std::string_view xml, const ParseContext& context = {"account.xml", {}}) {
  const ParseOutcome outcome = parse_account(xml, context);
  EXPECT_FALSE(outcome.account);
  EXPECT_THAT(outcome.problems, SizeIs(1)) << to_string(outcome.problems);
  return outcome.problems.empty() ? Problem{} : outcome.problems.front();
}

// ---- What is accepted

TEST(AccountXml, AMinimalAgreementIsSafeByDefault) {
  const Account account = good_account(read_data("minimal.xml"));
  ASSERT_THAT(account.agreements, SizeIs(1));
  const Agreement& agreement = account.agreements.front();
  EXPECT_EQ(agreement.name, "acme-globex");
  EXPECT_EQ(agreement.connection.url, "https://globex.example/as2");
  for (const OneWayAgreement* direction : {&agreement.receive_agreement, &agreement.send_agreement}) {
    EXPECT_TRUE(direction->validation_settings.sign_message);
    EXPECT_TRUE(direction->validation_settings.encrypt_message);
    EXPECT_TRUE(direction->validation_settings.check_duplicate_message);
    EXPECT_TRUE(direction->mdn_settings.need_mdn);
    EXPECT_TRUE(direction->mdn_settings.sign_mdn);
    EXPECT_FALSE(direction->mdn_settings.send_mdn_asynchronously);
    EXPECT_EQ(direction->validation_settings.signing_algorithm, SigningAlgorithm::SHA2256);
    EXPECT_EQ(direction->security_settings.sha2_algorithm_format, Sha2AlgorithmFormat::ShaHyphenHashSize);
    EXPECT_EQ(content_cipher(*direction), Cipher::Aes256Cbc);
  }
}

TEST(AccountXml, AMinimalAgreementIsAboutTenLines) {
  const std::string xml = read_data("minimal.xml");
  const std::size_t begin = xml.find("<agreement ");
  const std::size_t end = xml.find("</agreement>");
  EXPECT_LE(std::count(xml.begin() + static_cast<std::ptrdiff_t>(begin),
                       xml.begin() + static_cast<std::ptrdiff_t>(end), '\n') +
                1,
            11);
}

TEST(AccountXml, ACanonicalDocumentComesBackOctetForOctet) {
  for (const char* name : {"minimal.xml", "rollover.xml"}) {
    const std::string xml = read_data(name);
    EXPECT_EQ(write_account(good_account(xml)), xml) << name;
  }
}

TEST(AccountXml, WhatIsWrittenIsReadAsTheSame) {
  Account account = good_account(read_data("rollover.xml"));
  Agreement& agreement = account.agreements.front();
  agreement.receive_agreement.mdn_settings.mdn_text = "Thanks!\r\nLine two \t<&> \xC3\xA4\n";
  agreement.metadata = {{"a \"quoted\" & <odd> name", "  kept \n as it is "}, {"empty", ""}};
  agreement.connection.connect_timeout = std::chrono::milliseconds(90'061);
  agreement.receive_agreement.limits.max_message_size = 1'048'577;
  agreement.retry.factor = 1.125;
  agreement.receive_agreement.required_basic_authentication = {"guest", "kv1", "guest-password"};
  agreement.receive_agreement.required_client_certificate
      .emplace();  // demands what nobody can show, and is not nothing
  account.certificates[0].public_certificate.assign(200, 7);
  account.certificates[0].public_certificate[0] = 0x30;
  account.certificates[0].public_certificate[1] = 0x81;
  account.certificates[0].public_certificate[2] = 197;
  const std::string xml = write_account(account);
  EXPECT_EQ(good_account(xml), account) << xml;
  EXPECT_EQ(write_account(good_account(xml)), xml);
}

TEST(AccountXml, AnEmptyAccountIsAnAccount) {
  EXPECT_EQ(good_account(write_account(Account{})), Account{});
  EXPECT_EQ(good_account("<integrationAccount xmlns='urn:signet:account:2026'/>"), Account{});
}

TEST(AccountXml, PrefixesAreFreeToChoose) {
  const std::string renamed =
      "<a:integrationAccount xmlns:a='urn:signet:account:2026'><a:agreements><a:agreement name='n'>"
      "<a:hostPartner>A</a:hostPartner><a:guestPartner>B</a:guestPartner>"
      "<connection xmlns='urn:signet:ext:2026' url='http://h/'><x:tlsTrust "
      "xmlns:x='urn:signet:ext:2026'/></connection>"
      "</a:agreement></a:agreements></a:integrationAccount>";
  EXPECT_EQ(good_account(renamed).agreements.at(0).connection.url, "http://h/");
}

TEST(AccountXml, CommentsCdataReferencesWhiteSpaceAndOrderDoNotMatter) {
  const std::string xml =
      "\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8'?>\r\n<!-- a <b> & c -->"
      "<integrationAccount xmlns='urn:signet:account:2026' "
      "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'"
      " xsi:schemaLocation='urn:signet:account:2026 signet-account-2026.xsd'>"
      "<agreements><agreement name='n'><guestPartner><![CDATA[B]]></guestPartner><!-- x -->"
      "<hostPartner>\n  &#65;<!-- in the middle -->cme\n</hostPartner></agreement></agreements>"
      "<partners><partner name='B'/></partners></integrationAccount>";
  const Account account = good_account(xml);
  EXPECT_EQ(account.agreements.at(0).host_partner, "Acme");
  EXPECT_EQ(account.agreements.at(0).guest_partner, "B");
}

TEST(AccountXml, CertificatesComeAsBase64PemOrFile) {
  const Result<Bytes> der = read_file(data_file("globex.der"));
  ASSERT_TRUE(der);
  const std::string pem = read_data("globex.pem");
  const auto account = [](const std::string& element) {
    return "<integrationAccount xmlns='urn:signet:account:2026' xmlns:y='urn:signet:ext:2026'><certificates>"
           "<certificate name='c'>" +
           element + "</certificate></certificates></integrationAccount>";
  };
  const ParseContext here{"account.xml", SIGNET_SOURCE_DIR "/tests/unit/agreements/data"};
  for (const std::string& element :
       {"<publicCertificate>" + pem + "</publicCertificate>",
        "<publicCertificate>\n" + base64_lines(*der) + "</publicCertificate>",
        std::string("<publicCertificate y:file='globex.pem'/>"),
        std::string("<publicCertificate y:file='globex.der'/>"),
        std::string("<publicCertificate y:file='./x/../globex.der'></publicCertificate>")}) {
    const ParseOutcome outcome = parse_account(account(element), here);
    ASSERT_TRUE(outcome.account) << to_string(outcome.problems);
    EXPECT_EQ(outcome.account->certificates.at(0).public_certificate, *der);
  }
  const struct {
    const char* element;
    const char* found;
  } refused[] = {
      {"<publicCertificate y:file='none.pem'/>", "cannot be read"},
      {"<publicCertificate y:file='account.xml'>MAMCAQE=</publicCertificate>", "cannot be read"},
      {"<publicCertificate>MAMCAQ==</publicCertificate>", "not one whole DER"},
      {"<publicCertificate>MAMCAQEA</publicCertificate>", "not one whole DER"},
      {"<publicCertificate>!!</publicCertificate>", "neither base64 nor PEM"},
      {"<publicCertificate> </publicCertificate>", "none"},
      {"<publicCertificate/>", "none"},
      {"", "none"},
      {"<publicCertificate>-----BEGIN PRIVATE KEY-----</publicCertificate>", "no certificate"},
  };
  for (const auto& [element, found] : refused) {
    const ParseOutcome outcome = parse_account(account(element), here);
    EXPECT_FALSE(outcome.account) << element;
    ASSERT_FALSE(outcome.problems.empty()) << element;
    EXPECT_THAT(outcome.problems[0].found, HasSubstr(found)) << element;
  }
  EXPECT_THAT(only_problem(account("<publicCertificate>" + pem + pem + "</publicCertificate>")).found,
              HasSubstr("more than one"));
  EXPECT_THAT(
      only_problem(account("<publicCertificate>-----BEGIN PRIVATE KEY-----\n" + pem + "</publicCertificate>"))
          .found,
      HasSubstr("private key"));
  EXPECT_THAT(
      only_problem(account("<publicCertificate y:file='globex.pem'>MAMCAQE=</publicCertificate>"), here)
          .found,
      "both");
  EXPECT_THAT(only_problem(account("<publicCertificate y:file='globex.pem'/>")).found, HasSubstr("no file"));
}

TEST(AccountXml, AFileIsReadWithItsDirectoryAsBase) {
  const Result<ParseOutcome> outcome = parse_account_file(data_file("minimal.xml"));
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->account);
  EXPECT_FALSE(parse_account_file(data_file("no-such.xml")));
}

// ---- What is refused, and how it is told

TEST(AccountXml, AnUnknownElementIsAnErrorThatNamesTheNearestOneAndItsPlace) {
  const Problem problem = only_problem(
      with(read_data("minimal.xml"), "<guestPartner>Globex</guestPartner>",
           "<guestPartner>Globex</guestPartner><hostIdentitty><value>A</value></hostIdentitty>"));
  EXPECT_EQ(problem.file, "account.xml");
  EXPECT_EQ(problem.line, 34U);
  EXPECT_EQ(problem.column, 43U);
  EXPECT_EQ(problem.path, "agreement[acme-globex]");
  EXPECT_EQ(problem.found, "<hostIdentitty>");
  EXPECT_THAT(problem.advice, HasSubstr("hostIdentity"));
}

TEST(AccountXml, EveryProblemIsReportedAtOnce) {
  const std::string xml = minimal_with(
      "<sendAgreement>\n<mdnSettings><needMDN>yes</needMDN><needMdn>true</needMdn></mdnSettings>\n"
      "<validationSettings><encryptionAlgorithm>AES265</encryptionAlgorithm></validationSettings>\n"
      "<x:retry atempts='3'/><x:certificates role='decrypt'/></sendAgreement>");
  const ParseOutcome outcome = parse_account(xml, {"a.xml", {}});
  ASSERT_THAT(outcome.problems, SizeIs(5)) << to_string(outcome.problems);
  EXPECT_EQ(to_string(outcome.problems[0]),
            "a.xml:42:15: error: agreement[acme-globex]/sendAgreement/mdnSettings/needMDN: expected true or "
            "false, found "
            "'yes'.");
  EXPECT_THAT(outcome.problems[1].advice, HasSubstr("'needMDN'"));
  EXPECT_EQ(outcome.problems[2].advice, "Did you mean 'AES256'?");
  EXPECT_THAT(outcome.problems[3].advice, HasSubstr("belongs in agreement"));
  EXPECT_EQ(outcome.problems[4].expected, "one of signMessage, encrypt, verifyMdn");
}

TEST(AccountXml, ASettingInTheWrongPlaceOrNamespaceIsToldItsOwn) {
  EXPECT_THAT(only_problem(minimal_with("<needMDN>true</needMDN>")).advice, HasSubstr("mdnSettings"));
  EXPECT_THAT(only_problem(minimal_with("<retry/>")).advice, HasSubstr("x:retry"));
  EXPECT_THAT(only_problem(minimal_with("<x:metadata/>")).advice, HasSubstr("without a prefix"));
  EXPECT_THAT(only_problem(minimal_with("<y:retry/>")).advice, HasSubstr("prefix"));
  EXPECT_THAT(only_problem(minimal_with("<retry xmlns='urn:other'/>")).found, HasSubstr("urn:other"));
  EXPECT_EQ(
      only_problem(with(read_data("minimal.xml"), "<securitySettings>", "<x:packaging/><securitySettings>"))
          .advice,
      "It belongs in sendAgreement.");
}

TEST(AccountXml, AttributesAreCheckedLikeElements) {
  EXPECT_THAT(only_problem(minimal_with("<x:retry attempts='0'/>")).expected, HasSubstr("1 to 100"));
  EXPECT_THAT(only_problem(minimal_with("<x:retry x:attempts='3'/>")).found, HasSubstr("x:attempts"));
  EXPECT_THAT(only_problem(minimal_with("<x:retry xml:lang='en'/>")).found, HasSubstr("xml:lang"));
  EXPECT_THAT(only_problem(minimal_with("<agreementType of='x'>AS2</agreementType>")).expected,
              "no attributes");
  const Problem duplicate = only_problem(minimal_with("<x:retry attempts='3'\n attempts='4'/>"));
  EXPECT_EQ(duplicate.found, "a second one");
  EXPECT_EQ(duplicate.line, 42U);
  EXPECT_EQ(duplicate.column, 2U);
}

TEST(AccountXml, ValuesOutOfTheirRangeAreRefused) {
  const char* const refused[] = {
      "<x:retry factor='0.9'/>",
      "<x:retry factor='10.001'/>",
      "<x:retry factor='1e3'/>",
      "<x:retry factor='2.'/>",
      "<x:retry firstInterval='0s'/>",
      "<x:retry firstInterval='5'/>",
      "<x:retry firstInterval='99999999999d'/>",
      "<x:retry firstInterval='-5s'/>",
      "<agreementType/>",
      "<agreementType>as2</agreementType>",
      "<hostIdentity><qualifier>ZZ</qualifier></hostIdentity>",
      "<hostIdentity><value>\xC3\xA4</value></hostIdentity>",
      "<hostIdentity><value></value></hostIdentity>",
      "<sendAgreement><validationSettings><interchangeDuplicatesValidityDays>0</"
      "interchangeDuplicatesValidityDays>"
      "</validationSettings></sendAgreement>",
      "<sendAgreement><mdnSettings><receiptDeliveryUrl>ftp://h/</receiptDeliveryUrl></mdnSettings></"
      "sendAgreement>",
      "<sendAgreement><mdnSettings><receiptDeliveryUrl>https://u:p@h/</receiptDeliveryUrl></mdnSettings></"
      "sendAgreement>",
      "<sendAgreement><mdnSettings><receiptDeliveryUrl>https://</receiptDeliveryUrl></mdnSettings></"
      "sendAgreement>",
      "<sendAgreement><mdnSettings><dispositionNotificationTo>a&#10;Evil: "
      "b</dispositionNotificationTo></mdnSettings>"
      "</sendAgreement>",
      "<sendAgreement><envelopeSettings><messageContentType>edi</messageContentType></envelopeSettings></"
      "sendAgreement>",
      "<sendAgreement><envelopeSettings><messageContentType>a/b&#13;c</messageContentType></"
      "envelopeSettings></sendAgreement>",
      "<sendAgreement><securitySettings><signingCertificateName>../x</signingCertificateName></"
      "securitySettings></sendAgreement>",
      "<sendAgreement><x:allowWeak algorithm='MD5' reason='r' until='2030-01-01'/></sendAgreement>",
      "<sendAgreement><x:allowWeak algorithm='SHA1' reason='' until='2030-01-01'/></sendAgreement>",
      "<sendAgreement><x:allowWeak algorithm='SHA1' reason='r' until='soon'/></sendAgreement>",
      "<sendAgreement><x:allowWeak algorithm='SHA1' until='2030-01-01'/></sendAgreement>",
      "<receiveAgreement2/>",
      "some text",
  };
  for (const char* inside : refused) {
    const ParseOutcome outcome = parse_account(minimal_with(inside));
    EXPECT_FALSE(outcome.account) << inside;
    EXPECT_THAT(outcome.problems, SizeIs(1)) << inside << "\n" << to_string(outcome.problems);
  }
}

TEST(AccountXml, AReceiptsWayThatIsNoUrlOrNoNetworkIsRefused) {
  const auto policy = [](const std::string& inside) {
    return parse_account(with(read_data("minimal.xml"), "<receiveAgreement>",
                              "<receiveAgreement><x:receiptPolicy>" + inside + "</x:receiptPolicy>"));
  };
  EXPECT_TRUE(policy("<x:allowUrl url='https://h/mdn'/><x:allowNetwork network='10.0.0.0/8'/>").account);
  for (const char* inside : {"<x:allowUrl url='ftp://h/'/>", "<x:allowNetwork network='10.0.0.1/8'/>",
                             "<x:allowNetwork network='partner.example'/>"})
    EXPECT_THAT(policy(inside).problems, SizeIs(1)) << inside;
}

TEST(AccountXml, ASecondValueOrEntryOfTheSameNameIsRefused) {
  EXPECT_THAT(only_problem(minimal_with("<hostPartner>Acme</hostPartner>")).found, "a second one");
  EXPECT_THAT(only_problem(minimal_with("<receiveAgreement/>")).found, "a second one");
  const std::string xml = read_data("minimal.xml");
  EXPECT_THAT(only_problem(with(xml, "<partner name=\"Globex\">", "<partner name=\"Acme\">")).found,
              HasSubstr("'Acme'"));
  EXPECT_THAT(only_problem(with(xml, "<agreements>", "<partners/><agreements>")).found, "a second one");
}

TEST(AccountXml, WhatIsRequiredIsMissed) {
  const std::string xml = read_data("minimal.xml");
  EXPECT_EQ(only_problem(with(xml, "<hostPartner>Acme</hostPartner>", "")).expected, "<hostPartner>");
  EXPECT_THAT(only_problem(with(xml, "<agreement name=\"acme-globex\">", "<agreement>")).expected,
              HasSubstr("name"));
  EXPECT_EQ(only_problem(with(xml, "<publicCertificate>MAMCAQI=</publicCertificate>", "")).expected,
            "<publicCertificate>");
}

TEST(AccountXml, OnlyAnIntegrationAccountInItsNamespaceIsOne) {
  EXPECT_THAT(only_problem("<integrationAccount/>").expected, HasSubstr("urn:signet:account:2026"));
  EXPECT_THAT(only_problem("<account xmlns='urn:signet:account:2026'/>").found, HasSubstr("<account>"));
  EXPECT_THAT(only_problem("<x:integrationAccount/>").found, HasSubstr("x:integrationAccount"));
  EXPECT_THAT(only_problem("<x:integrationAccount xmlns:x=''/>").found, HasSubstr("x:integrationAccount"));
}

TEST(AccountXml, DocumentTypesInstructionsAndEntitiesAreRefused) {
  const std::string root = "<integrationAccount xmlns='urn:signet:account:2026'>&x;</integrationAccount>";
  EXPECT_EQ(only_problem("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>" + root).found,
            "'<!DOCTYPE'");
  EXPECT_EQ(only_problem("<?xml version='1.0'?>\n <!DOCTYPE a>" + root).column, 2U);
  EXPECT_EQ(only_problem(root).found, "'&x;'");
  EXPECT_EQ(only_problem("<?php echo 1 ?>" + root).expected, "no processing instruction");
  EXPECT_THAT(only_problem("<a>&#0;</a>").found, HasSubstr("&#0;"));
  EXPECT_THAT(only_problem("<a>&#xD800;</a>").found, HasSubstr("&#xD800;"));
  EXPECT_THAT(only_problem("<a b='&nbsp;'/>").found, HasSubstr("&nbsp;"));
  EXPECT_THAT(only_problem("<a>a & b</a>").advice, HasSubstr("&amp;"));
}

TEST(AccountXml, OnlyUtf8IsRead) {
  EXPECT_EQ(only_problem("<?xml version='1.0' encoding='ISO-8859-1'?><a/>").found, "'ISO-8859-1'");
  EXPECT_THAT(only_problem(std::string_view("<\0a\0/\0>\0", 8)).found, HasSubstr("UTF-16"));
  const struct {
    std::string_view octets;
    const char* what;
  } broken[] = {
      {"\x80", "a continuation first"},
      {"\xC3", "cut off"},
      {"\xC0\xAF", "overlong, two"},
      {"\xE0\x80\xAF", "overlong, three"},
      {"\xF0\x80\x80\xAF", "overlong, four"},
      {"\xED\xA0\x80", "a surrogate"},
      {"\xF4\x90\x80\x80", "too large"},
      {"\xF8\x88\x80\x80\x80", "five octets"},
      {"\xFF", "never valid"},
      {"\xC3(", "no continuation"},
      {"\x01", "a control character"},
      {"\xEF\xBF\xBF", "a non-character"},
      {std::string_view("x\0y", 3), "NUL"},
  };
  for (const auto& [octets, what] : broken) {
    const Problem problem = only_problem("<abc>\n<!-- \xC3\xA4 " + std::string(octets) + " --></abc>");
    EXPECT_EQ(problem.line, 2U) << what;
    EXPECT_EQ(problem.column, octets.front() == 'x' ? 9U : 8U) << what;
  }
}

TEST(AccountXml, MalformedXmlIsAnErrorWithAPlace) {
  for (const char* xml : {"",
                          " ",
                          "text",
                          "<a",
                          "<a>",
                          "<a></b>",
                          "</a>",
                          "<a/><b/>",
                          "<a b='<'/>",
                          "<a b=c/>",
                          "<a b='1/>",
                          "<a><!-- -- --></a>",
                          "<!--",
                          "<a><![CDATA[</a>",
                          "<![CDATA[]]>",
                          "<?xml version='1.0'",
                          "<a/>text",
                          "<>",
                          "<a><b></a></b>",
                          "<!",
                          "<",
                          "<a/>&amp;"}) {
    const Problem problem = only_problem(xml);
    EXPECT_NE(problem.line, 0U) << xml;
    EXPECT_FALSE(problem.expected.empty()) << xml;
  }
}

TEST(AccountXml, SizeDepthAndNumberAreBounded) {
  EXPECT_THAT(only_problem(std::string(kMaxXmlSize + 1, ' ')).expected, HasSubstr("64 MiB"));
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  EXPECT_THAT(only_problem(deep).expected, HasSubstr("64 elements"));
  std::string deepest;
  for (std::size_t i = 0; i < kMaxXmlDepth; ++i) deepest += "<a>";
  for (std::size_t i = 0; i < kMaxXmlDepth; ++i) deepest += "</a>";
  EXPECT_FALSE(scan_xml(deepest));
  std::string many = "<a>";
  for (std::size_t i = 0; i < kMaxXmlItems; ++i) many += "<b/>";
  EXPECT_THAT(only_problem(many + "</a>").expected, HasSubstr("elements and attributes"));
}

TEST(AccountXml, GivesUpAfterAThousandProblems) {
  std::string inside;
  for (int i = 0; i < 200'000; ++i) inside += "<bad/>";
  const ParseOutcome outcome = parse_account(minimal_with(inside));
  EXPECT_FALSE(outcome.account);
  ASSERT_THAT(outcome.problems, SizeIs(kMaxProblems + 1));
  EXPECT_EQ(outcome.problems.back().found, "more, and the rest was not looked at");
}

TEST(AccountXml, TooManyNamespaceDeclarationsAreRefusedNotSearched) {
  std::string declarations;
  for (int i = 0; i < 100; ++i) declarations += " xmlns:n" + std::to_string(i) + "='urn:n'";
  EXPECT_THAT(only_problem(minimal_with("<x:retry" + declarations + "/>")).expected, HasSubstr("16 at most"));
}

TEST(AccountXml, PositionsTellWhereASettingStandsOrWhatIsAroundIt) {
  const ParseOutcome outcome = parse_account(read_data("minimal.xml"), {"account.xml", {}});
  const Position url = outcome.positions.find("agreement[acme-globex]/x:connection/@url");
  EXPECT_EQ(url.line, 41U);
  EXPECT_EQ(url.column, 21U);
  EXPECT_EQ(outcome.positions.find("agreement[acme-globex]/sendAgreement/mdnSettings/needMDN").line, 32U);
  EXPECT_EQ(outcome.positions.find("agreement[other]/hostPartner").line, 0U);
}

}  // namespace
}  // namespace signet::agreements
