#include "certstore/vault/private_key_internal.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/encoder.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <array>
#include <string>

#include "certstore/vault/key_library_internal.h"
#include "certstore/vault/public_key.h"

namespace signet::vault {
namespace {

using DecoderPtr = Handle<OSSL_DECODER_CTX, OSSL_DECODER_CTX_free>;
using EncoderPtr = Handle<OSSL_ENCODER_CTX, OSSL_ENCODER_CTX_free>;
using EcdsaSigPtr = Handle<ECDSA_SIG, ECDSA_SIG_free>;

}  // namespace

Scheme scheme_of(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::RS256:
    case SignatureAlgorithm::RS384:
    case SignatureAlgorithm::RS512:
      return Scheme::Pkcs1;
    case SignatureAlgorithm::PS256:
    case SignatureAlgorithm::PS384:
    case SignatureAlgorithm::PS512:
      return Scheme::Pss;
    case SignatureAlgorithm::ES256:
    case SignatureAlgorithm::ES384:
    case SignatureAlgorithm::ES512:
      return Scheme::Ecdsa;
  }
  return Scheme::Pkcs1;
}

std::size_t coordinate_size(KeyKind kind) {
  switch (kind) {
    case KeyKind::EcP256:
      return 32;
    case KeyKind::EcP384:
      return 48;
    case KeyKind::EcP521:
      return 66;
    case KeyKind::Rsa2048:
    case KeyKind::Rsa3072:
    case KeyKind::Rsa4096:
      break;
  }
  return 0;
}

const char* group_of(KeyKind kind) {
  switch (kind) {
    case KeyKind::EcP256:
      return "prime256v1";
    case KeyKind::EcP384:
      return "secp384r1";
    case KeyKind::EcP521:
      return "secp521r1";
    case KeyKind::Rsa2048:
    case KeyKind::Rsa3072:
    case KeyKind::Rsa4096:
      break;
  }
  return nullptr;
}

std::size_t modulus_size(KeyKind kind) {
  if (kind == KeyKind::Rsa2048) return 256;
  return kind == KeyKind::Rsa3072 ? 384 : 512;
}

Result<> check_fits(KeyKind kind, SignatureAlgorithm algorithm, ByteView digest) {
  if (is_rsa(kind) == (scheme_of(algorithm) == Scheme::Ecdsa))
    return fail(ErrorKind::InvalidInput, fmt::format("algorithm {} does not go with a key of kind {}",
                                                     to_string(algorithm), to_string(kind)));
  if (digest.size() != digest_size(hash_of(algorithm)))
    return fail(ErrorKind::InvalidInput,
                fmt::format("{} signs a digest of {} octets, and {} were given", to_string(algorithm),
                            digest_size(hash_of(algorithm)), digest.size()));
  return {};
}

namespace {

bool set_padding(EVP_PKEY_CTX* context, SignatureAlgorithm algorithm) {
  switch (scheme_of(algorithm)) {
    case Scheme::Pkcs1:
      return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
    case Scheme::Pss:
      return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
    case Scheme::Ecdsa:
      return true;
  }
  return false;
}

bool set_padding(EVP_PKEY_CTX* context, const EncryptionAlgorithm& algorithm) {
  if (!algorithm.oaep) return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_oaep_md_name(context, openssl_name(algorithm.hash), nullptr) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, openssl_name(algorithm.mgf1_hash), nullptr) == 1;
}

/// OpenSSL's SEQUENCE { r, s } as Key Vault's r || s.
Result<Bytes> ecdsa_der_to_raw(ByteView der, std::size_t size) {
  const unsigned char* at = der.data();
  const EcdsaSigPtr signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  Bytes raw(2 * size);
  const int width = static_cast<int>(size);
  if (!signature || BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw.data(), width) != width ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw.data() + size, width) != width)
    return fail(ErrorKind::Internal, "OpenSSL made an ECDSA signature that is none");
  return raw;
}

}  // namespace

Result<Bytes> ecdsa_raw_to_der(ByteView raw) {
  const int width = static_cast<int>(raw.size() / 2);
  const EcdsaSigPtr signature(ECDSA_SIG_new());
  BignumPtr r(BN_bin2bn(raw.data(), width, nullptr));
  BignumPtr s(BN_bin2bn(raw.data() + width, width, nullptr));
  if (!signature || !r || !s || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1)
    throw std::bad_alloc();
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  const OpensslMemory owned(der);
  if (size <= 0) throw std::bad_alloc();
  return Bytes(der, der + size);
}

