#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

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
