#include "gateway/operations/event_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <future>

#include "base/file.h"
#include "tests/unit/base/temporary_directory.h"

namespace signet::gateway {
namespace {

using Lines = Result<std::vector<std::string>>;

MessageRecord record(const std::string& id) {
  MessageRecord made;
  made.id = id;
  return made;
}

class EventFileTest : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path path() const { return directory_.path() / "events.jsonl"; }
  [[nodiscard]] std::string text() const { return read_text_file(path()).value_or(""); }

  TemporaryDirectory directory_;
};

Lines two_lines(const std::string& id) { return std::vector<std::string>{"message " + id, "receipt " + id}; }

TEST_F(EventFileTest, GetsTheLinesOfEachMessageOnceItIsDecided) {
  {
    EventFile file(path(), two_lines);
    for (const auto event : {MessageEvent::Submitted, MessageEvent::Repeated, MessageEvent::NotTaken,
                             MessageEvent::HeldBack, MessageEvent::Delivered})
      file.message(event, record("undecided"));
    file.message(MessageEvent::Accepted, record("1"));
    file.message(MessageEvent::Refused, record("2"));
    file.message(MessageEvent::Confirmed, record("3"));
    file.message(MessageEvent::Failed, record("4"));
    file.receipt_post_ended({.id = "5"});
  }
  EXPECT_EQ(text(),
            "message 1\nreceipt 1\nmessage 2\nreceipt 2\nmessage 3\nreceipt 3\nmessage 4\nreceipt 4\n"
            "message 5\nreceipt 5\n");
}

TEST_F(EventFileTest, IsAppendedTo) {
  for (const char* id : {"1", "2"}) EventFile(path(), two_lines).message(MessageEvent::Accepted, record(id));
  EXPECT_EQ(text(), "message 1\nreceipt 1\nmessage 2\nreceipt 2\n");
  struct stat about {};
  ASSERT_EQ(::stat(path().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
}

TEST_F(EventFileTest, LeavesOutAndCountsAMessageThatCannotBeRead) {
  EventFile file(path(), [](const std::string& id) -> Lines {
    if (id == "2") return fail(ErrorKind::IoFailure, "the disk is bad");
    return two_lines(id);
  });
  for (const char* id : {"1", "2", "3"}) file.message(MessageEvent::Accepted, record(id));
  while (file.dropped() == 0 || text().find("receipt 3") == std::string::npos) std::this_thread::yield();
  EXPECT_EQ(text(), "message 1\nreceipt 1\nmessage 3\nreceipt 3\n");
  EXPECT_EQ(file.dropped(), 1);
}

TEST_F(EventFileTest, HoldsNobodyUpWhenItIsSlow) {
  std::promise<void> begun;
  std::promise<void> may_go_on;
  {
    EventFile file(
        path(),
        [&, first = true](const std::string& id) mutable -> Lines {
          if (std::exchange(first, false)) {
            begun.set_value();
            may_go_on.get_future().wait();
          }
          return two_lines(id);
        },
        2);
    file.message(MessageEvent::Accepted, record("1"));
    begun.get_future().wait();
    for (const char* id : {"2", "3", "4", "5"}) file.message(MessageEvent::Accepted, record(id));
    EXPECT_EQ(file.dropped(), 2);
    may_go_on.set_value();
  }
  EXPECT_EQ(text(), "message 1\nreceipt 1\nmessage 2\nreceipt 2\nmessage 3\nreceipt 3\n");
}

/// While it lives, no file of this process grows beyond a size.
class FilesEndAt {
 public:
  explicit FilesEndAt(rlim_t size) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{size, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FilesEndAt() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FilesEndAt(const FilesEndAt&) = delete;
  FilesEndAt& operator=(const FilesEndAt&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST_F(EventFileTest, HasWholeLinesOnlyAlsoWhenTheDiskIsFull) {
  const auto long_line = [](const std::string& id) -> Lines {
    return std::vector<std::string>{std::string(600, id.front())};
  };
  EventFile(path(), long_line).message(MessageEvent::Accepted, record("1"));
  {
    EventFile file(path(), long_line);
    const FilesEndAt limit(1000);
    file.message(MessageEvent::Accepted, record("2"));
    while (file.dropped() == 0) std::this_thread::yield();
  }
  EXPECT_EQ(text(), std::string(600, '1') + "\n");
  EventFile(path(), long_line).message(MessageEvent::Accepted, record("3"));
  EXPECT_EQ(text(), std::string(600, '1') + "\n" + std::string(600, '3') + "\n") << "it recovers by itself";
}

TEST_F(EventFileTest, IsARegularFileAndNothingElse) {
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  std::filesystem::create_symlink("elsewhere", directory_.path() / "link");
  for (const auto& odd :
       {path(), directory_.path() / "link", directory_.path(), directory_.path() / "missing" / "file"}) {
    EventFile file(odd, two_lines);
    file.message(MessageEvent::Accepted, record("1"));
    while (file.dropped() == 0) std::this_thread::yield();
  }
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "elsewhere"));
}

}  // namespace
}  // namespace signet::gateway
