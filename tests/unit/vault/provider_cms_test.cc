#include <openssl/cms.h>
#include <openssl/rsa.h>

#include <algorithm>

#include "base/openssl.h"
#include "tests/unit/vault/vault_fixture.h"

namespace signet::vault {
namespace {

constexpr unsigned kFlags = CMS_BINARY;

/// The document as DER, as a partner would get it.
Bytes der_of(CMS_ContentInfo* cms) {
  unsigned char* der = nullptr;
  const int size = i2d_CMS_ContentInfo(cms, &der);
  const OpensslMemory owned(der);
  return size > 0 ? Bytes(der, der + size) : Bytes();
}

CmsPtr parsed(const Bytes& der) {
  const unsigned char* at = der.data();
  return CmsPtr(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der.size())));
}

struct SignCase {
  const char* name;
  const char* key;
  const char* hash;
  bool pss;
  unsigned flags;
};

class CmsSigning : public EveryBackEndFor<SignCase> {};

TEST_P(CmsSigning, WorksWithAKeyOfTheVault) {
  const SignCase& how = what();
  const auto own = test::make_certificate({.common_name = "signer", .key = how.key});
  const certstore::KeyHandle key = handle(import(own));
  const std::string text = "UNB+UNOA:2'";
  const BioPtr content = borrow_as_bio(as_bytes(text));
  const CmsPtr cms(CMS_sign(nullptr, nullptr, nullptr, nullptr, kFlags | CMS_PARTIAL));
  CMS_SignerInfo* const signer =
      CMS_add1_signer(cms.get(), own.certificate.native(), key.native(), EVP_get_digestbyname(how.hash),
                      kFlags | CMS_KEY_PARAM | how.flags);
  ASSERT_NE(signer, nullptr) << take_openssl_error(ErrorKind::Internal, "").detail;
  if (how.pss) {
    EVP_PKEY_CTX* const context = CMS_SignerInfo_get0_pkey_ctx(signer);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST), 1);
  }
  ASSERT_EQ(CMS_final(cms.get(), content.get(), nullptr, kFlags), 1)
      << take_openssl_error(ErrorKind::Internal, "").detail;

  Bytes der = der_of(cms.get());
  const BioPtr out(BIO_new(BIO_s_mem()));
  EXPECT_EQ(
      CMS_verify(parsed(der).get(), nullptr, nullptr, nullptr, out.get(), kFlags | CMS_NO_SIGNER_CERT_VERIFY),
      1)
      << take_openssl_error(ErrorKind::Internal, "").detail;
  der[der.size() - 1] ^= 1U;  // the signature's last octet
  const CmsPtr forged = parsed(der);
  if (forged) {
    EXPECT_NE(
        CMS_verify(forged.get(), nullptr, nullptr, nullptr, out.get(), kFlags | CMS_NO_SIGNER_CERT_VERIFY),
        1);
  }
  ERR_clear_error();
}

SIGNET_EVERY_BACK_END_FOR(
    CmsSigning,
    testing::Values(SignCase{"rsa_sha256", "rsa:2048", "SHA256", false, 0},
                    SignCase{"rsa_sha384", "rsa:2048", "SHA384", false, 0},
                    SignCase{"rsa_sha512", "rsa:3072", "SHA512", false, 0},
                    SignCase{"pss_sha256", "rsa:2048", "SHA256", true, 0},
                    SignCase{"pss_sha512", "rsa:2048", "SHA512", true, 0},
                    SignCase{"p256_sha256", "ec:P-256", "SHA256", false, 0},
                    SignCase{"p256_sha512", "ec:P-256", "SHA512", false, 0},
                    SignCase{"p384_sha384", "ec:P-384", "SHA384", false, 0},
                    SignCase{"p521_sha512", "ec:P-521", "SHA512", false, 0},
                    SignCase{"rsa_without_attributes", "rsa:2048", "SHA256", false, CMS_NOATTR},
                    SignCase{"pss_without_attributes", "rsa:2048", "SHA256", true, CMS_NOATTR},
                    SignCase{"p256_without_attributes", "ec:P-256", "SHA256", false, CMS_NOATTR}));

struct DecryptCase {
  const char* name;
  const char* key;
  const char* oaep_hash;
  const char* mgf1_hash;
  bool gcm;
};

