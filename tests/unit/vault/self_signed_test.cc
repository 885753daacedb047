#include "certstore/vault/self_signed.h"

#include <openssl/x509.h>

#include "certstore/x509/crl.h"
#include "certstore/x509/ocsp.h"
#include "tests/unit/vault/vault_fixture.h"

namespace signet::vault {
namespace {

class SelfSigned : public VaultFixture {
 protected:
  SelfSignedSettings settings() const {
    SelfSignedSettings settings;
    settings.common_name = "Acme AS2";
    settings.organisation = "Acme GmbH";
    settings.dns_name = "as2.acme.example";
    settings.not_before = clock_.now();
    return settings;
  }
};

TEST_F(SelfSigned, CertificatesAreSignedInTheVaultAndFitTheirKey) {
  for (const KeyKind kind : {KeyKind::Rsa2048, KeyKind::EcP256}) {
    const KeyId id = create(kind, is_rsa(kind) ? "rsa" : "ec");
    const auto certificate = make_self_signed(*vault_, kGateway, id, settings());
    ASSERT_TRUE(certificate) << certificate.error().detail;
    EXPECT_TRUE(certificate->self_signed());
    EXPECT_EQ(X509_verify(certificate->native(), certificate->public_key()), 1);
    EXPECT_TRUE(certificate->has_public_key(handle(id).native()));
    EXPECT_NE(certificate->subject().find("CN=Acme AS2"), std::string::npos);
    EXPECT_EQ(certificate->subject_alternative_names(), std::vector<std::string>{"DNS:as2.acme.example"});
    EXPECT_TRUE(certificate->key_usage().digital_signature);
    EXPECT_EQ(certificate->key_usage().key_encipherment, is_rsa(kind));
    EXPECT_EQ(certificate->key_usage().key_agreement, !is_rsa(kind));
    EXPECT_EQ(certificate->not_after() - certificate->not_before(), std::chrono::days(730));
  }
}

// What an authority signs, all of it by a handle.
TEST_F(SelfSigned, KeysOfTheVaultSignForAnAuthority) {
  for (const KeyKind kind : {KeyKind::Rsa3072, KeyKind::EcP384}) {
    const KeyId id = create(kind, is_rsa(kind) ? "rsa" : "ec");
    const certstore::SigningKey key{handle(id), vault_->get(kGateway, id).value().public_key, Hash::Sha384};
    certstore::CertificateProfile profile;
    profile.subject = certstore::DistinguishedName::parse("CN=Acme CA").value();
    profile.key_uses = {certstore::KeyUse::KeyCertSign, certstore::KeyUse::CrlSign};
    profile.basic_constraints = {true, 0};
    profile.not_before = clock_.now();
    profile.not_after = clock_.now() + std::chrono::hours(24);
    const auto authority = certstore::make_self_signed_authority(key, profile);
    ASSERT_TRUE(authority) << authority.error().detail;
    profile.key_uses = {certstore::KeyUse::DigitalSignature};
    profile.basic_constraints = {};
    const auto leaf = certstore::issue_certificate(key, *authority, key.public_key, profile);
    ASSERT_TRUE(leaf) << leaf.error().detail;
    const Time later = clock_.now() + std::chrono::hours(1);
    const auto list = certstore::make_crl(key, *authority, {1, clock_.now(), later, {}});
    ASSERT_TRUE(list) << list.error().detail;
    const Bytes question = certstore::make_ocsp_request(*leaf, *authority, {}).value();
    certstore::OcspContents contents;
    contents.answers = {
        {certstore::OcspRequest::parse(question)->wanted[0], certstore::CertificateStatus::Good}};
    contents.produced_at = contents.this_update = clock_.now();
    contents.next_update = later;
    const auto answer = certstore::make_ocsp_response(key, *authority, contents);
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_TRUE(certstore::read_ocsp_response(*answer, *leaf, *authority, {}, clock_.now()));
    grant("get,list,decrypt");
    EXPECT_FALSE(certstore::make_ocsp_response(key, *authority, contents));
    EXPECT_TRUE(take_vault_refusal()) << "the reason is the vault's";
    EXPECT_FALSE(certstore::make_crl(key, *authority, {2, clock_.now(), later, {}}));
    EXPECT_TRUE(take_vault_refusal());
    grant("decrypt,sign,get,list");
  }
}

TEST_F(SelfSigned, TwoCertificatesNeverShareASerialNumber) {
  const KeyId id = create(KeyKind::EcP256);
  EXPECT_NE(make_self_signed(*vault_, kGateway, id, settings()).value().serial(),
            make_self_signed(*vault_, kGateway, id, settings()).value().serial());
}

TEST_F(SelfSigned, NeedTheRightToSign) {
  const KeyId id = create(KeyKind::EcP256);
  grant("get,list,decrypt");
  EXPECT_TRUE(
      fails_with(make_self_signed(*vault_, kGateway, id, settings()), ErrorKind::PermissionDenied, "sign"));
}

TEST_F(SelfSigned, RefuseNamesAndValiditiesThatAreNone) {
  const KeyId id = create(KeyKind::EcP256);
  SelfSignedSettings nameless = settings();
  nameless.common_name.clear();
  EXPECT_TRUE(
      fails_with(make_self_signed(*vault_, kGateway, id, nameless), ErrorKind::InvalidInput, "common name"));
  SelfSignedSettings eternal = settings();
  eternal.validity = std::chrono::days(36'500);
  EXPECT_TRUE(fails_with(make_self_signed(*vault_, kGateway, id, eternal), ErrorKind::InvalidInput, "3650"));
  SelfSignedSettings forged = settings();
  forged.dns_name = "a.example,URI:http://b.example";
  EXPECT_TRUE(
      fails_with(make_self_signed(*vault_, kGateway, id, forged), ErrorKind::InvalidInput, "DNS name"));
}

}  // namespace
}  // namespace signet::vault
