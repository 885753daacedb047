#pragma once

#include <filesystem>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace signet::gateway {

/// A file that a command leaves behind: new, whole and on disk, or not at all. A command that also changes
/// the home writes the file first, and keeps it once the change is made.
class OutputFile {
 public:
  /// Writes the file; an empty path stands for no file.
  ///
  /// @error AlreadyExists  something has this name; nothing is overwritten.  @error ...  as errno_error().
  static Result<OutputFile> write(const std::filesystem::path& path, ByteView octets);

  OutputFile(OutputFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  OutputFile& operator=(OutputFile&&) = delete;
  /// Removes the file again, unless it is kept.
  ~OutputFile();

  void keep() { path_.clear(); }

 private:
  explicit OutputFile(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;  ///< empty: nothing to be removed
};

}  // namespace signet::gateway
