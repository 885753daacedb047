#include "certstore/vault/import.h"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>

#include <climits>

#include "base/file.h"
#include "base/openssl.h"
#include "certstore/vault/pkcs12.h"
#include "tests/unit/vault/vault_fixture.h"

namespace signet::vault {
namespace {

Bytes vector_file(std::string_view name) {
  return read_file(std::filesystem::path(SIGNET_SOURCE_DIR) / "tests/vectors/pfx" / name).value();
}

Result<ImportedKey> import(std::string_view name, std::optional<std::string_view> passphrase = "secret") {
  std::optional<SecretBytes> secret;
  if (passphrase) secret = SecretBytes::copy_of(*passphrase);
  return read_key_file(vector_file(name), secret);
}

class GoodKeyFile : public testing::TestWithParam<const char*> {};

TEST_P(GoodKeyFile, GivesItsKeyAndItsCertificatesTheKeysOwnFirst) {
  const ImportedKey imported = import(GetParam()).value();
  EXPECT_EQ(imported.key.kind, KeyKind::Rsa2048);
  const ImportedKey reference = import("ossl-aes256.pfx").value();
  EXPECT_TRUE(equal_in_constant_time(imported.key.pkcs8.view(), reference.key.pkcs8.view()));
  ASSERT_FALSE(imported.certificates.empty());
  EXPECT_EQ(imported.certificates.front(), reference.certificates.front());
  const bool alone = GetParam() == std::string_view("pem-pkcs8-encrypted.pem");
  EXPECT_EQ(imported.certificates.size(), alone ? 1U : 2U);
}

INSTANTIATE_TEST_SUITE_P(OfManyProducers, GoodKeyFile,
                         testing::Values("gnutls.p12", "java.p12", "ossl-aes256.pfx", "ossl-3des.pfx",
                                         "pem-pkcs8-certfirst.pem", "pem-pkcs8-encrypted.pem"),
                         [](const auto& instance) {
                           std::string name(instance.param);
                           for (char& c : name)
                             if (c == '-' || c == '.') c = '_';
                           return name;
                         });

TEST(KeyFile, OpensWithAnEmptyPassphrase) {
  EXPECT_TRUE(import("ossl-emptypass.pfx", "").has_value());
  EXPECT_TRUE(import("ossl-emptypass.pfx", std::nullopt).has_value());
  EXPECT_TRUE(fails_with(import("ossl-emptypass.pfx", "secret"), ErrorKind::CryptoFailure, "does not open"));
}

TEST(KeyFile, IsRefusedWithoutAPrivateKey) {
  EXPECT_TRUE(fails_with(import("ossl-nokey.pfx"), ErrorKind::InvalidInput, "no private key"));
  EXPECT_TRUE(fails_with(read_key_file(as_bytes(test::make_certificate().certificate.pem()), {}),
                         ErrorKind::InvalidInput, "no private key (but 1 certificates)"));
}

TEST(KeyFile, IsRefusedInTheTraditionalForm) {
  EXPECT_TRUE(fails_with(import("pem-pkcs1.pem"), ErrorKind::Unsupported, "(PKCS#1) form; PKCS#8"));
  EXPECT_TRUE(fails_with(import("pem-pkcs1.pem"), ErrorKind::Unsupported, "openssl pkcs8 -topk8"));
}

TEST(KeyFile, IsRefusedWithTheKeyOfAnotherCertificate) {
  EXPECT_TRUE(
      fails_with(import("pem-wrongkey.pem"), ErrorKind::InvalidInput, "does not match any certificate"));
}

TEST(KeyFile, IsRefusedWithAWrongOrMissingPassphrase) {
  for (const char* const name :
       {"gnutls.p12", "java.p12", "ossl-aes256.pfx", "ossl-3des.pfx", "pem-pkcs8-encrypted.pem"}) {
    EXPECT_TRUE(fails_with(import(name, "Secret"), ErrorKind::CryptoFailure, "does not open")) << name;
    EXPECT_TRUE(fails_with(import(name, std::nullopt), ErrorKind::CryptoFailure, "passphrase is needed"))
        << name;
  }
}

TEST(KeyFile, IsRefusedWhenItIsNone) {
  EXPECT_TRUE(fails_with(read_key_file({}, {}), ErrorKind::InvalidInput, "neither a PKCS#12"));
  EXPECT_TRUE(fails_with(read_key_file(as_bytes("hello"), {}), ErrorKind::InvalidInput, "neither a PKCS#12"));
  EXPECT_TRUE(fails_with(read_key_file(Bytes(kMaxKeyFileSize + 1), {}), ErrorKind::LimitExceeded, "at most"));
  EXPECT_FALSE(read_key_file(as_bytes("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"), {})
                   .has_value());
  EXPECT_FALSE(read_key_file(as_bytes("-----BEGIN PRIVATE KEY-----\n"), {}).has_value());
}

TEST(KeyFile, IsRefusedWithTwoKeys) {
  const std::string pem = test::private_key_pem(test::make_certificate().key);
  EXPECT_TRUE(fails_with(read_key_file(as_bytes(pem + pem), {}), ErrorKind::InvalidInput, "2 private keys"));
}

TEST(KeyFile, IsRefusedWhenCutOffAnywhere) {
  const Bytes whole = vector_file("ossl-emptypass.pfx");
  for (std::size_t size = 0; size < whole.size(); size += 7)
    EXPECT_FALSE(read_key_file(ByteView(whole).first(size), SecretBytes()).has_value()) << size;
}

TEST(KeyFile, SurvivesAChangedOctetAnywhere) {
  const Bytes whole = vector_file("ossl-emptypass.pfx");
  for (std::size_t i = 0; i < whole.size(); i += 5) {
    Bytes changed = whole;
    changed[i] ^= 0xFFU;
    static_cast<void>(
        read_key_file(changed, SecretBytes()));  // may or may not open: the algorithm's parameters have slack
  }
}

TEST(KeyFile, IsTakenWithoutCertificates) {
  const ImportedKey imported =
      read_key_file(as_bytes(test::private_key_pem(test::make_certificate().key)), {}).value();
  EXPECT_TRUE(imported.certificates.empty());
}

TEST(KeyFile, IsTakenForEveryCurveOfTheVaultAndNoOther) {
  for (const char* const curve : {"P-256", "P-384", "P-521"}) {
    const auto made = test::make_certificate({.common_name = "ec import", .key = std::string("ec:") + curve});
    const std::string pem = test::private_key_pem(made.key) + made.certificate.pem();
    EXPECT_EQ(read_key_file(as_bytes(pem), {}).value().key.kind, parse_key_kind(curve).value());
  }
  const auto odd = test::make_certificate({.common_name = "odd curve", .key = "ec:secp256k1"});
  EXPECT_TRUE(fails_with(read_key_file(as_bytes(test::private_key_pem(odd.key)), {}), ErrorKind::Unsupported,
                         "secp256k1"));
  const auto weak = test::make_certificate({.common_name = "weak", .key = "rsa:1024"});
  EXPECT_TRUE(fails_with(read_key_file(as_bytes(test::private_key_pem(weak.key)), {}), ErrorKind::Unsupported,
                         "1024 bits"));
}

TEST(KeyFile, IsRefusedWithAKeyThatContradictsItself) {
  const auto made = test::make_certificate();
  const EvpPkeyPtr copy(EVP_PKEY_dup(made.key.native()));
  OSSL_PARAM* parameters = nullptr;
  ASSERT_EQ(EVP_PKEY_todata(copy.get(), EVP_PKEY_KEYPAIR, &parameters), 1);
  OSSL_PARAM* d = OSSL_PARAM_locate(parameters, "d");
  ASSERT_NE(d, nullptr);
  static_cast<unsigned char*>(d->data)[10] ^= 1U;
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* broken = nullptr;
  ASSERT_EQ(EVP_PKEY_fromdata_init(context.get()), 1);
  ASSERT_EQ(EVP_PKEY_fromdata(context.get(), &broken, EVP_PKEY_KEYPAIR, parameters), 1);
  OSSL_PARAM_free(parameters);
  const std::string pem = test::private_key_pem(certstore::KeyHandle::adopt(broken));
  EXPECT_TRUE(fails_with(read_key_file(as_bytes(pem), {}), ErrorKind::InvalidInput, "contradicts itself"));
}

// --- work factors: only numbers are put in here, no work is done
// ----------------------------------------------------

std::string pem_of(const X509_SIG* encrypted) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  EXPECT_EQ(PEM_write_bio_PKCS8(out.get(), encrypted), 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

/// An encrypted key with these parameters, which decrypts with nothing.
std::string encrypted_key(X509_ALGOR* parameters) {
  const Handle<X509_ALGOR, X509_ALGOR_free> owned(parameters);
  const Handle<X509_SIG, X509_SIG_free> encrypted(X509_SIG_new());
  X509_ALGOR* algorithm = nullptr;
  ASN1_OCTET_STRING* content = nullptr;
  X509_SIG_getm(encrypted.get(), &algorithm, &content);
  EXPECT_EQ(X509_ALGOR_copy(algorithm, parameters), 1);
  EXPECT_EQ(ASN1_OCTET_STRING_set(content, as_bytes("0123456789abcdef").data(), 16), 1);
  return pem_of(encrypted.get());
}

Bytes der_of(PKCS12* pfx) {
  unsigned char* der = nullptr;
  const int size = i2d_PKCS12(pfx, &der);
  const OpensslMemory owned(der);
  return {der, der + size};
}

Pkcs12Ptr parsed(const Bytes& der) {
  const unsigned char* at = der.data();
  return Pkcs12Ptr(d2i_PKCS12(nullptr, &at, static_cast<long>(der.size())));
}

Result<ImportedKey> open_file(ByteView file) { return read_key_file(file, SecretBytes::copy_of("secret")); }

TEST(KeyFileWork, IsRefusedAboveTenMillionRounds) {
  unsigned char salt[] = "saltsalt";
  const auto pbkdf2 = [&](int rounds) {
    return encrypted_key(PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), rounds, salt, 8, nullptr, NID_hmacWithSHA256));
  };
  EXPECT_TRUE(
      fails_with(open_file(as_bytes(pbkdf2(10'000'001))), ErrorKind::LimitExceeded, "10000001 rounds"));
  EXPECT_TRUE(fails_with(open_file(as_bytes(pbkdf2(INT_MAX))), ErrorKind::LimitExceeded, "rounds"));
  EXPECT_TRUE(fails_with(open_file(as_bytes(pbkdf2(1000))), ErrorKind::CryptoFailure, "does not open"));
  const std::string pbe1 =
      encrypted_key(PKCS5_pbe_set(NID_pbe_WithSHA1And3_Key_TripleDES_CBC, INT_MAX, salt, 8));
  EXPECT_TRUE(fails_with(open_file(as_bytes(pbe1)), ErrorKind::LimitExceeded, "rounds"));
}

TEST(KeyFileWork, IsRefusedWithAnExpensiveScrypt) {
  unsigned char salt[] = "saltsalt";
  const auto scrypt = [&](std::uint64_t n, std::uint64_t r, std::uint64_t p) {
    return encrypted_key(PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, 8, nullptr, n, r, p));
  };
  EXPECT_TRUE(fails_with(open_file(as_bytes(scrypt(16384, 8, 1000))), ErrorKind::LimitExceeded, "p=1000"));
  EXPECT_TRUE(
      fails_with(open_file(as_bytes(scrypt(16384, 8, 1))), ErrorKind::CryptoFailure, "does not open"));
}

