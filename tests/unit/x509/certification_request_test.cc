#include "certstore/x509/certification_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certstore/x509/pem.h"
#include "tests/support/test_authority.h"

namespace signet::certstore {
namespace {

using test::key_of;
using test::leaf_profile;
using testing::HasSubstr;

using RequestHandle = Handle<X509_REQ, X509_REQ_free>;

/// A request as strangers make them, signed after `change`.
template <class Change>
Bytes request_with(const SigningKey& key, Change change, const EVP_MD* method = EVP_sha256()) {
  const RequestHandle request(X509_REQ_new());
  X509_REQ_set_pubkey(request.get(), key.key.native());
  change(request.get());
  X509_REQ_sign(request.get(), key.key.native(), method);
  return encode<X509_REQ>(request.get(), i2d_X509_REQ).value();
}

std::string refusal(const Bytes& der, ErrorKind kind) {
  const auto read = CertificationRequest::parse(der);
  if (read) return "read";
  EXPECT_EQ(read.error().kind, kind) << read.error().detail;
  return read.error().detail;
}

TEST(CertificationRequestReader, ReadsWhatWasAskedFor) {
  for (const char* kind : {"rsa:2048", "rsa:3072", "ec:P-256", "ec:P-521"}) {
    const SigningKey key = key_of(kind);
    const Bytes der = make_certification_request(key, leaf_profile()).value();
    const auto read = CertificationRequest::parse(der);
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(read->der, der);
    EXPECT_EQ(read->public_key, key.public_key);
    EXPECT_EQ(read->profile.subject, leaf_profile().subject);
    EXPECT_EQ(read->profile.alternative_names, leaf_profile().alternative_names);
    EXPECT_EQ(read->profile.key_uses, leaf_profile().key_uses);
    EXPECT_EQ(read->profile.extended_key_usages, leaf_profile().extended_key_usages);
    EXPECT_EQ(read->profile.not_after, Time{});
    EXPECT_FALSE(read->has_challenge_password);
  }
  const auto rsa =
      CertificationRequest::parse(make_certification_request(key_of("rsa:3072"), leaf_profile()).value());
  EXPECT_EQ(rsa->key_type, KeyType::Rsa);
  EXPECT_EQ(rsa->key_bits, 3072);
}

TEST(CertificationRequestReader, ReadsPem) {
  const Bytes der = make_certification_request(key_of("ec:P-256"), leaf_profile()).value();
  for (const char* label : {"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"}) {
    const std::string pem = "Certificate Request:\n    Data:\n" + pem_of(der, label);
    const auto read = CertificationRequest::parse(as_bytes(pem));
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(read->der, der);
  }
}

TEST(CertificationRequestReader, RefusesWhatIsNoRequestOrMoreThanOne) {
  const Bytes der = make_certification_request(key_of("ec:P-256"), leaf_profile()).value();
  Bytes longer = der;
  longer.push_back(0);
  EXPECT_THAT(refusal(longer, ErrorKind::InvalidInput), HasSubstr("1 octets follow"));
  const Bytes cut(der.begin(), der.end() - 1);
  EXPECT_THAT(refusal(cut, ErrorKind::InvalidInput), HasSubstr("no certification request"));
  const std::string pem = pem_of(der, "CERTIFICATE REQUEST");
  EXPECT_THAT(refusal(to_bytes(pem + pem), ErrorKind::InvalidInput), HasSubstr("second block"));
  EXPECT_THAT(refusal(to_bytes(pem_of(der, "PRIVATE KEY")), ErrorKind::InvalidInput),
              HasSubstr("block 'PRIVATE KEY'"));
  EXPECT_THAT(refusal({}, ErrorKind::InvalidInput), HasSubstr("no certification request found"));
  EXPECT_THAT(refusal(Bytes(64 * 1024 + 1), ErrorKind::LimitExceeded), HasSubstr("65536 at most"));
}

// [RFC2986 3]
TEST(CertificationRequestReader, RefusesASignatureThatDoesNotHold) {
  Bytes der = make_certification_request(key_of("rsa:2048"), leaf_profile()).value();
  der.back() ^= 1U;
  EXPECT_THAT(refusal(der, ErrorKind::CryptoFailure), HasSubstr("does not hold"));
  const SigningKey other = key_of("ec:P-256");
  const Bytes foreign = request_with(
      other, [](X509_REQ* request) { X509_REQ_set_pubkey(request, key_of("ec:P-256").key.native()); });
  EXPECT_THAT(refusal(foreign, ErrorKind::CryptoFailure), HasSubstr("sign it by the key that it is for"));
}

TEST(CertificationRequestReader, RefusesWeakKeysAndSignatures) {
  const auto nothing = [](X509_REQ*) {};
  EXPECT_THAT(refusal(request_with(key_of("rsa:1024"), nothing), ErrorKind::Unsupported),
              HasSubstr("RSA of 1024 bits"));
  EXPECT_THAT(refusal(request_with(key_of("ec:P-224"), nothing), ErrorKind::Unsupported), HasSubstr("EC on"));
  EXPECT_THAT(refusal(request_with(key_of("rsa:2048"), nothing, EVP_sha1()), ErrorKind::Unsupported),
              HasSubstr("SHA1"));
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, nullptr));
  EVP_PKEY_keygen_init(context.get());
  EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048);
  const BignumPtr three(BN_new());
  BN_set_word(three.get(), 3);
  EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), three.get());
  EVP_PKEY* made = nullptr;
  ASSERT_EQ(EVP_PKEY_generate(context.get(), &made), 1);
  const SigningKey small{KeyHandle::adopt(made), {}};
  EXPECT_THAT(refusal(request_with(small, nothing), ErrorKind::Unsupported), HasSubstr("public exponent"));
}

