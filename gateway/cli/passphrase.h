#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace signet::gateway {

/// The first line of a file, without its line end. Secrets come by files (or pipes), never by arguments or
/// the environment, where other users of the machine may see them.
///
/// @error NotFound, PermissionDenied, IoFailure, InvalidInput  no such file, or more than 4 KiB in the line.
Result<SecretBytes> read_passphrase_file(const std::filesystem::path& path);

/// A passphrase from whoever calls: the first line of a file, or, where none is named, of standard input; at
/// a terminal it is asked for, and not shown.
///
/// @param twice  at a terminal, for one that nobody has used yet
/// @error InvalidInput  the two are not the same, or none came.  @error  as read_passphrase_file()
Result<SecretBytes> obtain_passphrase(const std::filesystem::path& file, std::string_view prompt, bool twice);

/// A secret's value: everything in a file, or what standard input gives where none is named, but for one line
/// end at the end.
///
/// @error InvalidInput  more than 25 KiB, or nobody has redirected standard input, so that the value would be
/// seen while it is
///                      typed.  @error NotFound, PermissionDenied, IoFailure
Result<SecretBytes> read_secret_value(const std::filesystem::path& file);

/// What reading a file of keys failed with, for who named it at the command line: which file, and how a
/// passphrase that is missing is given.
Error of_key_file(Error error, const std::filesystem::path& file, bool passphrase_given);

}  // namespace signet::gateway
