#include "agreements/lint.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/unit/agreements/account_fixture.h"

namespace signet::agreements {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Time day(const char* text) { return parse_time(text).value_or(Time{}); }
const Time kNow = day("2026-11-21");

/// Certificates as a test wants them: good from 2020 to 2040.
class FakeFacts final : public CertificateFacts {
 public:
  std::optional<CertificateFact> find(const CertificateEntry& entry, std::string& why_not) const override {
    if (broken.count(entry.name) != 0) {
      why_not = "octets that do not parse";
      return std::nullopt;
    }
    CertificateFact fact{day("2020-01-01"), day("2040-01-01"), "RSA 2048", "", entry.name};
    if (const auto changed = changes.find(entry.name); changed != changes.end()) changed->second(fact);
    return fact;
  }
  std::string objection(const CertificateEntry& entry, CertificatePurpose purpose) const override {
    const auto found = objections.find(entry.name);
    return found != objections.end() && found->second == purpose ? "keyUsage does not have it" : "";
  }

  RevocationFact revocation_of(const CertificateEntry& entry) const override {
    const auto found = revocations.find(entry.name);
    return found == revocations.end() ? RevocationFact() : found->second;
  }

  std::map<std::string, RevocationFact> revocations;
  std::map<std::string, int> broken;
  std::map<std::string, void (*)(CertificateFact&)> changes;
  std::map<std::string, CertificatePurpose> objections;
};

std::vector<Problem> lint_xml(const std::string& xml, const FakeFacts& facts = {}, Time now = kNow,
                              const VaultFacts* vaults = nullptr) {
  const ParseOutcome outcome = parse_account(xml, {"account.xml", {}});
  EXPECT_TRUE(outcome.account) << to_string(outcome.problems);
  return outcome.account ? lint(*outcome.account, facts, now, outcome.positions, vaults)
                         : std::vector<Problem>{};
}

std::vector<Problem> lint_minimal(const FakeFacts& facts, Time now = kNow) {
  return lint_xml(read_data("minimal.xml"), facts, now);
}

auto problem(Severity severity, const std::string& path, const std::string& expected,
             const std::string& found) {
  return Contains(AllOf(Field(&Problem::severity, severity),
                        Field(&Problem::path, "agreement[acme-globex]" + path),
                        Field(&Problem::expected, HasSubstr(expected)),
                        Field(&Problem::found, HasSubstr(found)), Field(&Problem::file, "account.xml"),
                        Field(&Problem::line, testing::Gt(0U)), Field(&Problem::advice, Not(IsEmpty()))));
}
auto error(const std::string& path, const std::string& expected, const std::string& found) {
  return problem(Severity::Error, path, expected, found);
}
auto warning(const std::string& path, const std::string& expected, const std::string& found) {
  return problem(Severity::Warning, path, expected, found);
}

// Which one counts should not have to be guessed.
TEST(Lint, RefusesAnIdentityThatBothDirectionsContradict) {
  const ParseOutcome outcome = parse_account(read_data("minimal.xml"), {"account.xml", {}});
  Account account = *outcome.account;
  Agreement& agreement = account.agreements[0];
  const std::vector<BusinessIdentity> known = account.partners[1].business_identities;
  ASSERT_FALSE(known.empty());
  account.partners[1].business_identities.push_back({std::string(kAs2Qualifier), "GLOBEX-TEST"});
  agreement.guest_identity = BusinessIdentity{std::string(kAs2Qualifier), "GLOBEX-TEST"};
  agreement.receive_agreement.sender_business_identity = known.front();
  const auto problems = [&] { return lint(account, FakeFacts{}, kNow, outcome.positions, nullptr); };
  EXPECT_THAT(to_string(problems()), Not(HasSubstr("guestIdentity"))) << "it counts for what is sent";
  agreement.send_agreement.receiver_business_identity = known.front();
  EXPECT_THAT(problems(), Contains(AllOf(Field(&Problem::severity, Severity::Error),
                                         Field(&Problem::path, "agreement[acme-globex]/guestIdentity"),
                                         Field(&Problem::expected, HasSubstr(known.front().value)),
                                         Field(&Problem::found, "'GLOBEX-TEST'"))));
  agreement.guest_identity = known.front();
  EXPECT_THAT(to_string(problems()), Not(HasSubstr("guestIdentity")));
}

TEST(Lint, FindsNothingInTheSamples) {
  EXPECT_THAT(to_string(lint_minimal({})), "");
  EXPECT_THAT(to_string(lint_xml(read_data("rollover.xml"))), "");
}

TEST(Lint, ReportsNamesThatDoNotResolveWithTheirPlace) {
  const std::string xml = read_data("minimal.xml");
  const auto problems = lint_xml(
      with(with(xml, "<guestPartner>Globex", "<guestPartner>Glbex"), ">globex</sign", ">none</sign"));
  EXPECT_THAT(problems, error("/guestPartner", "name of a partner", "'Glbex'"));
  EXPECT_THAT(problems, error("/receiveAgreement/securitySettings/signingCertificateName",
                              "name of a certificate", "'none'"));
  EXPECT_EQ(problems[0].line, 34U);
  EXPECT_EQ(problems[0].column, 8U);
}

TEST(Lint, ReportsIdentitiesThatCannotBeChosen) {
  const std::string xml = read_data("minimal.xml");
  EXPECT_THAT(lint_xml(with(xml, "<value>GLOBEX</value>", "<qualifier>ZZ</qualifier><value>GLOBEX</value>")),
              error("/guestIdentity", "exactly one AS2Identity", "none"));
  EXPECT_THAT(lint_xml(minimal_with("<hostIdentity><value>OTHER</value></hostIdentity>")),
              error("/hostIdentity", "identity of the partner 'Acme'", "'OTHER'"));
  EXPECT_THAT(lint_xml(with(xml, "<guestPartner>Globex", "<guestPartner>Acme")),
              error("/guestPartner", "another partner", "'Acme'"));
}

TEST(Lint, ReportsTwoPartnersWithOneIdentity) {
  const auto problems =
      lint_xml(with(read_data("minimal.xml"), "<value>GLOBEX</value>", "<value>ACME</value>"));
  EXPECT_THAT(
      problems,
      Contains(AllOf(
          Field(&Problem::path, "partner[Globex]/businessIdentities/businessIdentity[1]"),
          Field(&Problem::found,
                HasSubstr("partner[Acme]/businessIdentities/businessIdentity[1] has as well, at line 6")))));
  EXPECT_THAT(problems, warning("", "different AS2 names", "'ACME' for both"));
}

TEST(Lint, ReportsTwoAgreementsForTheSameNamesAndFolder) {
  const std::string xml = read_data("minimal.xml");
  const std::size_t begin = xml.find("    <agreement ");
  const std::size_t end = xml.find("  </agreements>");
  std::string twice = xml;
  twice.insert(end, with(xml.substr(begin, end - begin), "acme-globex", "again"));
  const auto problems = lint_xml(twice);
  EXPECT_THAT(problems,
              Contains(AllOf(Field(&Problem::path, "agreement[again]"), Field(&Problem::line, 43U),
                             Field(&Problem::found, HasSubstr("agreement[acme-globex], at line 32")))));
  const std::string shared =
      with(twice, "<receiveAgreement>\n        <sec", "<receiveAgreement><x:delivery folder='./again'/><sec");
  EXPECT_THAT(lint_xml(shared),
              Contains(AllOf(Field(&Problem::path, "agreement[again]/receiveAgreement/x:delivery/@folder"),
                             Field(&Problem::severity, Severity::Warning))));
}

TEST(Lint, ReportsWebhooksThatCannotWork) {
  const auto webhook = [](const std::string& url, const std::string& delivery = "") {
    return lint_xml(with(read_data("minimal.xml"), "<securitySettings>",
                         "<x:delivery" + delivery + "><x:webhook url='" + url +
                             "' keyVault='main' secretName='hook'/></x:delivery><securitySettings>"));
  };
  EXPECT_THAT(webhook("https://erp.acme.example/as2"), IsEmpty());
  for (const char* here : {"http://127.0.0.1:8080/as2", "http://LocalHost/as2", "http://localhost:8080",
                           "http://127.9.9.9?a=b", "http://[::1]:8080/as2"})
    EXPECT_THAT(webhook(here), IsEmpty()) << here;
  for (const char* elsewhere :
       {"http://erp.acme.example/as2", "http://localhost.evil.example/as2", "http://127.evil.example/as2",
        "http://127.0.0.1.evil.example:80/as2", "http://[::2]/as2", "http://10.0.0.1/localhost",
        "http://erp.acme.example:127/localhost"})
    EXPECT_THAT(webhook(elsewhere),
                warning("/receiveAgreement/x:delivery/x:webhook/@url", "https, or this machine", elsewhere));
  EXPECT_THAT(webhook("https://erp.acme.example/as2", " folder='in'"),
              error("/receiveAgreement/x:delivery/@folder", "none beside", "'in'"));
}

TEST(Lint, ReportsPickUpFoldersThatCannotWork) {
  const auto pickup = [](const std::string& element, std::string_view delivery = "") {
    return lint_xml(with(minimal_with("<sendAgreement>" + element + "</sendAgreement>"), "<securitySettings>",
                         std::string(delivery) + "<securitySettings>"));
  };
  EXPECT_THAT(pickup("<x:pickup/>"), IsEmpty());
  EXPECT_THAT(pickup("<x:pickup folder='/srv/out/globex'/>", "<x:delivery folder='/srv/in/globex'/>"),
              IsEmpty());
  EXPECT_THAT(pickup("<x:pickup folder='a/../b'/>"),
              error("/sendAgreement/x:pickup/@folder", "without", "a/../b"));
  EXPECT_THAT(pickup("<x:pickup folder='/srv/edi/'/>", "<x:delivery folder='/srv/edi'/>"),
              error("/sendAgreement/x:pickup/@folder", "different folders", "'/srv/edi' for both"));
  EXPECT_THAT(lint_xml(with(minimal_with("<sendAgreement><x:pickup/></sendAgreement>"),
                            " url=\"https://globex.example/as2\"", "")),
              error("/sendAgreement/x:pickup", "<x:connection url", "none"));
}

TEST(Lint, ReportsTwoAgreementsThatPickUpFromOneFolder) {
  const std::string xml = minimal_with("<sendAgreement><x:pickup folder='out'/></sendAgreement>");
  const std::size_t begin = xml.find("    <agreement ");
  const std::size_t end = xml.find("  </agreements>");
  std::string twice = xml;
  twice.insert(end, with(xml.substr(begin, end - begin), "acme-globex", "again"));
  EXPECT_THAT(lint_xml(twice),
              Contains(AllOf(Field(&Problem::path, "agreement[again]/sendAgreement/x:pickup/@folder"),
                             Field(&Problem::severity, Severity::Error))));
}

TEST(Lint, ReportsCertificatesThatAreExpiredNearlyOrNotYetValid) {
  FakeFacts facts;
  facts.changes["globex"] = [](CertificateFact& fact) { fact.not_after = day("2026-11-20"); };
  auto problems = lint_minimal(facts);
  EXPECT_THAT(problems, error("/receiveAgreement/securitySettings/signingCertificateName",
                              "valid certificate", "expired on 2026-11-20"));
  EXPECT_THAT(problems, error("/sendAgreement/securitySettings/encryptionCertificateName",
                              "valid certificate", "expired"));
  facts.changes["globex"] = [](CertificateFact& fact) { fact.not_after = day("2026-12-20"); };
  problems = lint_minimal(facts);
  ASSERT_EQ(problems.size(), 1U) << to_string(problems);
  EXPECT_EQ(problems[0].severity, Severity::Warning);
  EXPECT_EQ(problems[0].path, "certificate[globex]");
  EXPECT_THAT(problems[0].found, HasSubstr("expires on 2026-12-20"));
  facts.changes["globex"] = [](CertificateFact& fact) { fact.not_after = day("2026-12-21"); };
  EXPECT_THAT(lint_minimal(facts), IsEmpty());
  facts.changes["globex"] = [](CertificateFact& fact) { fact.not_before = day("2026-12-21"); };
  EXPECT_THAT(lint_minimal(facts), error("/receiveAgreement/securitySettings/signingCertificateName", "valid",
                                         "not valid before"));
}

TEST(Lint, ReportsCertificatesWithoutKeyWeakKeyOrSense) {
  const std::string xml = read_data("minimal.xml");
  const std::string key =
      "<key>\n        <keyVault>main</keyVault>\n        <keyName>acme</keyName>\n      </key>";
  EXPECT_THAT(lint_xml(with(xml, key, "")),
              error("/receiveAgreement/securitySettings/encryptionCertificateName", "private certificate",
                    "has no key"));
  EXPECT_THAT(
      lint_xml(with(xml, ">globex</sign", ">acme</sign")),
      warning("/receiveAgreement/securitySettings/signingCertificateName", "of the guest's", "'acme'"));
  FakeFacts facts;
  facts.changes["acme"] = [](CertificateFact& fact) { fact.key_weakness = "fewer than 2048 bits"; };
  EXPECT_THAT(lint_minimal(facts), Contains(Field(&Problem::found, HasSubstr("fewer than 2048 bits"))));
  facts.changes["acme"] = [](CertificateFact& fact) { fact.fingerprint = "globex"; };
  EXPECT_THAT(lint_minimal(facts), Contains(Field(&Problem::found, HasSubstr("same as 'acme'"))));
  facts.changes.clear();
  facts.objections["globex"] = CertificatePurpose::Encrypt;
  EXPECT_THAT(lint_minimal(facts),
              warning("/sendAgreement/securitySettings/encryptionCertificateName", "to encrypt", "keyUsage"));
  facts.broken["globex"] = 1;
  EXPECT_THAT(lint_minimal(facts), Contains(Field(&Problem::found, "octets that do not parse")));
}

TEST(Lint, ReportsRolesThatNobodyFills) {
  const std::string xml = read_data("minimal.xml");
  const std::string guest = "<signingCertificateName>globex</signingCertificateName>";
  const auto problems = lint_xml(with(xml, guest, ""));
  EXPECT_THAT(problems, error("/receiveAgreement/securitySettings/signingCertificateName",
                              "verify the guest's messages", "none"));
  EXPECT_THAT(problems, error("/sendAgreement/securitySettings/encryptionCertificateName",
                              "encrypt our messages", "none"));
  EXPECT_THAT(problems,
              error("/sendAgreement/x:certificates[verifyMdn]", "verify the guest's receipts", "none"));
  // A guest that we send nothing to needs no certificate to encrypt for.
  EXPECT_EQ(lint_xml(with(with(xml, guest, ""), " url=\"https://globex.example/as2\"", "")).size(), 1U);
}

TEST(Lint, ReportsRolloverThatLeavesAGap) {
  const std::string xml = read_data("rollover.xml");
  EXPECT_THAT(
      lint_xml(with(xml, "activeUntil=\"2026-12-15T12:00:00Z\"", "activeUntil=\"2026-11-01\"")),
      error("/sendAgreement/securitySettings/encryptionCertificateName", "active now", "2 whose time"));
  EXPECT_THAT(lint_xml(with(xml, "<x:certificate name=\"globex-2027\" activeFrom=\"2026-12-01\"/>", "")),
              error("/receiveAgreement/x:certificates[verifyMessage]", "at least one", "none"));
  EXPECT_THAT(
      lint_xml(with(xml, "activeFrom=\"2026-12-01\"", "activeFrom='2026-12-01' activeUntil='2026-12-01'")),
      error("/receiveAgreement/x:certificates[verifyMessage]/x:certificate[globex-2027]", "after activeFrom",
            "2026-12-01"));
  // Old certificates that are no longer the newest may be expired, those that would be used may not.
  FakeFacts facts;
  facts.changes["globex-2026"] = [](CertificateFact& fact) { fact.not_after = day("2026-12-02"); };
  EXPECT_FALSE(has_errors(lint_xml(xml, facts, day("2026-12-09"))));
  EXPECT_TRUE(has_errors(lint_xml(xml, facts, day("2026-12-03"))));
}

TEST(Lint, ReportsReceiptsThatContradictThemselves) {
  const auto mdn = [](const std::string& send) {
    return lint_xml(minimal_with("<sendAgreement><mdnSettings>" + send + "</mdnSettings></sendAgreement>"));
  };
  EXPECT_THAT(mdn("<needMDN>false</needMDN>"),
              warning("/sendAgreement/mdnSettings/needMDN", "since signMDN is", "false"));
  EXPECT_THAT(mdn("<needMDN>false</needMDN><signMDN>false</signMDN>"), IsEmpty());
  EXPECT_THAT(mdn("<signMDN>false</signMDN>"),
              warning("/sendAgreement/mdnSettings/signMDN", "true", "false"));
  EXPECT_THAT(mdn("<sendMDNAsynchronously>true</sendMDNAsynchronously>"),
              error("/sendAgreement/mdnSettings/receiptDeliveryUrl", "our URL", "none"));
  EXPECT_THAT(mdn("<receiptDeliveryUrl>https://us/</receiptDeliveryUrl>"),
              warning("/sendAgreement/mdnSettings/receiptDeliveryUrl", "none", "https://us/"));
  const std::string handed_over = "<sendInboundMDNToMessageBox>true</sendInboundMDNToMessageBox>";
  EXPECT_THAT(mdn(handed_over), IsEmpty());
  EXPECT_THAT(mdn("<needMDN>false</needMDN><signMDN>false</signMDN>" + handed_over),
              warning("/sendAgreement/mdnSettings/needMDN", "since sendInboundMDNToMessageBox is", "false"));
  EXPECT_THAT(lint_xml(with(minimal_with(""), "<securitySettings>",
                            "<mdnSettings>" + handed_over + "</mdnSettings><securitySettings>")),
              warning("/receiveAgreement/mdnSettings/sendInboundMDNToMessageBox", "false or absent", "true"));
  const auto given = [](const std::string& settings, const std::string& overrides) {
    return lint_xml(with(minimal_with(""), "<securitySettings>",
                         "<mdnSettings>" + settings +
                             "</mdnSettings><validationSettings>"
                             "<overrideMessageProperties>" +
                             overrides +
                             "</overrideMessageProperties></validationSettings><securitySettings>"));
  };
  const std::string posted = "<sendMDNAsynchronously>true</sendMDNAsynchronously>";
  const std::string to = "<receiptDeliveryUrl>https://globex.example/mdn</receiptDeliveryUrl>";
  const auto nowhere = error("/receiveAgreement/mdnSettings/receiptDeliveryUrl",
                             "since overrideMessageProperties is true", "none");
  EXPECT_THAT(given(posted, "true"), nowhere);
  EXPECT_THAT(given(posted + to, "true"), IsEmpty());
  EXPECT_THAT(given(posted, "false"), IsEmpty());  // the request names the URL
  EXPECT_THAT(given("<needMDN>false</needMDN><signMDN>false</signMDN>" + posted, "true"), Not(nowhere));
  const std::string off = "<mdnSettings><needMDN>false</needMDN><signMDN>false</signMDN></mdnSettings>";
  EXPECT_THAT(lint_xml(with(minimal_with("<sendAgreement>" + off + "</sendAgreement>"), "<securitySettings>",
                            off + "<securitySettings>")),
              warning("/sendAgreement/mdnSettings/needMDN", "one direction at least", "none"));
}

TEST(Lint, WantsSignedMessagesWhereCertificatesAreExchanged) {
  const std::string xml = minimal_with("<x:certificateExchange enabled=\"true\"/>");
  EXPECT_THAT(lint_xml(xml), IsEmpty());
  const std::string unsigned_ones =
      with(xml, "<receiveAgreement>",
           "<receiveAgreement><validationSettings><signMessage>false</signMessage></validationSettings>");
  EXPECT_THAT(lint_xml(unsigned_ones),
              error("/receiveAgreement/validationSettings/signMessage", "x:certificateExchange", "false"));
}

TEST(Lint, OnlyOursAwaitTheGuestsAcceptance) {
  const std::string xml = read_data("rollover.xml");
  EXPECT_THAT(
      lint_xml(with(xml, "activeFrom=\"2026-12-01\"", "activeFrom='2026-12-01' awaitsAcceptance='true'")),
      Contains(Field(&Problem::path, HasSubstr("awaitsAcceptance"))));
}

constexpr const char* kOnReceive =
    "/receiveAgreement/validationSettings/checkCertificateRevocationListOnReceive";
constexpr const char* kOnSend = "/sendAgreement/validationSettings/checkCertificateRevocationListOnSend";

/// data/minimal.xml with both looks into revocation lists, and more in its agreement.
std::string looking_up(const std::string& inside = "") {
  const std::string receive =
      "<validationSettings><checkCertificateRevocationListOnReceive>true"
      "</checkCertificateRevocationListOnReceive></validationSettings>";
  const std::string send =
      "<sendAgreement><validationSettings><checkCertificateRevocationListOnSend>true"
      "</checkCertificateRevocationListOnSend></validationSettings></sendAgreement>";
  return with(minimal_with(send + inside), "<receiveAgreement>", "<receiveAgreement>" + receive);
}

TEST(Lint, SaysNothingOfLooksIntoRevocationListsThatCanBeHad) {
  EXPECT_THAT(lint_xml(looking_up()), IsEmpty());
}

TEST(Lint, WarnsThatNoListCanHaveASelfSignedCertificate) {
  FakeFacts facts;
  facts.revocations["globex"] = {true, "", ""};
  const auto problems = lint_xml(looking_up(), facts);
  EXPECT_THAT(problems, warning(kOnReceive, "an authority's certificate to verify the guest's messages",
                                "'globex', which is self-signed"));
  EXPECT_THAT(problems, warning(kOnSend, "to encrypt our messages", "'globex', which is self-signed"));
  EXPECT_THAT(problems, warning(kOnSend, "to verify the guest's receipts", "'globex', which is self-signed"));
  EXPECT_THAT(lint_minimal(facts), IsEmpty()) << "nobody looks";
}

TEST(Lint, WarnsOfALookThatCanNeverHaveAnAnswerAndSaysWhatFollows) {
  FakeFacts facts;
  facts.revocations["globex"] = {false, "its list is nowhere", "Import one."};
  const auto advice_of = [&](const std::string& inside) {
    const auto problems = lint_xml(looking_up(inside), facts);
    EXPECT_THAT(problems, warning(kOnReceive, "a revocation list", "'globex': its list is nowhere"));
    return problems.empty() ? "" : problems.front().advice;
  };
  EXPECT_THAT(advice_of(""), AllOf(HasSubstr("Import one."), HasSubstr("the certificate is refused")));
  EXPECT_THAT(advice_of("<x:revocation policy='softFail'/>"),
              AllOf(HasSubstr("Import one."), HasSubstr("is used unchecked")));
}

TEST(Lint, ReportsWeakAlgorithmsWithoutAnExceptionInForce) {
  const auto send = [](const std::string& inside, const std::string& exception = "") {
    return lint_xml(minimal_with("<sendAgreement><validationSettings>" + inside + "</validationSettings>" +
                                 exception + "</sendAgreement>"));
  };
  const std::string des = "<encryptionAlgorithm>DES3</encryptionAlgorithm>";
  const std::string path = "/sendAgreement/validationSettings/encryptionAlgorithm";
  EXPECT_THAT(send(des), error(path, "not weak", "DES3"));
  EXPECT_THAT(send(des, "<x:allowWeak algorithm='DES3' reason='old AS/400' until='2026-11-22'/>"), IsEmpty());
  const auto over = send(des, "<x:allowWeak algorithm='DES3' reason='old AS/400' until='2026-11-21'/>");
  EXPECT_THAT(over, error(path, "not weak", "DES3"));
  EXPECT_THAT(over, warning("/sendAgreement/x:allowWeak[DES3]", "still in force", "2026-11-21"));
  EXPECT_THAT(send(des, "<x:allowWeak algorithm='SHA1' reason='other' until='2027-11-21'/>"),
              error(path, "not weak", "DES3"));
  EXPECT_THAT(send("<encryptionAlgorithm>RC2</encryptionAlgorithm>"), error(path, "encrypt with", "RC2"));
  EXPECT_THAT(send("<encryptionAlgorithm>None</encryptionAlgorithm>"), error(path, "encrypt with", "None"));
  EXPECT_THAT(send(des, "<x:encryption contentCipher='AES128GCM'/>"), IsEmpty());
  EXPECT_THAT(send("<signingAlgorithm>NotSpecified</signingAlgorithm>"),
              error("/sendAgreement/validationSettings/signingAlgorithm", "a hash", "NotSpecified"));
  const auto mic = [](const std::string& hash) {
    return lint_xml(minimal_with("<sendAgreement><mdnSettings><micHashingAlgorithm>" + hash +
                                 "</micHashingAlgorithm></mdnSettings></sendAgreement>"));
  };
  EXPECT_THAT(mic("MD5"), error("/sendAgreement/mdnSettings/micHashingAlgorithm", "not broken", "MD5"));
  EXPECT_THAT(mic("SHA1"), error("/sendAgreement/mdnSettings/micHashingAlgorithm", "not weak", "SHA1"));
  EXPECT_THAT(mic("None"), error("/sendAgreement/mdnSettings/micHashingAlgorithm", "a hash", "None"));
  EXPECT_THAT(
      lint_xml(minimal_with(
          "<sendAgreement><mdnSettings><micHashingAlgorithm>SHA2512</micHashingAlgorithm></mdnSettings>"
          "<securitySettings><sha2AlgorithmFormat>Sha2</sha2AlgorithmFormat></securitySettings></"
          "sendAgreement>")),
      error("/sendAgreement/securitySettings/sha2AlgorithmFormat", "size", "Sha2"));
}

TEST(Lint, ReportsSigningWithSha1WhateverTheException) {
  const std::string sha1 =
      "<validationSettings><signingAlgorithm>SHA1</signingAlgorithm></validationSettings>";
  const std::string exception = "<x:allowWeak algorithm='SHA1' reason='old AS/400' until='2027-11-21'/>";
  const auto send = [](const std::string& inside) {
    return lint_xml(minimal_with("<sendAgreement>" + inside + "</sendAgreement>"));
  };
  const auto receive = [](const std::string& inside) {
    return lint_xml(with(read_data("minimal.xml"), "<receiveAgreement>", "<receiveAgreement>" + inside));
  };
  for (const std::string& allowed : {std::string(), exception}) {
    EXPECT_THAT(send(sha1 + allowed),
                error("/sendAgreement/validationSettings/signingAlgorithm", "vault signs with", "SHA1"));
    EXPECT_THAT(receive(sha1 + allowed),
                error("/receiveAgreement/validationSettings/signingAlgorithm", "vault signs with", "SHA1"));
  }
  EXPECT_THAT(receive("<mdnSettings><signMDN>false</signMDN></mdnSettings>" + sha1), IsEmpty())
      << "nothing is signed";
}

TEST(Lint, ReportsAnExceptionWithoutReasonInAnAccountThatWasNotParsed) {
  Account account = good_account(read_data("minimal.xml"));
  account.agreements[0].receive_agreement.allow_weak = {{WeakAlgorithm::SHA1, " ", day("2030-01-01")}};
  const auto problems = lint(account, FakeFacts{}, kNow);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].expected, "a reason");
  EXPECT_EQ(problems[0].line, 0U);
}

