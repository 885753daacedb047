#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace signet {

/// Reads a file that holds a secret. It must be a regular file, this user's, that nobody else has access to;
/// that is asked through the descriptor that is then read, so that no other can be put in its place between.
///
/// @param what  what it is, for errors: "master key file"
/// @returns up to `limit` + 1 octets, so that the caller sees a file that is too large.
/// @error InvalidInput  no regular file.  @error PermissionDenied  somebody else's, or others have access:
/// says what to do.  @error NotFound, IoFailure
Result<SecretBytes> read_private_file(const std::filesystem::path& path, std::size_t limit,
                                      std::string_view what);

}  // namespace signet
