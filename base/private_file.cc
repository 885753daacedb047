#include "base/private_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/file_descriptor.h"

namespace signet {
namespace {

Result<> check_is_private(int descriptor, const std::filesystem::path& path, std::string_view what) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return fail(errno_error(fmt::format("{} {}", what, path.string())));
  if (!S_ISREG(status.st_mode))
    return fail(ErrorKind::InvalidInput, fmt::format("{} {} is not a regular file", what, path.string()));
  if (status.st_uid != ::geteuid())
    return fail(ErrorKind::PermissionDenied,
                fmt::format("{} {} belongs to user {}, but this is run by user {}: run as its owner, or "
                            "have the file given to this user with chown",
                            what, path.string(), status.st_uid, ::geteuid()));
  if ((status.st_mode & 0177U) != 0)
    return fail(ErrorKind::PermissionDenied,
                fmt::format("{} {} has mode {:04o}, but nobody other than its owner may have access to "
                            "it: chmod 600 {}",
                            what, path.string(), status.st_mode & 07777U, path.string()));
  return {};
}

}  // namespace

Result<SecretBytes> read_private_file(const std::filesystem::path& path, std::size_t limit,
                                      std::string_view what) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.get() < 0) return fail(errno_error(fmt::format("opening {} {}", what, path.string())));
  SIGNET_CHECK(check_is_private(file.get(), path, what));
  SecretBytes buffer(limit + 1);
  std::size_t size = 0;
  while (size < buffer.size()) {
    const ssize_t got = ::read(file.get(), buffer.writable().data() + size, buffer.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno_error(fmt::format("reading {} {}", what, path.string())));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  return SecretBytes::copy_of(buffer.view().first(size));
}

}  // namespace signet
