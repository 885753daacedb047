// The oldest ways to a private half are deprecated, and tried here all the same.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/core_names.h>
#include <openssl/encoder.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>

#include <atomic>
#include <thread>

#include "base/openssl.h"
#include "tests/unit/vault/vault_fixture.h"

namespace signet::vault {
namespace {

/// Signs with EVP_DigestSign in the default context. @returns nothing when OpenSSL refuses.
std::optional<Bytes> digest_sign(EVP_PKEY* key, const char* hash, ByteView text, bool pss = false) {
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* pkey_context = nullptr;
  if (EVP_DigestSignInit_ex(context.get(), &pkey_context, hash, nullptr, nullptr, key, nullptr) != 1)
    return {};
  if (pss && EVP_PKEY_CTX_set_rsa_padding(pkey_context, RSA_PKCS1_PSS_PADDING) != 1) return {};
  std::size_t size = 0;
  if (EVP_DigestSign(context.get(), nullptr, &size, text.data(), text.size()) != 1) return {};
  Bytes signature(size);
  if (EVP_DigestSign(context.get(), signature.data(), &size, text.data(), text.size()) != 1) return {};
  signature.resize(size);
  return signature;
}

bool digest_verify(EVP_PKEY* key, const char* hash, ByteView text, const Bytes& signature, bool pss = false) {
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* pkey_context = nullptr;
  return EVP_DigestVerifyInit_ex(context.get(), &pkey_context, hash, nullptr, nullptr, key, nullptr) == 1 &&
         (!pss || (EVP_PKEY_CTX_set_rsa_padding(pkey_context, RSA_PKCS1_PSS_PADDING) == 1 &&
                   EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey_context, RSA_PSS_SALTLEN_DIGEST) == 1)) &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), text.data(), text.size()) == 1;
}

/// How an EVP decryption is set up, and what became of it.
struct Decryption {
  int padding = RSA_PKCS1_PADDING;
  const char* hash = nullptr;
  const char* mgf1_hash = nullptr;
};

bool prepare(EVP_PKEY_CTX* context, const Decryption& how) {
  return EVP_PKEY_CTX_set_rsa_padding(context, how.padding) == 1 &&
         (how.hash == nullptr || EVP_PKEY_CTX_set_rsa_oaep_md_name(context, how.hash, nullptr) == 1) &&
         (how.mgf1_hash == nullptr ||
          EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, how.mgf1_hash, nullptr) == 1);
}

Bytes encrypt(EVP_PKEY* key, const Decryption& how, ByteView text) {
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  EXPECT_EQ(EVP_PKEY_encrypt_init(context.get()), 1);
  EXPECT_TRUE(prepare(context.get(), how));
  Bytes out(1024);
  std::size_t size = out.size();
  EXPECT_EQ(EVP_PKEY_encrypt(context.get(), out.data(), &size, text.data(), text.size()), 1);
  out.resize(size);
  return out;
}

/// The plaintext, or OpenSSL's newest error.
struct Decrypted {
  std::optional<Bytes> text;
  unsigned long error = 0;
};

Decrypted decrypt(EVP_PKEY* key, const Decryption& how, ByteView ciphertext) {
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  EXPECT_EQ(EVP_PKEY_decrypt_init(context.get()), 1);
  ERR_clear_error();
  Bytes out(1024);
  std::size_t size = out.size();
  if (!prepare(context.get(), how) ||
      EVP_PKEY_decrypt(context.get(), out.data(), &size, ciphertext.data(), ciphertext.size()) != 1) {
    const unsigned long error = ERR_peek_last_error();
    ERR_clear_error();
    return {std::nullopt, error};
  }
  out.resize(size);
  return {out, 0};
}

class ProviderHandle : public EveryBackEnd {
 protected:
  certstore::PrivateCertificate rsa_ = test::make_certificate();
  certstore::PrivateCertificate ec_ = test::make_certificate({.common_name = "ec", .key = "ec:P-256"});
  KeyId rsa_id_ = import(rsa_, "rsa");
  KeyId ec_id_ = import(ec_, "ec");
  certstore::KeyHandle rsa_handle_ = handle(rsa_id_);
  certstore::KeyHandle ec_handle_ = handle(ec_id_);
};