Bytes encrypted_for(const certstore::Certificate& certificate, const DecryptCase& how,
                    std::string_view text) {
  const EVP_CIPHER* const cipher = how.gcm ? EVP_aes_256_gcm() : EVP_aes_256_cbc();
  const BioPtr content = borrow_as_bio(as_bytes(text));
  const CmsPtr cms(CMS_encrypt(nullptr, nullptr, cipher, kFlags | CMS_PARTIAL));
  CMS_RecipientInfo* const recipient =
      CMS_add1_recipient_cert(cms.get(), certificate.native(), kFlags | CMS_KEY_PARAM);
  EXPECT_NE(recipient, nullptr);
  if (how.oaep_hash != nullptr) {
    EVP_PKEY_CTX* const context = CMS_RecipientInfo_get0_pkey_ctx(recipient);
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING), 1);
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_oaep_md_name(context, how.oaep_hash, nullptr), 1);
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, how.mgf1_hash, nullptr), 1);
  }
  EXPECT_EQ(CMS_final(cms.get(), content.get(), nullptr, kFlags), 1)
      << take_openssl_error(ErrorKind::Internal, "").detail;
  return der_of(cms.get());
}

std::optional<std::string> decrypted(const Bytes& der, EVP_PKEY* key, X509* certificate) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (CMS_decrypt(parsed(der).get(), key, certificate, nullptr, out.get(), kFlags) != 1) return std::nullopt;
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

class CmsDecryption : public EveryBackEndFor<DecryptCase> {};

TEST_P(CmsDecryption, WorksWithAKeyOfTheVaultAndNotWithAnother) {
  const auto own = test::make_certificate({.common_name = "recipient", .key = what().key});
  const auto other = test::make_certificate({.common_name = "other recipient", .key = what().key});
  const certstore::KeyHandle key = handle(import(own, "own"));
  const certstore::KeyHandle other_key = handle(import(other, "other"));
  const Bytes der = encrypted_for(own.certificate, what(), "ISA*00*");
  EXPECT_EQ(decrypted(der, key.native(), own.certificate.native()), "ISA*00*")
      << take_openssl_error(ErrorKind::Internal, "").detail;
  EXPECT_EQ(audit_.last().operation,
            own.certificate.key_type() == certstore::KeyType::Rsa ? "decrypt" : "derive");
  EXPECT_EQ(audit_.last().result, AuditResult::Success);
  EXPECT_NE(decrypted(der, other_key.native(), own.certificate.native()), "ISA*00*");
  EXPECT_EQ(decrypted(der, other_key.native(), other.certificate.native()), std::nullopt)
      << "not a recipient";
  ERR_clear_error();
}

SIGNET_EVERY_BACK_END_FOR(CmsDecryption,
                          testing::Values(DecryptCase{"pkcs1_cbc", "rsa:2048", nullptr, nullptr, false},
                                          DecryptCase{"pkcs1_gcm", "rsa:2048", nullptr, nullptr, true},
                                          DecryptCase{"oaep_sha1", "rsa:2048", "SHA1", "SHA1", false},
                                          DecryptCase{"oaep_sha256", "rsa:2048", "SHA256", "SHA256", true},
                                          DecryptCase{"oaep_sha512", "rsa:3072", "SHA512", "SHA512", false},
                                          DecryptCase{"oaep_sha256_mgf1_sha1", "rsa:2048", "SHA256", "SHA1",
                                                      false},
                                          DecryptCase{"ecdh_p256", "ec:P-256", nullptr, nullptr, false},
                                          DecryptCase{"ecdh_p256_gcm", "ec:P-256", nullptr, nullptr, true},
                                          DecryptCase{"ecdh_p384", "ec:P-384", nullptr, nullptr, false},
                                          DecryptCase{"ecdh_p521", "ec:P-521", nullptr, nullptr, true}));

class CmsOfTheVault : public EveryBackEnd {};

