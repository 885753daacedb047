#include "tests/support/test_authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace signet::certstore {
namespace {

using test::at;
using test::authority_profile;
using test::key_of;
using test::leaf_profile;
using test::terms;
using test::TestAuthority;
using testing::HasSubstr;

bool critical(const Certificate& certificate, int nid) {
  X509* const x509 = certificate.native();
  return X509_EXTENSION_get_critical(X509_get_ext(x509, X509_get_ext_by_NID(x509, nid, -1))) == 1;
}

/// What OpenSSL says of a leaf below the only authority trusted.
int verdict(const Certificate& leaf, const Certificate& trusted) {
  const Handle<X509_STORE, X509_STORE_free> store(X509_STORE_new());
  const Handle<X509_STORE_CTX, X509_STORE_CTX_free> context(X509_STORE_CTX_new());
  X509_STORE_add_cert(store.get(), trusted.native());
  X509_STORE_CTX_init(context.get(), store.get(), leaf.native(), nullptr);
  X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, std::chrono::system_clock::to_time_t(at("2026-11-28")));
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
  X509_verify_cert(context.get());
  return X509_STORE_CTX_get_error(context.get());
}

std::string refusal(const TestAuthority& authority, const CertificateProfile& profile,
                    const IssuingTerms& with = terms()) {
  const auto made =
      issue_certificate(authority.key, authority.certificate, key_of("ec:P-256").public_key, profile, with);
  return made ? "made" : made.error().detail;
}

TEST(IssuedCertificate, SaysWhatItsProfileSaysAndPasses) {
  for (const char* kind : {"rsa:2048", "ec:P-256", "ec:P-384"}) {
    const TestAuthority authority(kind);
    const Certificate leaf = authority.issue();
    const CertificateProfile read = profile_of(leaf);
    EXPECT_EQ(read.subject, leaf_profile().subject);
    EXPECT_EQ(read.alternative_names, leaf_profile().alternative_names);
    EXPECT_EQ(read.key_uses, leaf_profile().key_uses);
    EXPECT_EQ(read.extended_key_usages, leaf_profile().extended_key_usages);
    EXPECT_EQ(leaf.not_before(), leaf_profile().not_before);
    EXPECT_EQ(leaf.not_after(), leaf_profile().not_after);
    EXPECT_EQ(leaf.issuer(), "CN=Acme CA,O=Acme");
    EXPECT_EQ(publication_of(leaf), terms().publication);
    EXPECT_EQ(verdict(leaf, authority.certificate), X509_V_OK);
    EXPECT_EQ(verdict(authority.certificate, authority.certificate), X509_V_OK);
  }
}

// [RFC5280 4.1.2.2] [RFC5280 4.2.1.1]
TEST(IssuedCertificate, HasTheFormOfRfc5280) {
  const TestAuthority authority;
  for (const Certificate& made : {authority.issue(), authority.certificate}) {
    EXPECT_EQ(made.serial().size(), 40U);
    EXPECT_LT(made.serial().front(), '8');
    EXPECT_TRUE(critical(made, NID_basic_constraints));
    EXPECT_TRUE(critical(made, NID_key_usage));
    EXPECT_FALSE(critical(made, NID_authority_key_identifier));
    EXPECT_NE(X509_get0_subject_key_id(made.native()), nullptr);
    ASSERT_NE(X509_get0_authority_key_id(made.native()), nullptr);
    EXPECT_EQ(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(made.native()),
                                    X509_get0_subject_key_id(authority.certificate.native())),
              0);
    EXPECT_EQ(hex_of(X509_get0_authority_serial(made.native())), authority.certificate.serial());
    EXPECT_NE(X509_get0_authority_issuer(made.native()), nullptr);
  }
  EXPECT_NE(authority.issue().serial(), authority.issue().serial());
}