TEST(Lint, ReportsCompressionAtOdds) {
  const auto packaging = [](const std::string& flag, const std::string& attributes) {
    return lint_xml(minimal_with("<sendAgreement><validationSettings>" + flag +
                                 "</validationSettings><x:packaging " + attributes + "/></sendAgreement>"));
  };
  const std::string on = "<compressMessage>true</compressMessage>";
  EXPECT_THAT(packaging(on, "compressionOrder='afterSigning'"), IsEmpty());
  EXPECT_THAT(packaging(on, "as2Version='1.0'"),
              error("/sendAgreement/x:packaging/@as2Version", "1.1", "1.0"));
  EXPECT_THAT(packaging("", "compressionOrder='afterSigning'"),
              warning("/sendAgreement/x:packaging/@compressionOrder", "compressMessage", "false"));
  EXPECT_THAT(packaging(on + "<signMessage>false</signMessage>", "compressionOrder='afterSigning'"),
              warning("/sendAgreement/x:packaging/@compressionOrder", "signMessage", "false"));
}

TEST(Lint, ReportsWhatIsNotSecuredAtAll) {
  EXPECT_THAT(lint_xml(minimal_with("<sendAgreement><validationSettings><signMessage>false</"
                                    "signMessage><encryptMessage>false</encryptMessage>"
                                    "</validationSettings></sendAgreement>")),
              warning("/sendAgreement/validationSettings", "signed or encrypted", "neither"));
  const std::string http = with(read_data("minimal.xml"), "https://globex", "http://globex");
  EXPECT_THAT(lint_xml(http), IsEmpty());
  EXPECT_THAT(
      lint_xml(with(
          http, "<x:connection",
          "<sendAgreement><validationSettings><encryptMessage>false</encryptMessage></validationSettings>"
          "</sendAgreement><x:connection")),
      warning("/sendAgreement/validationSettings/encryptMessage", "TLS", "neither"));
  EXPECT_THAT(lint_xml(with(
                  http, "as2\"/>",
                  "as2\"><x:basicAuthentication userName='u' keyVault='v' secretName='s'/></x:connection>")),
              error("/x:connection/x:basicAuthentication", "https", "http"));
  EXPECT_THAT(
      lint_xml(with(
          read_data("minimal.xml"), "<securitySettings>",
          "<validationSettings><signMessage>false</signMessage>"
          "<checkDuplicateMessage>false</checkDuplicateMessage></validationSettings><securitySettings>")),
      testing::AllOf(warning("/receiveAgreement/validationSettings/signMessage", "true", "false"),
                     warning("/receiveAgreement/validationSettings/checkDuplicateMessage", "true", "false")));
}

