#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

/// Octets that flow. No step of a message's way holds a whole message in memory: it reads a Source and
/// writes a Sink, and what must be read again or from its end is kept in a Spool.

namespace signet {

class Source {
 public:
  virtual ~Source() = default;
  /// Fills `out` from its front. @returns how many octets; 0 only at the end.
  virtual Result<std::size_t> read(std::span<std::uint8_t> out) = 0;
};

class Sink {
 public:
  virtual ~Sink() = default;
  virtual Result<> write(ByteView bytes) = 0;
};

/// How many octets the copying loops move at a time.
inline constexpr std::size_t kChunkSize = 64 * 1024;
/// The same where both ends are files, or large in any case: half the system calls' cost.
inline constexpr std::size_t kLargeChunkSize = 256 * 1024;

/// Moves everything from `source` to `sink`. @returns the number of octets.
Result<std::uint64_t> copy(Source& source, Sink& sink);

enum class Hash;  // base/digest.h

/// Where spools keep what is too large for memory, and how much that is.
struct SpoolArea {
  std::filesystem::path directory;  ///< on the store's file system, so that a spool can be kept by linking it
  std::size_t memory_limit = 256 * 1024;  ///< octets held in memory before a spool moves to a file
  std::uint64_t size_limit = std::uint64_t{1} << 40;  ///< octets after which write() refuses
  /// What is written will most likely be kept: the disk begins with it at once, so that the sync of save_as()
  /// has little left to wait for.
  bool to_be_kept = false;

  /// The same for what will most likely be kept.
  [[nodiscard]] SpoolArea kept() const {
    SpoolArea area = *this;
    area.to_be_kept = true;
    return area;
  }
};

class Slice;

/// A body that is written once, from front to back, and then read from anywhere, any number of times and by
/// any number of threads. It lives in memory up to the area's limit and beyond that in a file without a name,
/// which vanishes with it, also when the process is killed. (Or it is others' octets in a row:
/// Slice::joined().)
class Spool final : public Sink {
 public:
  explicit Spool(SpoolArea area);
  ~Spool() override;
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  /// After an error every further write fails with the same one, so that no body with a gap can come of it.
  ///
  /// @error LimitExceeded  past the area's size_limit.  @error IoFailure  the disk refused, is full, ...
  Result<> write(ByteView bytes) override;

  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// Ends the writing: everything written, as an immutable Slice that shares ownership.
  static Slice finish(std::shared_ptr<Spool> spool);

 private:
  friend class Slice;
  Result<> append(ByteView bytes);
  Result<> move_to_file();
  void begin_write_back();

  SpoolArea area_;
  Bytes memory_;
  int file_ = -1;
  std::vector<Slice> parts_;
  std::uint64_t size_ = 0;
  std::uint64_t given_to_disk_ = 0;
  std::optional<Error> failure_;

  /// A digest of some of the octets, which do not change any more.
  struct KnownDigest {
    Hash hash;
    std::uint64_t offset;
    std::uint64_t size;
    Bytes value;
  };
  mutable std::mutex mutex_;  ///< of the digests; and while the file gets its name
  mutable std::vector<KnownDigest> digests_;
};

/// A run of octets of a finished Spool, shared and immutable; cheap to copy.
class Slice {
 public:
  Slice() = default;
  /// A slice of octets in memory, of its own.
  static Slice of(Bytes bytes);
  static Slice of(std::string_view text) { return of(signet::to_bytes(text)); }
  /// The whole of a regular file, which nobody may change while the slice lives; never through a symbolic
  /// link.
  ///
  /// @error NotFound, PermissionDenied, IoFailure.  @error InvalidInput  not a regular file.
  static Result<Slice> of_file(const std::filesystem::path& path);
  /// Octets of several slices in a row, without copying them; but what is no larger than `memory_limit` in
  /// all becomes octets in memory.
  ///
  /// @error IoFailure  a slice could not be read.
  static Result<Slice> joined(std::vector<Slice> parts, std::size_t memory_limit);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  /// The part from `offset` on, at most `size` octets long; both are cut to what is there.
  [[nodiscard]] Slice sub(std::uint64_t offset, std::uint64_t size = UINT64_MAX) const;

  /// Reads from `offset` (within the slice) without moving anything. Thread-safe.
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const;

  /// The octets where they lie, if they lie in memory; borrowed from the spool.
  [[nodiscard]] std::optional<ByteView> in_memory() const;

  /// Whether these are the same octets in the same place, so that nobody need compare them. A no says
  /// nothing.
  [[nodiscard]] bool is(const Slice& other) const {
    return spool_ == other.spool_ && offset_ == other.offset_ && size_ == other.size_;
  }

  /// The digest of exactly these octets, where somebody has noted it: digest() does, and whoever had to
  /// compute it in passing. Thread-safe.
  [[nodiscard]] std::optional<Bytes> known_digest(Hash hash) const;
  void note_digest(Hash hash, Bytes value) const;

  /// Everything as one vector. @error LimitExceeded  larger than `limit`.
  [[nodiscard]] Result<Bytes> to_bytes(std::size_t limit) const;

  /// Writes everything into `sink`.
  Result<> copy_to(Sink& sink) const;

  /// Makes the octets a file at `path`, mode 0600, and syncs the file; the caller syncs the directory. `path`
  /// must not exist.
  ///
  /// Gives the spool's own file its name when the slice is the whole of it, lies on the same file system and
  /// has no name yet; copies otherwise. So no two names ever share one file, and changing one of them changes
  /// no other.
  Result<> save_as(const std::filesystem::path& path) const;
  /// As save_as(), but the file may hold up to 64 KiB of the spool around the octets as well: so the spool's
  /// own file can be kept where the slice is nearly the whole of it. @returns where in the file the octets
  /// begin.
  Result<std::uint64_t> save_within(const std::filesystem::path& path) const;

 private:
  [[nodiscard]] bool is_nameless_file() const;
  Result<bool> link_as(const std::filesystem::path& path) const;

  friend class Spool;
  std::shared_ptr<const Spool> spool_;
  std::uint64_t offset_ = 0;
  std::uint64_t size_ = 0;
};

/// Reads a slice from front to back.
class SliceSource final : public Source {
 public:
  explicit SliceSource(Slice slice) : slice_(std::move(slice)) {}
  Result<std::size_t> read(std::span<std::uint8_t> out) override;

 private:
  Slice slice_;
  std::uint64_t position_ = 0;
};

/// Reads borrowed octets.
class MemorySource final : public Source {
 public:
  explicit MemorySource(ByteView bytes) : rest_(bytes) {}
  Result<std::size_t> read(std::span<std::uint8_t> out) override;

 private:
  ByteView rest_;
};

/// Collects octets in memory. @error LimitExceeded  past `limit`.
class MemorySink final : public Sink {
 public:
  explicit MemorySink(std::size_t limit = SIZE_MAX) : limit_(limit) {}
  Result<> write(ByteView bytes) override;
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }
  [[nodiscard]] Bytes take() { return std::move(bytes_); }

 private:
  std::size_t limit_;
  Bytes bytes_;
};

/// Reads an open file from its current position; owns and closes it.
class FileSource final : public Source {
 public:
  /// @error NotFound, PermissionDenied, IoFailure
  static Result<std::unique_ptr<FileSource>> open(const std::filesystem::path& path);
  explicit FileSource(int descriptor) : file_(descriptor) {}
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  Result<std::size_t> read(std::span<std::uint8_t> out) override;

 private:
  int file_;
};

}  // namespace signet
