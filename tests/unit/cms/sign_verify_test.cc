#include <openssl/asn1.h>

#include "as2/cms/ber.h"
#include "as2/cms/oids.h"
#include "base/openssl.h"
#include "tests/unit/cms/cms_fixture.h"

namespace signet::as2::cms::test {
namespace {

struct Signing {
  const char* name;
  const char* key;
  Hash hash;
  SignatureScheme scheme;
  bool attributes;
};

class SignaturesOf : public testing::TestWithParam<Signing> {};

PrivateCertificate signer_for(const Signing& signing) {
  return signet::test::make_certificate({.common_name = "Signer", .key = signing.key});
}

TEST_P(SignaturesOf, AreVerifiedAndNameTheirHash) {
  const PrivateCertificate signer = signer_for(GetParam());
  const Bytes p7s = signature(
      kText, signer,
      {.hash = GetParam().hash, .scheme = GetParam().scheme, .signed_attributes = GetParam().attributes});
  const auto proof = verified(p7s, kText, {signer.certificate});
  ASSERT_TRUE(proof) << proof.error().cause.detail;
  EXPECT_EQ(proof->hash(), GetParam().hash);
  EXPECT_EQ(proof->certificate(), signer.certificate);
  EXPECT_EQ(proof->signing_time().has_value(), GetParam().attributes);
}

TEST_P(SignaturesOf, AreRefusedOverAnotherContent) {
  const PrivateCertificate signer = signer_for(GetParam());
  const Bytes p7s = signature(
      kText, signer,
      {.hash = GetParam().hash, .scheme = GetParam().scheme, .signed_attributes = GetParam().attributes});
  const auto proof = verified(p7s, kText + "x", {signer.certificate});
  ASSERT_FALSE(proof);
  // Without attributes only PKCS#1 v1.5 lets the signed digest be seen.
  const bool digest_is_seen = GetParam().attributes || GetParam().scheme == SignatureScheme::RsaPkcs1;
  EXPECT_EQ(proof.error().fault, digest_is_seen ? Fault::IntegrityCheckFailed : Fault::AuthenticationFailed);
}

TEST_P(SignaturesOf, AreRefusedFromAStrangerOfTheSameName) {
  const PrivateCertificate signer = signer_for(GetParam());
  const PrivateCertificate stranger = signet::test::make_certificate(
      {.common_name = "Signer", .key = GetParam().key});  // same key, other serial number
  const Bytes p7s = signature(kText, stranger, {.hash = GetParam().hash, .scheme = GetParam().scheme});
  const auto proof = verified(p7s, kText, {signer.certificate});
  ASSERT_FALSE(proof);
  EXPECT_EQ(proof.error().fault, Fault::AuthenticationFailed);
  EXPECT_NE(proof.error().cause.detail.find(signer.certificate.serial()), std::string::npos)
      << proof.error().cause.detail;
}

// The MIC is over what was signed: whoever signs or verifies leaves its digest where digest() finds it.
TEST_P(SignaturesOf, LeaveTheDigestOfWhatTheyAreOver) {
  const PrivateCertificate signer = signer_for(GetParam());
  const Slice mine = Slice::of(kText);
  const auto p7s = sign_detached(
      mine, signer,
      {.hash = GetParam().hash, .scheme = GetParam().scheme, .signed_attributes = GetParam().attributes});
  ASSERT_TRUE(p7s);
  const Bytes expected = digest(GetParam().hash, as_bytes(kText));
  EXPECT_EQ(mine.known_digest(GetParam().hash), expected);
  EXPECT_FALSE(mine.known_digest(GetParam().hash == Hash::Sha256 ? Hash::Sha512 : Hash::Sha256));

  const Slice theirs = Slice::of(kText);
  const std::vector<Certificate> accepted = {signer.certificate};
  ASSERT_TRUE(verify_detached(*p7s, theirs, accepted, {}));
  EXPECT_EQ(theirs.known_digest(GetParam().hash), expected);
  const Slice altered = Slice::of(kText + "x");
  EXPECT_FALSE(verify_detached(*p7s, altered, accepted, {}));
  EXPECT_NE(altered.known_digest(GetParam().hash), expected);
}

INSTANTIATE_TEST_SUITE_P(
    AllAlgorithms, SignaturesOf,
    testing::Values(Signing{"rsa_sha256", "rsa:2048", Hash::Sha256, SignatureScheme::RsaPkcs1, true},
                    Signing{"rsa_sha384", "rsa:2048", Hash::Sha384, SignatureScheme::RsaPkcs1, true},
                    Signing{"rsa_sha512", "rsa:3072", Hash::Sha512, SignatureScheme::RsaPkcs1, true},
                    Signing{"rsa4096", "rsa:4096", Hash::Sha256, SignatureScheme::RsaPkcs1, true},
                    Signing{"rsa_noattr", "rsa:2048", Hash::Sha256, SignatureScheme::RsaPkcs1, false},
                    Signing{"pss_sha256", "rsa:2048", Hash::Sha256, SignatureScheme::RsaPss, true},
                    Signing{"pss_sha512", "rsa:2048", Hash::Sha512, SignatureScheme::RsaPss, true},
                    Signing{"pss_noattr", "rsa:2048", Hash::Sha384, SignatureScheme::RsaPss, false},
                    Signing{"ec256", "ec:P-256", Hash::Sha256, SignatureScheme::Ecdsa, true},
                    Signing{"ec384", "ec:P-384", Hash::Sha384, SignatureScheme::RsaPkcs1, true},
                    Signing{"ec521_noattr", "ec:P-521", Hash::Sha512, SignatureScheme::Ecdsa, false}),
    [](const auto& instance) { return std::string(instance.param.name); });

// RFC 4130 section 7.3: an empty document is a document.
TEST(Sign, SignsNothingAtAll) {
  const auto signer = rsa();
  EXPECT_TRUE(verified(signature("", signer), "", {signer.certificate}));
}

TEST(Sign, WritesTheTimeThatItIsGiven) {
  const auto signer = rsa();
  const Time time = parse_time("2026-11-21T08:30:00Z").value();
  const auto proof = verified(signature(kText, signer, {.signing_time = time}), kText, {signer.certificate});
  ASSERT_TRUE(proof);
  EXPECT_EQ(proof->signing_time(), time);
}

/// What OpenSSL makes of the same, at the same time.
Bytes openssl_signature(const PrivateCertificate& signer, const EVP_MD* hash, Time time, unsigned flags) {
  const BioPtr content(BIO_new_mem_buf(kText.data(), static_cast<int>(kText.size())));
  const CmsPtr cms(CMS_sign(nullptr, nullptr, nullptr, nullptr, CMS_PARTIAL | CMS_BINARY | CMS_DETACHED));
  CMS_SignerInfo* const info = CMS_add1_signer(cms.get(), signer.certificate.native(), signer.key.native(),
                                               hash, CMS_PARTIAL | CMS_BINARY | CMS_NOSMIMECAP | flags);
  if ((flags & CMS_NOATTR) == 0) {
    ASN1_TIME* const when = ASN1_TIME_set(nullptr, std::chrono::system_clock::to_time_t(time));
    EXPECT_EQ(CMS_signed_add1_attr_by_NID(info, NID_pkcs9_signingTime, ASN1_STRING_type(when), when, -1), 1);
    ASN1_TIME_free(when);
  }
  EXPECT_EQ(CMS_final(cms.get(), content.get(), nullptr, CMS_BINARY | CMS_DETACHED), 1);
  unsigned char* der = nullptr;
  const int size = i2d_CMS_ContentInfo(cms.get(), &der);
  const OpensslMemory owner(der);
  return Bytes(der, der + size);
}

// RSA v1.5 knows no chance, so every octet can be compared.
TEST(Sign, WritesWhatOpensslWouldWrite) {
  const auto signer = rsa();
  for (const char* when : {"2026-11-21T08:30:00Z", "2050-01-01T00:00:00Z"})
    for (const auto& [hash, openssl_hash] :
         {std::pair(Hash::Sha256, EVP_sha256()), std::pair(Hash::Sha384, EVP_sha384()),
          std::pair(Hash::Sha512, EVP_sha512()), std::pair(Hash::Sha1, EVP_sha1())}) {
      const Time time = parse_time(when).value();
      EXPECT_EQ(signature(kText, signer, {.hash = hash, .signing_time = time}),
                openssl_signature(signer, openssl_hash, time, 0));
      EXPECT_EQ(signature(kText, signer, {.hash = hash, .include_certificate = false, .signing_time = time}),
                openssl_signature(signer, openssl_hash, time, CMS_NOCERTS));
      EXPECT_EQ(signature(kText, signer, {.hash = hash, .signed_attributes = false}),
                openssl_signature(signer, openssl_hash, time, CMS_NOATTR));
    }
}

TEST(Sign, LeavesTheCertificateOutWhenAsked) {
  const auto signer = rsa();
  const Bytes with = signature(kText, signer);
  const Bytes without = signature(kText, signer, {.include_certificate = false});
  EXPECT_GT(with.size(), without.size() + signer.certificate.der().size() - 16);
  EXPECT_TRUE(verified(without, kText, {signer.certificate}));
}

TEST(Sign, RefusesWhatCannotBeReliedOn) {
  const auto signer = rsa();
  EXPECT_EQ(sign_detached(Slice::of(kText), signer, {.hash = Hash::Md5}).error().kind,
            ErrorKind::Unsupported);
  const auto weak = signet::test::make_certificate({.common_name = "Weak", .key = "rsa:1024"});
  EXPECT_EQ(sign_detached(Slice::of(kText), weak, {}).error().kind, ErrorKind::Unsupported);
  EXPECT_EQ(sign_detached(Slice::of(kText), {signer.certificate, {}}, {}).error().kind,
            ErrorKind::CryptoFailure);
  EXPECT_EQ(sign_detached(Slice::of(kText), {signer.certificate, rsa("Other").key}, {}).error().kind,
            ErrorKind::CryptoFailure);
  EXPECT_EQ(sign_detached(Slice::of(kText), signer, {.scheme = SignatureScheme::Ecdsa}).error().kind,
            ErrorKind::Unsupported);
}

// RFC 6211: receivers compare the attribute with the algorithms in the SignerInfo, octet by octet.
TEST(Sign, ProtectsTheAlgorithmsThatAreReallyUsed) {
  for (const auto& [signer, scheme, hash] : {std::tuple(rsa(), SignatureScheme::RsaPkcs1, Hash::Sha256),
                                             std::tuple(rsa(), SignatureScheme::RsaPss, Hash::Sha384),
                                             std::tuple(rsa(), SignatureScheme::RsaPss, Hash::Sha1),
                                             std::tuple(ec(), SignatureScheme::Ecdsa, Hash::Sha512)}) {
    const Bytes p7s =
        signature(kText, signer, {.hash = hash, .scheme = scheme, .algorithm_protection = true});
    const unsigned char* in = p7s.data();
    const CmsPtr cms(d2i_CMS_ContentInfo(nullptr, &in, static_cast<long>(p7s.size())));
    CMS_SignerInfo* info = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms.get()), 0);
    const Asn1ObjectPtr type(OBJ_txt2obj("1.2.840.113549.1.9.52", 1));
    const auto* value =
        static_cast<ASN1_STRING*>(CMS_signed_get0_data_by_OBJ(info, type.get(), -3, V_ASN1_SEQUENCE));
    ASSERT_NE(value, nullptr);
    X509_ALGOR* digest_algorithm = nullptr;
    X509_ALGOR* algorithm = nullptr;
    CMS_SignerInfo_get0_algs(info, nullptr, nullptr, &digest_algorithm, &algorithm);
    unsigned char* der = nullptr;
    const int digest_size = i2d_X509_ALGOR(digest_algorithm, &der);
    const OpensslMemory digest_owner(der);
    const ByteView digest_der(der, static_cast<std::size_t>(digest_size));
    der = nullptr;
    const int size = i2d_X509_ALGOR(algorithm, &der);
    const OpensslMemory owner(der);
    Bytes algorithm_der(der, der + size);
    algorithm_der.front() = ber::context(1);
    EXPECT_EQ(Bytes(value->data, value->data + value->length),
              ber::element(ber::kSequence, {digest_der, algorithm_der}));
    VerifyPolicy policy;
    policy.allowed_hashes.push_back(Hash::Sha1);
    EXPECT_TRUE(verified(p7s, kText, {signer.certificate}, policy));
  }
}

