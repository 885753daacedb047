#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

/// Processes that the benchmark starts, and what the kernel knows about them.

namespace signet::bench {

using Environment = std::vector<std::pair<std::string, std::string>>;

/// A process that ran to its end.
struct Ended {
  int exit_code = 0;
  std::string output;
  double seconds = 0;
  double cpu_seconds = 0;
  double peak_mib = 0;
};

/// Runs a command and waits for it. Its standard error is ours.
/// @error IoFailure  it could not be started, or ended with another exit code than 0.
Result<Ended> run(const std::vector<std::string>& command);

/// A process that runs beside us, and is ended with its owner.
class Running {
 public:
  /// Its standard error goes to `log`.
  static Result<Running> start(const std::vector<std::string>& command, const Environment& environment,
                               const std::filesystem::path& log);
  Running(Running&& other) noexcept;
  Running& operator=(Running&&) = delete;
  ~Running();

  [[nodiscard]] bool alive();
  /// User and system time so far.
  [[nodiscard]] double cpu_seconds() const;
  [[nodiscard]] double resident_mib() const;
  /// The most that was resident since the start or reset_peak().
  [[nodiscard]] double peak_mib() const;
  void reset_peak() const;
  /// Asks it to end, and waits until it has.
  void stop();

 private:
  explicit Running(pid_t process) : process_(process) {}
  [[nodiscard]] double status_mib(const std::string& field) const;
  pid_t process_;
};

}  // namespace signet::bench