TEST(Lint, ReportsTlsTrustAtOdds) {
  const auto trust = [](const std::string& attributes, const std::string& inside = "") {
    return lint_xml(with(read_data("minimal.xml"), "as2\"/>",
                         "as2\"><x:tlsTrust " + attributes + ">" + inside + "</x:tlsTrust></x:connection>"));
  };
  const std::string named = "<x:certificate name='globex'/>";
  EXPECT_THAT(trust("mode='pinned'", named), IsEmpty());
  EXPECT_THAT(trust("mode='certificateAuthorities' caFile='/etc/ca.pem'"), IsEmpty());
  EXPECT_THAT(trust("mode='pinned'"), error("/x:connection/x:tlsTrust", "<x:certificate>", "none"));
  EXPECT_THAT(trust("mode='certificateAuthorities'"), error("/x:connection/x:tlsTrust", "caFile", "neither"));
  EXPECT_THAT(trust("", named), error("/x:connection/x:tlsTrust", "mode=", "system"));
  EXPECT_THAT(trust("mode='pinned' caFile='/etc/ca.pem'", named),
              error("/x:connection/x:tlsTrust/@caFile", "none", "/etc/ca.pem"));
  EXPECT_THAT(trust("mode='pinned'", "<x:certificate name='nobody'/>"),
              error("/x:connection/x:tlsTrust/x:certificate[nobody]", "name of a certificate", "'nobody'"));
}