TEST_P(ProviderHandle, LooksLikeAnOrdinaryKeyOfItsType) {
  EXPECT_EQ(EVP_PKEY_is_a(rsa_handle_.native(), "RSA"), 1);
  EXPECT_EQ(EVP_PKEY_get_bits(rsa_handle_.native()), 2048);
  EXPECT_EQ(EVP_PKEY_get_size(rsa_handle_.native()), 256);
  EXPECT_EQ(EVP_PKEY_get_id(rsa_handle_.native()), EVP_PKEY_RSA);
  EXPECT_EQ(EVP_PKEY_is_a(ec_handle_.native(), "EC"), 1);
  EXPECT_EQ(EVP_PKEY_get_id(ec_handle_.native()), EVP_PKEY_EC);
  char group[32];
  EXPECT_EQ(EVP_PKEY_get_group_name(ec_handle_.native(), group, sizeof group, nullptr), 1);
  EXPECT_STREQ(group, "prime256v1");
}

TEST_P(ProviderHandle, BelongsToItsCertificateAndToNoOther) {
  EXPECT_EQ(X509_check_private_key(rsa_.certificate.native(), rsa_handle_.native()), 1);
  EXPECT_EQ(X509_check_private_key(ec_.certificate.native(), ec_handle_.native()), 1);
  const auto other = test::make_certificate({.common_name = "other"});
  const auto other_ec = test::make_certificate({.common_name = "other", .key = "ec:P-256"});
  EXPECT_EQ(X509_check_private_key(other.certificate.native(), rsa_handle_.native()), 0);
  EXPECT_EQ(X509_check_private_key(other_ec.certificate.native(), ec_handle_.native()), 0);
  EXPECT_EQ(X509_check_private_key(ec_.certificate.native(), rsa_handle_.native()), 0);
  EXPECT_TRUE(rsa_.certificate.has_public_key(rsa_handle_.native()));
  EXPECT_FALSE(other.certificate.has_public_key(rsa_handle_.native()));
  ERR_clear_error();
}

TEST_P(ProviderHandle, EqualsAnotherHandleToTheSameKey) {
  EXPECT_EQ(EVP_PKEY_eq(rsa_handle_.native(), handle(rsa_id_).native()), 1);
  const KeyId other = create(KeyKind::Rsa2048, "another");
  EXPECT_NE(EVP_PKEY_eq(rsa_handle_.native(), handle(other).native()), 1);
}

TEST_P(ProviderHandle, SignsWithEveryHashAndScheme) {
  for (const char* const hash : {"SHA256", "SHA384", "SHA512"}) {
    const auto pkcs1 = digest_sign(rsa_handle_.native(), hash, as_bytes("text"));
    ASSERT_TRUE(pkcs1) << hash;
    EXPECT_TRUE(digest_verify(rsa_.key.native(), hash, as_bytes("text"), *pkcs1));
    EXPECT_FALSE(digest_verify(rsa_.key.native(), hash, as_bytes("Text"), *pkcs1));
    const auto pss = digest_sign(rsa_handle_.native(), hash, as_bytes("text"), true);
    ASSERT_TRUE(pss) << hash;
    EXPECT_TRUE(digest_verify(rsa_.key.native(), hash, as_bytes("text"), *pss, true));
    EXPECT_FALSE(digest_verify(rsa_.key.native(), hash, as_bytes("text"), *pss));
    const auto ecdsa = digest_sign(ec_handle_.native(), hash, as_bytes("text"));
    ASSERT_TRUE(ecdsa) << hash;
    EXPECT_TRUE(digest_verify(ec_.key.native(), hash, as_bytes("text"), *ecdsa));
  }
  ERR_clear_error();
}

TEST_P(ProviderHandle, DoesNotSignWithWeakHashesOrWithoutOne) {
  for (const char* const hash : {"MD5", "SHA1", "SHA224", "SHA3-256"}) {
    EXPECT_FALSE(digest_sign(rsa_handle_.native(), hash, as_bytes("text"))) << hash;
    EXPECT_FALSE(digest_sign(ec_handle_.native(), hash, as_bytes("text"))) << hash;
  }
  const EvpPkeyCtxPtr raw(EVP_PKEY_CTX_new_from_pkey(nullptr, rsa_handle_.native(), nullptr));
  ASSERT_EQ(EVP_PKEY_sign_init(raw.get()), 1);
  Bytes out(256);
  std::size_t size = out.size();
  EXPECT_NE(EVP_PKEY_sign(raw.get(), out.data(), &size, Bytes(32).data(), 32), 1);
  EXPECT_NE(EVP_PKEY_CTX_set_rsa_padding(raw.get(), RSA_NO_PADDING), 1);
  EXPECT_NE(EVP_PKEY_sign(raw.get(), out.data(), &size, Bytes(256).data(), 256), 1);
  ERR_clear_error();
}

