#include "tests/interop/peer_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

extern char** environ;

namespace signet::interop {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

std::vector<std::string> environment_with(const PeerProcess::Environment& more) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!more.contains(std::string(text.substr(0, text.find('='))))) all.emplace_back(text);
  }
  for (const auto& [name, value] : more) all.push_back(name + "=" + value);
  return all;
}

}  // namespace

PeerProcess::PeerProcess(std::vector<std::string> command, const Environment& more) : name_(command.front()) {
  // A peer that dies early must fail its test, not end ours.
  signal(SIGPIPE, SIG_IGN);
  int in[2];
  int out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) return;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::vector<std::string> environment = environment_with(more);
  if (posix_spawnp(&process_, name_.c_str(), &actions, nullptr, pointers(command).data(),
                   pointers(environment).data()) != 0)
    process_ = -1;
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  input_ = in[1];
  output_ = out[0];
}

PeerProcess::~PeerProcess() {
  close_input();
  if (process_ > 0) {
    kill(process_, SIGTERM);
    wait();
  }
  if (output_ >= 0) close(output_);
}

void PeerProcess::write_line(const std::string& line) {
  const std::string whole = line + "\n";
  std::string_view rest = whole;
  while (!rest.empty()) {
    const ssize_t written = write(input_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return;  // read_line() tells that the peer is gone
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string PeerProcess::read_line(std::chrono::seconds patience) {
  if (process_ < 0)
    return "error\tthe peer '" + name_ + "' cannot be started; './dev test' installs what the peers need";
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    if (const auto end = buffered_.find('\n'); end != std::string::npos) {
      const std::string line = buffered_.substr(0, end);
      buffered_.erase(0, end + 1);
      return line;
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return "error\tthe peer '" + name_ + "' is silent";
    pollfd ready{output_, POLLIN, 0};
    if (poll(&ready, 1, static_cast<int>(left.count())) <= 0) continue;
    char chunk[4096];
    const ssize_t got = read(output_, chunk, sizeof chunk);
    if (got == 0) return "error\tthe peer '" + name_ + "' has ended";
    if (got > 0) buffered_.append(chunk, static_cast<std::size_t>(got));
  }
}

void PeerProcess::close_input() {
  if (input_ >= 0) close(input_);
  input_ = -1;
}

int PeerProcess::wait() {
  int status = 0;
  while (process_ > 0 && waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace signet::interop