/// One secret that is given out, and one that is not; one key, of one certificate.
class FakeVaults final : public VaultFacts {
 public:
  KeyFact key_of(const CertificateEntry& entry) const override {
    if (entry.key->key_name != "acme") return {"there is no such key", ""};
    return {"", entry.name == "acme" ? "" : "it was made for another key"};
  }
  SecretFact secret(std::string_view key_vault, std::string_view secret_name) const override {
    if (key_vault != "kv1") return {"there is no such vault", ""};
    if (secret_name == "good") return {};
    if (secret_name == "expired") return {"", "it expired"};
    return {"there is no such secret", ""};
  }
};

TEST(Lint, ReportsKeysThatAreNotThereOrAnotherCertificates) {
  const FakeVaults vaults;
  const auto at_key = [](const std::string& expected, const std::string& found) {
    return Contains(AllOf(Field(&Problem::severity, Severity::Error),
                          Field(&Problem::path, "certificate[acme]/key"),
                          Field(&Problem::expected, HasSubstr(expected)), Field(&Problem::found, found),
                          Field(&Problem::line, testing::Gt(0U)), Field(&Problem::advice, Not(IsEmpty()))));
  };
  const std::string xml = read_data("minimal.xml");
  EXPECT_THAT(lint_xml(xml, {}, kNow, &vaults), IsEmpty());
  const std::string missing = with(xml, "<keyName>acme<", "<keyName>acme-2<");
  EXPECT_THAT(lint_xml(missing, {}, kNow, &vaults), at_key("a key in the vault", "there is no such key"));
  EXPECT_THAT(lint_xml(missing), IsEmpty()) << "nobody has the vault at hand";
  const std::string key =
      "\n      <key>\n        <keyVault>main</keyVault>\n        <keyName>acme</keyName>\n      </key>";
  const std::string on_another =
      with(with(xml, key, ""), "<certificate name=\"globex\">", "<certificate name=\"globex\">" + key);
  EXPECT_THAT(lint_xml(on_another, {}, kNow, &vaults),
              Contains(AllOf(Field(&Problem::path, "certificate[globex]/key"),
                             Field(&Problem::expected, HasSubstr("issued for")),
                             Field(&Problem::found, "it was made for another key"))));
}

