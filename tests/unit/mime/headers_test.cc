#include "as2/mime/headers.h"

#include <gtest/gtest.h>

namespace signet::as2::mime {
namespace {

HeaderBlock parsed(std::string_view text, const HeaderRules& rules = HeaderRules::body()) {
  auto block = parse_headers(text, rules);
  EXPECT_TRUE(block) << (block ? "" : block.error().detail);
  return block ? *block : HeaderBlock{};
}

ErrorKind refused(std::string_view text, const HeaderRules& rules = HeaderRules::body()) {
  const auto block = parse_headers(text, rules);
  EXPECT_FALSE(block) << text;
  return block ? ErrorKind::Internal : block.error().kind;
}

TEST(Headers, AreFoundInAnyCaseAndKeepTheirOrder) {
  const HeaderBlock block = parsed("AS2-From: A\r\nreceived: one\r\nReceived: two\r\n\r\nbody");
  EXPECT_EQ(block.headers.value("as2-from"), "A");
  EXPECT_EQ(block.headers.value("RECEIVED"), "one");
  EXPECT_EQ(block.headers.count("Received"), 2U);
  EXPECT_EQ(block.headers.all("Received"), (std::vector<std::string_view>{"one", "two"}));
  EXPECT_EQ(block.headers.find("absent"), nullptr);
  EXPECT_TRUE(block.terminated);
  EXPECT_EQ(block.octets, std::string_view("AS2-From: A\r\nreceived: one\r\nReceived: two\r\n\r\n").size());
}

TEST(Headers, SetLeavesOneFieldInTheFirstPlace) {
  Headers headers;
  headers.add("A", "1");
  headers.add("B", "2");
  headers.add("a", "3");
  headers.set("A", "4");
  EXPECT_EQ(headers.serialise(), "A: 4\r\nB: 2\r\n");
  headers.remove("b");
  EXPECT_EQ(headers.serialise(), "A: 4\r\n");
}

// [RFC4130 2.4] and Drummond's rule: folded input is accepted, folded output never made.
TEST(Headers, UnfoldToOneSpaceAndAreNeverFoldedAgain) {
  const HeaderBlock block =
      parsed("Content-Type: multipart/signed;\r\n\t  boundary=x;\r\n micalg=sha1\r\n\r\n");
  EXPECT_EQ(block.headers.value("Content-Type"), "multipart/signed; boundary=x; micalg=sha1");
  EXPECT_EQ(block.headers.serialise(), "Content-Type: multipart/signed; boundary=x; micalg=sha1\r\n");
}

TEST(Headers, MayEndInBareLfInsideBodiesAndNotInHttp) {
  EXPECT_EQ(parsed("A: 1\nB: 2\n\nbody").octets, 11U);
  EXPECT_EQ(refused("A: 1\nB: 2\n\nbody", HeaderRules::http()), ErrorKind::InvalidInput);
}

TEST(Headers, MayHaveSpaceBeforeTheColonInsideBodiesAndNotInHttp) {
  EXPECT_EQ(parsed("Content-Length : 5\r\n\r\n").headers.value("Content-Length"), "5");
  EXPECT_EQ(refused("Content-Length : 5\r\n\r\n", HeaderRules::http()), ErrorKind::InvalidInput);
}

TEST(Headers, MayBeCutOffAfterAnyLine) {
  const HeaderBlock block = parsed("A: 1\r\nB: 2");
  EXPECT_FALSE(block.terminated);
  EXPECT_EQ(block.headers.value("B"), "2");
  EXPECT_TRUE(parsed("").headers.empty());
}

// Threat T25
TEST(Headers, RefuseControlCharacters) {
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(refused("A: 1\0\r\n\r\n"sv), ErrorKind::InvalidInput);
  EXPECT_EQ(refused("A: 1\x1b[2J\r\n\r\n"), ErrorKind::InvalidInput);
  EXPECT_EQ(refused("A: 1\rB: 2\r\n\r\n"), ErrorKind::InvalidInput);
  EXPECT_EQ(refused("A: 1\x7f\r\n\r\n"), ErrorKind::InvalidInput);
  EXPECT_EQ(parsed("A: 1\t2 \xc3\xa4\r\n\r\n").headers.value("A"), "1\t2 \xc3\xa4");
}

TEST(Headers, RefuseLinesThatAreNoFields) {
  EXPECT_EQ(refused("no colon\r\n\r\n"), ErrorKind::InvalidInput);
  EXPECT_EQ(refused(": no name\r\n\r\n"), ErrorKind::InvalidInput);
  EXPECT_EQ(refused("two words: x\r\n\r\n"), ErrorKind::InvalidInput);
  EXPECT_EQ(refused(" continues: nothing\r\n\r\n"), ErrorKind::InvalidInput);
}

TEST(Headers, KeepToTheirLimits) {
  std::string many;
  for (int i = 0; i < 200; ++i) many += "A: 1\r\n";
  EXPECT_EQ(parsed(many + "\r\n").headers.size(), 200U);
  EXPECT_EQ(refused(many + "A: 1\r\n\r\n"), ErrorKind::LimitExceeded);
  EXPECT_EQ(refused("A: " + std::string(64 * 1024, 'x') + "\r\n\r\n"), ErrorKind::LimitExceeded);
  EXPECT_EQ(refused("A: " + std::string(70 * 1024, 'x')), ErrorKind::LimitExceeded);
}

// Threat T25: what our own code puts into a field cannot start another one.
TEST(Headers, CannotBeMadeToHoldALineEnd) {
  Headers headers;
  headers.add("Subject", "x\r\nBcc: y");
  headers.set("A\r\nB", "1\n2");
  EXPECT_EQ(headers.serialise(), "Subject: x  Bcc: y\r\nA  B: 1 2\r\n");
}

TEST(Headers, ComeBackFromWhatTheyWrote) {
  Headers headers;
  headers.add("AS2-From", "\"a b\"");
  headers.add("Empty", "");
  headers.add("X", "1; y=\"z\"");
  EXPECT_EQ(parsed(headers.serialise() + "\r\n").headers, headers);
}

}  // namespace
}  // namespace signet::as2::mime
