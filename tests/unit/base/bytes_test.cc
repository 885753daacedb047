#include "base/bytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/random.h"

namespace signet {
namespace {

using testing::HasSubstr;

std::string decoded(std::string_view text) { return std::string(as_text(parse_base64(text).value())); }

TEST(Hex, WritesBothCases) {
  const Bytes bytes = {0x00, 0x0f, 0xa0, 0xff};
  EXPECT_EQ(hex_lower(bytes), "000fa0ff");
  EXPECT_EQ(hex_upper(bytes), "000FA0FF");
  EXPECT_EQ(hex_lower({}), "");
}

TEST(Hex, ReadsEitherCase) {
  EXPECT_EQ(parse_hex("000fA0Ff").value(), (Bytes{0x00, 0x0f, 0xa0, 0xff}));
  EXPECT_TRUE(parse_hex("").value().empty());
}

TEST(Hex, RefusesWhatIsNoHex) {
  for (const char* text : {"0", "0g", "g0", " 00", "0x00", "00 ", "-1"}) {
    const auto parsed = parse_hex(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::InvalidInput);
  }
  EXPECT_THAT(parse_hex("00zz").error().detail, HasSubstr("position 2"));
}

// [RFC4648 10]
TEST(Base64, GivesTheVectorsOfTheRfcBothWays) {
  const std::vector<std::pair<std::string, std::string>> vectors = {{"", ""},
                                                                    {"f", "Zg=="},
                                                                    {"fo", "Zm8="},
                                                                    {"foo", "Zm9v"},
                                                                    {"foob", "Zm9vYg=="},
                                                                    {"fooba", "Zm9vYmE="},
                                                                    {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(base64(as_bytes(plain)), coded);
    EXPECT_EQ(decoded(coded), plain);
  }
}

TEST(Base64, PaddingMayBeAbsent) {
  EXPECT_EQ(decoded("Zg"), "f");
  EXPECT_EQ(decoded("Zm8"), "fo");
}

TEST(Base64, SkipsWhiteSpaceAnywhere) { EXPECT_EQ(decoded("\r\n Zm9\tv\r\nYg = = \n"), "foob"); }

TEST(Base64, RefusesWhatNoOctetsGive) {
  for (const char* text : {"Z", "Zm9vY", "Zg==Zg==", "Zm9v=Zg", "Zm9-", "Zm9_", "Zm9v!", "\x80"}) {
    const auto parsed = parse_base64(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::InvalidInput);
  }
  EXPECT_FALSE(parse_base64(std::string_view("Zg\0=", 4)));
}

TEST(Base64, ComesBackForEveryLength) {
  for (std::size_t size = 0; size < 200; ++size) {
    const Bytes bytes = random_bytes(size);
    EXPECT_EQ(parse_base64(base64(bytes)).value(), bytes);
    EXPECT_EQ(parse_base64(base64_lines(bytes)).value(), bytes);
  }
}

// [RFC2045 6.8]
TEST(Base64Lines, AreOf76CharactersEachEndedByCrlf) {
  EXPECT_EQ(base64_lines({}), "");
  EXPECT_EQ(base64_lines(Bytes(57)), std::string(76, 'A') + "\r\n");
  EXPECT_EQ(base64_lines(Bytes(58)), std::string(76, 'A') + "\r\nAA==\r\n");
  EXPECT_EQ(base64_lines(as_bytes("f")), "Zg==\r\n");
}

// [RFC4648 5]
TEST(Base64Url, HasItsOwnAlphabetAndNoPadding) {
  EXPECT_EQ(base64url(Bytes{0xfb, 0xff, 0xfe}), "-__-");
  EXPECT_EQ(base64(Bytes{0xfb, 0xff, 0xfe}), "+//+");
  EXPECT_EQ(base64url(as_bytes("f")), "Zg");
}

TEST(Text, ComparesWithoutCaseInAsciiOnly) {
  EXPECT_TRUE(equal_ignoring_case("Content-TYPE", "content-type"));
  EXPECT_FALSE(equal_ignoring_case("a", "ab"));
  EXPECT_FALSE(equal_ignoring_case("\xc4", "\xe4"));
  EXPECT_FALSE(equal_ignoring_case("[", "{"));
  EXPECT_EQ(to_lower("AZaz@[\xc4"), "azaz@[\xc4");
}

TEST(Text, IsTrimmedAtBothEnds) {
  EXPECT_EQ(trim(" \t\r\n a b \n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim("\v"), "\v");
}

TEST(Text, OfAStrangerBecomesOneHarmlessLine) {
  EXPECT_EQ(printable("a\r\nb\x1b[31m\x7f\xc3\xa4"), R"(a\x0d\x0ab\x1b[31m\x7f\xc3\xa4)");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
  EXPECT_EQ(printable("abc", 3), "abc");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), R"(a\x00b)");
}

TEST(Text, OfSeveralLinesIsPrintedOnOne) {
  EXPECT_EQ(printable_line("  no such\r\n\tpartner\n"), "no such partner");
  EXPECT_EQ(printable_line("a\x1b[31m\r\nb"), R"(a\x1b[31m b)");
  EXPECT_EQ(printable_line("a\r\n\r\nbcd", 3), "a b...");
  EXPECT_EQ(printable_line(" \r\n"), "");
}

TEST(Text, NamesKeepTheirScript) {
  for (const char* name : {"order.edi", "M\xc3\xbcller-\xe6\xb3\xa8\xe6\x96\x87.edi", "\xf0\x9f\x93\xa6.edi"})
    EXPECT_EQ(printable_name(name), name);
  EXPECT_EQ(printable_name("\xc3\xbc\xc3\xbc", 3), "\xc3\xbc...");
  EXPECT_EQ(printable_name("\xc3\xbc\xc3\xbc", 4), "\xc3\xbc\xc3\xbc");
}

TEST(Text, NamesShowWhatWouldNotShow) {
  for (const auto& [name, shown] : {std::pair{"a\x1b[31m\r\n", R"(a\x1b[31m\x0d\x0a)"},
                                    std::pair{"a\xc2\x9b"
                                              "b",
                                              R"(a\xc2\x9bb)"},  // C1's CSI
                                    std::pair{"a\xe2\x80\xae"
                                              "fdp.exe",
                                              R"(a\xe2\x80\xaefdp.exe)"},  // right to left
                                    std::pair{"a\xe2\x80\x8b"
                                              "b",
                                              R"(a\xe2\x80\x8bb)"},  // no width
                                    std::pair{"a\xef\xbb\xbf"
                                              "b",
                                              R"(a\xef\xbb\xbfb)"},
                                    std::pair{"a\xc3", R"(a\xc3)"},                 // cut off
                                    std::pair{"\xc0\xafx", R"(\xc0\xafx)"},         // not shortest
                                    std::pair{"\xed\xa0\x80", R"(\xed\xa0\x80)"}})  // a surrogate
    EXPECT_EQ(printable_name(name), shown);
}

// [RFC3629 4]
TEST(Utf8, AcceptsTheBordersOfEachLength) {
  for (const char* text :
       {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "Łódź 😀 ok"})
    EXPECT_TRUE(is_utf8(text)) << hex_lower(as_bytes(text));
  EXPECT_TRUE(is_utf8(std::string_view("\0", 1)));
}

TEST(Utf8, RefusesWhatLiesBeyondThem) {
  for (const char* text : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf",
                           "\xe0\xa0", "\xed\xa0\x80", "\xed\xbf\xbf", "\xe2\x28\xa1", "\xf0\x8f\xbf\xbf",
                           "\xf0\x90\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe", "\xff", "ok\xc3"})
    EXPECT_FALSE(is_utf8(text)) << hex_lower(as_bytes(text));
}

TEST(ConstantTimeComparison, KnowsEqualFromDifferent) {
  EXPECT_TRUE(equal_in_constant_time(as_bytes("secret"), as_bytes("secret")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("secret"), as_bytes("secreT")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("secret"), as_bytes("secre")));
  EXPECT_TRUE(equal_in_constant_time({}, {}));
}

TEST(Random, GivesDifferentOctetsEachTime) {
  EXPECT_EQ(random_bytes(0).size(), 0U);
  EXPECT_NE(random_bytes(16), random_bytes(16));
  const std::string id = random_id();
  EXPECT_EQ(id.size(), 32U);
  EXPECT_EQ(hex_lower(parse_hex(id).value()), id);
  EXPECT_NE(random_id(), id);
}

TEST(RandomGuid, IsOneOfVersionFour) {
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) {
    const std::string guid = random_guid();
    ASSERT_EQ(guid.size(), 36U);
    EXPECT_EQ(guid[8], '-');
    EXPECT_EQ(guid[14], '4');
    EXPECT_NE(std::string("89ab").find(guid[19]), std::string::npos);
    EXPECT_TRUE(seen.insert(guid).second);
  }
}

TEST(Errors, AreToldWithTheirSurroundings) {
  EXPECT_EQ((Error{ErrorKind::NotFound, "no file"}.within("reading 'x'").detail), "reading 'x': no file");
  EXPECT_EQ(to_string(ErrorKind::NotFound), "NotFound");
  EXPECT_EQ(to_string(ErrorKind::Internal), "Internal");
  EXPECT_TRUE(is_our_trouble({ErrorKind::IoFailure, "the disk is full"}));
  EXPECT_FALSE(is_our_trouble({ErrorKind::CryptoFailure, "no signature"}));
}

Result<int> twice(Result<int> value) {
  SIGNET_TRY(const int number, std::move(value));
  return number * 2;
}
Result<> checked(Result<> result) {
  SIGNET_CHECK(std::move(result));
  return {};
}

TEST(Errors, ArePassedUpUnchanged) {
  EXPECT_EQ(twice(21).value(), 42);
  EXPECT_EQ(twice(fail(ErrorKind::Unavailable, "later")).error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(checked(fail(ErrorKind::IoFailure, "disk")).error().detail, "disk");
  EXPECT_TRUE(checked({}));
}

}  // namespace
}  // namespace signet
