#include "gateway/operations/process_readings.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace signet::gateway {
namespace {

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// Field `number` of /proc/self/stat, counted from 1 [proc(5)]; those behind the command's name, which may
/// hold anything.
double stat_field(const std::string& line, int number) {
  const std::size_t end_of_name = line.rfind(')');
  if (end_of_name == std::string::npos) return 0;
  std::istringstream fields(line.substr(end_of_name + 1));
  std::string field;
  for (int at = 3; at <= number; ++at) fields >> field;
  return std::strtod(field.c_str(), nullptr);
}

double open_files() {
  std::error_code error;
  std::filesystem::directory_iterator entry("/proc/self/fd", error);
  double count = 0;
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) ++count;
  return count - 1;  // the directory itself
}

double boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("btime ")) return std::strtod(line.c_str() + 6, nullptr);
  return 0;
}

Reading gauge(const char* name, const char* help, double value) {
  return {name, help, {{{}, value}}, Reading::Kind::Gauge};
}

}  // namespace

std::vector<Reading> process_readings() {
  constexpr int kThreads = 20;
  constexpr int kStartTime = 22;
  constexpr int kResidentPages = 24;
  const std::string stat = first_line("/proc/self/stat");
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto in_seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  const double started =
      boot_time() + stat_field(stat, kStartTime) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return {
      {"process_cpu_seconds_total",
       "User and system time",
       {{{}, in_seconds(used.ru_utime) + in_seconds(used.ru_stime)}},
       Reading::Kind::Counter},
      gauge("process_resident_memory_bytes", "Octets in memory",
            stat_field(stat, kResidentPages) * static_cast<double>(::sysconf(_SC_PAGESIZE))),
      gauge("process_open_fds", "Open file descriptors", open_files()),
      gauge("process_max_fds", "File descriptors that may be open", static_cast<double>(files.rlim_cur)),
      gauge("process_threads", "Threads", stat_field(stat, kThreads)),
      gauge("process_start_time_seconds", "When the process began, in seconds since 1970", started),
  };
}

}  // namespace signet::gateway