TEST_P(CmsOfTheVault, CmsSigningTellsWhichPermissionIsMissing) {
  const auto own = test::make_certificate();
  const certstore::KeyHandle key = handle(import(own));
  grant("get,decrypt");
  const BioPtr content = borrow_as_bio(as_bytes("x"));
  const CmsPtr cms(CMS_sign(own.certificate.native(), key.native(), nullptr, content.get(), kFlags));
  EXPECT_EQ(cms, nullptr);
  EXPECT_THAT(take_vault_refusal().value().detail, testing::HasSubstr("lacks the key permission 'sign'"));
  ERR_clear_error();
}

TEST_P(CmsOfTheVault, CmsDecryptionTellsWhichPermissionIsMissing) {
  for (const DecryptCase& how : {DecryptCase{"rsa", "rsa:2048", nullptr, nullptr, true},
                                 DecryptCase{"ec", "ec:P-256", nullptr, nullptr, true}}) {
    grant("get,sign");
    const auto own = test::make_certificate({.common_name = how.name, .key = how.key});
    const certstore::KeyHandle key = handle(import(own, how.name));
    const Bytes der = encrypted_for(own.certificate, how, "ISA*00*");
    EXPECT_EQ(decrypted(der, key.native(), own.certificate.native()), std::nullopt);
    EXPECT_THAT(take_vault_refusal().value().detail,
                testing::HasSubstr("lacks the key permission 'decrypt'"));
    grant("get,decrypt");
    EXPECT_EQ(decrypted(der, key.native(), own.certificate.native()), "ISA*00*");
    EXPECT_FALSE(take_vault_refusal());
  }
  ERR_clear_error();
}

/// A message whose encrypted key is this: what a stranger sends who looks for an oracle.
Bytes with_encrypted_key(const Bytes& der, const Bytes& old_key, const Bytes& new_key) {
  Bytes changed = der;
  const auto at = std::search(changed.begin(), changed.end(), old_key.begin(), old_key.end());
  EXPECT_NE(at, changed.end());
  std::copy(new_key.begin(), new_key.end(), at);
  return changed;
}

Bytes encrypted_key_of(const Bytes& der) {
  // OpenSSL has no accessor for it; it is the one OCTET STRING (04 82 01 00) of 256 octets.
  constexpr std::uint8_t kHeader[] = {0x04, 0x82, 0x01, 0x00};
  const auto header = std::search(der.begin(), der.end(), std::begin(kHeader), std::end(kHeader));
  return {header + 4, header + 4 + 256};
}

Bytes rsa_encrypt(EVP_PKEY* key, ByteView text, int padding) {
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  Bytes out(256);
  std::size_t size = out.size();
  EXPECT_EQ(EVP_PKEY_encrypt_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(context.get(), padding), 1);
  EXPECT_EQ(EVP_PKEY_encrypt(context.get(), out.data(), &size, text.data(), text.size()), 1);
  return out;
}

// threats.md calls it T3: Bleichenbacher's attack needs to tell bad padding from a wrong key.
TEST_P(CmsOfTheVault, CmsDecryptionFailsInOneWayForBadPaddingWrongLengthAndWrongKey) {
  const auto own = test::make_certificate();
  const certstore::KeyHandle key = handle(import(own));
  const Bytes der = encrypted_for(own.certificate, {"", "rsa:2048", nullptr, nullptr, true}, "ISA*00*");
  const Bytes old_key = encrypted_key_of(der);
  EVP_PKEY* const public_key = own.certificate.public_key();
  Bytes bad_padding(256, 0x41);
  bad_padding[0] = 0;
  const Bytes probes[] = {rsa_encrypt(public_key, bad_padding, RSA_NO_PADDING),
                          rsa_encrypt(public_key, Bytes(16), RSA_PKCS1_PADDING),
                          rsa_encrypt(public_key, Bytes(32), RSA_PKCS1_PADDING)};
  std::vector<std::string> answers;
  for (const Bytes& probe : probes) {
    for (EVP_PKEY* const who : {key.native(), own.key.native()}) {
      EXPECT_EQ(decrypted(with_encrypted_key(der, old_key, probe), who, own.certificate.native()),
                std::nullopt);
      EXPECT_FALSE(take_vault_refusal());
      answers.push_back(take_openssl_error(ErrorKind::CryptoFailure, "").detail);
    }
  }
  EXPECT_THAT(answers, testing::Each(answers.front()));
}

SIGNET_EVERY_BACK_END(CmsOfTheVault);

}  // namespace
}  // namespace signet::vault
