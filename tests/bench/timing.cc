#include "tests/bench/timing.h"

#include <atomic>
#include <ctime>
#include <thread>
#include <vector>

namespace signet::bench {

double seconds_since(Moment begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

Moment after(double seconds) {
  return std::chrono::steady_clock::now() +
         std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

double thread_cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

Result<Repeated> repeat_on_threads(std::size_t threads, double seconds,
                                   const std::function<Result<>(std::size_t thread)>& step) {
  const Moment begin = std::chrono::steady_clock::now();
  const Moment end = after(seconds);
  std::atomic<std::size_t> count = 0;
  std::vector<Result<>> outcomes(threads);
  std::vector<std::thread> running;
  for (std::size_t i = 0; i < threads; ++i)
    running.emplace_back([&, i] {
      while (outcomes[i] && std::chrono::steady_clock::now() < end) {
        outcomes[i] = step(i);
        ++count;
      }
    });
  for (std::thread& thread : running) thread.join();
  const double passed = seconds_since(begin);
  for (Result<>& outcome : outcomes) SIGNET_CHECK(outcome);
  return Repeated{count, passed};
}

}  // namespace signet::bench