TEST(Lint, ReportsSecretsThatAreNotThereOrNotGivenOut) {
  const FakeVaults vaults;
  const auto account = [](const std::string& vault, const std::string& name, const std::string& user = "u") {
    const std::string attributes =
        " userName='" + user + "' keyVault='" + vault + "' secretName='" + name + "'/>";
    const std::string both = with(read_data("minimal.xml"), "<securitySettings>",
                                  "<x:requireBasicAuthentication" + attributes + "<securitySettings>");
    return with(both, "as2\"/>", "as2\"><x:basicAuthentication" + attributes + "</x:connection>");
  };
  const std::string in = "/receiveAgreement/x:requireBasicAuthentication";
  const std::string out = "/x:connection/x:basicAuthentication";
  EXPECT_THAT(lint_xml(account("kv1", "good"), {}, kNow, &vaults), IsEmpty());
  for (const std::string& path : {in, out}) {
    EXPECT_THAT(lint_xml(account("kv1", "missing"), {}, kNow, &vaults),
                error(path + "/@secretName", "a secret in the vault", "no such secret"));
    EXPECT_THAT(lint_xml(account("kv2", "good"), {}, kNow, &vaults),
                error(path + "/@secretName", "a secret in the vault", "no such vault"));
    EXPECT_THAT(lint_xml(account("kv1", "expired"), {}, kNow, &vaults),
                warning(path + "/@secretName", "given out now", "it expired"));
    EXPECT_THAT(lint_xml(account("kv1", "good", "a:b")), error(path + "/@userName", "without", "'a:b'"));
  }
  EXPECT_THAT(lint_xml(account("kv1", "missing")), IsEmpty()) << "nobody has the vault at hand";
}

