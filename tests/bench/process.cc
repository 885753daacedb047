#include "tests/bench/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>

#include "base/file.h"
#include "tests/bench/timing.h"

namespace signet::bench {
namespace {

std::vector<char*> as_pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_with(const Environment& more) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) all.emplace_back(*entry);
  for (const auto& [name, value] : more) all.push_back(fmt::format("{}={}", name, value));
  return all;
}

Result<pid_t> spawn(std::vector<std::string> command, const Environment& environment,
                    const posix_spawn_file_actions_t& actions) {
  auto variables = environment_with(environment);
  pid_t process = 0;
  errno = ::posix_spawn(&process, command.front().c_str(), &actions, nullptr, as_pointers(command).data(),
                        as_pointers(variables).data());
  if (errno != 0) return fail(errno_error("starting " + command.front()));
  return process;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::string read_to_end(int descriptor) {
  std::string text;
  char part[4096];
  for (ssize_t got = 0; (got = ::read(descriptor, part, sizeof part)) > 0;)
    text.append(part, static_cast<std::size_t>(got));
  return text;
}

}  // namespace

Result<Ended> run(const std::vector<std::string>& command) {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return fail(errno_error("making a pipe"));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  const auto begin = std::chrono::steady_clock::now();
  auto process = spawn(command, {}, actions);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  Ended ended;
  if (process) ended.output = read_to_end(pipe[0]);
  ::close(pipe[0]);
  if (!process) return fail(std::move(process).error());

  int status = 0;
  rusage usage{};
  if (::wait4(*process, &status, 0, &usage) < 0) return fail(errno_error("waiting for " + command.front()));
  ended.seconds = seconds_since(begin);
  ended.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  ended.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  ended.peak_mib = static_cast<double>(usage.ru_maxrss) / 1024;
  if (ended.exit_code != 0) {
    std::string text;
    for (const std::string& word : command) text += word + " ";
    return fail(ErrorKind::IoFailure,
                fmt::format("{}ended with {}: {}", text, ended.exit_code, ended.output));
  }
  return ended;
}

Result<Running> Running::start(const std::vector<std::string>& command, const Environment& environment,
                               const std::filesystem::path& log) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  auto process = spawn(command, environment, actions);
  posix_spawn_file_actions_destroy(&actions);
  if (!process) return fail(std::move(process).error());
  return Running(*process);
}

Running::Running(Running&& other) noexcept : process_(std::exchange(other.process_, 0)) {}
Running::~Running() { stop(); }

bool Running::alive() {
  if (process_ == 0) return false;
  int status = 0;
  if (::waitpid(process_, &status, WNOHANG) == 0) return true;
  process_ = 0;
  return false;
}

double Running::cpu_seconds() const {
  std::ifstream file(fmt::format("/proc/{}/stat", process_));
  std::string text;
  std::getline(file, text);
  // The second field is the name in parentheses, which may hold anything; utime and stime are the 14th and
  // 15th.
  std::istringstream rest(text.substr(std::min(text.size(), text.rfind(')') + 2)));
  std::string field;
  double ticks = 0;
  for (int number = 3; number <= 15 && rest >> field; ++number)
    if (number >= 14) ticks += std::stod(field);
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double Running::status_mib(const std::string& field) const {
  std::ifstream file(fmt::format("/proc/{}/status", process_));
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(field + ":")) return std::stod(line.substr(field.size() + 1)) / 1024;
  return 0;
}

double Running::resident_mib() const { return status_mib("VmRSS"); }
double Running::peak_mib() const { return status_mib("VmHWM"); }
void Running::reset_peak() const { std::ofstream(fmt::format("/proc/{}/clear_refs", process_)) << "5"; }

void Running::stop() {
  if (process_ == 0) return;
  ::kill(process_, SIGTERM);
  ::waitpid(process_, nullptr, 0);
  process_ = 0;
}

}  // namespace signet::bench
