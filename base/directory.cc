#include "base/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string_view>

#include "base/failpoint.h"
#include "base/file.h"

namespace signet {
namespace {

constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

FileFacts facts_of(const struct stat& found) {
  return {found.st_ino, static_cast<std::uint64_t>(found.st_size),
          std::chrono::seconds(found.st_mtim.tv_sec) + std::chrono::nanoseconds(found.st_mtim.tv_nsec),
          S_ISREG(found.st_mode)};
}

/// A stream over the names of a directory.
class Listing {
 public:
  explicit Listing(int directory) {
    // A descriptor of its own, and opened anew: fdopendir() takes it over, and the position is not to be
    // shared.
    const int own = ::openat(directory, ".", kOpenDirectory);
    if (own < 0) return;
    stream_ = ::fdopendir(own);
    if (stream_ == nullptr) ::close(own);
  }
  ~Listing() {
    if (stream_ != nullptr) ::closedir(stream_);
  }
  Listing(const Listing&) = delete;
  Listing& operator=(const Listing&) = delete;

  [[nodiscard]] bool valid() const { return stream_ != nullptr; }
  /// Null at the end, and, with errno set, on a failure.
  const dirent* next() {
    errno = 0;
    return ::readdir(stream_);
  }

 private:
  DIR* stream_ = nullptr;
};

}  // namespace

Result<Directory> Directory::open(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), kOpenDirectory);
  if (descriptor < 0) return fail(errno_error("opening the folder " + path.string()));
  return Directory(descriptor, path);
}

Result<Directory> Directory::open_or_make(const std::string& name) const {
  const bool made = ::mkdirat(descriptor_, name.c_str(), 0750) == 0;
  if (!made && errno != EEXIST) return fail(error("making the folder", name));
  if (made) SIGNET_CHECK(sync());
  const int descriptor = ::openat(descriptor_, name.c_str(), kOpenDirectory | O_NOFOLLOW);
  if (descriptor < 0) return fail(error("opening the folder", name));
  return Directory(descriptor, path_ / name);
}

Directory::~Directory() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::vector<std::string>> Directory::names() const {
  Listing listing(descriptor_);
  if (!listing.valid()) return fail(errno_error("listing " + path_.string()));
  std::vector<std::string> found;
  while (const dirent* entry = listing.next()) {
    const std::string_view name = static_cast<const char*>(entry->d_name);
    if (name != "." && name != "..") found.emplace_back(name);
  }
  if (errno != 0) return fail(errno_error("listing " + path_.string()));
  return found;
}

Result<bool> Directory::has(const std::string& name) const {
  SIGNET_TRY(const auto found, facts(name));
  return found.has_value();
}

Result<std::optional<FileFacts>> Directory::facts(const std::string& name) const {
  struct stat found {};
  if (::fstatat(descriptor_, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) return facts_of(found);
  if (errno == ENOENT) return std::nullopt;
  return fail(error("looking at", name));
}

Result<std::unique_ptr<Source>> Directory::read(const std::string& name) const {
  // Not to wait for somebody to write into a pipe.
  const int descriptor = ::openat(descriptor_, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) return fail(error("opening", name));
  auto source = std::make_unique<FileSource>(descriptor);
  struct stat found {};
  if (::fstat(descriptor, &found) != 0) return fail(error("looking at", name));
  if (!S_ISREG(found.st_mode))
    return fail(ErrorKind::InvalidInput, (path_ / name).string() + " is no regular file");
  return source;
}

Result<> Directory::write_new(const std::string& name, const Slice& octets, unsigned mode) const {
  const int descriptor =
      ::openat(descriptor_, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (descriptor < 0) return fail(error("creating", name));
  NewFile file(descriptor, path_ / name);
  auto written = octets.copy_to(file);
  if (written) written = file.sync();
  if (!written) ::unlinkat(descriptor_, name.c_str(), 0);
  if (!written) return fail(std::move(written).error().within("writing " + (path_ / name).string()));
  return {};
}

Result<> Directory::rename(const std::string& from, const std::string& to) const {
  failpoint("directory.rename");
  if (::renameat(descriptor_, from.c_str(), descriptor_, to.c_str()) != 0)
    return fail(error("renaming " + from + " to", to));
  return {};
}

Result<> Directory::rename_to_new(const std::string& from, const Directory& target,
                                  const std::string& to) const {
  failpoint("directory.rename-new");
  if (::renameat2(descriptor_, from.c_str(), target.descriptor_, to.c_str(), RENAME_NOREPLACE) == 0)
    return {};
  if (errno != EINVAL) return fail(target.error("renaming " + (path_ / from).string() + " to", to));
  // This file system cannot; nobody else makes names such as ours, so to look first is good enough.
  SIGNET_TRY(const bool taken, target.has(to));
  if (taken) return fail(ErrorKind::AlreadyExists, (target.path_ / to).string() + " is there already");
  failpoint("directory.rename-new");
  if (::renameat(descriptor_, from.c_str(), target.descriptor_, to.c_str()) != 0)
    return fail(target.error("renaming " + (path_ / from).string() + " to", to));
  return {};
}

Result<bool> Directory::link(const std::string& from, const std::string& to) const {
  failpoint("directory.link");
  if (::linkat(descriptor_, from.c_str(), descriptor_, to.c_str(), 0) == 0) return true;
  if (errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK) return false;
  return fail(error("linking " + from + " as", to));
}

Result<> Directory::remove(const std::string& name) const {
  if (::unlinkat(descriptor_, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  return fail(error("removing", name));
}

Result<> Directory::sync() const { return sync_file(descriptor_, path_); }

Error Directory::error(const std::string& doing, const std::string& name) const {
  return errno_error(doing + " " + (path_ / name).string());
}

}  // namespace signet
