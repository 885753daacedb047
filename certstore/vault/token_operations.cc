// OpenSSL 3.0 has the padding functions below in its deprecated part alone. EVP pads and computes in one, and
// here the token computes.
#define OPENSSL_SUPPRESS_DEPRECATED

#include <fmt/format.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>

#include "certstore/vault/key_library_internal.h"
#include "certstore/vault/token_key_internal.h"

/// What a token does with a private key.

namespace signet::vault {
namespace {

constexpr std::size_t kLongestModulus = 512;

struct HashMechanism {
  Hash hash;
  CK_MECHANISM_TYPE mechanism;
  CK_RSA_PKCS_MGF_TYPE mask;
  /// Of a DigestInfo, up to the digest (RFC 8017 section 9.2 note 1); the octet after the first one says how
  /// long everything behind it is.
  std::array<std::uint8_t, 19> prefix;
};

constexpr std::array<std::uint8_t, 19> prefix_of(std::uint8_t which, std::uint8_t size) {
  return {0x30,  static_cast<std::uint8_t>(17 + size),
          0x30,  0x0d,
          0x06,  0x09,
          0x60,  0x86,
          0x48,  0x01,
          0x65,  0x03,
          0x04,  0x02,
          which, 0x05,
          0x00,  0x04,
          size};
}

constexpr std::array<HashMechanism, 4> kHashes{
    {{Hash::Sha1, CKM_SHA_1, CKG_MGF1_SHA1, {}},
     {Hash::Sha256, CKM_SHA256, CKG_MGF1_SHA256, prefix_of(1, 32)},
     {Hash::Sha384, CKM_SHA384, CKG_MGF1_SHA384, prefix_of(2, 48)},
     {Hash::Sha512, CKM_SHA512, CKG_MGF1_SHA512, prefix_of(3, 64)}}};

Result<HashMechanism> mechanism_of(Hash hash) {
  for (const HashMechanism& known : kHashes)
    if (known.hash == hash) return known;
  return fail(ErrorKind::Unsupported, fmt::format("a token is asked for nothing with {}", to_string(hash)));
}

/// What is given to the token to be signed.
Bytes to_be_signed(KeyKind kind, SignatureAlgorithm algorithm, const HashMechanism& hash, ByteView digest) {
  switch (scheme_of(algorithm)) {
    case Scheme::Pkcs1: {
      Bytes information(hash.prefix.begin(), hash.prefix.end());
      information.insert(information.end(), digest.begin(), digest.end());
      return information;
    }
    case Scheme::Pss:
      return {digest.begin(), digest.end()};
    case Scheme::Ecdsa: {
      // FIPS 186-4 section 6.4: as many of its leftmost bits as the order of the curve has. Some tokens leave
      // that to their callers.
      const ByteView leftmost = digest.first(std::min(digest.size(), coordinate_size(kind)));
      return {leftmost.begin(), leftmost.end()};
    }
  }
  return {};
}

unsigned char* writable(ByteView octets) { return const_cast<unsigned char*>(octets.data()); }

/// Everything that a ciphertext may be at fault for. What tokens say of one that is badly padded goes from
/// the value that is meant for it to CKR_GENERAL_ERROR.
bool is_about_the_ciphertext(CK_RV value) {
  return value != CKR_OK && value != CKR_HOST_MEMORY && !is_lost_connection(value);
}

tl::unexpected<Error> does_not_decrypt() {
  return fail(ErrorKind::CryptoFailure, "the ciphertext does not decrypt with this key");
}

}  // namespace

Result<Bytes> TokenObject::sign(SignatureAlgorithm algorithm, ByteView digest) const {
  return token_->use([&](TokenSession& session) { return sign_in(session, algorithm, digest); });
}

Result<Bytes> TokenObject::sign_in(TokenSession& session, SignatureAlgorithm algorithm,
                                   ByteView digest) const {
  SIGNET_TRY(const CK_OBJECT_HANDLE key, find(session));
  SIGNET_TRY(const HashMechanism hash, mechanism_of(hash_of(algorithm)));
  CK_RSA_PKCS_PSS_PARAMS salted{hash.mechanism, hash.mask, digest.size()};
  CK_MECHANISM mechanism{CKM_RSA_PKCS, nullptr, 0};
  if (scheme_of(algorithm) == Scheme::Pss) mechanism = {CKM_RSA_PKCS_PSS, &salted, sizeof salted};
  if (scheme_of(algorithm) == Scheme::Ecdsa) mechanism = {CKM_ECDSA, nullptr, 0};
  Bytes input = to_be_signed(kind_, algorithm, hash, digest);
  Bytes signature(kLongestModulus);
  CK_ULONG size = signature.size();
  SIGNET_CHECK(session.check("C_SignInit", session->C_SignInit(session.handle(), &mechanism, key)));
  SIGNET_CHECK(session.check(
      "C_Sign", session->C_Sign(session.handle(), input.data(), input.size(), signature.data(), &size)));
  signature.resize(std::min<std::size_t>(size, signature.size()));
  return signature;
}

Result<SecretBytes> TokenObject::decrypt(const EncryptionAlgorithm& algorithm, ByteView ciphertext) const {
  const std::size_t size = modulus_size(kind_);
  if (ciphertext.size() > size) return does_not_decrypt();
  Bytes whole(size -
              ciphertext.size());  // some senders leave zeros at the front away, and OpenSSL takes that
  whole.insert(whole.end(), ciphertext.begin(), ciphertext.end());
  return token_->use([&](TokenSession& session) { return decrypt_in(session, algorithm, whole); });
}

Result<SecretBytes> TokenObject::decrypt_in(TokenSession& session, const EncryptionAlgorithm& algorithm,
                                            ByteView ciphertext) const {
  SIGNET_TRY(const CK_OBJECT_HANDLE key, find(session));
  CK_MECHANISM mechanism{CKM_RSA_PKCS, nullptr, 0};
  CK_RSA_PKCS_OAEP_PARAMS padding{};
  if (algorithm.oaep) {
    SIGNET_TRY(const HashMechanism hash, mechanism_of(algorithm.hash));
    SIGNET_TRY(const HashMechanism mask, mechanism_of(algorithm.mgf1_hash));
    padding = {hash.mechanism, mask.mask, CKZ_DATA_SPECIFIED, nullptr, 0};
    mechanism = {CKM_RSA_PKCS_OAEP, &padding, sizeof padding};
  }
  const CK_RV begun = session->C_DecryptInit(session.handle(), &mechanism, key);
  // Whether the token has OAEP with this hash it says before it has seen a ciphertext.
  if (algorithm.oaep &&
      (begun == CKR_ARGUMENTS_BAD || begun == CKR_MECHANISM_PARAM_INVALID || begun == CKR_MECHANISM_INVALID))
    return decrypt_raw(session, key, algorithm, ciphertext);
  SIGNET_CHECK(session.check("C_DecryptInit", begun));
  SecretBytes buffer(kLongestModulus);
  CK_ULONG size = buffer.size();
  const CK_RV value = session->C_Decrypt(session.handle(), writable(ciphertext), ciphertext.size(),
                                         buffer.writable().data(), &size);
  // Both ways on do the same work up to the return: what failed here must not show in the time it takes.
  const bool decrypted = value == CKR_OK && size <= buffer.size();
  SecretBytes plaintext = SecretBytes::copy_of(buffer.view().first(decrypted ? size : 0));
  if (is_about_the_ciphertext(value)) return does_not_decrypt();
  SIGNET_CHECK(session.check("C_Decrypt", value));
  return plaintext;
}

Result<SecretBytes> TokenObject::decrypt_raw(TokenSession& session, CK_OBJECT_HANDLE key,
                                             const EncryptionAlgorithm& algorithm,
                                             ByteView ciphertext) const {
  CK_MECHANISM mechanism{CKM_RSA_X_509, nullptr, 0};
  SIGNET_CHECK(session.check("C_DecryptInit", session->C_DecryptInit(session.handle(), &mechanism, key)));
  SecretBytes padded(kLongestModulus);
  CK_ULONG size = padded.size();
  const CK_RV value = session->C_Decrypt(session.handle(), writable(ciphertext), ciphertext.size(),
                                         padded.writable().data(), &size);
  if (is_about_the_ciphertext(value)) return does_not_decrypt();
  SIGNET_CHECK(session.check("C_Decrypt", value));
  SecretBytes buffer(kLongestModulus);
  const int length = static_cast<int>(std::min<std::size_t>(size, padded.size()));
  const int modulus = static_cast<int>(ciphertext.size());
  const int got = RSA_padding_check_PKCS1_OAEP_mgf1(
      buffer.writable().data(), static_cast<int>(buffer.size()), padded.view().data(), length, modulus,
      nullptr, 0, digest_method(algorithm.hash), digest_method(algorithm.mgf1_hash));
  SecretBytes plaintext =
      SecretBytes::copy_of(buffer.view().first(static_cast<std::size_t>(std::max(got, 0))));
  if (got < 0) return does_not_decrypt();
  return plaintext;
}

Result<SecretBytes> TokenObject::derive(ByteView peer_point) const {
  return token_->use([&](TokenSession& session) { return derive_in(session, peer_point); });
}

Result<SecretBytes> TokenObject::derive_in(TokenSession& session, ByteView peer_point) const {
  SIGNET_TRY(const CK_OBJECT_HANDLE key, find(session));
  CK_ECDH1_DERIVE_PARAMS agreement{CKD_NULL, 0, nullptr, peer_point.size(), writable(peer_point)};
  CK_MECHANISM mechanism{CKM_ECDH1_DERIVE, &agreement, sizeof agreement};
  CK_OBJECT_CLASS type = CKO_SECRET_KEY;
  CK_KEY_TYPE generic = CKK_GENERIC_SECRET;
  CK_ULONG length = coordinate_size(kind_);
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  std::array<CK_ATTRIBUTE, 6> wanted{{{CKA_CLASS, &type, sizeof type},
                                      {CKA_KEY_TYPE, &generic, sizeof generic},
                                      {CKA_TOKEN, &no, sizeof no},
                                      {CKA_SENSITIVE, &no, sizeof no},
                                      {CKA_EXTRACTABLE, &yes, sizeof yes},
                                      {CKA_VALUE_LEN, &length, sizeof length}}};
  CK_OBJECT_HANDLE derived = CK_INVALID_HANDLE;
  SIGNET_CHECK(session.check("C_DeriveKey", session->C_DeriveKey(session.handle(), &mechanism, key,
                                                                 wanted.data(), wanted.size(), &derived)));
  SecretBytes secret(length);
  CK_ATTRIBUTE value{CKA_VALUE, secret.writable().data(), secret.size()};
  const CK_RV read = session->C_GetAttributeValue(session.handle(), derived, &value, 1);
  session->C_DestroyObject(session.handle(), derived);
  SIGNET_CHECK(session.check("C_GetAttributeValue", read));
  if (value.ulValueLen == secret.size()) return secret;
  return fail(session.error("C_DeriveKey", CKR_DATA_LEN_RANGE));
}

}  // namespace signet::vault
