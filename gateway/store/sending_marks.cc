#include "gateway/store/sending_marks.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "base/file.h"

namespace signet::gateway {
namespace {

int open_file(const std::filesystem::path& path) {
  return ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/// Digits of an id, which are random, that give its octet. Should two messages ever share one, the second
/// cannot be sent by a command while the first is.
constexpr std::size_t kDigits = 15;

/// A lock on a message's octet. It belongs to the file as it was opened [fcntl(2), open file description
/// locks]: no other part of the process lets go of it by mistake.
struct flock lock_on(std::string_view id, short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(std::stoll(std::string(id.substr(0, kDigits)), nullptr, 16));
  lock.l_len = 1;
  return lock;
}

}  // namespace

Result<SendingMarks> SendingMarks::open(const std::filesystem::path& path) {
  SendingMarks marks(open_file(path), open_file(path));
  if (marks.holder_ < 0 || marks.looker_ < 0) return fail(errno_error("opening " + path.string()));
  return marks;
}

SendingMarks::SendingMarks(SendingMarks&& other) noexcept
    : holder_(std::exchange(other.holder_, -1)), looker_(std::exchange(other.looker_, -1)) {}

SendingMarks::~SendingMarks() {
  for (const int file : {holder_, looker_})
    if (file >= 0) ::close(file);
}

Result<> SendingMarks::set(std::string_view id) const {
  struct flock lock = lock_on(id, F_WRLCK);
  if (::fcntl(holder_, F_OFD_SETLK, &lock) == 0) return {};
  if (errno == EAGAIN || errno == EACCES)
    return fail(ErrorKind::AlreadyExists, "another process sends this message");
  return fail(errno_error("marking a message as being sent"));
}

void SendingMarks::clear(std::string_view id) const {
  struct flock lock = lock_on(id, F_UNLCK);
  ::fcntl(holder_, F_OFD_SETLK, &lock);
}

bool SendingMarks::is_set(std::string_view id) const {
  struct flock lock = lock_on(id, F_WRLCK);
  return ::fcntl(looker_, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

}  // namespace signet::gateway
