#include "base/stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/chunk.h"
#include "base/failpoint.h"
#include "base/file.h"

namespace signet {

Result<std::uint64_t> copy(Source& source, Sink& sink) {
  Chunk buffer;
  std::uint64_t total = 0;
  for (;;) {
    SIGNET_TRY(const std::size_t count, source.read(buffer));
    if (count == 0) return total;
    SIGNET_CHECK(sink.write(ByteView(buffer).first(count)));
    total += count;
  }
}

Spool::Spool(SpoolArea area) : area_(std::move(area)) {}

Spool::~Spool() {
  if (file_ >= 0) ::close(file_);
}

Result<> Spool::write(ByteView bytes) {
  if (failure_) return fail(*failure_);
  auto written = append(bytes);
  if (!written) failure_ = written.error();
  return written;
}

Result<> Spool::append(ByteView bytes) {
  if (bytes.size() > area_.size_limit - size_)
    return fail(ErrorKind::LimitExceeded,
                fmt::format("the body is larger than the {} octets allowed", area_.size_limit));
  if (file_ < 0 && size_ + bytes.size() > area_.memory_limit) SIGNET_CHECK(move_to_file());
  if (file_ < 0)
    memory_.insert(memory_.end(), bytes.begin(), bytes.end());
  else
    SIGNET_CHECK(write_all(file_, bytes));
  size_ += bytes.size();
  return {};
}

Result<> Spool::move_to_file() {
  file_ = ::open(area_.directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file_ < 0) return fail(errno_error("making a spool file in " + area_.directory.string()));
  SIGNET_CHECK(write_all(file_, memory_));
  memory_ = Bytes();
  return {};
}

Slice Spool::finish(std::shared_ptr<Spool> spool) {
  Slice slice;
  slice.size_ = spool->size_;
  slice.spool_ = std::move(spool);
  return slice;
}

Slice Slice::of(Bytes bytes) {
  auto spool = std::make_shared<Spool>(SpoolArea{});
  spool->size_ = bytes.size();
  spool->memory_ = std::move(bytes);
  return Spool::finish(std::move(spool));
}

Result<Slice> Slice::of_file(const std::filesystem::path& path) {
  auto spool = std::make_shared<Spool>(SpoolArea{});
  spool->file_ = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (spool->file_ < 0) return fail(errno_error("opening " + path.string()));
  struct stat facts {};
  if (::fstat(spool->file_, &facts) != 0) return fail(errno_error("looking at " + path.string()));
  if (!S_ISREG(facts.st_mode)) return fail(ErrorKind::InvalidInput, path.string() + " is not a regular file");
  spool->size_ = static_cast<std::uint64_t>(facts.st_size);
  return Spool::finish(std::move(spool));
}

Slice Slice::sub(std::uint64_t offset, std::uint64_t size) const {
  Slice part = *this;
  offset = std::min(offset, size_);
  part.offset_ += offset;
  part.size_ = std::min(size, size_ - offset);
  return part;
}

Result<std::size_t> Slice::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  if (offset >= size_ || out.empty()) return 0U;
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset));
  if (const auto bytes = in_memory()) {
    std::copy_n(bytes->begin() + static_cast<std::ptrdiff_t>(offset), wanted, out.begin());
    return wanted;
  }
  for (;;) {
    const ssize_t count = ::pread(spool_->file_, out.data(), wanted, static_cast<off_t>(offset_ + offset));
    if (count > 0) return static_cast<std::size_t>(count);
    if (count == 0) return fail(ErrorKind::IoFailure, "a spool file is shorter than what was written to it");
    if (errno != EINTR) return fail(errno_error("reading a spool file"));
  }
}

std::optional<ByteView> Slice::in_memory() const {
  if (size_ == 0) return ByteView();
  if (spool_->file_ >= 0) return std::nullopt;
  return ByteView(spool_->memory_)
      .subspan(static_cast<std::size_t>(offset_), static_cast<std::size_t>(size_));
}

Result<Bytes> Slice::to_bytes(std::size_t limit) const {
  if (size_ > limit)
    return fail(ErrorKind::LimitExceeded,
                fmt::format("{} octets where at most {} are allowed", size_, limit));
  Bytes bytes(static_cast<std::size_t>(size_));
  std::size_t done = 0;
  while (done < bytes.size()) {
    SIGNET_TRY(const std::size_t count, read_at(done, std::span(bytes).subspan(done)));
    done += count;
  }
  return bytes;
}

Result<> Slice::copy_to(Sink& sink) const {
  if (const auto bytes = in_memory()) return sink.write(*bytes);
  SliceSource source(*this);
  SIGNET_CHECK(copy(source, sink));
  return {};
}

bool Slice::is_nameless_file() const {
  if (!spool_ || spool_->file_ < 0 || offset_ != 0 || size_ != spool_->size_) return false;
  struct stat facts {};
  return ::fstat(spool_->file_, &facts) == 0 && facts.st_nlink == 0;
}

Result<> Slice::save_as(const std::filesystem::path& path) const {
  if (is_nameless_file()) {
    const std::string self = fmt::format("/proc/self/fd/{}", spool_->file_);
    failpoint("file.link");
    if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0)
      return sync_file(spool_->file_, path);
    if (errno != EXDEV && errno != ENOENT) return fail(errno_error("keeping a body as " + path.string()));
  }
  SIGNET_TRY(NewFile file, NewFile::create(path));
  SIGNET_CHECK(copy_to(file));
  return file.sync();
}

Result<std::size_t> SliceSource::read(std::span<std::uint8_t> out) {
  SIGNET_TRY(const std::size_t count, slice_.read_at(position_, out));
  position_ += count;
  return count;
}

Result<std::size_t> MemorySource::read(std::span<std::uint8_t> out) {
  const std::size_t count = std::min(out.size(), rest_.size());
  std::copy_n(rest_.begin(), count, out.begin());
  rest_ = rest_.subspan(count);
  return count;
}

Result<> MemorySink::write(ByteView bytes) {
  if (bytes.size() > limit_ - bytes_.size())
    return fail(ErrorKind::LimitExceeded, fmt::format("more than the {} octets allowed", limit_));
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return {};
}

Result<std::unique_ptr<FileSource>> FileSource::open(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail(errno_error("opening " + path.string()));
  return std::make_unique<FileSource>(descriptor);
}

FileSource::~FileSource() { ::close(file_); }

Result<std::size_t> FileSource::read(std::span<std::uint8_t> out) {
  for (;;) {
    const ssize_t count = ::read(file_, out.data(), out.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return fail(errno_error("reading a file"));
  }
}

}  // namespace signet