TEST_P(ProviderHandle, SignsAGivenDigest) {
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, rsa_handle_.native(), nullptr));
  ASSERT_EQ(EVP_PKEY_sign_init(context.get()), 1);
  ASSERT_EQ(EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()), 1);
  const Bytes hash = digest(Hash::Sha256, as_bytes("text"));
  Bytes out(256);
  std::size_t size = out.size();
  ASSERT_EQ(EVP_PKEY_sign(context.get(), out.data(), &size, hash.data(), hash.size()), 1);
  EXPECT_TRUE(digest_verify(rsa_.key.native(), "SHA256", as_bytes("text"), out));
  EXPECT_NE(EVP_PKEY_sign(context.get(), out.data(), &size, hash.data(), 31), 1);
  ERR_clear_error();
}

TEST_P(ProviderHandle, DecryptsWithEveryPadding) {
  const Decryption ways[] = {
      {RSA_PKCS1_PADDING, nullptr, nullptr},       {RSA_PKCS1_OAEP_PADDING, nullptr, nullptr},
      {RSA_PKCS1_OAEP_PADDING, "SHA1", "SHA1"},    {RSA_PKCS1_OAEP_PADDING, "SHA256", nullptr},
      {RSA_PKCS1_OAEP_PADDING, "SHA256", "SHA1"},  {RSA_PKCS1_OAEP_PADDING, "SHA512", "SHA512"},
      {RSA_PKCS1_OAEP_PADDING, "SHA512", "SHA256"}};
  for (const Decryption& how : ways) {
    const Bytes sent = encrypt(rsa_.certificate.public_key(), how, as_bytes("a content key"));
    EXPECT_EQ(decrypt(rsa_handle_.native(), how, sent).text, to_bytes("a content key"));
  }
}

TEST_P(ProviderHandle, FailsOnBadPaddingAsOpensslsOwnProviderDoes) {
  const Decryption ways[] = {{RSA_PKCS1_PADDING, nullptr, nullptr},
                             {RSA_PKCS1_OAEP_PADDING, "SHA256", nullptr}};
  for (const Decryption& how : ways) {
    Bytes sent = encrypt(rsa_.certificate.public_key(), how, as_bytes("a content key"));
    sent.back() ^= 1U;
    const Decrypted ours = decrypt(rsa_handle_.native(), how, sent);
    const Decrypted theirs = decrypt(rsa_.key.native(), how, sent);
    EXPECT_EQ(ours.text, std::nullopt);
    EXPECT_EQ(theirs.text, std::nullopt);
    EXPECT_STREQ(ERR_reason_error_string(ours.error), ERR_reason_error_string(theirs.error));
    EXPECT_EQ(ERR_GET_LIB(ours.error), ERR_GET_LIB(theirs.error));
    EXPECT_FALSE(take_vault_refusal()) << "bad padding is nobody's business";
  }
}

TEST_P(ProviderHandle, DoesNotDecryptWithoutPaddingOrForTlsKeyTransport) {
  constexpr int kTlsPadding = 7;
  const Bytes sent = encrypt(rsa_.certificate.public_key(), {}, as_bytes("a content key"));
  for (const int padding : {RSA_NO_PADDING, RSA_X931_PADDING, kTlsPadding})
    EXPECT_EQ(decrypt(rsa_handle_.native(), {padding, nullptr, nullptr}, sent).text, std::nullopt) << padding;
}

