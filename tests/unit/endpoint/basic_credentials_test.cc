#include "gateway/endpoint/basic_credentials.h"

#include <gtest/gtest.h>

namespace signet::gateway {
namespace {

// [RFC7617 2]
TEST(BasicCredentials, TheFirstColonEndsTheName) {
  const auto read = parse_basic_credentials("Basic " + base64(as_bytes("acme:pass:word ")));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->user, "acme");
  EXPECT_EQ(as_text(read->password.view()), "pass:word ");
}

TEST(BasicCredentials, TheSchemeIsInAnyCaseAndBothMayBeEmpty) {
  const auto read = parse_basic_credentials("bAsIc  " + base64(as_bytes(":")));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->user, "");
  EXPECT_TRUE(read->password.empty());
}

TEST(BasicCredentials, WhatIsNoneOfThemIsNothing) {
  const std::string right = base64(as_bytes("acme:x"));
  for (const std::string& value :
       {std::string(), std::string("Basic"), std::string("Basic "), "Basic" + right, right, "Bearer " + right,
        std::string("Basic !!!"), "Basic " + base64(as_bytes("acme"))})
    EXPECT_FALSE(parse_basic_credentials(value)) << value;
}

}  // namespace
}  // namespace signet::gateway