TEST(Verify, TakesSha1OnlyByException) {
  const auto signer = rsa();
  const Bytes p7s = signature(kText, signer, {.hash = Hash::Sha1});
  EXPECT_EQ(verified(p7s, kText, {signer.certificate}).error().fault, Fault::AuthenticationFailed);
  EXPECT_TRUE(verified(p7s, kText, {signer.certificate}, {.allowed_hashes = {Hash::Sha1}}));
}

/// A signature by whatever OpenSSL would do for us.
Bytes made_by_openssl(const std::vector<PrivateCertificate>& signers, const EVP_MD* md, unsigned flags,
                      const std::string& text = kText) {
  const CmsPtr cms(CMS_sign(nullptr, nullptr, nullptr, nullptr, CMS_PARTIAL | CMS_BINARY | CMS_DETACHED));
  for (const auto& each : signers)
    CMS_add1_signer(cms.get(), each.certificate.native(), each.key.native(), md,
                    flags | CMS_BINARY | CMS_PARTIAL);
  if ((flags & CMS_DETACHED) == 0) CMS_set_detached(cms.get(), 0);
  const BioPtr content = borrow_as_bio(as_bytes(text));
  if (!signers.empty()) {
    EXPECT_EQ(CMS_final(cms.get(), content.get(), nullptr, CMS_BINARY | (flags & CMS_DETACHED)), 1);
  }
  unsigned char* der = nullptr;
  const int size = i2d_CMS_ContentInfo(cms.get(), &der);
  const OpensslMemory owner(der);
  return Bytes(der, der + size);
}

