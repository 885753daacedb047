#pragma once

#include <filesystem>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"

namespace signet::gateway {

/// A file that a command leaves behind: new, whole and on disk, or not at all. A command that also changes
/// the home writes the file first, or creates it where the change gives its contents, and keeps it once the
/// change is made.
class OutputFile {
 public:
  enum class Readers { Everybody, OwnerAlone };

  /// An empty file; an empty path stands for no file.
  ///
  /// @error AlreadyExists  something has this name; nothing is overwritten.  @error ...  as errno_error().
  static Result<OutputFile> create(const std::filesystem::path& path, Readers readers = Readers::Everybody);
  /// The same with its contents.
  static Result<OutputFile> write(const std::filesystem::path& path, ByteView octets,
                                  Readers readers = Readers::Everybody);

  OutputFile(OutputFile&& other) noexcept
      : path_(std::exchange(other.path_, {})), file_(std::move(other.file_)) {}
  OutputFile& operator=(OutputFile&&) = delete;
  /// Removes the file again, unless it is kept.
  ~OutputFile();

  /// Writes the contents, once. @error ...  as errno_error().
  Result<> fill(ByteView octets);
  void keep() { path_.clear(); }

 private:
  OutputFile() = default;
  std::filesystem::path path_;  ///< empty: nothing to be removed
  std::optional<NewFile> file_;
};

}  // namespace signet::gateway
