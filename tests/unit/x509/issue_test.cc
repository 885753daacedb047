#include "certstore/x509/issue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include "base/openssl.h"
#include "tests/support/test_certificates.h"

namespace signet::certstore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

SigningKey key_of(const std::string& kind) {
  const PrivateCertificate made = test::make_certificate({.common_name = "Issue", .key = kind});
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(made.certificate.public_key(), &der);
  const OpensslMemory owner(der);
  return {made.key, Bytes(der, der + size)};
}

CertificateProfile profile() {
  CertificateProfile profile;
  profile.subject = DistinguishedName::parse("CN=as2.acme.example, O=Acme").value();
  profile.alternative_names = {{"as2.acme.example", "*.acme.example"},
                               {"as2@acme.example"},
                               {"as2@acme.local"},
                               {"urn:acme:as2"},
                               {"192.0.2.1", "2001:db8:0:0:0:0:0:1"}};
  profile.key_uses = {KeyUse::DigitalSignature, KeyUse::KeyEncipherment};
  profile.extended_key_usages = {std::string(kServerAuthentication), std::string(kClientAuthentication)};
  profile.not_before = parse_time("2026-11-28T00:00:00Z").value();
  profile.not_after = parse_time("2051-11-28T00:00:00Z").value();
  return profile;
}

std::string refusal(const CertificateProfile& profile) {
  const auto made = make_self_signed(key_of("ec:P-256"), profile);
  return made ? "made" : made.error().detail;
}

TEST(SelfSignedCertificate, SaysWhatItsProfileSays) {
  for (const char* kind : {"rsa:2048", "ec:P-256", "ec:P-384"}) {
    const auto made = make_self_signed(key_of(kind), profile());
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_TRUE(made->self_signed());
    EXPECT_EQ(made->subject(), "CN=as2.acme.example,O=Acme");
    EXPECT_EQ(made->not_before(), profile().not_before);
    EXPECT_EQ(made->not_after(), profile().not_after);
    const CertificateProfile read = profile_of(*made);
    EXPECT_EQ(read.subject, profile().subject);
    EXPECT_EQ(read.alternative_names, profile().alternative_names);
    EXPECT_EQ(read.key_uses, profile().key_uses);
    EXPECT_EQ(read.extended_key_usages, profile().extended_key_usages);
    EXPECT_EQ(read.basic_constraints, BasicConstraints{});
  }
}

TEST(SelfSignedCertificate, HasTheFormOfRfc5280) {
  const Certificate made = make_self_signed(key_of("rsa:2048"), profile()).value();
  X509* const x509 = made.native();
  EXPECT_EQ(X509_get_version(x509), X509_VERSION_3);
  EXPECT_EQ(made.serial().size(), 32U);                // [RFC5280 4.1.2.2]
  EXPECT_NE(X509_get0_subject_key_id(x509), nullptr);  // [RFC5280 4.2.1.2]
  const auto critical = [&](int nid) {
    return X509_EXTENSION_get_critical(X509_get_ext(x509, X509_get_ext_by_NID(x509, nid, -1)));
  };
  EXPECT_TRUE(critical(NID_basic_constraints));
  EXPECT_TRUE(critical(NID_key_usage));
  EXPECT_FALSE(critical(NID_subject_alt_name));
  EXPECT_NE(make_self_signed(key_of("rsa:2048"), profile()).value().serial(), made.serial());
}

