#pragma once

#include <filesystem>
#include <initializer_list>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

/// The key that everything in the vault rests under.

namespace signet::vault {

/// 256 bits, from a file of their own or from a passphrase. Immutable and thread-safe.
class MasterKey {
 public:
  /// Makes a new key of 32 random octets and keeps it in a new file of mode 0600.
  ///
  /// @error AlreadyExists  the file is there already: a master key is never replaced, the keys under it would
  /// be lost.
  static Result<MasterKey> create_file(const std::filesystem::path& path);

  /// @error NotFound
  /// @error PermissionDenied  others than its owner may read or write the file, or the owner is somebody
  /// else; says
  ///                          what to do.
  /// @error InvalidInput      not 32 octets, not a regular file.
  static Result<MasterKey> load_file(const std::filesystem::path& path);

  /// Derives a new key from a passphrase by scrypt (RFC 7914; N=32768, r=8, p=1) and a random salt. Salt,
  /// parameters and check value, which are not secret, are kept in a new file of mode 0600.
  ///
  /// @error InvalidInput  a passphrase of fewer than 12 octets.  @error AlreadyExists
  static Result<MasterKey> create_with_passphrase(const std::filesystem::path& parameters_path,
                                                  const SecretBytes& passphrase);

  /// @error CryptoFailure  the passphrase is not the one that the file was made with.
  /// @error NotFound, InvalidInput  the parameter file.
  static Result<MasterKey> open_with_passphrase(const std::filesystem::path& parameters_path,
                                                const SecretBytes& passphrase);

  /// Encrypts and binds to a context: AES-256-GCM, a random nonce each time, the context as additional data.
  [[nodiscard]] Bytes seal(ByteView secret, ByteView context) const;

  /// @error CryptoFailure  sealed under another key or for another context, or an octet has changed. Which of
  /// them it is
  ///                       cannot be told.
  [[nodiscard]] Result<SecretBytes> unseal(ByteView sealed, ByteView context) const;

  /// A key for another purpose, from which nothing about this one can be told: HMAC-SHA-256 over the purpose.
  [[nodiscard]] MasterKey derived(std::string_view purpose) const;

  /// The octets of such a key, for an HMAC: 32 of them.
  [[nodiscard]] SecretBytes mac_key(std::string_view purpose) const;

  /// 16 octets that tell whether a key is this one and nothing else about it.
  [[nodiscard]] Bytes check_value() const;

 private:
  explicit MasterKey(SecretBytes key) : key_(std::move(key)) {}
  SecretBytes key_;
};

/// Fields as one context that no other fields give: each with its length before it.
Bytes sealing_context(std::initializer_list<std::string_view> fields);

}  // namespace signet::vault
