#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/stream.h"

/// Files, written so that a reader sees all of one or nothing of it, also after a power cut.

namespace signet {

/// The current errno as an Error: "<what>: <strerror>". ENOENT and ENOTDIR are NotFound, EACCES and EPERM
/// PermissionDenied, EEXIST AlreadyExists, EISDIR InvalidInput, everything else IoFailure.
[[nodiscard]] Error errno_error(std::string_view what);

/// Writes all of `bytes`, through interruptions and short writes.
Result<> write_all(int descriptor, ByteView bytes);
/// fsync. `path` is for the error's text.
Result<> sync_file(int descriptor, const std::filesystem::path& path);
/// fsync of a directory: makes the names in it durable.
Result<> sync_directory(const std::filesystem::path& directory);

/// Makes a directory, nothing of which is for others than its owner and group, and those above it that are
/// missing, durably. One that is there is no error.
Result<> make_directories_durably(const std::filesystem::path& directory);

/// A file being made; whoever creates it finishes it or removes it.
class NewFile final : public Sink {
 public:
  /// Exclusive, never through a symbolic link. @error AlreadyExists and as errno_error().
  static Result<NewFile> create(const std::filesystem::path& path, unsigned mode = 0600);
  /// Takes over an open file. `path` is for errors' texts.
  NewFile(int descriptor, std::filesystem::path path);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile() override;

  Result<> write(ByteView bytes) override;
  Result<> sync();

 private:
  int file_;
  std::filesystem::path path_;
};

/// Replaces the file at `path` in one step: write beside it, fsync, rename, fsync of the directory.
Result<> write_file_durably(const std::filesystem::path& path, ByteView bytes, unsigned mode = 0600);

/// A whole file in memory. @error LimitExceeded  larger than `limit`; and as errno_error().
Result<Bytes> read_file(const std::filesystem::path& path, std::size_t limit = 64 * 1024 * 1024);
Result<std::string> read_text_file(const std::filesystem::path& path, std::size_t limit = 64 * 1024 * 1024);

}  // namespace signet