TEST(Verify, NeverTakesMd5) {
  const auto signer = rsa();
  const Bytes p7s = made_by_openssl({signer}, EVP_md5(), CMS_DETACHED);
  EXPECT_EQ(verified(p7s, kText, {signer.certificate}, {.allowed_hashes = {Hash::Md5}}).error().fault,
            Fault::AuthenticationFailed);
}

TEST(Verify, NeverTakesAWeakKeyEvenWhenItIsTheAgreedOne) {
  const auto weak = signet::test::make_certificate({.common_name = "Weak", .key = "rsa:1024"});
  const Bytes p7s = made_by_openssl({weak}, EVP_sha256(), CMS_DETACHED);
  EXPECT_EQ(verified(p7s, kText, {weak.certificate}).error().fault, Fault::AuthenticationFailed);
}

/// The same certificate with one more extension, as a CA would give it.
PrivateCertificate with_extension(PrivateCertificate own, int nid, const char* value) {
  const X509Ptr copy(X509_dup(own.certificate.native()));
  X509V3_CTX context;
  X509V3_set_ctx(&context, copy.get(), copy.get(), nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  X509_add_ext(copy.get(), extension, -1);
  X509_EXTENSION_free(extension);
  X509_sign(copy.get(), own.key.native(), EVP_sha256());
  unsigned char* der = nullptr;
  const int size = i2d_X509(copy.get(), &der);
  const OpensslMemory owner(der);
  own.certificate = Certificate::parse({der, static_cast<std::size_t>(size)}).value();
  return own;
}

// Drummond's certificate quirks, checklist 44: the agreement vouches for it, whatever it says it is for.
TEST(Verify, LooksAtNoExtendedKeyUsageCriticalOrNot) {
  const auto signer = with_extension(rsa("With EKU"), NID_ext_key_usage, "critical,serverAuth");
  EXPECT_TRUE(verified(signature(kText, signer), kText, {signer.certificate}));
  EXPECT_FALSE(verified(signature(kText, rsa("Another")), kText, {signer.certificate}));
}

/// The SignedData with another digest and signature algorithm in its SignerInfo; neither is under the
/// signature.
Bytes with_algorithms(const Bytes& p7s, int digest_parameters, int signature_nid, int signature_parameters) {
  const unsigned char* in = p7s.data();
  const CmsPtr cms(d2i_CMS_ContentInfo(nullptr, &in, static_cast<long>(p7s.size())));
  CMS_SignerInfo* const info = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms.get()), 0);
  X509_ALGOR* digest = nullptr;
  X509_ALGOR* signing = nullptr;
  CMS_SignerInfo_get0_algs(info, nullptr, nullptr, &digest, &signing);
  const ASN1_OBJECT* hash = nullptr;
  X509_ALGOR_get0(&hash, nullptr, nullptr, digest);
  X509_ALGOR_set0(digest, OBJ_dup(hash), digest_parameters, nullptr);
  X509_ALGOR_set0(signing, OBJ_nid2obj(signature_nid), signature_parameters, nullptr);
  unsigned char* der = nullptr;
  const int size = i2d_CMS_ContentInfo(cms.get(), &der);
  const OpensslMemory owner(der);
  return Bytes(der, der + size);
}

