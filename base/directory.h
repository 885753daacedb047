#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/stream.h"

namespace signet {

/// What tells whether a file is the one that was looked at, and unchanged.
struct FileFacts {
  std::uint64_t inode = 0;
  std::uint64_t size = 0;               ///< octets
  std::chrono::nanoseconds modified{};  ///< since 1970
  bool is_regular = false;

  friend bool operator==(const FileFacts&, const FileFacts&) = default;
};

/// A directory held open, so that nothing on the path to it can be exchanged between two steps. Every name is
/// one in it, without a slash, and never followed where it is a symbolic link.
///
/// Errors are those of errno_error() (base/file.h); their texts have the path.
class Directory {
 public:
  static Result<Directory> open(const std::filesystem::path& path);
  /// One below this one, made durably (0750) if it is not there.
  [[nodiscard]] Result<Directory> open_or_make(const std::string& name) const;

  Directory(Directory&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}
  Directory& operator=(Directory&&) = delete;
  ~Directory();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// Every name in it, in no order; without "." and "..".
  [[nodiscard]] Result<std::vector<std::string>> names() const;
  [[nodiscard]] Result<bool> has(const std::string& name) const;
  /// Nothing when the name is not there.
  [[nodiscard]] Result<std::optional<FileFacts>> facts(const std::string& name) const;

  /// Reads a regular file. @error InvalidInput  it is none.
  [[nodiscard]] Result<std::unique_ptr<Source>> read(const std::string& name) const;
  /// Writes a new file, synced. One that fails is not left behind. @error AlreadyExists
  [[nodiscard]] Result<> write_new(const std::string& name, const Slice& octets, unsigned mode) const;

  [[nodiscard]] Result<> rename(const std::string& from, const std::string& to) const;
  /// As rename(), into `target`, but never over a file that is there. @error AlreadyExists
  [[nodiscard]] Result<> rename_to_new(const std::string& from, const Directory& target,
                                       const std::string& to) const;
  /// A second name for a file. Nothing: this file system knows no second names.
  [[nodiscard]] Result<bool> link(const std::string& from, const std::string& to) const;
  /// A name that is not there is no error.
  [[nodiscard]] Result<> remove(const std::string& name) const;
  /// Makes the names in it durable.
  [[nodiscard]] Result<> sync() const;

 private:
  Directory(int descriptor, std::filesystem::path path) : descriptor_(descriptor), path_(std::move(path)) {}
  [[nodiscard]] Error error(const std::string& doing, const std::string& name) const;

  int descriptor_;
  std::filesystem::path path_;
};

}  // namespace signet
