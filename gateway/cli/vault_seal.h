#pragma once

#include <chrono>
#include <mutex>

#include "gateway/cli/control_channel.h"
#include "gateway/cli/home.h"
#include "gateway/cli/master_key_files.h"

namespace signet::gateway {

/// Seals and opens the vault of a home, and exchanges its master key. For who holds the home's ServeLock.
/// Thread-safe.
class VaultSeal {
 public:
  explicit VaultSeal(Home& home) : home_(home) {}

  /// Wipes the master key and every opened key from memory. Where there is a key file, anybody who can read
  /// it opens the vault again.
  ///
  /// @error Unavailable  sealed, but something that began before is under way still.
  Result<> seal();

  /// Opens the vault with its key file, or with the passphrase. Wrong ones are looked at ever more slowly.
  ///
  /// @error CryptoFailure  a wrong passphrase.
  /// @error Unavailable    too soon after wrong ones: says when.
  Result<> unseal(const SecretBytes& passphrase);

  /// Makes a new master key of this kind and seals everything under it.
  ///
  /// @param passphrase  of a new one that is made of a passphrase
  /// @error InvalidInput  the passphrase is too short.
  /// @error Unavailable   the vault is sealed, or something in it does not open. Nothing was changed.
  Result<> change_master_key(MasterKeyKind kind, const SecretBytes& passphrase);

 private:
  using Steady = std::chrono::steady_clock;
  Result<vault::MasterKey> open(const SecretBytes& passphrase);
  Result<> check_pace() const;
  Result<> note_wrong_passphrase(const Error& error);
  Result<> exchange(const vault::MasterKey& next);

  Home& home_;
  std::mutex mutex_;
  unsigned wrong_ = 0;  ///< passphrases in a row
  Steady::time_point not_before_{};
};

/// The calls of `signet vault seal`, `unseal` and `rotate-master-key`. @param seal  outlives them
ControlChannel::Handler control_calls(VaultSeal& seal);

/// The words of these calls.
inline constexpr std::string_view kSealCall = "seal";
inline constexpr std::string_view kUnsealCall = "unseal";
inline constexpr std::string_view kToKeyFileCall = "rotate-to-key-file";
inline constexpr std::string_view kToPassphraseCall = "rotate-to-passphrase";

}  // namespace signet::gateway