// [RFC5754 2, 3.2], Drummond 3Q10#1, checklist 33
TEST(Verify, TakesAlgorithmsWithParametersAndWithoutAndByEitherName) {
  const auto signer = rsa();
  const Bytes p7s = signature(kText, signer);
  for (const int digest_parameters : {V_ASN1_NULL, V_ASN1_UNDEF})
    for (const int signature_parameters : {V_ASN1_NULL, V_ASN1_UNDEF})
      for (const int name : {NID_rsaEncryption, NID_sha256WithRSAEncryption}) {
        const Bytes changed = with_algorithms(p7s, digest_parameters, name, signature_parameters);
        const auto proof = verified(changed, kText, {signer.certificate});
        EXPECT_TRUE(proof) << digest_parameters << " " << name << " " << signature_parameters << ": "
                           << proof.error().cause.detail;
        EXPECT_FALSE(verified(changed, kText + "x", {signer.certificate}));
      }
  EXPECT_FALSE(verified(with_algorithms(p7s, V_ASN1_NULL, NID_sha512WithRSAEncryption, V_ASN1_NULL), kText,
                        {signer.certificate}))
      << "two names that contradict each other";
}

// RFC 5652 section 5.3: the other kind of signer identifier.
TEST(Verify, FindsTheSignerByKeyIdentifier) {
  const auto signer = with_extension(rsa("With SKI"), NID_subject_key_identifier, "hash");
  const Bytes p7s = made_by_openssl({signer}, EVP_sha256(), CMS_DETACHED | CMS_USE_KEYID);
  EXPECT_TRUE(verified(p7s, kText, {rsa("Other").certificate, signer.certificate}));
  EXPECT_FALSE(verified(p7s, kText, {rsa("Other").certificate}));
}