TEST(Lint, ReportsARequiredClientCertificateThatNobodyCanShow) {
  const auto required = [](const std::string& inside) {
    return lint_xml(
        with(read_data("minimal.xml"), "<securitySettings>",
             "<x:requireClientCertificate>" + inside + "</x:requireClientCertificate><securitySettings>"));
  };
  const std::string path = "/receiveAgreement/x:requireClientCertificate";
  EXPECT_THAT(required("<x:certificate name='globex'/>"), IsEmpty());
  EXPECT_THAT(required(""), error(path, "at least one", "every request would be refused"));
  EXPECT_THAT(required("<x:certificate name='nobody'/>"),
              error(path + "/x:certificate[nobody]", "name of a certificate", "'nobody'"));
  EXPECT_THAT(required("<x:certificate name='acme'/>"),
              warning(path + "/x:certificate[acme]", "the guest's", "private key is ours"));
}

TEST(Lint, ReportsTheConnectionsOtherMistakes) {
  const auto connection = [](const std::string& attributes) {
    return lint_xml(with(read_data("minimal.xml"), "as2\"/>", "as2\" " + attributes + "/>"));
  };
  EXPECT_THAT(connection("clientCertificateName='acme'"), IsEmpty());
  EXPECT_THAT(connection("clientCertificateName='globex'"),
              error("/x:connection/@clientCertificateName", "private", "no key"));
  EXPECT_THAT(connection("clientCertificateName='x'"),
              error("/x:connection/@clientCertificateName", "name of a certificate", "'x'"));
  EXPECT_THAT(connection("connectTimeout='1h'"),
              error("/x:connection/@connectTimeout", "totalTimeout", "more"));
  EXPECT_THAT(lint_xml(minimal_with("<x:retry firstInterval='2d'/>")),
              error("/x:retry/@firstInterval", "maxDuration", "more"));
  EXPECT_THAT(lint_xml(minimal_with("<agreementType>X12</agreementType>")),
              error("/agreementType", "AS2", "X12"));
  EXPECT_THAT(lint_xml(with(read_data("minimal.xml"), "<securitySettings>",
                            "<x:delivery folder='a/../../b'/><securitySettings>")),
              error("/receiveAgreement/x:delivery/@folder", "without", "a/../../b"));
  EXPECT_THAT(lint_xml(with(read_data("minimal.xml"), "<securitySettings>",
                            "<x:limits maxDecompressedSize='1MiB'/><securitySettings>")),
              warning("/receiveAgreement/x:limits/@maxDecompressedSize", "no less", "1048576"));
  EXPECT_THAT(
      lint_xml(minimal_with("<sendAgreement><messageConnectionSettings><ignoreCertificateNameMismatch>true</"
                            "ignoreCertificateNameMismatch>"
                            "</messageConnectionSettings></sendAgreement>")),
      warning("/sendAgreement/messageConnectionSettings/ignoreCertificateNameMismatch", "false", "true"));
}

