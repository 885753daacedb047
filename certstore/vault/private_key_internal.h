#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "base/openssl.h"
#include "base/secret.h"
#include "certstore/vault/algorithms.h"
#include "certstore/vault/key.h"
#include "certstore/x509/key_handle.h"

/// Internal: an opened private key and the arithmetic with it. No policy, no audit: that is the vault's.

namespace signet::vault {

/// A private key that is open. Thread-safe. What needs the public half alone is done here; who holds the
/// private half does the rest. Contexts are prepared once per algorithm and then copied, which costs a tenth
/// of preparing one.
class PrivateKey {
 public:
  virtual ~PrivateKey() = default;
  PrivateKey(const PrivateKey&) = delete;
  PrivateKey& operator=(const PrivateKey&) = delete;

  [[nodiscard]] KeyKind kind() const { return kind_; }
  [[nodiscard]] const Bytes& public_key() const { return public_key_; }
  /// What is sealed of it.
  [[nodiscard]] virtual Result<SecretBytes> at_rest() const = 0;
  /// The whole key as PrivateKeyInfo. @error Unsupported  it is in a token, which gives it to nobody.
  [[nodiscard]] virtual Result<SecretBytes> to_pkcs8() const = 0;
  /// Its name in the token that holds it (CKA_ID); empty for a key that no token holds.
  [[nodiscard]] virtual Bytes token_object() const { return {}; }
  [[nodiscard]] bool in_token() const { return !token_object().empty(); }
  /// A key with which OpenSSL's calls sign.
  [[nodiscard]] virtual Result<certstore::KeyHandle> handle() const = 0;

  [[nodiscard]] virtual Result<Bytes> sign(SignatureAlgorithm algorithm, ByteView digest) const = 0;
  [[nodiscard]] virtual Result<SecretBytes> decrypt(const EncryptionAlgorithm& algorithm,
                                                    ByteView ciphertext) const = 0;
  [[nodiscard]] virtual Result<SecretBytes> derive(ByteView peer_point) const = 0;

  [[nodiscard]] Result<bool> verify(SignatureAlgorithm algorithm, ByteView digest, ByteView signature) const;
  [[nodiscard]] Result<Bytes> encrypt(const EncryptionAlgorithm& algorithm, ByteView plaintext) const;

 protected:
  enum class Use : std::uint32_t { Sign, Verify, Encrypt, Decrypt, Derive };
  /// @param key  of key_library(), with its private half or without
  PrivateKey(EvpPkeyPtr key, KeyKind kind, Bytes public_key);

  [[nodiscard]] EVP_PKEY* key() const { return key_.get(); }
  /// A context of the caller's own for a use and an algorithm.
  [[nodiscard]] Result<EvpPkeyCtxPtr> context(Use use, SignatureAlgorithm algorithm) const;
  [[nodiscard]] Result<EvpPkeyCtxPtr> context(Use use, const EncryptionAlgorithm& algorithm) const;
  template <class Prepare>
  [[nodiscard]] Result<EvpPkeyCtxPtr> prepared(std::uint32_t index, Prepare prepare) const;

 private:
  EvpPkeyPtr key_;
  KeyKind kind_;
  Bytes public_key_;
  mutable std::mutex mutex_;
  mutable std::map<std::uint32_t, EvpPkeyCtxPtr> prepared_;
};

/// A private key that is ours, in key_library().
class SoftwareKey final : public PrivateKey {
 public:
  static Result<std::unique_ptr<SoftwareKey>> generate(KeyKind kind);
  /// Reads PrivateKeyInfo. @error InvalidInput  not one.  @error Unsupported  no kind of key that the vault
  /// has.
  static Result<std::unique_ptr<SoftwareKey>> from_pkcs8(ByteView der);

  [[nodiscard]] Result<SecretBytes> at_rest() const override { return to_pkcs8(); }
  [[nodiscard]] Result<SecretBytes> to_pkcs8() const override;
  [[nodiscard]] Result<certstore::KeyHandle> handle() const override;
  /// As OpenSSL has it, borrowed: with its private half.
  [[nodiscard]] const EVP_PKEY* native() const { return key(); }
  /// Whether the halves belong together and the numbers are what such a key's must be. Slow: for keys that
  /// come in.
  [[nodiscard]] Result<> check() const;

  [[nodiscard]] Result<Bytes> sign(SignatureAlgorithm algorithm, ByteView digest) const override;
  [[nodiscard]] Result<SecretBytes> decrypt(const EncryptionAlgorithm& algorithm,
                                            ByteView ciphertext) const override;
  [[nodiscard]] Result<SecretBytes> derive(ByteView peer_point) const override;

 private:
  using PrivateKey::PrivateKey;
  static Result<std::unique_ptr<SoftwareKey>> of(EvpPkeyPtr key);
};

/// The kind of an EVP_PKEY of any context. @error Unsupported  says what it is and what there is.
Result<KeyKind> kind_of(const EVP_PKEY* key);

/// An EC public key in key_library() from its curve (OpenSSL's name) and its point. @error InvalidInput  not
/// on the curve.
Result<EvpPkeyPtr> ec_public_key(const char* group, ByteView point);

/// A public key as SubjectPublicKeyInfo, DER.
Result<Bytes> encode_public_key(const EVP_PKEY* key);
/// OpenSSL's name of the curve of an EC key.
const char* group_of(KeyKind kind);
/// Octets of r, of s, and of a coordinate, of an EC key.
std::size_t coordinate_size(KeyKind kind);
/// Octets of the modulus of an RSA key.
std::size_t modulus_size(KeyKind kind);
/// What an algorithm signs with.
enum class Scheme { Pkcs1, Pss, Ecdsa };
Scheme scheme_of(SignatureAlgorithm algorithm);
/// @error InvalidInput  an algorithm that does not go with the key, or with a digest of that length.
Result<> check_fits(KeyKind kind, SignatureAlgorithm algorithm, ByteView digest);

/// r || s as the SEQUENCE { r, s } of RFC 3279 section 2.2.3.
Result<Bytes> ecdsa_raw_to_der(ByteView raw);

}  // namespace signet::vault
