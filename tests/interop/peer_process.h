#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace signet::interop {

/// Another implementation as a process: lines go in, lines come out. Its standard error is the test's. Ends
/// it when it goes out of scope.
class PeerProcess {
 public:
  using Environment = std::map<std::string, std::string>;

  /// Starts it, found through PATH; `more` is added to our environment. A tool that is missing is a failed
  /// test, never a skipped one: read_line() then says so.
  explicit PeerProcess(std::vector<std::string> command, const Environment& more = {});
  ~PeerProcess();
  PeerProcess(const PeerProcess&) = delete;
  PeerProcess& operator=(const PeerProcess&) = delete;

  void write_line(const std::string& line);
  /// One line without its end; "error\t..." once the process is gone or has been silent for `patience`.
  std::string read_line(std::chrono::seconds patience = std::chrono::seconds(120));

  /// No more input will come: the sign for a well-behaved peer to end.
  void close_input();
  /// Waits for the end. @returns the exit code, -1 when a signal ended it.
  int wait();

 private:
  std::string name_;
  pid_t process_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::string buffered_;
};

/// A command of the CMS peers' line protocol (README.md): `option=value` words in their order.
class PeerCommand {
 public:
  explicit PeerCommand(std::string name) : line_(std::move(name)) {}
  PeerCommand& with(const std::string& option, const std::string& value) {
    line_ += "\t" + option + "=" + value;
    return *this;
  }
  [[nodiscard]] const std::string& line() const { return line_; }

 private:
  std::string line_;
};

}  // namespace signet::interop