/// Two certificates of different keys with the same issuer and serial number, as some partners manage to
/// have.
std::pair<PrivateCertificate, PrivateCertificate> twins() {
  const auto one = rsa("Twin");
  const auto other_key = rsa("Twin's other key").key;
  const X509Ptr copy(X509_dup(one.certificate.native()));
  X509_set_pubkey(copy.get(), other_key.native());
  X509_sign(copy.get(), other_key.native(), EVP_sha256());
  unsigned char* der = nullptr;
  const int size = i2d_X509(copy.get(), &der);
  const OpensslMemory owner(der);
  return {one, {Certificate::parse({der, static_cast<std::size_t>(size)}).value(), other_key}};
}

TEST(Verify, TriesAllCertificatesOfTheSameIssuerAndSerialNumber) {
  const auto [one, other] = twins();
  for (const bool attributes : {true, false}) {
    const Bytes p7s = signature(kText, other, {.signed_attributes = attributes});
    const auto proof = verified(p7s, kText, {one.certificate, other.certificate});
    ASSERT_TRUE(proof) << proof.error().cause.detail;
    EXPECT_EQ(proof->certificate(), other.certificate);
  }
}

// T8: the attacker's certificate has the partner's name and number, and comes with the message.
TEST(Verify, NeverTakesTheCertificateThatTheMessageCarries) {
  const auto [partner, attacker] = twins();
  const Bytes p7s = signature(kText, attacker, {.include_certificate = true});
  const auto proof = verified(p7s, kText, {partner.certificate});
  ASSERT_FALSE(proof);
  EXPECT_EQ(proof.error().fault, Fault::AuthenticationFailed);
}

// T7
TEST(Verify, CountsStrangersForNothingAndWantsOneSignerOfOurs) {
  const auto partner = rsa();
  const auto stranger = ec();
  const Bytes both = made_by_openssl({stranger, partner}, EVP_sha256(), CMS_DETACHED);
  EXPECT_TRUE(verified(both, kText, {partner.certificate}));
  EXPECT_FALSE(verified(both, kText, {rsa("Third").certificate}));
  EXPECT_EQ(verified(both, kText, {partner.certificate, stranger.certificate}).error().fault,
            Fault::AuthenticationFailed);
  EXPECT_FALSE(verified(both, kText, {}));
}

