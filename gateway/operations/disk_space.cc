#include "gateway/operations/disk_space.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <set>

#include "base/file.h"

namespace signet::gateway {

Result<std::vector<Volume>> volumes_of(const std::vector<std::filesystem::path>& directories) {
  std::vector<Volume> volumes;
  std::set<dev_t> seen;
  for (const std::filesystem::path& directory : directories) {
    struct stat about {};
    struct statvfs space {};
    if (::stat(directory.c_str(), &about) != 0 || ::statvfs(directory.c_str(), &space) != 0) {
      if (errno == ENOENT) continue;
      return fail(errno_error("looking at " + directory.string()));
    }
    if (seen.insert(about.st_dev).second)
      volumes.push_back({directory, std::uint64_t{space.f_bavail} * space.f_frsize,
                         std::uint64_t{space.f_blocks} * space.f_frsize});
  }
  return volumes;
}

Result<> check_free(const std::vector<Volume>& volumes, std::uint64_t minimum) {
  std::string full;
  for (const Volume& volume : volumes)
    if (volume.free < minimum)
      full += fmt::format("{}{} has {} MiB free", full.empty() ? "" : "; ", volume.path.string(),
                          volume.free >> 20);
  if (full.empty()) return {};
  return fail(
      ErrorKind::IoFailure,
      fmt::format("{}; at least {} MiB should be: make room, or set minimum-free-disk", full, minimum >> 20));
}

std::vector<Reading> readings_of(const std::vector<Volume>& volumes) {
  Reading free{"signet_disk_free_bytes", "Octets that may still be written to a volume", {}, {}};
  Reading size{"signet_disk_size_bytes", "Octets that a volume has", {}, {}};
  for (const Volume& volume : volumes) {
    free.values.push_back({{{"volume", volume.path.string()}}, static_cast<double>(volume.free)});
    size.values.push_back({{{"volume", volume.path.string()}}, static_cast<double>(volume.size)});
  }
  return {std::move(free), std::move(size)};
}

}  // namespace signet::gateway
