#include "base/percent_encoding.h"

#include <gtest/gtest.h>

namespace signet {
namespace {

TEST(PercentEncoding, WhatWasEncodedIsDecoded) {
  std::string every_octet;
  for (int octet = 0; octet < 256; ++octet) every_octet += static_cast<char>(octet);
  EXPECT_EQ(percent_decode(percent_encode(every_octet)), every_octet);
  EXPECT_EQ(percent_decode("%2f%2F+"), "//+");
}

TEST(PercentEncoding, WhatIsNoEncodingIsLeftAsItIs) {
  for (const char* text : {"", "%", "%2", "%2G", "%%", "a%", "%-1", "% 1"})
    EXPECT_EQ(percent_decode(text), text);
  EXPECT_EQ(percent_decode("%%20"), "% ");
}

TEST(PercentEncoding, OneOctetIsReadFromTheFront) {
  EXPECT_EQ(leading_percent_octet("%00%01"), 0);
  EXPECT_EQ(leading_percent_octet("%fFz"), 0xFF);
  for (const char* text : {"", "x", "%", "%f", "%fg", "x%00"})
    EXPECT_FALSE(leading_percent_octet(text)) << text;
}

}  // namespace
}  // namespace signet