Result<KeyKind> kind_of(const EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  if (EVP_PKEY_is_a(key, "RSA") != 0) {
    for (const KeyKind kind : {KeyKind::Rsa2048, KeyKind::Rsa3072, KeyKind::Rsa4096})
      if (8 * modulus_size(kind) == static_cast<std::size_t>(bits)) return kind;
    return fail(ErrorKind::Unsupported,
                fmt::format("an RSA key of {} bits: the vault takes 2048, 3072 and 4096", bits));
  }
  if (EVP_PKEY_is_a(key, "EC") != 0) {
    char group[80] = "explicit parameters";
    std::size_t length = 0;
    if (EVP_PKEY_get_group_name(key, group, sizeof group, &length) == 1)
      for (const KeyKind kind : {KeyKind::EcP256, KeyKind::EcP384, KeyKind::EcP521})
        if (std::string_view(group) == group_of(kind)) return kind;
    return fail(ErrorKind::Unsupported,
                fmt::format("an EC key on {}: the vault takes the curves P-256, P-384 and P-521", group));
  }
  const char* const name = EVP_PKEY_get0_type_name(key);
  return fail(ErrorKind::Unsupported, fmt::format("a key of type {}: the vault takes RSA and EC",
                                                  name != nullptr ? name : "unknown"));
}

Result<EvpPkeyPtr> ec_public_key(const char* group, ByteView point) {
  std::string name(group);
  Bytes octets(point.begin(), point.end());
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name.data(), name.size()),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, octets.data(), octets.size()),
      OSSL_PARAM_construct_end()};
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(key_library(), "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
    return fail(ErrorQueueMark::newest(
        ErrorKind::InvalidInput, fmt::format("the other side's key is not a point of curve {}", group)));
  return EvpPkeyPtr(key);
}

PrivateKey::PrivateKey(EvpPkeyPtr key, KeyKind kind, Bytes public_key)
    : key_(std::move(key)), kind_(kind), public_key_(std::move(public_key)) {}

Result<Bytes> encode_public_key(const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  const OpensslMemory owned(der);
  if (size <= 0) return fail(ErrorQueueMark::newest(ErrorKind::Internal, "encoding a public key"));
  return Bytes(der, der + size);
}

Result<std::unique_ptr<SoftwareKey>> SoftwareKey::of(EvpPkeyPtr key) {
  SIGNET_TRY(const KeyKind kind, kind_of(key.get()));
  SIGNET_TRY(Bytes public_key, encode_public_key(key.get()));
  return std::unique_ptr<SoftwareKey>(new SoftwareKey(std::move(key), kind, std::move(public_key)));
}

Result<std::unique_ptr<SoftwareKey>> SoftwareKey::generate(KeyKind kind) {
  const ErrorQueueMark mark;
  EvpPkeyPtr key(is_rsa(kind) ? EVP_PKEY_Q_keygen(key_library(), nullptr, "RSA", 8 * modulus_size(kind))
                              : EVP_PKEY_Q_keygen(key_library(), nullptr, "EC", group_of(kind)));
  if (!key) return fail(ErrorQueueMark::newest(ErrorKind::Internal, "making a key"));
  return of(std::move(key));
}

Result<std::unique_ptr<SoftwareKey>> SoftwareKey::from_pkcs8(ByteView der) {
  const ErrorQueueMark mark;
  EVP_PKEY* key = nullptr;
  const DecoderPtr decoder(OSSL_DECODER_CTX_new_for_pkey(&key, "DER", "PrivateKeyInfo", nullptr,
                                                         EVP_PKEY_KEYPAIR, key_library(), nullptr));
  if (!decoder) throw std::bad_alloc();
  const unsigned char* at = der.data();
  std::size_t left = der.size();
  const int read = OSSL_DECODER_from_data(decoder.get(), &at, &left);
  EvpPkeyPtr owned(key);
  if (read != 1 || !owned)
    return fail(ErrorQueueMark::newest(ErrorKind::InvalidInput, "this is not a PKCS#8 private key"));
  return of(std::move(owned));
}

Result<certstore::KeyHandle> SoftwareKey::handle() const {
  EVP_PKEY_up_ref(key());
  return certstore::KeyHandle::adopt(key());
}

namespace {

/// OpenSSL's encoders write from the ordinary heap, to which they give that memory back as it is.
long wipe_the_source(BIO*, int operation, const char* octets, std::size_t size, int, long, int result,
                     std::size_t*) {
  if (operation == (BIO_CB_WRITE | BIO_CB_RETURN)) OPENSSL_cleanse(const_cast<char*>(octets), size);
  return result;
}

}  // namespace

