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

/// A private key in key_library(). Thread-safe. Contexts are prepared once per algorithm and then copied,
/// which costs a tenth of preparing one.
class PrivateKey {
 public:
  static Result<std::unique_ptr<PrivateKey>> generate(KeyKind kind);
  /// Reads PrivateKeyInfo. @error InvalidInput  not one.  @error Unsupported  no kind of key that the vault
  /// has.
  static Result<std::unique_ptr<PrivateKey>> from_pkcs8(ByteView der);

  [[nodiscard]] KeyKind kind() const { return kind_; }
  [[nodiscard]] const Bytes& public_key() const { return public_key_; }
  /// The whole key as PrivateKeyInfo, to be sealed.
  [[nodiscard]] Result<SecretBytes> to_pkcs8() const;
  /// The key as OpenSSL's calls take it, in key_library(): with its private half.
  [[nodiscard]] certstore::KeyHandle handle() const;
  /// Whether the halves belong together and the numbers are what such a key's must be. Slow: for keys that
  /// come in.
  [[nodiscard]] Result<> check() const;

  [[nodiscard]] Result<Bytes> sign(SignatureAlgorithm algorithm, ByteView digest) const;
  [[nodiscard]] Result<bool> verify(SignatureAlgorithm algorithm, ByteView digest, ByteView signature) const;
  [[nodiscard]] Result<Bytes> encrypt(const EncryptionAlgorithm& algorithm, ByteView plaintext) const;
  [[nodiscard]] Result<SecretBytes> decrypt(const EncryptionAlgorithm& algorithm, ByteView ciphertext) const;
  [[nodiscard]] Result<SecretBytes> derive(ByteView peer_point) const;

 private:
  enum class Use : std::uint32_t { Sign, Verify, Encrypt, Decrypt, Derive };
  PrivateKey(EvpPkeyPtr key, KeyKind kind, Bytes public_key);
  static Result<std::unique_ptr<PrivateKey>> of(EvpPkeyPtr key);

  /// A context of the caller's own for a use and an algorithm.
  [[nodiscard]] Result<EvpPkeyCtxPtr> context(Use use, SignatureAlgorithm algorithm) const;
  [[nodiscard]] Result<EvpPkeyCtxPtr> context(Use use, const EncryptionAlgorithm& algorithm) const;
  template <class Prepare>
  [[nodiscard]] Result<EvpPkeyCtxPtr> prepared(std::uint32_t index, Prepare prepare) const;

  EvpPkeyPtr key_;
  KeyKind kind_;
  Bytes public_key_;
  mutable std::mutex mutex_;
  mutable std::map<std::uint32_t, EvpPkeyCtxPtr> prepared_;
};

/// The kind of an EVP_PKEY of any context. @error Unsupported  says what it is and what there is.
Result<KeyKind> kind_of(const EVP_PKEY* key);

/// An EC public key in key_library() from its curve (OpenSSL's name) and its point. @error InvalidInput  not
/// on the curve.
Result<EvpPkeyPtr> ec_public_key(const char* group, ByteView point);

/// r || s as the SEQUENCE { r, s } of RFC 3279 section 2.2.3.
Result<Bytes> ecdsa_raw_to_der(ByteView raw);

}  // namespace signet::vault
