#include "as2/cms/describe.h"

#include "tests/unit/cms/cms_fixture.h"

/// What the outside of a message says, without a key: our own messages, other people's and hostile ones.

namespace signet::as2::cms::test {
namespace {

const std::string kFolder = SIGNET_SOURCE_DIR "/tests/vectors/cms/";

CmsDescription describe_file(const std::string& name) {
  const auto description = describe(Slice::of(vector_file(name)));
  EXPECT_TRUE(description) << name << ": " << description.error().detail;
  return description ? *description : CmsDescription{};
}

TEST(Describe, NamesCipherAndRecipientsOfAnEnvelopedData) {
  const Certificate gateway = Certificate::parse(vector_file("gateway.crt")).value();
  const CmsDescription cbc = describe_file("good-encsigned-aes-256-cbc.p7m");
  EXPECT_EQ(cbc.type, CmsType::Enveloped);
  EXPECT_EQ(cbc.cipher, "AES-256-CBC");
  EXPECT_EQ(cbc.damage, "");
  ASSERT_EQ(cbc.recipients.size(), 1U);
  EXPECT_TRUE(is_named(gateway, cbc.recipients[0].party)) << to_string(cbc.recipients[0].party);
  EXPECT_FALSE(is_named(Certificate::parse(vector_file("partner.crt")).value(), cbc.recipients[0].party));
  EXPECT_EQ(cbc.recipients[0].kind, "key transport");
  EXPECT_EQ(cbc.recipients[0].key_transport, "RSA PKCS#1 v1.5");
  EXPECT_GT(cbc.content_size, 0U);

  EXPECT_TRUE(describe_file("good-encsigned-ber-stream.p7m").indefinite_length);
  EXPECT_NE(describe_file("good-encsigned-oaep.p7m").recipients.at(0).key_transport.find("RSAES-OAEP"),
            std::string::npos);
  EXPECT_EQ(describe_file("cms-kekri-recipient.p7m").recipients.at(0).kind, "shared key");
  EXPECT_EQ(describe_file("rfc4134-5.2.p7m").recipients.size(), 2U);
}

TEST(Describe, NamesCiphersThatSignetDoesNotSpeak) {
  const CmsDescription rc2 = describe_file("weak-cipher-rc2-40-cbc.p7m");
  EXPECT_FALSE(rc2.known_cipher);
  EXPECT_NE(rc2.cipher.find("1.2.840.113549.3.2"), std::string::npos) << rc2.cipher;
  EXPECT_EQ(describe_file("weak-cipher-des3.p7m").known_cipher, ContentCipher::Des3Cbc);
}

TEST(Describe, TellsTagAndNonceOfGcm) {
  const CmsDescription good = describe_file("gcm-tag-bitflip.p7m");
  EXPECT_EQ(good.type, CmsType::AuthEnveloped);
  EXPECT_EQ(good.tag_size, 16U);
  EXPECT_EQ(good.nonce_size, 12U);
  EXPECT_EQ(describe_file("gcm-param-icvlen-4.p7m").icv_size, 4U);
  const CmsDescription long_nonce = describe_file("gcm-param-iv-1024.p7m");
  EXPECT_TRUE(long_nonce.nonce_size == 1024U || !long_nonce.damage.empty());
}

TEST(Describe, TellsWhatIsCompressed) {
  const CmsDescription compressed = describe_file("good-sign-then-compress.p7m");
  EXPECT_EQ(compressed.type, CmsType::Compressed);
  EXPECT_EQ(compressed.compression, "zlib");
  EXPECT_GT(compressed.content_size, 0U);
}

TEST(Describe, ReadsAsFarAsADamagedMessageGoes) {
  const auto cut = describe(Slice::of(vector_file("cms-truncated-half.p7m")));
  ASSERT_FALSE(cut);
  EXPECT_NE(cut.error().detail.find("cut short: its first octets announce"), std::string::npos)
      << cut.error().detail;

  const Bytes stream = vector_file("good-encsigned-ber-stream.p7m");
  const auto half = describe(
      Slice::of(Bytes(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(stream.size() / 2))));
  ASSERT_TRUE(half);
  EXPECT_FALSE(half->damage.empty());
  EXPECT_EQ(half->type, CmsType::Enveloped);
  EXPECT_FALSE(describe(Slice::of("UNB+")));
  EXPECT_FALSE(describe(Slice::of("")));
}

TEST(Describe, EveryPrefixOfAMessageIsDescribedOrRefused) {
  const Bytes whole = vector_file("good-encsigned-ber-stream.p7m");
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    const auto description =
        describe(Slice::of(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))));
    if (!description) continue;
    EXPECT_FALSE(description->damage.empty() && size + 8 < whole.size()) << size;
  }
}

TEST(Describe, TellsTheSignerItsAlgorithmsAndAttributes) {
  const PrivateCertificate signer = signet::test::make_certificate({.common_name = "Signer"});
  SignOptions options;
  options.hash = Hash::Sha384;
  options.signing_time = parse_time("2026-11-21T08:30:00Z").value();
  options.algorithm_protection = true;
  const Bytes signature = sign_detached(Slice::of("content"), signer, options).value();
  const CmsDescription description = describe(Slice::of(signature)).value();
  EXPECT_TRUE(description.detached);
  ASSERT_EQ(description.signers.size(), 1U);
  const SignerDescription& found = description.signers[0];
  EXPECT_TRUE(is_named(signer.certificate, found.party));
  EXPECT_EQ(found.hash, Hash::Sha384);
  EXPECT_EQ(found.message_digest, digest(Hash::Sha384, as_bytes("content")));
  EXPECT_EQ(found.signing_time, options.signing_time);
  EXPECT_GE(found.signed_attributes.size(), 4U);
  ASSERT_EQ(description.certificates.size(), 1U);
  EXPECT_EQ(description.certificates[0], signer.certificate);

  options.signed_attributes = false;
  options.include_certificate = false;
  options.algorithm_protection = false;
  const CmsDescription bare =
      describe(Slice::of(sign_detached(Slice::of("content"), signer, options).value())).value();
  EXPECT_FALSE(bare.signers.at(0).has_signed_attributes);
  EXPECT_EQ(bare.certificate_count, 0U);
  MemorySink nothing;
  EXPECT_FALSE(extract_unverified(Slice::of(signature), nothing));
}

}  // namespace
}  // namespace signet::as2::cms::test
