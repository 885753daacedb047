// A disk that fails at one write. Preloaded into a program, it lets the N-th write() of each thread to a file
// fail. strace, which lets other calls fail (strace.py), cannot tell files from the pipes and eventfds that
// never fail so.
//
//     SIGNET_FAILING_WRITE="N ERRNO"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace {

struct Plan {
  long when = 0;
  int error = 0;
};

Plan read_plan() {
  Plan plan;
  if (const char* text = std::getenv("SIGNET_FAILING_WRITE")) {
    char* rest = nullptr;
    plan.when = std::strtol(text, &rest, 10);
    plan.error = static_cast<int>(std::strtol(rest, nullptr, 10));
  }
  return plan;
}

/// Files, but for those that the program was started with: its log may be one.
bool is_file(int descriptor) {
  struct stat facts {};
  return descriptor > STDERR_FILENO && ::fstat(descriptor, &facts) == 0 && S_ISREG(facts.st_mode);
}

}  // namespace

extern "C" ssize_t write(int descriptor, const void* octets, size_t size) {
  static const Plan plan = read_plan();
  thread_local long writes = 0;
  const int before = errno;
  if (is_file(descriptor) && ++writes == plan.when) {
    errno = plan.error;
    return -1;
  }
  errno = before;
  return ::syscall(SYS_write, descriptor, octets, size);
}
