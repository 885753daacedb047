#pragma once

#include <filesystem>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "certstore/vault/master_key.h"

/// The files of a home that its master key comes from.
///
///     master.key             the key itself, or
///     master.scrypt          what makes it of a passphrase
///     master.key.new,        the next one, from before the store is sealed under it until it has its place
///     master.scrypt.new
///
/// The store keeps the check value of the key that it is sealed under, and so says which file is its own:
/// a home opens wherever a change of the key was cut short.

namespace signet::gateway {

enum class MasterKeyKind { KeyFile, Passphrase };

struct MasterKeyFile {
  MasterKeyKind kind = MasterKeyKind::KeyFile;
  std::filesystem::path path;
};

/// Whether there is a master key, or what makes one.
bool has_master_key(const std::filesystem::path& home);

/// @param check  what the store has; nothing for a store that nothing was sealed in yet
/// @error NotFound  there is none.  @error  as MasterKey::load_file(), check_value_of()
Result<MasterKeyFile> find_master_key(const std::filesystem::path& home, const std::optional<Bytes>& check);

/// @param passphrase  for one of a passphrase
/// @error PermissionDenied  a passphrase is needed, and there is none: says where it is looked for.
/// @error  as MasterKey::load_file(), open_with_passphrase()
Result<vault::MasterKey> open_master_key(const MasterKeyFile& file, const SecretBytes* passphrase);

/// For a new home. @error  as MasterKey::create_file(), create_with_passphrase()
Result<vault::MasterKey> create_master_key(const std::filesystem::path& home, MasterKeyKind kind,
                                           const SecretBytes& passphrase);
/// The next one, on disk, beside the one of now. @error AlreadyExists  settle_master_key() comes first.
Result<vault::MasterKey> create_next_master_key(const std::filesystem::path& home, MasterKeyKind kind,
                                                const SecretBytes& passphrase);

/// Gives the store's own key its place, and removes what is left of others. For who holds the home's
/// ServeLock, or makes the home: a change that is under way must not lose its file.
///
/// @error  as find_master_key(), and of the disk; the home opens then as before.
Result<> settle_master_key(const std::filesystem::path& home, const std::optional<Bytes>& check);

}  // namespace signet::gateway