Result<SecretBytes> SoftwareKey::to_pkcs8() const {
  const ErrorQueueMark mark;
  const EncoderPtr encoder(
      OSSL_ENCODER_CTX_new_for_pkey(key(), EVP_PKEY_KEYPAIR, "DER", "PrivateKeyInfo", nullptr));
  const BioPtr out(BIO_new(BIO_s_secmem()));
  if (out) BIO_set_callback_ex(out.get(), wipe_the_source);
  if (!encoder || !out || OSSL_ENCODER_to_bio(encoder.get(), out.get()) != 1)
    return fail(ErrorQueueMark::newest(ErrorKind::Internal, "encoding a private key to be sealed"));
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return SecretBytes::copy_of(std::string_view(data, static_cast<std::size_t>(size)));
}

namespace {

/// Whether every prime is shorter than the modulus. To find out whether a number is prime takes a time that
/// grows with the fourth power of its length, and nothing but this bounds what a file may hold.
bool primes_are_bounded(const EVP_PKEY* key) {
  for (const char* name :
       {OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_FACTOR3,
        OSSL_PKEY_PARAM_RSA_FACTOR4, OSSL_PKEY_PARAM_RSA_FACTOR5}) {
    std::array<OSSL_PARAM, 2> size{OSSL_PARAM_construct_BN(name, nullptr, 0), OSSL_PARAM_construct_end()};
    if (EVP_PKEY_get_params(key, size.data()) != 1) return false;
    if (size[0].return_size != OSSL_PARAM_UNMODIFIED &&
        size[0].return_size >= static_cast<std::size_t>(EVP_PKEY_get_size(key)))
      return false;
  }
  return true;
}

}  // namespace

Result<> SoftwareKey::check() const {
  const ErrorQueueMark mark;
  if (is_rsa(kind()) && !primes_are_bounded(key()))
    return fail(ErrorKind::InvalidInput, "the private key has a prime that is as long as its modulus");
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(key_library(), key(), nullptr));
  if (!context) throw std::bad_alloc();
  if (EVP_PKEY_check(context.get()) != 1)
    return fail(ErrorQueueMark::newest(
        ErrorKind::InvalidInput,
        "the private key contradicts itself: it is damaged, or made by a faulty program"));
  return {};
}

template <class Prepare>
Result<EvpPkeyCtxPtr> PrivateKey::prepared(std::uint32_t index, Prepare prepare) const {
  const EVP_PKEY_CTX* model = nullptr;
  {
    const std::lock_guard lock(mutex_);
    EvpPkeyCtxPtr& slot = prepared_[index];
    if (!slot) {
      EvpPkeyCtxPtr made(EVP_PKEY_CTX_new_from_pkey(key_library(), key_.get(), nullptr));
      if (!made) throw std::bad_alloc();
      if (!prepare(made.get()))
        return fail(ErrorQueueMark::newest(
            ErrorKind::InvalidInput,
            fmt::format("this operation does not go with a key of kind {}", to_string(kind_))));
      slot = std::move(made);
    }
    model = slot.get();
  }
  EvpPkeyCtxPtr copy(EVP_PKEY_CTX_dup(model));
  if (!copy) throw std::bad_alloc();
  return copy;
}

Result<EvpPkeyCtxPtr> PrivateKey::context(Use use, SignatureAlgorithm algorithm) const {
  const auto index = static_cast<std::uint32_t>(use) << 16U | static_cast<std::uint32_t>(algorithm);
  return prepared(index, [&](EVP_PKEY_CTX* made) {
    const int started = use == Use::Sign ? EVP_PKEY_sign_init(made) : EVP_PKEY_verify_init(made);
    return started == 1 && set_padding(made, algorithm) &&
           EVP_PKEY_CTX_set_signature_md(made, digest_method(hash_of(algorithm))) == 1;
  });
}

Result<EvpPkeyCtxPtr> PrivateKey::context(Use use, const EncryptionAlgorithm& algorithm) const {
  const auto index = static_cast<std::uint32_t>(use) << 16U | (algorithm.oaep ? 1U : 0U) << 15U |
                     static_cast<std::uint32_t>(algorithm.hash) << 8U |
                     static_cast<std::uint32_t>(algorithm.mgf1_hash);
  return prepared(index, [&](EVP_PKEY_CTX* made) {
    const int started = use == Use::Decrypt ? EVP_PKEY_decrypt_init(made) : EVP_PKEY_encrypt_init(made);
    return started == 1 && set_padding(made, algorithm);
  });
}

Result<Bytes> SoftwareKey::sign(SignatureAlgorithm algorithm, ByteView digest) const {
  const ErrorQueueMark mark;
  SIGNET_CHECK(check_fits(kind(), algorithm, digest));
  SIGNET_TRY(const EvpPkeyCtxPtr context, this->context(Use::Sign, algorithm));
  Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key())));
  std::size_t size = signature.size();
  if (EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()) != 1)
    return fail(ErrorQueueMark::newest(ErrorKind::CryptoFailure, "signing failed"));
  signature.resize(size);
  if (is_rsa(kind())) return signature;
  return ecdsa_der_to_raw(signature, coordinate_size(kind()));
}

