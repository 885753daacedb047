#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "certstore/vault/private_key_internal.h"
#include "certstore/vault/provider_key_internal.h"
#include "certstore/vault/token_internal.h"

/// Internal: private keys that a token made or took, and that it alone uses.

namespace signet::vault {

/// A private key as an object of a token. Thread-safe.
class TokenObject final : public ProviderKey {
 public:
  /// @param id  the object's name in the token (CKA_ID)
  TokenObject(std::shared_ptr<Token> token, Bytes id, KeyKind kind)
      : token_(std::move(token)), id_(std::move(id)), kind_(kind) {}

  [[nodiscard]] const Bytes& id() const { return id_; }
  [[nodiscard]] Token& token() const { return *token_; }

  /// @error Unavailable  the token; what it said is in the text.
  Result<Bytes> sign(SignatureAlgorithm algorithm, ByteView digest) const override;
  /// @error CryptoFailure  the ciphertext does not decrypt.  @error Unavailable
  Result<SecretBytes> decrypt(const EncryptionAlgorithm& algorithm, ByteView ciphertext) const override;
  /// @error InvalidInput  not a point of the key's curve.  @error Unavailable
  Result<SecretBytes> derive(ByteView peer_point) const override;

 private:
  Result<CK_OBJECT_HANDLE> find(TokenSession& session) const;
  Result<Bytes> sign_in(TokenSession& session, SignatureAlgorithm algorithm, ByteView digest) const;
  Result<SecretBytes> decrypt_in(TokenSession& session, const EncryptionAlgorithm& algorithm,
                                 ByteView ciphertext) const;
  Result<SecretBytes> decrypt_raw(TokenSession& session, CK_OBJECT_HANDLE key,
                                  const EncryptionAlgorithm& algorithm, ByteView ciphertext) const;
  Result<SecretBytes> derive_in(TokenSession& session, ByteView peer_point) const;

  const std::shared_ptr<Token> token_;
  const Bytes id_;
  const KeyKind kind_;
  mutable std::mutex mutex_;
  mutable CK_OBJECT_HANDLE handle_ = CK_INVALID_HANDLE;  ///< of `connection_`
  mutable std::uint64_t connection_ = 0;
};

/// A key that a token holds. Nothing is asked of the token before the key is used; then it has to sign
/// first, so that it shows that it is the one which belongs to the public half.
class TokenKey final : public PrivateKey {
 public:
  /// How the object is to be called.
  struct Name {
    Bytes id;           ///< CKA_ID, unique
    std::string label;  ///< CKA_LABEL, for those who look after the token
  };

  /// Makes one inside the token, from where it never comes.
  ///
  /// @error Unsupported  the token does not make such keys.  @error Unavailable
  static Result<std::unique_ptr<TokenKey>> generate(std::shared_ptr<Token> token, KeyKind kind,
                                                    const Name& name);
  /// Brings one into the token, from where it never comes again.
  ///
  /// @error InvalidInput  no PrivateKeyInfo.  @error Unsupported  the token takes no such keys.
  /// @error Unavailable
  static Result<std::unique_ptr<TokenKey>> import(std::shared_ptr<Token> token, ByteView pkcs8,
                                                  const Name& name);
  /// One that is there, by what at_rest() gave. @error InvalidInput  it is not of that form.
  static Result<std::unique_ptr<TokenKey>> open(std::shared_ptr<Token> token, ByteView at_rest,
                                                const Bytes& public_key);
  /// Removes what has this name, if there is something. @error Unavailable
  static Result<> destroy(Token& token, const Bytes& id);
  /// The name in what at_rest() gave. @error InvalidInput
  static Result<Bytes> object_of(ByteView at_rest);

  /// "pkcs11:id=%00%01...;type=private" (RFC 7512).
  [[nodiscard]] Result<SecretBytes> at_rest() const override;
  [[nodiscard]] Result<SecretBytes> to_pkcs8() const override;
  [[nodiscard]] Bytes token_object() const override { return object_->id(); }
  [[nodiscard]] Result<certstore::KeyHandle> handle() const override;

  [[nodiscard]] Result<Bytes> sign(SignatureAlgorithm algorithm, ByteView digest) const override;
  [[nodiscard]] Result<SecretBytes> decrypt(const EncryptionAlgorithm& algorithm,
                                            ByteView ciphertext) const override;
  [[nodiscard]] Result<SecretBytes> derive(ByteView peer_point) const override;

 private:
  TokenKey(EvpPkeyPtr public_half, KeyKind kind, Bytes public_key, std::shared_ptr<const TokenObject> object)
      : PrivateKey(std::move(public_half), kind, std::move(public_key)), object_(std::move(object)) {}
  static Result<std::unique_ptr<TokenKey>> of(std::shared_ptr<Token> token, EvpPkeyPtr public_half, Bytes id);
  /// @error Unavailable  the token has another key of this name.
  Result<> prove() const;

  const std::shared_ptr<const TokenObject> object_;
  mutable std::mutex mutex_;
  mutable bool is_proved_ = false;
};

}  // namespace signet::vault
