#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/result.h"
#include "gateway/operations/metrics.h"

namespace signet::gateway {

/// How full a file system is, as far as we may fill it.
struct Volume {
  std::filesystem::path path;  ///< the directory that was asked for
  std::uint64_t free = 0;      ///< octets
  std::uint64_t size = 0;
};

/// The file systems of some directories, each once, by the first directory on it. One that is not there is
/// left out: whoever needs it says so.
///
/// @error IoFailure, PermissionDenied  a directory that cannot be looked at.
Result<std::vector<Volume>> volumes_of(const std::vector<std::filesystem::path>& directories);

/// @error IoFailure  names each volume with less than `minimum` octets free.
Result<> check_free(const std::vector<Volume>& volumes, std::uint64_t minimum);

std::vector<Reading> readings_of(const std::vector<Volume>& volumes);

}  // namespace signet::gateway