/// Form and meaning of a document, as `signet lint` tells them.
std::vector<Problem> all_problems(const std::string& xml) {
  ParseOutcome outcome = parse_account(xml, {"account.xml", {}});
  const auto& understood = outcome.account ? outcome.account : outcome.draft;
  EXPECT_TRUE(understood);
  return together(std::move(outcome.problems), lint(*understood, FakeFacts(), kNow, outcome.positions));
}

TEST(Lint, LooksAtTheMeaningOfWhatHasAWrongFormElsewhere) {
  const std::string xml = with(with(read_data("minimal.xml"), ">globex</sign", ">none</sign"),
                               "<x:connection", "<unknown/><x:connection");
  const auto problems = all_problems(xml);
  EXPECT_THAT(problems, error("", "one of", "<unknown>"));
  EXPECT_THAT(problems, error("/receiveAgreement/securitySettings/signingCertificateName",
                              "name of a certificate", "'none'"));
  EXPECT_TRUE(std::is_sorted(problems.begin(), problems.end(),
                             [](const Problem& a, const Problem& b) { return a.line < b.line; }));
}

TEST(Lint, SaysNothingMoreOfWhatCouldNotBeRead) {
  const std::string xml = read_data("minimal.xml");
  const auto missing = all_problems(with(xml, "<guestPartner>Globex</guestPartner>", ""));
  ASSERT_THAT(missing, testing::SizeIs(1)) << to_string(missing);
  EXPECT_EQ(missing.front().expected, "<guestPartner>");
}

std::string template_of(const std::string& text) {
  return "<sendAgreement><envelopeSettings><fileNameTemplate>" + text +
         "</fileNameTemplate></envelopeSettings></sendAgreement>";
}

TEST(Lint, ReportsFileNamesThatCannotBeMade) {
  for (const char* good : {"order.edi", "%SourceFileName%", "%datetime%-%messageid%.edi"})
    EXPECT_THAT(to_string(lint_xml(minimal_with(template_of(good)))), IsEmpty()) << good;
  for (const char* bad : {"%Foo%", "50%", "%%", "../order.edi", "a\\b"})
    EXPECT_THAT(lint_xml(minimal_with(template_of(bad))),
                error("/sendAgreement/envelopeSettings/fileNameTemplate", "a file's name", ""))
        << bad;
}

}  // namespace
}  // namespace signet::agreements