TEST_P(ProviderHandle, AgreesOnAKey) {
  const auto peer = test::make_certificate({.common_name = "peer", .key = "ec:P-256"});
  const auto derived = [](EVP_PKEY* own, EVP_PKEY* other) {
    const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr));
    Bytes secret(64);
    std::size_t size = secret.size();
    EXPECT_EQ(EVP_PKEY_derive_init(context.get()), 1);
    EXPECT_EQ(EVP_PKEY_derive_set_peer(context.get(), other), 1)
        << take_openssl_error(ErrorKind::Internal, "x").detail;
    EXPECT_EQ(EVP_PKEY_derive(context.get(), secret.data(), &size), 1);
    secret.resize(size);
    return secret;
  };
  // The other side's key must be of the handle's own provider: as CMS does it, the curve is copied and the
  // point set.
  EVP_PKEY* other = EVP_PKEY_new();
  ASSERT_EQ(EVP_PKEY_copy_parameters(other, ec_handle_.native()), 1);
  unsigned char* point = nullptr;
  const std::size_t size = EVP_PKEY_get1_encoded_public_key(peer.key.native(), &point);
  ASSERT_EQ(EVP_PKEY_set1_encoded_public_key(other, point, size), 1);
  point[size - 1] ^= 1U;
  EXPECT_NE(EVP_PKEY_set1_encoded_public_key(other, point, size), 1) << "not on the curve";
  EXPECT_NE(EVP_PKEY_set1_encoded_public_key(ec_handle_.native(), point, size), 1)
      << "a vault key's own point stays";
  OPENSSL_free(point);
  EXPECT_EQ(derived(ec_handle_.native(), other), derived(peer.key.native(), ec_.certificate.public_key()));
  EVP_PKEY_free(other);
  ERR_clear_error();
}

// --- nothing private comes out
// ----------------------------------------------------------------------------------------

class ExportOfAHandle : public ProviderHandle {
 protected:
  void expect_nothing_private(EVP_PKEY* key) {
    OSSL_PARAM* parameters = nullptr;
    EXPECT_NE(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &parameters), 1);
    EXPECT_NE(EVP_PKEY_export(
                  key, OSSL_KEYMGMT_SELECT_PRIVATE_KEY, [](const OSSL_PARAM*, void*) { return 1; }, nullptr),
              1);
    unsigned char* der = nullptr;
    EXPECT_LE(i2d_PrivateKey(key, &der), 0);
    EXPECT_EQ(EVP_PKEY2PKCS8(key), nullptr);
    const BioPtr out(BIO_new(BIO_s_mem()));
    EXPECT_NE(PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr), 1);
    EXPECT_NE(PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr), 1);
    EXPECT_LE(i2d_PKCS8PrivateKey_bio(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr), 0);
    EXPECT_LE(EVP_PKEY_print_private(out.get(), key, 0, nullptr), 0);
    char* text = nullptr;
    EXPECT_EQ(BIO_get_mem_data(out.get(), &text), 0);
    const Handle<OSSL_ENCODER_CTX, OSSL_ENCODER_CTX_free> encoder(
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "DER", nullptr, nullptr));
    EXPECT_NE(OSSL_ENCODER_to_bio(encoder.get(), out.get()), 1);
    for (const char* const name : {"d", "rsa-factor1", "rsa-exponent1", "rsa-coefficient1", "priv"}) {
      BIGNUM* number = nullptr;
      EXPECT_NE(EVP_PKEY_get_bn_param(key, name, &number), 1) << name;
    }
    ERR_clear_error();
  }
};

TEST_P(ExportOfAHandle, IsRefusedByEveryRouteForRsa) {
  expect_nothing_private(rsa_handle_.native());
  const RSA* const rsa = EVP_PKEY_get0_RSA(rsa_handle_.native());
  EXPECT_TRUE(rsa == nullptr || RSA_get0_d(rsa) == nullptr);
  ERR_clear_error();
}

TEST_P(ExportOfAHandle, IsRefusedByEveryRouteForEc) {
  expect_nothing_private(ec_handle_.native());
  const EC_KEY* const ec = EVP_PKEY_get0_EC_KEY(ec_handle_.native());
  EXPECT_TRUE(ec == nullptr || EC_KEY_get0_private_key(ec) == nullptr);
  ERR_clear_error();
}

TEST_P(ExportOfAHandle, IsRefusedForACopyAsWell) {
  const EvpPkeyPtr copy(EVP_PKEY_dup(rsa_handle_.native()));
  if (copy) expect_nothing_private(copy.get());
  ERR_clear_error();
}

