#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/stream.h"

namespace signet::gateway {

/// Bodies too large for a database row: one file each, `<directory>/xx/<id>` for a payload and
/// `<directory>/xx/<id>.wire` for a message as it travels, where xx are the id's first two digits. Only our
/// own ids ever become names.
class BodyFiles {
 public:
  /// Makes the directory (0700) if it is not there.
  static Result<BodyFiles> open(const std::filesystem::path& directory);

  /// Whether `id` is one of ours: 32 lower-case hexadecimal digits, and so safe in a path.
  static bool is_id(std::string_view id);
  /// The name of the file that holds a message as it travels.
  static std::string wire_name(std::string_view id) { return std::string(id) + ".wire"; }
  /// The name of the file that holds what a message's MIC is over.
  static std::string content_name(std::string_view id) { return std::string(id) + ".content"; }

  /// Makes `body` the file `name` (an id, or one of the names above), synced together with the names that
  /// lead to it. Where it is nearly the whole of a spool, the file is that spool's, with what stands around
  /// it. Nothing is left behind on an error. @returns where in the file the body begins.
  ///
  /// @error AlreadyExists  there is such a file.  @error IoFailure  the disk is full, the body could not be
  /// read...
  Result<std::uint64_t> save(std::string_view name, const Slice& body) const;
  /// @error NotFound
  [[nodiscard]] Result<Slice> open_body(std::string_view name) const;
  void remove(std::string_view name) const;

  /// Removes every body that `is_known` denies, and returns how many. Files that are not named as save()
  /// names them are not touched. Only for a process that is alone on the store.
  ///
  /// @error  whatever `is_known` returns; the sweep ends there.
  Result<std::size_t> sweep(const std::function<Result<bool>(std::string_view name)>& is_known) const;

 private:
  explicit BodyFiles(std::filesystem::path directory) : directory_(std::move(directory)) {}
  [[nodiscard]] std::filesystem::path folder_of(std::string_view name) const;
  std::filesystem::path directory_;
};

/// Makes `directory` and its missing parents, each with mode 0700; an existing one that others may enter is
/// closed to them.
Result<> make_private_directory(const std::filesystem::path& directory);

}  // namespace signet::gateway