TEST(IssuedCertificate, MarksItsExtendedKeyUsagesCriticalWhereThatIsAsked) {
  const TestAuthority authority;
  EXPECT_FALSE(critical(authority.issue(), NID_ext_key_usage));
  IssuingTerms strict = terms();
  strict.extended_key_usages_critical = true;
  strict.ocsp_no_check = true;
  const Certificate made = issue_certificate(authority.key, authority.certificate,
                                             key_of("ec:P-256").public_key, leaf_profile(), strict)
                               .value();
  EXPECT_TRUE(critical(made, NID_ext_key_usage));
  EXPECT_GE(X509_get_ext_by_NID(made.native(), NID_id_pkix_OCSP_noCheck, -1), 0);
}

// [RFC5280 4.2.1.9]
TEST(IssuedCertificate, MayBeASubordinateAuthoritysWithinThePathLength) {
  CertificateProfile root = authority_profile();
  root.basic_constraints.path_length = 1;
  const TestAuthority authority("ec:P-256", root);
  CertificateProfile below = authority_profile("CN=Acme Issuing CA");
  EXPECT_THAT(refusal(authority, below), HasSubstr("needs one of 0 at most"));
  below.basic_constraints.path_length = 0;
  const TestAuthority subordinate = authority.subordinate(below);
  EXPECT_EQ(verdict(subordinate.certificate, authority.certificate), X509_V_OK);
  EXPECT_THAT(refusal(subordinate, below), HasSubstr("it issues no authorities"));
  EXPECT_EQ(refusal(subordinate, leaf_profile()), "made");
}

TEST(IssuedCertificate, IsValidWithinItsIssuersTimeOnly) {
  const TestAuthority authority;
  CertificateProfile bad = leaf_profile();
  bad.not_after = authority.certificate.not_after() + std::chrono::seconds(1);
  EXPECT_THAT(refusal(authority, bad), HasSubstr("not within the time of its issuer"));
  bad = leaf_profile();
  bad.not_before = authority.certificate.not_before() - std::chrono::seconds(1);
  EXPECT_THAT(refusal(authority, bad), HasSubstr("not within the time of its issuer"));
}

TEST(IssuedCertificate, IsMadeByAnAuthoritysKeyAlone) {
  const TestAuthority authority;
  const SigningKey holder = key_of("ec:P-256");
  const Certificate leaf = authority.issue(leaf_profile(), holder);
  const auto by_leaf = issue_certificate(holder, leaf, key_of("ec:P-256").public_key, leaf_profile(), {});
  ASSERT_FALSE(by_leaf);
  EXPECT_THAT(by_leaf.error().detail, HasSubstr("issues no certificates"));
  const auto foreign =
      issue_certificate(holder, authority.certificate, holder.public_key, leaf_profile(), {});
  ASSERT_FALSE(foreign);
  EXPECT_THAT(foreign.error().detail, HasSubstr("is not the one of its issuer"));
}

TEST(IssuedCertificate, IsForStrongKeysAlone) {
  const TestAuthority authority;
  for (const char* kind : {"rsa:1024", "ec:P-224"}) {
    const auto made =
        issue_certificate(authority.key, authority.certificate, key_of(kind).public_key, leaf_profile());
    ASSERT_FALSE(made) << kind;
    EXPECT_EQ(made.error().kind, ErrorKind::Unsupported);
  }
}

TEST(IssuedCertificate, SaysNoUrlsThatAreNone) {
  const TestAuthority authority;
  for (const char* url :
       {"", "acme", "ftp://a.example/", "http://", "http:///a", "http://a b", "http://a\n"}) {
    IssuingTerms bad;
    bad.publication.crl_urls = {url};
    EXPECT_THAT(refusal(authority, leaf_profile(), bad), HasSubstr("is no URL of a revocation list")) << url;
  }
}

TEST(SelfSignedAuthority, IsAnAuthorityThatSignsLists) {
  CertificateProfile bad = authority_profile();
  bad.key_uses.erase(KeyUse::CrlSign);
  EXPECT_THAT(make_self_signed_authority(key_of("ec:P-256"), bad).error().detail, HasSubstr("cRLSign"));
  EXPECT_EQ(publication_of(TestAuthority().certificate), terms().publication);
}

}  // namespace
}  // namespace signet::certstore