TEST(Verify, GivesTheSignatureOfItsSignerAloneForOthersToVerify) {
  const auto partner = rsa();
  const auto stranger = ec();
  for (const Bytes& p7s : {made_by_openssl({stranger, partner}, EVP_sha256(), CMS_DETACHED),
                           signature(kText, partner, {.include_certificate = true})}) {
    const auto proof = verified(p7s, kText, {partner.certificate});
    ASSERT_TRUE(proof) << proof.error().cause.detail;
    const auto again = verified(proof->signature(), kText, {partner.certificate});
    ASSERT_TRUE(again) << again.error().cause.detail;
    EXPECT_EQ(again->signature(), proof->signature());
    EXPECT_FALSE(verified(proof->signature(), kText + "x", {partner.certificate}));
    EXPECT_FALSE(verified(proof->signature(), kText, {stranger.certificate})) << "he is not in it any more";
  }
}

TEST(Verify, RefusesMoreSignersThanAllowed) {
  const auto partner = rsa();
  const std::vector<PrivateCertificate> nine(9, partner);
  const Bytes p7s = made_by_openssl(nine, EVP_sha256(), CMS_DETACHED | CMS_NOCERTS);
  const auto proof = verified(p7s, kText, {partner.certificate});
  ASSERT_FALSE(proof);
  EXPECT_EQ(proof.error().cause.kind, ErrorKind::LimitExceeded);
}

TEST(Verify, RefusesASignedDataThatNobodySigned) {
  const auto proof = verified(made_by_openssl({}, EVP_sha256(), CMS_DETACHED), kText, {rsa().certificate});
  ASSERT_FALSE(proof);
  EXPECT_EQ(proof.error().fault, Fault::AuthenticationFailed);
}

// T7, eContent confusion
TEST(Verify, RefusesADetachedSignatureThatCarriesContent) {
  const auto signer = rsa();
  const Bytes p7m = made_by_openssl({signer}, EVP_sha256(), 0);
  EXPECT_EQ(verified(p7m, kText, {signer.certificate}).error().fault, Fault::AuthenticationFailed);
}

// The DER of signed attributes is itself something that the key signed: it must not pass for a content.
TEST(Verify, RefusesSignedAttributesPassedOffAsContent) {
  const auto signer = rsa();
  const Bytes p7s = signature(kText, signer, {.include_certificate = false});
  const unsigned char* in = p7s.data();
  const CmsPtr cms(d2i_CMS_ContentInfo(nullptr, &in, static_cast<long>(p7s.size())));
  // SignerInfo: version, identifier, digest algorithm, [0] attributes, signature algorithm, signature.
  ber::Walker walker(slice(p7s));
  ASSERT_TRUE(walker.enter(ber::kSequence, ""));
  ASSERT_TRUE(walker.skip_any(""));
  ASSERT_TRUE(walker.enter(ber::context(0), ""));
  ASSERT_TRUE(walker.enter(ber::kSequence, ""));
  const Bytes version = walker.take(ber::kInteger, 9, "").value();
  const Bytes digests = walker.take(ber::kSet, 99, "").value();
  const Bytes content = walker.take(ber::kSequence, 99, "").value();
  ASSERT_TRUE(walker.enter(ber::kSet, ""));
  ASSERT_TRUE(walker.enter(ber::kSequence, ""));
  const Bytes info_version = walker.take(ber::kInteger, 9, "").value();
  const Bytes id = walker.take(ber::kSequence, 999, "").value();
  const Bytes digest_algorithm = walker.take(ber::kSequence, 99, "").value();
  Bytes attributes = walker.take(ber::context(0), 9999, "").value();
  const Bytes algorithm = walker.take(ber::kSequence, 99, "").value();
  const Bytes value = walker.take(ber::kOctetString, 999, "").value();
  attributes.front() = ber::kSet;
  const Bytes info = ber::element(ber::kSequence, {info_version, id, digest_algorithm, algorithm, value});
  const Bytes data =
      ber::element(ber::kSequence, {version, digests, content, ber::element(ber::kSet, {info})});
  const Bytes forged =
      ber::element(ber::kSequence, {oid::kSignedData, ber::element(ber::context(0), {data})});
  const auto proof = verified(forged, std::string(as_text(attributes)), {signer.certificate});
  ASSERT_FALSE(proof);
  EXPECT_NE(proof.error().cause.detail.find("attributes"), std::string::npos);
  // Its sibling: any other content signed so passes.
  EXPECT_TRUE(verified(signature("1 is a SET's tag", signer, {.signed_attributes = false}),
                       "1 is a SET's tag", {signer.certificate}));
}