TEST(KeyFileWork, IsRefusedInTheMacOfAPfx) {
  const Pkcs12Ptr pfx = parsed(vector_file("ossl-aes256.pfx"));
  ASSERT_EQ(PKCS12_setup_mac(pfx.get(), 20'000'000, nullptr, 0, EVP_sha256()), 1);
  EXPECT_TRUE(fails_with(open_file(der_of(pfx.get())), ErrorKind::LimitExceeded, "20000000 rounds"));
}

TEST(KeyFileWork, IsRefusedInAPartOfAPfx) {
  unsigned char salt[] = "saltsalt";
  const Pkcs12Ptr pfx = parsed(vector_file("ossl-aes256.pfx"));
  STACK_OF(PKCS7)* const safes = PKCS12_unpack_authsafes(pfx.get());
  X509_ALGOR*& algorithm = sk_PKCS7_value(safes, 0)->d.encrypted->enc_data->algorithm;
  X509_ALGOR_free(algorithm);
  algorithm = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), 20'000'000, salt, 8, nullptr, NID_hmacWithSHA256);
  const Pkcs12Ptr without_mac(PKCS12_init(NID_pkcs7_data));
  ASSERT_EQ(PKCS12_pack_authsafes(without_mac.get(), safes), 1);
  sk_PKCS7_pop_free(safes, PKCS7_free);
  EXPECT_TRUE(fails_with(open_file(der_of(without_mac.get())), ErrorKind::LimitExceeded, "20000000 rounds"));
}

TEST(KeyFileWork, IsAddedUpOverTheWholeFile) {
  KeyDerivationBudget budget;
  EXPECT_TRUE(budget.spend(6'000'000).has_value());
  EXPECT_TRUE(fails_with(budget.spend(5'000'000), ErrorKind::LimitExceeded, "4000000 left"));
  EXPECT_TRUE(budget.spend(4'000'000).has_value());
  EXPECT_TRUE(fails_with(budget.spend(0), ErrorKind::InvalidInput, "rounds"));
  EXPECT_TRUE(fails_with(budget.spend(-1), ErrorKind::InvalidInput, "rounds"));
}

TEST(KeyFileWork, IsRefusedWithCiphersOfTheLegacyProvider) {
  unsigned char salt[] = "saltsalt";
  const std::string rc2 = encrypted_key(PKCS5_pbe_set(NID_pbe_WithSHA1And40BitRC2_CBC, 2048, salt, 8));
  EXPECT_TRUE(fails_with(open_file(as_bytes(rc2)), ErrorKind::Unsupported, "too weak"));
}

}  // namespace
}  // namespace signet::vault
