#include "certstore/x509/pem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace signet::certstore {
namespace {

const Bytes kOctets(100, 0x5A);

// [RFC7468 2]
TEST(Pem, LinesHave64CharactersAndTheLastOneFewer) {
  const std::string text = base64(kOctets);
  ASSERT_EQ(text.size(), 136U);
  EXPECT_EQ(pem_of(kOctets, "X509 CRL"), "-----BEGIN X509 CRL-----\n" + text.substr(0, 64) + "\n" +
                                             text.substr(64, 64) + "\n" + text.substr(128) +
                                             "\n-----END X509 CRL-----\n");
}

TEST(Pem, ATextIsPemOrBase64OfDer) {
  const std::string pem = "A certificate:\n" + pem_of(kOctets, "CERTIFICATE");
  EXPECT_EQ(pem_or_der_in(pem), to_bytes(pem));
  EXPECT_EQ(pem_or_der_in(base64_lines(kOctets)), kOctets);
}

TEST(Pem, WhatIsNeitherIsRefused) {
  const auto refused = pem_or_der_in("----BEGIN CERTIFICATE----");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::InvalidInput);
  EXPECT_THAT(refused.error().detail, testing::HasSubstr("neither PEM nor base64"));
}

}  // namespace
}  // namespace signet::certstore
