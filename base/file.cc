#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/failpoint.h"
#include "base/random.h"

namespace signet {

Error errno_error(std::string_view what) {
  const int code = errno;
  ErrorKind kind = ErrorKind::IoFailure;
  if (code == ENOENT || code == ENOTDIR) kind = ErrorKind::NotFound;
  if (code == EACCES || code == EPERM) kind = ErrorKind::PermissionDenied;
  if (code == EEXIST) kind = ErrorKind::AlreadyExists;
  if (code == EISDIR) kind = ErrorKind::InvalidInput;
  return Error{kind, fmt::format("{}: {}", what, std::strerror(code))};
}

Result<> write_all(int descriptor, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      return fail(errno_error("writing a file"));
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<> sync_file(int descriptor, const std::filesystem::path& path) {
  failpoint("file.sync");
  if (::fsync(descriptor) != 0) return fail(errno_error("syncing " + path.string()));
  return {};
}

Result<> sync_directory(const std::filesystem::path& directory) {
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return fail(errno_error("opening directory " + directory.string()));
  auto synced = sync_file(descriptor, directory);
  ::close(descriptor);
  return synced;
}

Result<> make_directories_durably(const std::filesystem::path& directory) {
  if (std::error_code ignored; std::filesystem::is_directory(directory, ignored)) return {};
  const std::filesystem::path parent = directory.has_parent_path() ? directory.parent_path() : ".";
  if (parent != directory) SIGNET_CHECK(make_directories_durably(parent));
  if (::mkdir(directory.c_str(), 0750) != 0 && errno != EEXIST)
    return fail(errno_error("making the folder " + directory.string()));
  return sync_directory(parent);
}

NewFile::NewFile(int descriptor, std::filesystem::path path) : file_(descriptor), path_(std::move(path)) {}
NewFile::NewFile(NewFile&& other) noexcept
    : file_(std::exchange(other.file_, -1)), path_(std::move(other.path_)) {}
NewFile::~NewFile() {
  if (file_ >= 0) ::close(file_);
}

Result<NewFile> NewFile::create(const std::filesystem::path& path, unsigned mode) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (descriptor < 0) return fail(errno_error("creating " + path.string()));
  return NewFile(descriptor, path);
}

Result<> NewFile::write(ByteView bytes) { return write_all(file_, bytes); }
Result<> NewFile::sync() { return sync_file(file_, path_); }

Result<> write_file_durably(const std::filesystem::path& path, ByteView bytes, unsigned mode) {
  const std::filesystem::path draft = path.string() + "." + random_id() + ".tmp";
  const auto write_draft = [&]() -> Result<> {
    SIGNET_TRY(NewFile file, NewFile::create(draft, mode));
    SIGNET_CHECK(file.write(bytes));
    SIGNET_CHECK(file.sync());
    failpoint("file.rename");
    if (::rename(draft.c_str(), path.c_str()) != 0) return fail(errno_error("renaming " + draft.string()));
    return {};
  };
  if (auto written = write_draft(); !written) {
    ::unlink(draft.c_str());
    return written;
  }
  const std::filesystem::path directory = path.has_parent_path() ? path.parent_path() : ".";
  return sync_directory(directory);
}

Result<Bytes> read_file(const std::filesystem::path& path, std::size_t limit) {
  SIGNET_TRY(const auto source, FileSource::open(path));
  MemorySink sink(limit);
  if (auto copied = copy(*source, sink); !copied)
    return fail(std::move(copied).error().within(path.string()));
  return sink.take();
}

Result<std::string> read_text_file(const std::filesystem::path& path, std::size_t limit) {
  SIGNET_TRY(const Bytes bytes, read_file(path, limit));
  return std::string(as_text(bytes));
}

}  // namespace signet
