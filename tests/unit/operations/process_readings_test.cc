#include "gateway/operations/process_readings.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <ctime>
#include <stdexcept>

namespace signet::gateway {
namespace {

double reading(const std::string& name) {
  for (const Reading& one : process_readings())
    if (one.name == name) return one.values.at(0).value;
  throw std::runtime_error(name);
}

TEST(ProcessReadings, ArePlausible) {
  const auto now = static_cast<double>(std::time(nullptr));
  EXPECT_GT(reading("process_resident_memory_bytes"), 1 << 20);
  EXPECT_GE(reading("process_threads"), 1);
  EXPECT_GE(reading("process_cpu_seconds_total"), 0);
  EXPECT_LT(reading("process_start_time_seconds"), now + 2);
  EXPECT_GT(reading("process_start_time_seconds"), 0);
  EXPECT_GE(reading("process_max_fds"), reading("process_open_fds"));
}

TEST(ProcessReadings, CountOpenFiles) {
  const double before = reading("process_open_fds");
  const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(reading("process_open_fds"), before + 1);
  ::close(file);
  EXPECT_EQ(reading("process_open_fds"), before);
}

}  // namespace
}  // namespace signet::gateway
