#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"

namespace signet::gateway {

/// Which messages are being sent by processes that live: for each a lock on one octet of a file, which the
/// kernel takes away when its process ends, however it ends. Thread-safe.
class SendingMarks {
 public:
  /// @error PermissionDenied, IoFailure  the file cannot be made.
  static Result<SendingMarks> open(const std::filesystem::path& path);
  SendingMarks(SendingMarks&& other) noexcept;
  SendingMarks& operator=(SendingMarks&&) = delete;
  /// The marks of this process go.
  ~SendingMarks();

  /// Marks a message, by our id, as being sent by this process.
  ///
  /// @error AlreadyExists  another process sends it.  @error IoFailure
  Result<> set(std::string_view id) const;
  /// Idempotent.
  void clear(std::string_view id) const;
  /// Whether a process, this one included, has marked the message and lives; also when that cannot be told.
  [[nodiscard]] bool is_set(std::string_view id) const;

 private:
  SendingMarks(int holder, int looker) : holder_(holder), looker_(looker) {}
  int holder_;
  int looker_;  ///< opened for itself: the locks of `holder_` would be its own
};

}  // namespace signet::gateway
