#include "gateway/cli/serve_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/file.h"
#include "base/file_descriptor.h"

namespace signet::gateway {
namespace {

std::filesystem::path lock_file(const std::filesystem::path& home) { return home / ServeLock::kFileName; }

/// A lock of the open file, not of the process (fcntl(2), "Open file description locks"), since it can be
/// asked for without being taken: somebody who looks must not keep a gateway from starting.
struct flock whole_file(short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

int open_file(const std::filesystem::path& path, int flags) {
  return ::open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/// What the holder wrote; zeros for what it has not written yet.
ServeLock::Holder read_holder(const std::filesystem::path& path) {
  ServeLock::Holder holder;
  const auto text = read_text_file(path, 4096);
  if (!text) return holder;
  const auto written = nlohmann::json::parse(*text, nullptr, false);
  try {
    holder.process = written.at("process").get<pid_t>();
    if (const auto since = parse_time(written.at("since").get<std::string>())) holder.since = *since;
  } catch (const nlohmann::json::exception&) {  // cut short, or nothing of ours
  }
  return holder;
}

Result<> write_holder(int file, Time now) {
  const nlohmann::ordered_json holder = {{"process", ::getpid()}, {"since", to_rfc3339(now)}};
  if (::ftruncate(file, 0) != 0) return fail(errno_error("writing serve.lock"));
  return write_all(file, as_bytes(holder.dump() + "\n"));
}

}  // namespace

Result<ServeLock> ServeLock::take(const std::filesystem::path& home, Time now) {
  const std::filesystem::path path = lock_file(home);
  FileDescriptor file(open_file(path, O_RDWR | O_CREAT));
  if (file.get() < 0) return fail(errno_error("opening " + path.string()));
  struct flock lock = whole_file(F_WRLCK);
  if (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0) {
    if (errno != EAGAIN && errno != EACCES) return fail(errno_error("locking " + path.string()));
    return fail(ErrorKind::Unavailable,
                fmt::format("another gateway serves this home already: process {} has {} locked",
                            read_holder(path).process, path.string()));
  }
  SIGNET_CHECK(write_holder(file.get(), now));
  return ServeLock(file.release());
}

Result<std::optional<ServeLock::Holder>> ServeLock::holder(const std::filesystem::path& home) {
  const std::filesystem::path path = lock_file(home);
  const FileDescriptor file(open_file(path, O_RDWR));
  if (file.get() < 0 && errno == ENOENT) return std::nullopt;
  if (file.get() < 0) return fail(errno_error("opening " + path.string()));
  struct flock lock = whole_file(F_WRLCK);
  if (::fcntl(file.get(), F_OFD_GETLK, &lock) != 0) return fail(errno_error("looking at " + path.string()));
  if (lock.l_type == F_UNLCK) return std::nullopt;
  return read_holder(path);
}

ServeLock::ServeLock(ServeLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

ServeLock::~ServeLock() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace signet::gateway
