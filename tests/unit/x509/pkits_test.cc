#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "base/openssl.h"
#include "certstore/x509/path_internal.h"
#include "tests/support/archive.h"

/// NIST's Public Key Interoperability Test Suite through our own chain checker. data/pkits.tsv has the tests,
/// what they demand, and where and why we differ; a difference that is not in it fails, and one in it that is
/// none.

namespace signet::certstore {
namespace {

struct PkitsTest {
  std::string section, name, holder, policies, flags;
  bool expected = false;
  std::string ours;  ///< "accept" or the problem, where we differ
  std::string why;
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

std::vector<PkitsTest> pkits_tests() {
  std::vector<PkitsTest> tests;
  std::ifstream file(SIGNET_SOURCE_DIR "/tests/unit/x509/data/pkits.tsv");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::vector<std::string> words = split(line, '\t');
    words.resize(8);
    tests.push_back(
        {words[0], words[1], words[2], words[3], words[4], words[5] == "accept", words[6], words[7]});
  }
  return tests;
}

struct Suite {
  std::map<std::string, Certificate> holders;  ///< by the names of their files
  std::vector<Certificate> authorities;
  std::vector<Crl> lists;
  std::vector<Certificate> anchor;
  std::vector<std::string> unread;  ///< why files are in none of these
};

Suite load() {
  Suite suite;
  for (const signet::test::ArchivedFile& file : signet::test::read_archive("nist-pkits")) {
    const std::string name = file.name.substr(file.name.find('/') + 1);
    if (name.ends_with(".crl")) {
      if (const auto list = Crl::parse(file.octets))
        suite.lists.push_back(*list);
      else
        suite.unread.push_back(name + ": " + list.error().detail);
    } else if (const auto certificate = Certificate::parse(file.octets); !certificate) {
      suite.unread.push_back(name + ": " + certificate.error().detail);
    } else {
      if (name == "certs__TrustAnchorRootCertificate.crt") suite.anchor = {*certificate};
      if (file.name.starts_with("dev/"))
        suite.holders.emplace(name, *certificate);
      else
        suite.authorities.push_back(*certificate);
    }
  }
  return suite;
}

using Names = std::vector<DistinguishedName>;

bool contains(const Names& names, const DistinguishedName& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}
DistinguishedName subject_of(const Certificate& certificate) {
  return DistinguishedName::copy_of(X509_get_subject_name(certificate.native()));
}
DistinguishedName issuer_of(const Certificate& certificate) {
  return DistinguishedName::copy_of(X509_get_issuer_name(certificate.native()));
}

/// The holder's issuers by name, theirs, and so on.
Names names_above(const Suite& suite, const Certificate& holder) {
  Names names{issuer_of(holder)};
  for (std::size_t next = 0; next < names.size(); ++next)
    for (const Certificate& authority : suite.authorities)
      if (subject_of(authority) == names[next] && !contains(names, issuer_of(authority)))
        names.push_back(issuer_of(authority));
  return names;
}

/// What is known to whoever checks: everybody who goes by the name of an authority above the holder, and
/// their lists.
PathQuestion question_about(const Suite& suite, const PkitsTest& test, const Certificate& holder) {
  PathQuestion question;
  question.anchors = suite.anchor;
  // Nearly everything in the suite is valid from 2001 to 2011.
  question.time = parse_time("2010-01-01").value();
  const Names names = names_above(suite, holder);
  for (const Certificate& authority : suite.authorities)
    if (contains(names, subject_of(authority))) question.intermediates.push_back(authority);
  for (const Crl& list : suite.lists)
    if (contains(names, list.issuer())) question.lists.push_back(list);
  question.policies.acceptable = split(test.policies, ',');
  question.policies.require_explicit = test.flags.find("explicit") != std::string::npos;
  question.policies.inhibit_mapping = test.flags.find("inhibit-mapping") != std::string::npos;
  question.policies.inhibit_any = test.flags.find("inhibit-any") != std::string::npos;
  return question;
}

/// What the suite has of lists that are not complete, or contradict the standard, and a note about itself.
TEST(Pkits, IsReadButForWhatWeDoNotRead) {
  const Suite suite = load();
  ASSERT_GT(suite.holders.size(), 100U);
  ASSERT_GT(suite.authorities.size(), 100U);
  ASSERT_GT(suite.lists.size(), 100U);
  ASSERT_FALSE(suite.unread.empty());
  for (const std::string& why : suite.unread) {
    const bool known = why.find("a delta list") != std::string::npos ||
                       why.find("an indirect list") != std::string::npos ||
                       why.find("for some reasons alone") != std::string::npos ||
                       why.find("attribute certificates") != std::string::npos ||
                       why.find("is not known here") != std::string::npos || why.starts_with("README");
    EXPECT_TRUE(known) << why;
  }
}

TEST(Pkits, IsPassedButForWhatIsListedWithAReason) {
  const Suite suite = load();
  const std::vector<PkitsTest> tests = pkits_tests();
  ASSERT_GT(tests.size(), 100U);
  ASSERT_EQ(suite.anchor.size(), 1U);
  for (const PkitsTest& test : tests) {
    SCOPED_TRACE(test.section + " " + test.name);
    const auto holder = suite.holders.find(test.holder);
    const std::string wanted = test.ours.empty() ? (test.expected ? "accept" : "reject") : test.ours;
    if (holder == suite.holders.end()) {
      EXPECT_EQ(wanted, "unreadable");
      continue;
    }
    const auto verdict =
        judge_path(holder->second, question_about(suite, test, holder->second), PathStrength::Whatever);
    ASSERT_TRUE(verdict) << verdict.error().detail;
    const std::string problem(to_string(verdict->problem));
    if (test.ours.empty()) {
      EXPECT_EQ(verdict->trusted(), test.expected) << problem << ": " << verdict->text;
    } else {
      EXPECT_EQ(verdict->trusted() ? "accept" : problem, test.ours) << verdict->text;
      EXPECT_NE(verdict->trusted(), test.expected) << "no difference: take it from the table";
      EXPECT_FALSE(test.why.empty());
    }
  }
}

/// The suite is of 2003: RSA of 1024 bits, and SHA-1. Today that alone is a reason.
TEST(Pkits, IsRefusedAsAWholeForTheStrengthOfItsTime) {
  const Suite suite = load();
  std::size_t refused = 0;
  for (const PkitsTest& test : pkits_tests()) {
    const auto holder = suite.holders.find(test.holder);
    if (holder == suite.holders.end()) continue;
    EXPECT_FALSE(check_path(holder->second, question_about(suite, test, holder->second))->trusted())
        << test.name;
    ++refused;
  }
  EXPECT_GT(refused, 100U);
}

}  // namespace
}  // namespace signet::certstore
