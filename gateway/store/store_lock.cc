#include "gateway/store/store_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/file.h"

namespace signet::gateway {
namespace {

/// flock() through interruptions.
bool lock_file(int file, int operation) {
  int result = 0;
  do result = ::flock(file, operation);
  while (result != 0 && errno == EINTR);
  return result == 0;
}

}  // namespace

Result<StoreLock> StoreLock::acquire(const std::filesystem::path& path) {
  StoreLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (lock.file_ < 0) return fail(errno_error("opening " + path.string()));
  lock.alone_ = lock_file(lock.file_, LOCK_EX | LOCK_NB);
  if (lock.alone_) return lock;
  if (errno != EWOULDBLOCK) return fail(errno_error("locking " + path.string()));
  if (!lock_file(lock.file_, LOCK_SH)) return fail(errno_error("locking " + path.string()));
  return lock;
}

Result<> StoreLock::share() {
  if (!std::exchange(alone_, false)) return {};
  if (!lock_file(file_, LOCK_SH)) return fail(errno_error("sharing the store's lock"));
  return {};
}

StoreLock::StoreLock(StoreLock&& other) noexcept
    : file_(std::exchange(other.file_, -1)), alone_(std::exchange(other.alone_, false)) {}
StoreLock::~StoreLock() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace signet::gateway
