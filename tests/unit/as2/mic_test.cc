#include "as2/mic.h"

#include <gtest/gtest.h>

namespace signet::as2 {
namespace {

TEST(HashName, IsReadInEverySpellingThatWasSeen) {
  for (const std::string_view name :
       {"sha1", "SHA-1", "sha", "rsa-sha1", "\"sha1\"", "SHA_1", " sha-1 ", "1.3.14.3.2.26"})
    EXPECT_EQ(parse_hash_name(name), Hash::Sha1) << name;
  for (const std::string_view name : {"sha256", "SHA-256", "sha_256", "sha2", "SHA-2", "sha2_256", "SHA2-256",
                                      "sha-2-256", "rsa-sha256", "sha256withRSA"})
    EXPECT_EQ(parse_hash_name(name), Hash::Sha256) << name;
  EXPECT_EQ(parse_hash_name("SHA-384"), Hash::Sha384);
  EXPECT_EQ(parse_hash_name("sha2_512"), Hash::Sha512);
  EXPECT_EQ(parse_hash_name("sha-224"), Hash::Sha224);
  EXPECT_EQ(parse_hash_name("MD5"), Hash::Md5);
  EXPECT_EQ(parse_hash_name("rsa-md5"), Hash::Md5);
}

TEST(HashName, OfNothingThatWeKnowIsNone) {
  for (const std::string_view name :
       {"", "sha-999", "sha3-256", "sha512/256", "pkcs7-signature", "optional", "-", "rsa", "sha-256x"})
    EXPECT_EQ(parse_hash_name(name), std::nullopt) << name;
  EXPECT_EQ(parse_hash_name(std::string(100000, '-') + "sha1"), std::nullopt);
}

// Azure's sha2AlgorithmFormat; Drummond 3Q12#1 for sha1.
TEST(HashName, IsWrittenInTheAgreedSpellingAndReadBack) {
  EXPECT_EQ(hash_name(Hash::Sha256, Sha2Format::Sha2), "sha2");
  EXPECT_EQ(hash_name(Hash::Sha256, Sha2Format::ShaHashSize), "sha256");
  EXPECT_EQ(hash_name(Hash::Sha256, Sha2Format::ShaHyphenHashSize), "sha-256");
  EXPECT_EQ(hash_name(Hash::Sha256, Sha2Format::Sha2UnderscoreHashSize), "sha2_256");
  EXPECT_EQ(hash_name(Hash::Sha512, Sha2Format::Sha2), "sha512");
  for (const Sha2Format format : {Sha2Format::Sha2, Sha2Format::ShaHashSize, Sha2Format::ShaHyphenHashSize,
                                  Sha2Format::Sha2UnderscoreHashSize}) {
    EXPECT_EQ(hash_name(Hash::Sha1, format), "sha1");
    for (const Hash hash : {Hash::Sha1, Hash::Sha224, Hash::Sha256, Hash::Sha384, Hash::Sha512})
      EXPECT_EQ(parse_hash_name(hash_name(hash, format)), hash);
  }
}

// [RFC4130 7.3.1], checklist 66, 70
TEST(Mic, IsReadWithAnySpacing) {
  const Mic expected{Hash::Sha1, digest(Hash::Sha1, as_bytes("x"))};
  const std::string text = base64(expected.value);
  for (const std::string& field : {text + ", sha1", text + ",SHA-1", text + " , sha-1 ",
                                   text.substr(0, 10) + " \t" + text.substr(10) + ",\t\"sha1\""}) {
    const auto mic = parse_mic(field);
    ASSERT_TRUE(mic) << field;
    EXPECT_EQ(*mic, expected);
  }
}

TEST(Mic, ComesBackFromWhatItWrote) {
  for (const Hash hash : {Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512}) {
    const Mic mic{hash, digest(hash, as_bytes("payload"))};
    EXPECT_EQ(*parse_mic(to_string(mic)), mic);
    EXPECT_EQ(*parse_mic(to_string(mic, Sha2Format::Sha2UnderscoreHashSize)), mic);
  }
  EXPECT_EQ(to_string(Mic{Hash::Sha256, {1, 2, 3}}, "SHA-256"), "AQID, SHA-256");
}

TEST(Mic, IsComparedAsBytesAndByAlgorithm) {
  const Mic mic{Hash::Sha256, digest(Hash::Sha256, as_bytes("a"))};
  EXPECT_NE(mic, (Mic{Hash::Sha256, digest(Hash::Sha256, as_bytes("b"))}));
  EXPECT_NE(mic, (Mic{Hash::Sha512, mic.value}));
}

TEST(Mic, IsRefusedWhenItIsNone) {
  const std::string sha1 = base64(digest(Hash::Sha1, as_bytes("x")));
  for (const std::string& field :
       {std::string(), sha1, sha1 + ",", sha1 + ", sha-256", sha1 + ", sha-999", std::string("!!!!, sha1"),
        std::string(", sha1"), "AAAA" + sha1 + ", sha1", sha1 + std::string(300, ' ') + ", sha1"})
    EXPECT_FALSE(parse_mic(field)) << field;
  EXPECT_EQ(parse_mic(base64(digest(Hash::Md5, as_bytes("x"))) + ", md5").error().kind,
            ErrorKind::Unsupported);
}

}  // namespace
}  // namespace signet::as2
