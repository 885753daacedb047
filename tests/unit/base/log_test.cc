#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

namespace signet {
namespace {

/// What `write` puts on standard error.
template <class Write>
std::string captured(Write write) {
  testing::internal::CaptureStderr();
  write();
  return testing::internal::GetCapturedStderr();
}

TEST(Log, WritesOneLineOfJsonPerEvent) {
  const std::string line = captured([] {
    log::info("message-accepted", {{"request", "r1"}, {"size", "12"}});
  });
  ASSERT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  const auto event = nlohmann::json::parse(line);
  EXPECT_EQ(event["event"], "message-accepted");
  EXPECT_EQ(event["level"], "info");
  EXPECT_EQ(event["request"], "r1");
  EXPECT_TRUE(event["time"].get<std::string>().ends_with("Z"));
}

TEST(Log, NoValueForgesALineOrBreaksOne) {
  const std::string line = captured([] {
    log::warning("x", {{"from", "a\"}\n{\"event\":\"forged\"\x1b\xff\xc3("}});
  });
  ASSERT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_EQ(nlohmann::json::parse(line)["event"], "x");
  EXPECT_TRUE(std::all_of(line.begin(), line.end() - 1, [](char c) { return c >= 0x20 && c < 0x7f; }));
}

/// Standard error as a pipe that nobody reads until read_all().
class UnreadPipe {
 public:
  UnreadPipe() : before_(::dup(STDERR_FILENO)) {
    EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0);
    ::dup2(ends_[1], STDERR_FILENO);
  }
  ~UnreadPipe() {
    ::dup2(before_, STDERR_FILENO);
    for (const int file : {before_, ends_[0], ends_[1]}) ::close(file);
  }
  UnreadPipe(const UnreadPipe&) = delete;
  UnreadPipe& operator=(const UnreadPipe&) = delete;

  /// What was written up to now.
  std::string read_all() {
    std::string all;
    std::array<char, 65536> piece{};
    pollfd end{ends_[0], POLLIN, 0};
    while (::poll(&end, 1, 0) > 0) {
      const ssize_t size = ::read(ends_[0], piece.data(), piece.size());
      if (size <= 0) break;
      all.append(piece.data(), static_cast<std::size_t>(size));
    }
    return all;
  }

 private:
  std::array<int, 2> ends_{};
  int before_;
};

std::vector<nlohmann::json> events(const std::string& lines) {
  std::vector<nlohmann::json> all;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) all.push_back(nlohmann::json::parse(line));
  return all;
}

TEST(Log, KeepsLinesForAReaderThatIsSlow) {
  UnreadPipe pipe;
  constexpr int kLines = 2000;  // more than a pipe takes, and less than the buffer
  for (int i = 0; i < kLines; ++i) log::info("event", {{"number", std::to_string(i)}});
  std::string lines;
  for (int i = 0; i < 10; ++i) {
    lines += pipe.read_all();
    log::info("later");
  }
  const auto all = events(lines + pipe.read_all());
  ASSERT_EQ(all.size(), kLines + 10);
  for (int i = 0; i < kLines; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)]["number"], std::to_string(i));
  EXPECT_EQ(log::dropped(), 0);
}

TEST(Log, DropsAndCountsWhatNobodyReadsAndNeverWaits) {
  UnreadPipe pipe;
  const std::uint64_t before = log::dropped();
  const std::string large(10'000, 'x');
  for (int i = 0; i < 300; ++i) log::info("event", {{"large", large}});  // three times what is kept
  const std::uint64_t dropped = log::dropped() - before;
  EXPECT_GT(dropped, 0);
  EXPECT_LT(dropped, 300);

  std::string lines;
  for (int i = 0; i < 100; ++i) {
    lines += pipe.read_all();
    log::info("later");
  }
  const auto all = events(lines + pipe.read_all());  // each of them whole
  const auto told = std::find_if(all.begin(), all.end(),
                                 [](const auto& event) { return event["event"] == "log-lines-dropped"; });
  ASSERT_NE(told, all.end());
  EXPECT_EQ((*told)["count"], std::to_string(dropped));
  EXPECT_EQ(all.size(), 300 - dropped + 1 + 100);
}

TEST(Log, LetsTheRestOutAtTheEnd) {
  UnreadPipe pipe;
  for (int i = 0; i < 2000; ++i) log::info("event");
  std::string lines;
  std::thread reader([&] {
    while (std::count(lines.begin(), lines.end(), '\n') < 2000) lines += pipe.read_all();
  });
  log::flush();
  reader.join();
  EXPECT_EQ(events(lines).size(), 2000);
}

TEST(Log, IsSilentBelowItsLevel) {
  EXPECT_EQ(captured([] { log::debug("quiet"); }), "");
  log::set_level(log::Level::Error);
  EXPECT_EQ(captured([] { log::warning("quiet"); }), "");
  EXPECT_NE(captured([] { log::error("loud"); }), "");
  log::set_level(log::Level::Debug);
  EXPECT_NE(captured([] { log::debug("loud"); }), "");
  log::set_level(log::Level::Info);
}

}  // namespace
}  // namespace signet