// [RFC5280 4.2.1.6]
TEST(CertificationRequest, MarksItsAlternativeNamesCriticalWhereThereIsNoSubject) {
  CertificateProfile nameless = profile();
  nameless.subject = {};
  const Bytes der = make_certification_request(key_of("ec:P-256"), nameless).value();
  const unsigned char* at = der.data();
  const Handle<X509_REQ, X509_REQ_free> request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
  STACK_OF(X509_EXTENSION)* const extensions = X509_REQ_get_extensions(request.get());
  const int names = X509v3_get_ext_by_NID(extensions, NID_subject_alt_name, -1);
  ASSERT_GE(names, 0);
  EXPECT_TRUE(X509_EXTENSION_get_critical(X509v3_get_ext(extensions, names)));
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

// [RFC5280 4.1.2.4]
TEST(SelfSignedCertificate, NeedsASubjectForItsIssuer) {
  CertificateProfile nameless = profile();
  nameless.subject = {};
  EXPECT_THAT(refusal(nameless), HasSubstr("names its issuer"));
}

// [RFC5280 4.2.1.9]
TEST(SelfSignedCertificate, SignsNoCertificatesUnlessItIsAnAuthoritys) {
  CertificateProfile bad = profile();
  bad.key_uses.insert(KeyUse::KeyCertSign);
  EXPECT_THAT(refusal(bad), HasSubstr("keyCertSign is for certificate authorities"));
}

TEST(CertificateProfile, LeavesOutNamesThatAreNone) {
  const PrivateCertificate made = test::make_certificate(
      {.subject_alternative_name =
           "DNS:a.example,DNS:a b,email:nobody,email:a@b.example,URI:none,IP:192.0.2.1"});
  const AlternativeNames read = profile_of(made.certificate).alternative_names;
  EXPECT_THAT(read.dns_names, ElementsAre("a.example"));
  EXPECT_THAT(read.emails, ElementsAre("a@b.example"));
  EXPECT_TRUE(read.uris.empty());
  EXPECT_THAT(read.ip_addresses, ElementsAre("192.0.2.1"));
}

/// A certificate whose one alternative name, a DNS name, has these octets.
Certificate with_dns_name(std::string_view octets) {
  const Certificate made = make_self_signed(key_of("ec:P-256"), profile()).value();
  const X509Ptr copy(X509_dup(made.native()));
  X509_EXTENSION_free(X509_delete_ext(copy.get(), X509_get_ext_by_NID(copy.get(), NID_subject_alt_name, -1)));
  const Handle<GENERAL_NAMES, GENERAL_NAMES_free> names(GENERAL_NAMES_new());
  GENERAL_NAME* const name = GENERAL_NAME_new();
  ASN1_IA5STRING* const value = ASN1_IA5STRING_new();
  ASN1_STRING_set(value, octets.data(), static_cast<int>(octets.size()));
  GENERAL_NAME_set0_value(name, GEN_DNS, value);
  sk_GENERAL_NAME_push(names.get(), name);
  X509_add1_ext_i2d(copy.get(), NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT);
  i2d_re_X509_tbs(copy.get(), nullptr);  // or its old octets would be written
  unsigned char* der = nullptr;
  const int size = i2d_X509(copy.get(), &der);
  const OpensslMemory owner(der);
  return Certificate::parse(ByteView(der, static_cast<std::size_t>(size))).value();
}

TEST(CertificateProfile, SaysNothingOfNamesWhoseOctetsAreNoText) {
  using namespace std::string_view_literals;
  for (const std::string_view octets : {"\xFF.example"sv, "a\0.example"sv, "a\n.example"sv, ""sv})
    EXPECT_TRUE(profile_of(with_dns_name(octets)).alternative_names.empty());
  EXPECT_FALSE(profile_of(with_dns_name("a.example")).alternative_names.empty());
}

TEST(SelfSignedCertificate, MayBeAnAuthoritys) {
  CertificateProfile authority = profile();
  authority.basic_constraints = {true, 0};
  authority.key_uses = {KeyUse::DigitalSignature, KeyUse::KeyCertSign, KeyUse::CrlSign};
  SigningKey key = key_of("ec:P-384");
  key.hash = Hash::Sha384;
  const auto made = make_self_signed(key, authority);
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(profile_of(*made).basic_constraints, authority.basic_constraints);
  EXPECT_EQ(X509_get_signature_nid(made->native()), NID_ecdsa_with_SHA384);
  authority.basic_constraints = {false, 1};
  EXPECT_THAT(refusal(authority), HasSubstr("path length"));
}

TEST(SelfSignedCertificate, RefusesNamesThatAreNone) {
  const auto with = [](auto member, const char* value) {
    CertificateProfile bad = profile();
    (bad.alternative_names.*member).emplace_back(value);
    return refusal(bad);
  };
  for (const char* name :
       {"", "a b.example", "a,URI:http://b", "-a.example", "a..example", "*", "a.*.example", "ö.example"})
    EXPECT_THAT(with(&AlternativeNames::dns_names, name), HasSubstr("is no DNS name")) << name;
  for (const char* name : {"acme", "@acme.example", "a@", "a b@acme.example"})
    EXPECT_THAT(with(&AlternativeNames::emails, name), HasSubstr("is no mail address")) << name;
  for (const char* name : {"acme", "@acme", "a@"})
    EXPECT_THAT(with(&AlternativeNames::upns, name), HasSubstr("is no user principal name")) << name;
  for (const char* name : {"acme", ":acme", "urn:", "urn: a"})
    EXPECT_THAT(with(&AlternativeNames::uris, name), HasSubstr("is no absolute URI")) << name;
  for (const char* name : {"192.0.2", "192.0.2.1/8", "[::1]", "fe80::1%eth0", "acme"})
    EXPECT_THAT(with(&AlternativeNames::ip_addresses, name), HasSubstr("is no IP address")) << name;
}

TEST(SelfSignedCertificate, RefusesProfilesThatSayTooLittleOrTooMuch) {
  CertificateProfile bad = profile();
  bad.subject = {};
  bad.alternative_names = {};
  EXPECT_THAT(refusal(bad), HasSubstr("got neither"));
  bad = profile();
  bad.alternative_names.dns_names.assign(1001, "a.example");
  EXPECT_THAT(refusal(bad), HasSubstr("at most 1000"));
  bad = profile();
  bad.extended_key_usages = {"serverAuth"};
  EXPECT_THAT(refusal(bad), HasSubstr("is no object identifier"));
  bad = profile();
  bad.not_after = bad.not_before;
  EXPECT_THAT(refusal(bad), HasSubstr("cannot be valid"));
}

TEST(SelfSignedCertificate, RefusesAPublicKeyThatIsNotTheSigningKeys) {
  SigningKey mixed = key_of("ec:P-256");
  mixed.public_key = key_of("ec:P-384").public_key;
  EXPECT_FALSE(make_self_signed(mixed, profile()));
  mixed.public_key = {1, 2, 3};
  EXPECT_THAT(make_self_signed(mixed, profile()).error().detail, HasSubstr("public key cannot be read"));
  SigningKey weak = key_of("ec:P-256");
  weak.hash = Hash::Sha1;
  EXPECT_THAT(make_self_signed(weak, profile()).error().detail, HasSubstr("not with sha"));
}

// [RFC2986 4] [RFC2985 5.4.2]
TEST(CertificationRequest, AsksForWhatItsProfileSays) {
  for (const char* kind : {"rsa:2048", "ec:P-256"}) {
    const auto der = make_certification_request(key_of(kind), profile());
    ASSERT_TRUE(der) << der.error().detail;
    const unsigned char* at = der->data();
    const Handle<X509_REQ, X509_REQ_free> request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der->size())));
    ASSERT_TRUE(request);
    EXPECT_EQ(X509_REQ_verify(request.get(), X509_REQ_get0_pubkey(request.get())), 1);
    EXPECT_EQ(name_text(X509_REQ_get_subject_name(request.get())), "CN=as2.acme.example,O=Acme");
    STACK_OF(X509_EXTENSION)* const extensions = X509_REQ_get_extensions(request.get());
    std::vector<int> nids;
    for (int i = 0; i < sk_X509_EXTENSION_num(extensions); ++i)
      nids.push_back(OBJ_obj2nid(X509_EXTENSION_get_object(sk_X509_EXTENSION_value(extensions, i))));
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    EXPECT_THAT(nids,
                ElementsAre(NID_basic_constraints, NID_key_usage, NID_ext_key_usage, NID_subject_alt_name));
  }
}

TEST(CertificationRequest, IsRefusedLikeACertificate) {
  CertificateProfile bad = profile();
  bad.subject = {};
  bad.alternative_names = {};
  EXPECT_FALSE(make_certification_request(key_of("ec:P-256"), bad));
  SigningKey mixed = key_of("ec:P-256");
  mixed.public_key = key_of("rsa:2048").public_key;
  EXPECT_FALSE(make_certification_request(mixed, profile()));
}

}  // namespace
}  // namespace signet::certstore
