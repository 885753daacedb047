#pragma once

#include <filesystem>

#include "base/result.h"

namespace signet::gateway {

/// Held by each process for as long as it has the store open. The first one finds itself alone() and may
/// repair what a crash left; until it calls share(), later ones wait.
class StoreLock {
 public:
  /// @error PermissionDenied, IoFailure  the lock file cannot be made or locked.
  static Result<StoreLock> acquire(const std::filesystem::path& path);
  StoreLock(StoreLock&& other) noexcept;
  StoreLock& operator=(StoreLock&&) = delete;
  ~StoreLock();

  [[nodiscard]] bool alone() const { return alone_; }
  Result<> share();

 private:
  explicit StoreLock(int file) : file_(file) {}
  int file_;
  bool alone_ = false;
};

}  // namespace signet::gateway
