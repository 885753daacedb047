#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>

#include "base/clock.h"
#include "base/result.h"

namespace signet::gateway {

/// One gateway serves a home: two would hand over the same messages. The lock is <home>/serve.lock, and goes
/// with the process. Whoever makes the home holds it meanwhile.
class ServeLock {
 public:
  static constexpr const char* kFileName = "serve.lock";

  /// The process that serves a home.
  struct Holder {
    pid_t process = 0;
    Time since{};
  };

  /// @error Unavailable  another gateway serves this home; the text says which process.
  static Result<ServeLock> take(const std::filesystem::path& home, Time now);
  /// Who serves the home at the moment; asking disturbs nobody.
  ///
  /// @error PermissionDenied, IoFailure  the lock file cannot be looked at.
  static Result<std::optional<Holder>> holder(const std::filesystem::path& home);

  ServeLock(ServeLock&& other) noexcept;
  ServeLock& operator=(ServeLock&&) = delete;
  ~ServeLock();

 private:
  explicit ServeLock(int file) : file_(file) {}
  int file_;
};

}  // namespace signet::gateway
