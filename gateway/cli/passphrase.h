#pragma once

#include <filesystem>

#include "base/result.h"
#include "base/secret.h"

namespace signet::gateway {

/// The first line of a file, without its line end. Secrets come by files (or pipes), never by arguments or
/// the environment, where other users of the machine may see them.
///
/// @error NotFound, PermissionDenied, IoFailure, InvalidInput  no such file, or more than 4 KiB in the line.
Result<SecretBytes> read_passphrase_file(const std::filesystem::path& path);

/// A secret's value: everything in a file, or what standard input gives where none is named, but for one line
/// end at the end.
///
/// @error InvalidInput  more than 25 KiB, or nobody has redirected standard input, so that the value would be
/// seen while it is
///                      typed.  @error NotFound, PermissionDenied, IoFailure
Result<SecretBytes> read_secret_value(const std::filesystem::path& file);

}  // namespace signet::gateway
