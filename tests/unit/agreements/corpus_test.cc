#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "agreements/xml.h"
#include "tests/unit/agreements/account_fixture.h"

namespace signet::agreements {
namespace {

std::vector<std::filesystem::path> corpus(const char* folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(SIGNET_SOURCE_DIR "/tests/corpora/xml/" + std::string(folder)))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  EXPECT_GE(files.size(), 10U);
  return files;
}

std::string read_raw(const std::filesystem::path& path) {
  const Result<Bytes> bytes = read_file(path);
  EXPECT_TRUE(bytes) << path;
  return bytes ? std::string(as_text(*bytes)) : std::string();
}

/// No document of the corpora is an account; each is told why, within its own lines.
void expect_refused(const std::string& xml, const std::string& what) {
  const ParseOutcome outcome = parse_account(xml, {"corpus", "/nonexistent"});
  EXPECT_FALSE(outcome.account) << what;
  ASSERT_FALSE(outcome.problems.empty()) << what;
  for (const Problem& problem : outcome.problems) {
    EXPECT_GE(problem.line, 1U) << what;
    EXPECT_LE(problem.line, static_cast<std::size_t>(std::count(xml.begin(), xml.end(), '\n')) + 1) << what;
    EXPECT_EQ(to_string(problem).find('\n'), std::string::npos) << what;
  }
}

TEST(XmlCorpus, NothingOfPugixmlsOddDocumentsIsAnAccount) {
  for (const auto& file : corpus("pugixml")) expect_refused(read_raw(file), file.filename());
}

TEST(XmlCorpus, EveryExternalEntityIsRefusedAtItsDoctype) {
  for (const auto& file : corpus("xxe")) {
    if (file.filename() == "xml-attacks.txt") continue;
    const std::string xml = read_raw(file);
    expect_refused(xml, file.filename());
    // Nothing after the DOCTYPE was looked at.
    const ParseOutcome outcome = parse_account(xml);
    EXPECT_EQ(outcome.problems.size(), 1U) << file;
  }
}

TEST(XmlCorpus, NoLineOfTheAttackListIsAnAccount) {
  std::istringstream lines(read_raw(SIGNET_SOURCE_DIR "/tests/corpora/xml/xxe/xml-attacks.txt"));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    expect_refused(line, line);
    // The same inside a document that is good up to there.
    const ParseOutcome outcome = parse_account(minimal_with(line));
    const bool harmless = line.empty() || line == "\r";
    EXPECT_EQ(outcome.account.has_value(), harmless) << line;
  }
  EXPECT_GE(count, 40);
}

TEST(XmlCorpus, ADoctypeBeforeAGoodAccountIsRefused) {
  const std::string good = read_data("minimal.xml");
  ASSERT_TRUE(parse_account(good).account);
  for (const char* doctype :
       {"<!DOCTYPE integrationAccount>", "<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/x.dtd\">",
        "<!DOCTYPE a [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>"}) {
    const ParseOutcome outcome =
        parse_account(with(good, "<integrationAccount", std::string(doctype) + "<integrationAccount"));
    EXPECT_FALSE(outcome.account);
    ASSERT_EQ(outcome.problems.size(), 1U);
    EXPECT_EQ(outcome.problems[0].expected, "no DOCTYPE");
  }
}

TEST(XmlCorpus, NoTruncationAndNoChangedOctetCrashesTheParser) {
  const std::string good = read_data("rollover.xml");
  ASSERT_TRUE(parse_account(good).account);
  for (std::size_t length = 0; length + 1 < good.size(); ++length)
    EXPECT_FALSE(parse_account(std::string_view(good).substr(0, length)).account) << length;
  const std::string octets = std::string("<>&\"'/!?-[]= :a\n\x80\xFF") + '\0';
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = octets[i % octets.size()];
    const ParseOutcome outcome = parse_account(changed);
    EXPECT_EQ(outcome.account.has_value(), !has_errors(outcome.problems));
    if (outcome.account) {
      EXPECT_EQ(good_account(write_account(*outcome.account)), *outcome.account) << changed;
    }
  }
}

}  // namespace
}  // namespace signet::agreements
