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

namespace {

/// How much of a spool that is to be kept the disk is given at a time.
constexpr std::uint64_t kWriteBack = 8 * 1024 * 1024;
/// How much may stand around the octets in a file that save_within() makes.
constexpr std::uint64_t kMostAround = 64 * 1024;

}  // namespace

// What turns out to be large goes on in large pieces.
Result<std::uint64_t> copy(Source& source, Sink& sink) {
  Chunk first;
  std::optional<LargeChunk> large;
  std::span<std::uint8_t> buffer = first;
  std::uint64_t total = 0;
  for (;;) {
    SIGNET_TRY(const std::size_t count, source.read(buffer));
    if (count == 0) return total;
    SIGNET_CHECK(sink.write(ByteView(buffer).first(count)));
    total += count;
    if (!large && total >= kLargeChunkSize) buffer = large.emplace(kLargeChunkSize);
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
  if (area_.to_be_kept && file_ >= 0) begin_write_back();
  return {};
}

/// Only begins it. What becomes of it the sync finds out.
void Spool::begin_write_back() {
  if (size_ - given_to_disk_ < kWriteBack) return;
  ::sync_file_range(file_, static_cast<off64_t>(given_to_disk_), static_cast<off64_t>(size_ - given_to_disk_),
                    SYNC_FILE_RANGE_WRITE);
  given_to_disk_ = size_;
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

Result<Slice> Slice::joined(std::vector<Slice> parts, std::size_t memory_limit) {
  std::erase_if(parts, [](const Slice& part) { return part.empty(); });
  if (parts.size() == 1) return std::move(parts.front());
  auto whole = std::make_shared<Spool>(SpoolArea{});
  std::uint64_t size = 0;
  for (const Slice& part : parts) size += part.size();
  if (size <= memory_limit) {
    MemorySink memory;
    for (const Slice& part : parts) SIGNET_CHECK(part.copy_to(memory));
    whole->memory_ = memory.take();
  } else {
    whole->parts_ = std::move(parts);
  }
  whole->size_ = size;
  return Spool::finish(std::move(whole));
}

Slice Slice::sub(std::uint64_t offset, std::uint64_t size) const {
  Slice part = *this;
  offset = std::min(offset, size_);
  part.offset_ += offset;
  part.size_ = std::min(size, size_ - offset);
  if (!spool_ || part.empty()) return part;
  // Where the octets are all of one slice that was joined, they are that slice's.
  std::uint64_t begin = 0;
  for (const Slice& joined : spool_->parts_) {
    if (part.offset_ >= begin && part.offset_ + part.size_ <= begin + joined.size_)
      return joined.sub(part.offset_ - begin, part.size_);
    begin += joined.size_;
  }
  return part;
}

Result<std::size_t> Slice::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  if (offset >= size_ || out.empty()) return 0U;
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset));
  if (const auto bytes = in_memory()) {
    std::copy_n(bytes->begin() + static_cast<std::ptrdiff_t>(offset), wanted, out.begin());
    return wanted;
  }
  std::uint64_t position = offset_ + offset;
  for (const Slice& part : spool_->parts_) {
    if (position < part.size_) return part.read_at(position, out.first(wanted));
    position -= part.size_;
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
  if (spool_->file_ >= 0 || !spool_->parts_.empty()) return std::nullopt;
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

std::optional<Bytes> Slice::known_digest(Hash hash) const {
  if (!spool_) return std::nullopt;
  const std::lock_guard lock(spool_->mutex_);
  for (const auto& known : spool_->digests_)
    if (known.hash == hash && known.offset == offset_ && known.size == size_) return known.value;
  return std::nullopt;
}

void Slice::note_digest(Hash hash, Bytes value) const {
  if (!spool_) return;
  const std::lock_guard lock(spool_->mutex_);
  spool_->digests_.push_back({hash, offset_, size_, std::move(value)});
}

bool Slice::is_nameless_file() const {
  if (!spool_ || spool_->file_ < 0) return false;
  struct stat facts {};
  return ::fstat(spool_->file_, &facts) == 0 && facts.st_nlink == 0;
}

/// Gives the spool's own file a name if it has none yet and can have one there.
Result<bool> Slice::link_as(const std::filesystem::path& path) const {
  const std::lock_guard lock(spool_->mutex_);
  if (!is_nameless_file()) return false;
  const std::string self = fmt::format("/proc/self/fd/{}", spool_->file_);
  failpoint("file.link");
  if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0) return true;
  if (errno == EXDEV || errno == ENOENT) return false;
  return fail(errno_error("keeping a body as " + path.string()));
}

Result<> Slice::save_as(const std::filesystem::path& path) const {
  if (spool_ && size_ == spool_->size_) {
    SIGNET_TRY(const bool linked, link_as(path));
    if (linked) return sync_file(spool_->file_, path);
  }
  SIGNET_TRY(NewFile file, NewFile::create(path));
  SIGNET_CHECK(copy_to(file));
  return file.sync();
}

Result<std::uint64_t> Slice::save_within(const std::filesystem::path& path) const {
  if (spool_ && spool_->size_ - size_ <= kMostAround) {
    SIGNET_TRY(const bool linked, link_as(path));
    if (linked) {
      SIGNET_CHECK(sync_file(spool_->file_, path));
      return offset_;
    }
  }
  SIGNET_CHECK(save_as(path));
  return 0U;
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

namespace {

/// What errno says of a file that somebody named.
Error cannot_open(const std::filesystem::path& path) {
  Error error = errno_error("opening " + path.string());
  std::error_code unknown;
  const auto here = std::filesystem::current_path(unknown);
  if (error.kind == ErrorKind::NotFound && path.is_relative() && !unknown)
    error.detail += "; looked for in " + here.string();
  return error;
}

}  // namespace

Result<std::unique_ptr<FileSource>> FileSource::open(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail(cannot_open(path));
  auto source = std::make_unique<FileSource>(descriptor);
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode))
    return fail(ErrorKind::InvalidInput, path.string() + " is a folder, where a file is expected");
  return source;
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