TEST_P(ExportOfAHandle, GivesThePublicHalf) {
  OSSL_PARAM* parameters = nullptr;
  ASSERT_EQ(EVP_PKEY_todata(rsa_handle_.native(), EVP_PKEY_PUBLIC_KEY, &parameters), 1);
  EXPECT_NE(OSSL_PARAM_locate(parameters, OSSL_PKEY_PARAM_RSA_N), nullptr);
  OSSL_PARAM_free(parameters);
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(ec_handle_.native(), &der);
  const OpensslMemory owned(der);
  ASSERT_GT(size, 0);
  EXPECT_EQ(Bytes(der, der + size), vault_->get(kGateway, ec_id_).value().public_key);
}

TEST_P(ProviderHandle, SignsACertificateRequestForItself) {
  for (EVP_PKEY* const key : {rsa_handle_.native(), ec_handle_.native()}) {
    const Handle<X509_REQ, X509_REQ_free> request(X509_REQ_new());
    ASSERT_EQ(X509_REQ_set_pubkey(request.get(), key), 1);
    ASSERT_GT(X509_REQ_sign(request.get(), key, EVP_sha256()), 0)
        << take_openssl_error(ErrorKind::Internal, "").detail;
    EVP_PKEY* const ordinary = key == rsa_handle_.native() ? rsa_.key.native() : ec_.key.native();
    EXPECT_EQ(X509_REQ_verify(request.get(), ordinary), 1);
  }
  ERR_clear_error();
}

// --- policy and audit behind each operation
// ---------------------------------------------------------------------------

TEST_P(ProviderHandle, AsksPolicyAtEachOperationAndTellsWhyItWasRefused) {
  ASSERT_TRUE(digest_sign(rsa_handle_.native(), "SHA256", as_bytes("text")));
  EXPECT_FALSE(take_vault_refusal());
  grant("get,decrypt");
  EXPECT_FALSE(digest_sign(rsa_handle_.native(), "SHA256", as_bytes("text")));
  EXPECT_THAT(take_openssl_error(ErrorKind::Internal, "x").detail, testing::Not(testing::IsEmpty()));
  const std::optional<Error> refusal = take_vault_refusal();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->kind, ErrorKind::PermissionDenied);
  EXPECT_THAT(refusal->detail,
              testing::HasSubstr("'gateway' lacks the key permission 'sign' on key vault 'kv1'"));
  EXPECT_FALSE(take_vault_refusal()) << "told once";
}

TEST_P(ProviderHandle, ForgetsARefusalWhenTheNextOperationSucceeds) {
  grant("get,decrypt");
  EXPECT_FALSE(digest_sign(rsa_handle_.native(), "SHA256", as_bytes("text")));
  grant("get,sign");
  EXPECT_TRUE(digest_sign(rsa_handle_.native(), "SHA256", as_bytes("text")));
  EXPECT_FALSE(take_vault_refusal());
  ERR_clear_error();
}

TEST_P(ProviderHandle, StopsWhenItsKeyIsDisabled) {
  ASSERT_TRUE(vault_->update(kOperator, rsa_id_, {{false, {}, {}}, {}, {}}).has_value());
  EXPECT_FALSE(digest_sign(rsa_handle_.native(), "SHA256", as_bytes("text")));
  EXPECT_THAT(take_vault_refusal().value().detail, testing::HasSubstr("disabled"));
  ERR_clear_error();
}

TEST_P(ProviderHandle, StaysWithItsVersionWhenANewOneComes) {
  const certstore::KeyHandle old = open_key(*vault_, kGateway, {"kv1", "rsa", {}}).value();
  create(KeyKind::Rsa2048, "rsa");
  const auto signature = digest_sign(old.native(), "SHA256", as_bytes("text"));
  EXPECT_TRUE(digest_verify(rsa_.key.native(), "SHA256", as_bytes("text"), signature.value()));
  EXPECT_EQ(audit_.last().key, rsa_id_);
}

TEST_P(ProviderHandle, IsRecordedWithTheMessageItWorkedFor) {
  const AuditScope scope = message_scope("<4711@partner>");
  ASSERT_TRUE(digest_sign(ec_handle_.native(), "SHA256", as_bytes("text")));
  EXPECT_EQ(audit_.last().message, "<4711@partner>");
  EXPECT_EQ(audit_.last().operation, "sign");
  EXPECT_EQ(audit_.last().key, ec_id_);
}

