#include "gateway/cli/serve_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/unit/base/temporary_directory.h"

namespace signet::gateway {
namespace {

using testing::HasSubstr;

const Time kNow = *parse_time("2026-11-21T08:30:00Z");

TEST(ServeLock, IsHeldByOneAndSaysByWhom) {
  const TemporaryDirectory home;
  const auto lock = ServeLock::take(home.path(), kNow);
  ASSERT_TRUE(lock) << lock.error().detail;
  const auto second = ServeLock::take(home.path(), kNow);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::Unavailable);
  EXPECT_THAT(second.error().detail, HasSubstr("process " + std::to_string(::getpid())));

  const auto holder = ServeLock::holder(home.path());
  ASSERT_TRUE(holder);
  ASSERT_TRUE(*holder);
  EXPECT_EQ((*holder)->process, ::getpid());
  EXPECT_EQ((*holder)->since, kNow);
}

TEST(ServeLock, IsFreeAgainOnceItsHolderHasGone) {
  const TemporaryDirectory home;
  EXPECT_EQ(ServeLock::holder(home.path()).value(), std::nullopt);
  ASSERT_TRUE(ServeLock::take(home.path(), kNow));
  EXPECT_EQ(ServeLock::holder(home.path()).value(), std::nullopt) << "the file is there, and nobody holds it";
  EXPECT_TRUE(ServeLock::take(home.path(), kNow));
}

TEST(ServeLock, IsNotDisturbedByWhoeverLooks) {
  const TemporaryDirectory home;
  const auto lock = ServeLock::take(home.path(), kNow);
  ASSERT_TRUE(lock);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ServeLock::holder(home.path()).value());
  EXPECT_FALSE(ServeLock::take(home.path(), kNow));
}

TEST(ServeLock, IsHeldAlsoWhenItsFileSaysNothing) {
  const TemporaryDirectory home;
  const auto lock = ServeLock::take(home.path(), kNow);
  ASSERT_TRUE(lock);
  for (const std::string text : {"", "{\"process\":", "{\"process\":\"x\",\"since\":1}", "[]"}) {
    std::filesystem::resize_file(home.path() / "serve.lock", 0);
    std::FILE* file = std::fopen((home.path() / "serve.lock").c_str(), "r+");
    std::fputs(text.c_str(), file);
    std::fclose(file);
    const auto holder = ServeLock::holder(home.path());
    ASSERT_TRUE(holder);
    ASSERT_TRUE(*holder) << text;
    EXPECT_EQ((*holder)->process, 0);
  }
}

TEST(ServeLock, IsNotTakenThroughALink) {
  const TemporaryDirectory home;
  std::filesystem::create_symlink("elsewhere", home.path() / "serve.lock");
  EXPECT_FALSE(ServeLock::take(home.path(), kNow));
  EXPECT_FALSE(ServeLock::holder(home.path()));
  EXPECT_FALSE(std::filesystem::exists(home.path() / "elsewhere"));
}

}  // namespace
}  // namespace signet::gateway