Handle<X509_EXTENSION, X509_EXTENSION_free> extension(int nid, const Bytes& der) {
  const Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> octets(ASN1_OCTET_STRING_new());
  ASN1_OCTET_STRING_set(octets.get(), der.data(), static_cast<int>(der.size()));
  return Handle<X509_EXTENSION, X509_EXTENSION_free>(
      X509_EXTENSION_create_by_NID(nullptr, nid, 0, octets.get()));
}

enum class Place { One, Both };

Bytes asking_for(const std::vector<Bytes>& alternative_names, Place place = Place::One) {
  return request_with(key_of("ec:P-256"), [&](X509_REQ* request) {
    STACK_OF(X509_EXTENSION)* const stack = sk_X509_EXTENSION_new_null();
    for (const Bytes& one : alternative_names)
      sk_X509_EXTENSION_push(stack, extension(NID_subject_alt_name, one).release());
    X509_REQ_add_extensions(request, stack);
    if (place == Place::Both) X509_REQ_add_extensions_nid(request, stack, NID_ms_ext_req);
    sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
  });
}

TEST(CertificationRequestReader, PassesNoExtensionOverThatItCannotRead) {
  const Bytes good{0x30, 0x05, 0x82, 0x03, 'a', '.', 'b'};
  EXPECT_EQ(refusal(asking_for({good}), ErrorKind::InvalidInput), "read");
  EXPECT_THAT(refusal(asking_for({{1, 2, 3}}), ErrorKind::InvalidInput), HasSubstr("cannot be read"));
  EXPECT_THAT(refusal(asking_for({good, good}), ErrorKind::InvalidInput), HasSubstr("twice"));
  EXPECT_THAT(refusal(asking_for({good}, Place::Both), ErrorKind::InvalidInput),
              HasSubstr("more than one place"));
  const Bytes with_nul{0x30, 0x05, 0x82, 0x03, 'a', 0, 'b'};
  EXPECT_THAT(refusal(asking_for({with_nul}), ErrorKind::InvalidInput), HasSubstr("is no DNS name"));
}

// [RFC2985 5.4.1]
TEST(CertificationRequestReader, SeesAChallengePassword) {
  const Bytes der = request_with(key_of("ec:P-256"), [](X509_REQ* request) {
    X509_REQ_add1_attr_by_NID(request, NID_pkcs9_challengePassword, MBSTRING_ASC,
                              reinterpret_cast<const unsigned char*>("secret"), -1);
  });
  const auto read = CertificationRequest::parse(der);
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_TRUE(read->has_challenge_password);
}

}  // namespace
}  // namespace signet::certstore
