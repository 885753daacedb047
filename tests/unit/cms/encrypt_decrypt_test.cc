#include <algorithm>
#include <array>

#include "as2/cms/ber.h"
#include "as2/cms/oids.h"
#include "base/openssl.h"
#include "tests/unit/cms/cms_fixture.h"

namespace signet::as2::cms::test {
namespace {

struct Encrypting {
  const char* name;
  ContentCipher cipher;
  const char* key;
  KeyTransport transport;
};

class EncryptionWith : public testing::TestWithParam<Encrypting> {};

DecryptPolicy allowing(ContentCipher cipher) {
  DecryptPolicy policy;
  policy.allowed_ciphers = {cipher};
  return policy;
}

TEST_P(EncryptionWith, IsUndoneByItsRecipientOnly) {
  const auto& [name, cipher, key, transport] = GetParam();
  const auto recipient = signet::test::make_certificate({.common_name = "Recipient", .key = key});
  const Bytes message =
      encrypted(kText, {recipient.certificate}, {.cipher = cipher, .key_transport = transport});
  EXPECT_EQ(detect_type(slice(message)).value(),
            is_authenticated(cipher) ? CmsType::AuthEnveloped : CmsType::Enveloped);
  MemorySink out;
  const std::vector<PrivateCertificate> ours = {rsa("Not this one"), recipient};
  const auto done = decrypt(slice(message), ours, allowing(cipher), out);
  ASSERT_TRUE(done) << done.error().cause.detail;
  EXPECT_EQ(as_text(out.bytes()), kText);
  EXPECT_EQ(done->cipher, cipher);
  EXPECT_EQ(done->recipient, recipient.certificate);
  EXPECT_EQ(done->key_transport,
            std::string(key).starts_with("ec") ? "ECDH with key wrap" : to_string(transport));

  const auto nobody = decrypted(message, {rsa("Not this one")}, allowing(cipher));
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().fault, Fault::DecryptionFailed);
}

TEST_P(EncryptionWith, NoticesEveryLengthBetweenBlocks) {
  const auto& [name, cipher, key, transport] = GetParam();
  const auto recipient = signet::test::make_certificate({.common_name = "Recipient", .key = key});
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 4096U}) {
    const std::string text(size, 'x');
    const Bytes message =
        encrypted(text, {recipient.certificate}, {.cipher = cipher, .key_transport = transport});
    EXPECT_EQ(decrypted(message, {recipient}, allowing(cipher)).value(), text);
  }
}