Result<bool> PrivateKey::verify(SignatureAlgorithm algorithm, ByteView digest, ByteView signature) const {
  const ErrorQueueMark mark;
  SIGNET_CHECK(check_fits(kind_, algorithm, digest));
  SIGNET_TRY(const EvpPkeyCtxPtr context, this->context(Use::Verify, algorithm));
  Bytes der;
  if (is_rsa(kind_)) {
    // RFC 8017, 8.1.2 step 1; OpenSSL takes a PSS signature without its leading zero octets as well.
    if (signature.size() != static_cast<std::size_t>(EVP_PKEY_get_size(key_.get()))) return false;
  } else {
    if (signature.size() != 2 * coordinate_size(kind_)) return false;
    SIGNET_TRY(der, ecdsa_raw_to_der(signature));
    signature = der;
  }
  return EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(), digest.size()) ==
         1;
}

Result<Bytes> PrivateKey::encrypt(const EncryptionAlgorithm& algorithm, ByteView plaintext) const {
  const ErrorQueueMark mark;
  SIGNET_TRY(const EvpPkeyCtxPtr context, this->context(Use::Encrypt, algorithm));
  Bytes ciphertext(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())));
  std::size_t size = ciphertext.size();
  if (EVP_PKEY_encrypt(context.get(), ciphertext.data(), &size, plaintext.data(), plaintext.size()) != 1)
    return fail(ErrorQueueMark::newest(ErrorKind::InvalidInput, "encrypting failed"));
  ciphertext.resize(size);
  return ciphertext;
}

Result<SecretBytes> SoftwareKey::decrypt(const EncryptionAlgorithm& algorithm, ByteView ciphertext) const {
  const ErrorQueueMark mark;
  SIGNET_TRY(const EvpPkeyCtxPtr context, this->context(Use::Decrypt, algorithm));
  SecretBytes buffer(static_cast<std::size_t>(EVP_PKEY_get_size(key())));
  std::size_t size = buffer.size();
  // Both ways on do the same work up to the return: what failed here must not show in the time it takes.
  const bool decrypted = EVP_PKEY_decrypt(context.get(), buffer.writable().data(), &size, ciphertext.data(),
                                          ciphertext.size()) == 1;
  SecretBytes plaintext = SecretBytes::copy_of(buffer.view().first(decrypted ? size : 0));
  if (!decrypted) return fail(ErrorKind::CryptoFailure, "the ciphertext does not decrypt with this key");
  return plaintext;
}

Result<SecretBytes> SoftwareKey::derive(ByteView peer_point) const {
  const ErrorQueueMark mark;
  if (is_rsa(kind()))
    return fail(ErrorKind::InvalidInput, "key agreement needs an EC key, and this is an RSA key");
  SIGNET_TRY(const EvpPkeyPtr peer, ec_public_key(group_of(kind()), peer_point));
  SIGNET_TRY(const EvpPkeyCtxPtr context,
             prepared(static_cast<std::uint32_t>(Use::Derive) << 16U,
                      [](EVP_PKEY_CTX* made) { return EVP_PKEY_derive_init(made) == 1; }));
  SecretBytes secret(coordinate_size(kind()));
  std::size_t size = secret.size();
  if (EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
      EVP_PKEY_derive(context.get(), secret.writable().data(), &size) != 1 || size != secret.size())
    return fail(
        ErrorQueueMark::newest(ErrorKind::InvalidInput, "no key can be agreed on with the other side's key"));
  return secret;
}

Result<Bytes> encrypt_for(ByteView public_key, const EncryptionAlgorithm& algorithm, ByteView plaintext) {
  const ErrorQueueMark mark;
  const unsigned char* at = public_key.data();
  const EvpPkeyPtr key(
      d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(public_key.size()), key_library(), nullptr));
  const EvpPkeyCtxPtr context(key ? EVP_PKEY_CTX_new_from_pkey(key_library(), key.get(), nullptr) : nullptr);
  if (!context || EVP_PKEY_encrypt_init(context.get()) != 1 || !set_padding(context.get(), algorithm))
    return fail(ErrorQueueMark::newest(ErrorKind::InvalidInput, "no key to encrypt for"));
  Bytes ciphertext(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())));
  std::size_t size = ciphertext.size();
  if (EVP_PKEY_encrypt(context.get(), ciphertext.data(), &size, plaintext.data(), plaintext.size()) != 1)
    return fail(ErrorQueueMark::newest(ErrorKind::InvalidInput, "encrypting failed"));
  ciphertext.resize(size);
  return ciphertext;
}

}  // namespace signet::vault
