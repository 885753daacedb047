#include "base/json_line.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace signet {
namespace {

TEST(JsonLine, WritesItsFieldsInTheirOrder) {
  JsonLine line;
  line.add("event", "message-accepted")
      .add("size", 18446744073709551615U)
      .add("copies", std::vector<std::string>{"wire", "payload"});
  EXPECT_EQ(std::move(line).finish(),
            R"({"event":"message-accepted","size":18446744073709551615,"copies":["wire","payload"]})");
}

TEST(JsonLine, IsAnObjectWithoutFieldsToo) { EXPECT_EQ(JsonLine().finish(), "{}"); }

TEST(JsonLine, WritesAListOfNothing) {
  JsonLine line;
  line.add("copies", std::vector<std::string>());
  EXPECT_EQ(std::move(line).finish(), R"({"copies":[]})");
}

TEST(JsonLine, EscapesWhatIsNotPlain) {
  JsonLine line;
  line.add("text", "a\"\\\n\x1b\x7f \xc3\xa4 \xf0\x9f\x98\x80")
      .add("more", std::vector<std::string>{"\"", "b"});
  EXPECT_EQ(std::move(line).finish(),
            R"({"text":"a\"\\\n\u001b\u007f \u00e4 \ud83d\ude00","more":["\"","b"]})");
}

TEST(JsonLine, ReplacesOctetsThatAreNoUtf8) {
  JsonLine line;
  line.add("text", "a\xff\xc3(");
  EXPECT_EQ(std::move(line).finish(), R"({"text":"a\ufffd\ufffd("})");
}

/// The library that escapes is the judge, for every single octet.
TEST(JsonLine, IsReadBackAsItWasWrittenAndIsPrintable) {
  for (int octet = 0; octet < 0x80; ++octet) {
    const std::string text = {'x', static_cast<char>(octet)};
    JsonLine line;
    line.add("text", text);
    const std::string written = std::move(line).finish();
    EXPECT_EQ(nlohmann::json::parse(written)["text"], text);
    EXPECT_TRUE(std::all_of(written.begin(), written.end(), [](char c) { return c >= ' ' && c < 0x7F; }));
  }
}

}  // namespace
}  // namespace signet