TEST(Verify, TakesASourceForContentThatIsMadeOnTheFly) {
  const auto signer = rsa();
  const Bytes p7s = signature(kText, signer);
  MemorySource source(as_bytes(kText));
  const std::vector<Certificate> accepted = {signer.certificate};
  EXPECT_TRUE(verify_detached(p7s, source, accepted, {}));
}

class FailingSource final : public Source {
 public:
  Result<std::size_t> read(std::span<std::uint8_t>) override {
    return fail(ErrorKind::IoFailure, "the disk is gone");
  }
};
class FailingSink final : public Sink {
 public:
  Result<> write(ByteView) override { return fail(ErrorKind::IoFailure, "the disk is full"); }
};

TEST(Verify, SaysThatItIsUsWhenTheContentCannotBeRead) {
  const auto signer = rsa();
  FailingSource source;
  const std::vector<Certificate> accepted = {signer.certificate};
  EXPECT_EQ(verify_detached(signature(kText, signer), source, accepted, {}).error().fault,
            Fault::UnexpectedProcessingError);
}

TEST(VerifyOpaque, GivesTheContentOnceItIsVerified) {
  const auto signer = rsa();
  const Bytes p7m = made_by_openssl({signer}, EVP_sha256(), 0);
  EXPECT_EQ(detect_type(slice(p7m)).value(), CmsType::Signed);
  MemorySink content;
  const std::vector<Certificate> accepted = {signer.certificate};
  ASSERT_TRUE(verify_opaque(slice(p7m), accepted, {}, content));
  EXPECT_EQ(as_text(content.bytes()), kText);
  FailingSink full;
  EXPECT_EQ(verify_opaque(slice(p7m), accepted, {}, full).error().fault, Fault::UnexpectedProcessingError);
}

TEST(VerifyOpaque, GivesNothingOfWhatIsNotVerified) {
  const auto signer = rsa();
  Bytes p7m = made_by_openssl({signer}, EVP_sha256(), 0);
  const auto at = as_text(p7m).find("ISA*");
  ASSERT_NE(at, std::string::npos);
  p7m[at] = 'X';
  MemorySink content;
  const std::vector<Certificate> accepted = {signer.certificate};
  EXPECT_EQ(verify_opaque(slice(p7m), accepted, {}, content).error().fault, Fault::IntegrityCheckFailed);
  EXPECT_TRUE(content.bytes().empty());
  // A detached signature has no content to give.
  EXPECT_FALSE(verify_opaque(slice(signature(kText, signer)), accepted, {}, content));
}

TEST(Verify, RefusesEveryTruncationAndSurvivesEveryFlip) {
  const auto signer = ec();
  const Bytes p7s = signature(kText, signer, {.include_certificate = false});
  const std::vector<Certificate> accepted = {signer.certificate};
  const Slice content = Slice::of(kText);
  for (std::size_t size = 0; size < p7s.size(); ++size)
    EXPECT_FALSE(verify_detached(ByteView(p7s).first(size), content, accepted, {})) << size;
  std::size_t still_verified = 0;
  for (std::size_t at = 0; at < p7s.size(); ++at)
    for (const int mask : {0x01, 0x80, 0xFF}) {
      Bytes flipped = p7s;
      flipped[at] = static_cast<std::uint8_t>(flipped[at] ^ mask);
      if (verify_detached(flipped, content, accepted, {})) ++still_verified;
    }
  // Version numbers, the outer list of digest algorithms and the like are not under the signature; all else
  // is.
  EXPECT_LT(still_verified, p7s.size() / 4) << "of " << 3 * p7s.size();
}

TEST(Verify, AllowsLineEndsAfterTheSignatureAndNothingElse) {
  const auto signer = rsa();
  Bytes p7s = signature(kText, signer);
  p7s.insert(p7s.end(), {'\r', '\n'});
  EXPECT_TRUE(verified(p7s, kText, {signer.certificate}));
  p7s.push_back('x');
  EXPECT_FALSE(verified(p7s, kText, {signer.certificate}));
}

}  // namespace
}  // namespace signet::as2::cms::test