TEST_P(ProviderHandle, DoesNothingThatCannotBeRecorded) {
  const Bytes sent = encrypt(rsa_.certificate.public_key(), {}, as_bytes("a content key"));
  audit_.failure = Error{ErrorKind::IoFailure, "no space left"};
  EXPECT_FALSE(digest_sign(rsa_handle_.native(), "SHA256", as_bytes("text")));
  EXPECT_THAT(take_vault_refusal().value().detail, testing::HasSubstr("no space left"));
  EXPECT_EQ(decrypt(rsa_handle_.native(), {}, sent).text, std::nullopt);
  EXPECT_THAT(take_vault_refusal().value().detail, testing::HasSubstr("no space left"));
  ERR_clear_error();
}

TEST_P(ProviderHandle, IsNotGivenWithoutTheRightToGetIt) {
  grant("sign,decrypt");
  EXPECT_TRUE(fails_with(open_key(*vault_, kGateway, rsa_id_), ErrorKind::PermissionDenied, "'get'"));
  grant("get");
  EXPECT_TRUE(fails_with(open_key(*vault_, kGateway, {"kv1", "none", {}}), ErrorKind::NotFound, "none"));
}

TEST_P(ProviderHandle, LeavesEarlierErrorsInOpensslsQueueAlone) {
  ERR_clear_error();
  ERR_raise(ERR_LIB_USER, 42);
  ASSERT_TRUE(digest_sign(rsa_handle_.native(), "SHA256", as_bytes("text")));
  EXPECT_EQ(ERR_GET_REASON(ERR_peek_error()), 42);
  EXPECT_EQ(ERR_peek_error(), ERR_peek_last_error());
  ERR_clear_error();
}

TEST_P(ProviderHandle, SignsFromEightThreadsAtOnce) {
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      EVP_PKEY* const key = t % 2 == 0 ? rsa_handle_.native() : ec_handle_.native();
      EVP_PKEY* const ordinary = t % 2 == 0 ? rsa_.certificate.public_key() : ec_.certificate.public_key();
      for (int i = 0; i < 100; ++i) {
        const std::string text = std::to_string(t) + "/" + std::to_string(i);
        const auto signature = digest_sign(key, "SHA256", as_bytes(text));
        if (signature && digest_verify(ordinary, "SHA256", as_bytes(text), *signature)) ++good;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 800);
}

// --- ordinary keys stay ordinary
// --------------------------------------------------------------------------------------

TEST(SelfCheck, PassesAgainAndAgain) {
  for (int i = 0; i < 3; ++i) {
    const Result<> checked = self_check();
    EXPECT_TRUE(checked.has_value()) << checked.error().detail;
  }
}

TEST_P(ProviderHandle, LeavesOrdinaryKeysToTheDefaultProvider) {
  ASSERT_TRUE(digest_sign(rsa_handle_.native(), "SHA256", as_bytes("text")));
  ASSERT_TRUE(digest_sign(ec_handle_.native(), "SHA256", as_bytes("text")));
  for (const char* const type : {"RSA", "EC"}) {
    const Handle<EVP_KEYMGMT, EVP_KEYMGMT_free> found(EVP_KEYMGMT_fetch(nullptr, type, nullptr));
    EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_KEYMGMT_get0_provider(found.get())), "default");
  }
  EXPECT_TRUE(self_check().has_value());
  const EvpPkeyPtr fresh(EVP_RSA_gen(2048));
  EXPECT_TRUE(digest_sign(fresh.get(), "SHA1", as_bytes("text")));
}

TEST(OpensslVersion, IsStatedAndJudged) {
  EXPECT_THAT(openssl_version(), testing::StartsWith("OpenSSL 3."));
  EXPECT_FALSE(openssl_version_warning(0x30000160));
  EXPECT_FALSE(openssl_version_warning(0x30500000));
  EXPECT_THAT(openssl_version_warning(0x30000150).value(), testing::HasSubstr("older than 3.0.22"));
  EXPECT_TRUE(openssl_version_warning(0x30000130));
}

SIGNET_EVERY_BACK_END(ProviderHandle);
SIGNET_EVERY_BACK_END(ExportOfAHandle);

}  // namespace
}  // namespace signet::vault