INSTANTIATE_TEST_SUITE_P(
    AllAlgorithms, EncryptionWith,
    testing::Values(Encrypting{"aes128cbc", ContentCipher::Aes128Cbc, "rsa:2048", KeyTransport::Rsa15},
                    Encrypting{"aes192cbc", ContentCipher::Aes192Cbc, "rsa:2048", KeyTransport::OaepSha1},
                    Encrypting{"aes256cbc", ContentCipher::Aes256Cbc, "rsa:2048", KeyTransport::OaepSha256},
                    Encrypting{"aes128gcm", ContentCipher::Aes128Gcm, "rsa:2048", KeyTransport::OaepSha384},
                    Encrypting{"aes192gcm", ContentCipher::Aes192Gcm, "rsa:2048", KeyTransport::OaepSha512},
                    Encrypting{"aes256gcm", ContentCipher::Aes256Gcm, "rsa:2048", KeyTransport::Rsa15},
                    Encrypting{"rsa4096", ContentCipher::Aes256Gcm, "rsa:4096", KeyTransport::OaepSha256},
                    Encrypting{"des3", ContentCipher::Des3Cbc, "rsa:2048", KeyTransport::Rsa15},
                    Encrypting{"ec256_cbc", ContentCipher::Aes128Cbc, "ec:P-256", KeyTransport::Rsa15},
                    Encrypting{"ec384_cbc", ContentCipher::Aes256Cbc, "ec:P-384", KeyTransport::Rsa15},
                    Encrypting{"ec521_gcm", ContentCipher::Aes256Gcm, "ec:P-521", KeyTransport::Rsa15}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST(Encrypt, ServesSeveralRecipientsOfBothKinds) {
  const auto one = rsa("One");
  const auto two = ec("Two");
  const auto three = rsa("Three");
  const Bytes message =
      encrypted(kText, {one.certificate, two.certificate, three.certificate},
                {.cipher = ContentCipher::Aes256Gcm, .key_transport = KeyTransport::OaepSha256});
  for (const auto& each : {one, two, three}) EXPECT_EQ(decrypted(message, {each}).value(), kText);
  EXPECT_FALSE(decrypted(message, {rsa("Four")}));
}

TEST(Encrypt, WritesDerWhenTheSizeIsKnownAndBerWhenItIsNot) {
  const auto recipient = rsa();
  const std::string text(300'001, 'E');
  for (const ContentCipher cipher : {ContentCipher::Aes256Cbc, ContentCipher::Aes256Gcm}) {
    const Bytes known =
        encrypted(text, {recipient.certificate}, {.cipher = cipher, .content_size = text.size()});
    const Bytes unknown = encrypted(text, {recipient.certificate}, {.cipher = cipher});
    EXPECT_NE(known[1], 0x80);
    EXPECT_EQ(unknown[1], 0x80);
    EXPECT_EQ(decrypted(known, {recipient}).value(), text);
    EXPECT_EQ(decrypted(unknown, {recipient}).value(), text);
  }
}

TEST(Encrypt, RefusesAContentOfAnotherSizeThanAnnounced) {
  const auto recipient = rsa();
  const std::vector<Certificate> recipients = {recipient.certificate};
  for (const std::uint64_t announced : {kText.size() - 1, kText.size() + 1}) {
    MemorySource source(as_bytes(kText));
    MemorySink out;
    const auto done = encrypt(source, recipients, {.content_size = announced}, out);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::InvalidInput);
  }
}

TEST(Encrypt, RefusesNobodyAndTheWeak) {
  MemorySink out;
  MemorySource source(as_bytes(kText));
  EXPECT_EQ(encrypt(source, {}, {}, out).error().kind, ErrorKind::InvalidInput);
  const std::vector<Certificate> weak = {
      signet::test::make_certificate({.common_name = "Weak", .key = "rsa:1024"}).certificate};
  EXPECT_EQ(encrypt(source, weak, {}, out).error().kind, ErrorKind::Unsupported);
  EXPECT_TRUE(out.bytes().empty());
}

class FailingSink final : public Sink {
 public:
  explicit FailingSink(std::size_t after) : after_(after) {}
  Result<> write(ByteView bytes) override {
    if (bytes.size() > after_) return fail(ErrorKind::IoFailure, "the disk is full");
    after_ -= bytes.size();
    return {};
  }

 private:
  std::size_t after_;
};

TEST(Encrypt, PassesOnWhatTheSinkSays) {
  const std::vector<Certificate> recipients = {rsa().certificate};
  const std::string text(200'000, 'x');
  for (const std::size_t after : {0U, 1000U, 100'000U}) {
    MemorySource source(as_bytes(text));
    FailingSink sink(after);
    const auto done = encrypt(source, recipients, {.content_size = text.size()}, sink);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().detail, "the disk is full");
  }
}

TEST(Decrypt, SaysThatItIsUsWhenTheSinkFails) {
  const auto recipient = rsa();
  const Bytes message = encrypted(kText, {recipient.certificate});
  FailingSink sink(0);
  const std::vector<PrivateCertificate> ours = {recipient};
  EXPECT_EQ(decrypt(slice(message), ours, {}, sink).error().fault, Fault::UnexpectedProcessingError);
}

TEST(Decrypt, TriesEveryOneOfOursThatMayBeMeant) {
  // Two keys of ours under one issuer and serial number, and a message for the second.
  const auto one = rsa("Twin");
  const auto other_key = rsa("Twin's other key").key;
  const X509Ptr copy(X509_dup(one.certificate.native()));
  X509_set_pubkey(copy.get(), other_key.native());
  X509_sign(copy.get(), other_key.native(), EVP_sha256());
  unsigned char* der = nullptr;
  const int size = i2d_X509(copy.get(), &der);
  const OpensslMemory owner(der);
  const PrivateCertificate other{Certificate::parse({der, static_cast<std::size_t>(size)}).value(),
                                 other_key};
  for (const ContentCipher cipher : {ContentCipher::Aes256Gcm, ContentCipher::Aes128Gcm}) {
    const Bytes message = encrypted(kText, {other.certificate}, {.cipher = cipher});
    EXPECT_EQ(decrypted(message, {one, other}).value(), kText);
    EXPECT_EQ(decrypted(message, {other, one}).value(), kText);
    EXPECT_FALSE(decrypted(message, {one}));
  }
}

// [RFC5652 6.1] OriginatorInfo, checklist 38
TEST(Decrypt, PassesTheOriginatorsCertificatesBy) {
  const auto recipient = rsa();
  const auto originator = rsa("Originator");
  const Bytes message = encrypted(kText, {recipient.certificate}, {.content_size = kText.size()});
  ber::Walker walker(slice(message));
  ASSERT_TRUE(walker.enter(ber::kSequence, ""));
  const Bytes type = walker.take(ber::kOid, 99, "").value();
  ASSERT_TRUE(walker.enter(ber::context(0), ""));
  ASSERT_TRUE(walker.enter(ber::kSequence, ""));
  const Bytes version = walker.take(ber::kInteger, 9, "").value();
  const Bytes recipients = walker.take(ber::kSet, 9999, "").value();
  const Bytes content = walker.take(ber::kSequence, 9999, "").value();
  const Bytes certificates = ber::element(ber::context(0), {originator.certificate.der()});
  const Bytes originator_info = ber::element(ber::context(0), {certificates});
  const Bytes enveloped = ber::element(ber::kSequence, {version, originator_info, recipients, content});
  const Bytes explicit_content = ber::element(ber::context(0), {enveloped});
  const Bytes with_originator = ber::element(ber::kSequence, {type, explicit_content});

  const auto opened = decrypted(with_originator, {recipient});
  ASSERT_TRUE(opened) << opened.error().cause.detail;
  EXPECT_EQ(*opened, kText);
  EXPECT_FALSE(decrypted(with_originator, {originator}));
}

TEST(Decrypt, RefusesMoreRecipientsThanAllowed) {
  const auto recipient = rsa();
  const std::vector<Certificate> many(33, recipient.certificate);
  const auto refused = decrypted(encrypted(kText, many), {recipient});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::DecryptionFailed);
  EXPECT_EQ(refused.error().cause.kind, ErrorKind::LimitExceeded);
  EXPECT_TRUE(decrypted(encrypted(kText, std::vector<Certificate>(32, recipient.certificate)), {recipient}));
}

TEST(Decrypt, RefusesACipherOutsideThePolicyBeforeAskingAnyKey) {
  const auto recipient = rsa();
  const Bytes message = encrypted(kText, {recipient.certificate}, {.cipher = ContentCipher::Des3Cbc});
  const auto refused = decrypted(message, {recipient});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::InsufficientMessageSecurity);
  EXPECT_NE(refused.error().cause.detail.find("DES-EDE3-CBC"), std::string::npos)
      << refused.error().cause.detail;
  // T5: an agreement on GCM takes no CBC.
  EXPECT_FALSE(
      decrypted(encrypted(kText, {recipient.certificate}), {recipient}, allowing(ContentCipher::Aes256Gcm)));
}

/// The GCM message's parts, to be put together differently.
struct GcmParts {
  Bytes version, recipients, oid, nonce, content, tag;
};

GcmParts split_gcm(const Bytes& message) {
  ber::Walker walker(slice(message));
  GcmParts parts;
  EXPECT_TRUE(walker.enter(ber::kSequence, ""));
  EXPECT_TRUE(walker.skip_any(""));
  EXPECT_TRUE(walker.enter(ber::context(0), ""));
  EXPECT_TRUE(walker.enter(ber::kSequence, ""));
  parts.version = walker.take(ber::kInteger, 9, "").value();
  parts.recipients = walker.take(ber::kSet, 9999, "").value();
  EXPECT_TRUE(walker.enter(ber::kSequence, ""));
  EXPECT_TRUE(walker.skip_any(""));
  EXPECT_TRUE(walker.enter(ber::kSequence, ""));
  parts.oid = walker.take(ber::kOid, 99, "").value();
  EXPECT_TRUE(walker.enter(ber::kSequence, ""));
  parts.nonce = walker.take_contents(ber::kOctetString, 99, "").value();
  EXPECT_TRUE(walker.skip_any(""));
  EXPECT_TRUE(walker.leave(""));
  EXPECT_TRUE(walker.leave(""));
  parts.content = walker.take_contents(ber::primitive_context(0), 99999, "").value();
  EXPECT_TRUE(walker.leave(""));
  parts.tag = walker.take_contents(ber::kOctetString, 99, "").value();
  return parts;
}

Bytes join_gcm(const GcmParts& parts, std::optional<std::uint8_t> icv_size = 16,
               const Bytes& attributes = {}) {
  const Bytes icv = icv_size ? Bytes{ber::kInteger, 1, *icv_size} : Bytes();
  const Bytes parameters =
      ber::element(ber::kSequence, {ber::element(ber::kOctetString, {parts.nonce}), icv});
  const Bytes algorithm = ber::element(ber::kSequence, {parts.oid, parameters});
  const Bytes content = ber::element(
      ber::kSequence, {oid::kData, algorithm, ber::element(ber::primitive_context(0), {parts.content})});
  const Bytes data = ber::element(ber::kSequence, {parts.version, parts.recipients, content, attributes,
                                                   ber::element(ber::kOctetString, {parts.tag})});
  return ber::element(ber::kSequence, {oid::kAuthEnvelopedData, ber::element(ber::context(0), {data})});
}

// T5
TEST(Decrypt, TakesOnlyWholeGcmTagsAndNoncesOfTwelveOctets) {
  const auto recipient = rsa();
  const GcmParts good =
      split_gcm(encrypted(kText, {recipient.certificate}, {.cipher = ContentCipher::Aes256Gcm}));
  EXPECT_EQ(decrypted(join_gcm(good), {recipient}).value(), kText);
  for (const std::size_t size : {0U, 1U, 4U, 8U, 12U, 15U, 17U}) {
    GcmParts cut = good;
    cut.tag.resize(size);
    for (const std::uint8_t said : {static_cast<std::uint8_t>(size), std::uint8_t{16}})
      EXPECT_EQ(decrypted(join_gcm(cut, said), {recipient}).error().fault, Fault::DecryptionFailed) << size;
  }
  for (const std::size_t size : {0U, 8U, 11U, 13U, 16U, 100U}) {
    GcmParts other = good;
    other.nonce.resize(size);
    EXPECT_EQ(decrypted(join_gcm(other), {recipient}).error().fault, Fault::DecryptionFailed) << size;
  }
  EXPECT_FALSE(decrypted(join_gcm(good, 12), {recipient}));
  EXPECT_FALSE(decrypted(join_gcm(good, std::nullopt), {recipient}));
  EXPECT_FALSE(decrypted(join_gcm(good, 16, ber::element(ber::context(1), {})), {recipient}));
}

TEST(Decrypt, NoticesEveryChangedOctetOfAGcmMessage) {
  const auto recipient = ec();
  const GcmParts good =
      split_gcm(encrypted(kText, {recipient.certificate}, {.cipher = ContentCipher::Aes128Gcm}));
  for (Bytes GcmParts::*const field : {&GcmParts::nonce, &GcmParts::content, &GcmParts::tag})
    for (std::size_t at = 0; at < (good.*field).size(); ++at) {
      GcmParts changed = good;
      (changed.*field)[at] ^= 1;
      EXPECT_EQ(decrypted(join_gcm(changed), {recipient}).error().fault, Fault::DecryptionFailed);
    }
}

// T5: a CBC cipher in AuthEnvelopedData, and GCM without a tag in EnvelopedData.
TEST(Decrypt, RefusesACipherWhereItDoesNotBelong) {
  const auto recipient = rsa();
  GcmParts parts = split_gcm(encrypted(kText, {recipient.certificate}, {.cipher = ContentCipher::Aes256Gcm}));
  const Bytes algorithm =
      ber::element(ber::kSequence,
                   {parts.oid, ber::element(ber::kSequence, {ber::element(ber::kOctetString, {parts.nonce}),
                                                             Bytes{ber::kInteger, 1, 16}})});
  const Bytes content = ber::element(
      ber::kSequence, {oid::kData, algorithm, ber::element(ber::primitive_context(0), {parts.content})});
  const Bytes data = ber::element(ber::kSequence, {parts.version, parts.recipients, content});
  const Bytes downgraded =
      ber::element(ber::kSequence, {oid::kEnvelopedData, ber::element(ber::context(0), {data})});
  EXPECT_EQ(decrypted(downgraded, {recipient}).error().fault, Fault::DecryptionFailed);
  parts.oid = {0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2A};  // aes256-CBC
  EXPECT_EQ(decrypted(join_gcm(parts), {recipient}).error().fault, Fault::DecryptionFailed);
}

TEST(Decrypt, RefusesEveryTruncationAndSurvivesEveryFlip) {
  const auto recipient = ec();
  const std::vector<PrivateCertificate> ours = {recipient};
  for (const ContentCipher cipher : {ContentCipher::Aes128Cbc, ContentCipher::Aes128Gcm}) {
    const Bytes message = encrypted(kText, {recipient.certificate}, {.cipher = cipher});
    for (std::size_t size = 0; size < message.size(); ++size)
      EXPECT_EQ(decrypted(ByteView(message).first(size), ours).error().fault, Fault::DecryptionFailed)
          << size;
    for (std::size_t at = 0; at < message.size(); ++at) {
      Bytes flipped = message;
      flipped[at] = static_cast<std::uint8_t>(flipped[at] ^ 0xFF);
      MemorySink out;
      static_cast<void>(decrypt(slice(flipped), ours, {}, out));
      EXPECT_LE(out.bytes().size(), message.size());
    }
  }
}

TEST(Decrypt, RefusesWhatIsNotEnveloped) {
  const auto recipient = rsa();
  EXPECT_FALSE(decrypted(signature(kText, recipient), {recipient}));
  EXPECT_FALSE(decrypted(compressed(kText), {recipient}));
  EXPECT_FALSE(decrypted(as_bytes(kText), {recipient}));
  EXPECT_FALSE(decrypted({}, {recipient}));
}

// T3: whatever the probe, the same words, for the partner and in the log.
TEST(Decrypt, SaysTheSameOfEveryDamage) {
  const auto recipient = rsa();
  const Bytes message = encrypted(std::string(64, 'x'), {recipient.certificate});
  std::vector<std::string> said;
  // The last block is all padding; changing octet n of the block before it changes octet n of the padding.
  for (const std::size_t from_end : {1U, 17U, 18U, 25U}) {
    Bytes damaged = message;
    damaged[damaged.size() - from_end] ^= 0x55;
    if (const auto result = decrypted(damaged, {recipient}); !result)
      said.push_back(result.error().cause.detail);
  }
  Bytes wrong_key = message;
  const Bytes rsa_block(256, 0x01);
  constexpr std::array<std::uint8_t, 4> kBeforeTheKey = {0x05, 0x00, 0x04, 0x82};  // NULL, OCTET STRING
  const auto algorithm =
      std::search(wrong_key.begin(), wrong_key.end(), kBeforeTheKey.begin(), kBeforeTheKey.end());
  ASSERT_NE(algorithm, wrong_key.end());
  std::copy(rsa_block.begin(), rsa_block.end(), algorithm + 6);
  if (const auto result = decrypted(wrong_key, {recipient}); !result)
    said.push_back(result.error().cause.detail);
  ASSERT_GE(said.size(), 3U);
  for (const auto& each : said) EXPECT_EQ(each, said.front());
}

}  // namespace
}  // namespace signet::as2::cms::test
