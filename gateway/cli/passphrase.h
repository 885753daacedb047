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

}  // namespace signet::gateway
