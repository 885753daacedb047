#include "as2/name.h"

#include <gtest/gtest.h>

namespace signet::as2 {
namespace {

std::string parsed(std::string_view field_value) {
  const auto name = As2Name::parse(field_value);
  return name ? name->text() : "refused";
}

// [RFC4130 6.2], checklist 17-20
TEST(As2Name, IsTheSameQuotedAndUnquoted) {
  EXPECT_EQ(parsed("PARTNER"), "PARTNER");
  EXPECT_EQ(parsed("\"PARTNER\""), "PARTNER");
  EXPECT_EQ(*As2Name::parse("A"), *As2Name::parse(" \"A\" "));
  EXPECT_NE(*As2Name::parse("A"), *As2Name::parse("a"));
}

TEST(As2Name, UndoesEscapes) {
  EXPECT_EQ(parsed(R"("PART\"NER")"), R"(PART"NER)");
  EXPECT_EQ(parsed(R"("a\\b")"), R"(a\b)");
  EXPECT_EQ(parsed(R"(a\b)"), R"(a\b)");
}

TEST(As2Name, MayHoldSpacesEvenWithoutQuotes) {
  EXPECT_EQ(parsed("\"id with space\""), "id with space");
  EXPECT_EQ(parsed("id with space"), "id with space");
}

TEST(As2Name, ComesBackFromItsField) {
  for (const std::string_view text : {"A", "id with space", "a,b", "!#$%&'()*+-./:;<=>?@[]^_`{|}~", "trail;",
                                      "q\"uote", "back\\slash", " ", "\"", "\"\"", "\\\\\""}) {
    const auto name = As2Name::of(text);
    ASSERT_TRUE(name) << text;
    if (text != " ") {
      EXPECT_EQ(parsed(name->field_value()), text);
    }
  }
}

TEST(As2Name, IsQuotedOnlyWhenItMustBe) {
  EXPECT_EQ(As2Name::of("ZZ:123;<>")->field_value(), "ZZ:123;<>");
  EXPECT_EQ(As2Name::of("a b")->field_value(), "\"a b\"");
  EXPECT_EQ(As2Name::of("a\"b")->field_value(), R"("a\"b")");
}

TEST(As2Name, IsRefusedWhenItIsNone) {
  for (const std::string_view text :
       {"", "  ", "\"\"", "\"unclosed", "\"a\"b", "\"a\\x\"", "\"a\\", "\"", "a\nb", "a\x01", "\xc3\xa4"})
    EXPECT_FALSE(As2Name::parse(text)) << text;
  EXPECT_TRUE(As2Name::parse(std::string(128, 'x')));
  EXPECT_FALSE(As2Name::parse(std::string(129, 'x')));
  EXPECT_FALSE(As2Name::parse("\"" + std::string(100000, '\\') + "\""));
  EXPECT_EQ(parsed("\"" + std::string(128, 'x') + "\""), std::string(128, 'x'));
}

}  // namespace
}  // namespace signet::as2
