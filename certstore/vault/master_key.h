#pragma once

#include <array>
#include <filesystem>
#include <initializer_list>
#include <memory>
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

  /// check_value() of the key that a passphrase file belongs to, which needs no passphrase.
  ///
  /// @error NotFound, InvalidInput, PermissionDenied  the parameter file.
  static Result<Bytes> check_value_of(const std::filesystem::path& parameters_path);

  /// Tells which key something was sealed under, and nothing about the key.
  static constexpr std::size_t kIdSize = 8;
  using Id = std::array<std::uint8_t, kIdSize>;
  [[nodiscard]] const Id& id() const { return id_; }

  /// Encrypts and binds to a context: AES-256-GCM, a random nonce each time, the context as additional data.
  /// The id of the key stands before it.
  [[nodiscard]] Bytes seal(ByteView secret, ByteView context) const;

  /// @error CryptoFailure  sealed under another key or for another context, or an octet has changed. Which of
  /// them it is
  ///                       cannot be told.
  [[nodiscard]] Result<SecretBytes> unseal(ByteView sealed, ByteView context) const;

  /// Opens as well, from now on, what was sealed under another key: while everything moves from that one to
  /// this one, or back. Before the key is shared.
  void also_open(std::shared_ptr<const MasterKey> other) { other_ = std::move(other); }

  /// The same key once more, deliberately.
  [[nodiscard]] MasterKey copy() const { return MasterKey(SecretBytes::copy_of(key_.view())); }

  /// A key that came before this one, as something sealed under this one; and back.
  [[nodiscard]] Bytes seal_retired(const MasterKey& retired) const;
  /// @error CryptoFailure  as unseal()
  [[nodiscard]] Result<MasterKey> unseal_retired(ByteView sealed) const;

  /// A key for another purpose, from which nothing about this one can be told: HMAC-SHA-256 over the purpose.
  [[nodiscard]] MasterKey derived(std::string_view purpose) const;

  /// The octets of such a key, for an HMAC: 32 of them.
  [[nodiscard]] SecretBytes mac_key(std::string_view purpose) const;

  /// 16 octets that tell whether a key is this one and nothing else about it.
  [[nodiscard]] Bytes check_value() const;

 private:
  explicit MasterKey(SecretBytes key);
  SecretBytes key_;
  Id id_{};
  std::shared_ptr<const MasterKey> other_;
};

/// The id of the key that something was sealed under; empty where it is of a time when keys had none, or was
/// sealed by none.
ByteView sealed_under(ByteView sealed);
/// Whether something was sealed when keys had no id yet.
bool is_sealed_without_id(ByteView sealed);

/// Fields as one context that no other fields give: each with its length before it.
Bytes sealing_context(std::initializer_list<std::string_view> fields);

}  // namespace signet::vault
