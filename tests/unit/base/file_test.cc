#include "base/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "tests/unit/base/temporary_directory.h"

namespace signet {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

TEST(ErrnoError, TellsWhoHasToAct) {
  const auto kind_of = [](int code) {
    errno = code;
    return errno_error("doing it").kind;
  };
  EXPECT_EQ(kind_of(ENOENT), ErrorKind::NotFound);
  EXPECT_EQ(kind_of(EACCES), ErrorKind::PermissionDenied);
  EXPECT_EQ(kind_of(EPERM), ErrorKind::PermissionDenied);
  EXPECT_EQ(kind_of(EEXIST), ErrorKind::AlreadyExists);
  EXPECT_EQ(kind_of(ENOSPC), ErrorKind::IoFailure);
  errno = ENOSPC;
  EXPECT_EQ(errno_error("writing x").detail, "writing x: No space left on device");
}

TEST(WriteFileDurably, MakesAndReplacesAFileAndLeavesNothingElse) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "file";
  ASSERT_TRUE(write_file_durably(path, as_bytes("first")));
  ASSERT_TRUE(write_file_durably(path, as_bytes("second")));
  EXPECT_EQ(read_text_file(path).value(), "second");
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(directory.entries(), 1U);
}

TEST(WriteFileDurably, KeepsTheOldFileWhenItFails) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "occupied";
  fs::create_directory(path);
  EXPECT_FALSE(write_file_durably(path, as_bytes("x")));
  EXPECT_TRUE(fs::is_directory(path));
  EXPECT_EQ(directory.entries(), 1U);
  EXPECT_EQ(write_file_durably(directory.path() / "missing" / "x", {}).error().kind, ErrorKind::NotFound);
}

TEST(WriteFileDurably, ReplacesASymbolicLinkAndNotWhatItPointsAt) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(write_file_durably(directory.path() / "target", as_bytes("target")));
  fs::create_symlink("target", directory.path() / "link");
  ASSERT_TRUE(write_file_durably(directory.path() / "link", as_bytes("new")));
  EXPECT_EQ(read_text_file(directory.path() / "target").value(), "target");
  EXPECT_FALSE(fs::is_symlink(directory.path() / "link"));
}

TEST(NewFile, IsMadeOnlyWhereNothingIs) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "file";
  {
    auto file = NewFile::create(path);
    ASSERT_TRUE(file);
    EXPECT_TRUE(file->write(as_bytes("one ")));
    EXPECT_TRUE(file->write(as_bytes("two")));
    EXPECT_TRUE(file->sync());
  }
  EXPECT_EQ(read_text_file(path).value(), "one two");
  EXPECT_EQ(NewFile::create(path).error().kind, ErrorKind::AlreadyExists);
  fs::create_symlink("nowhere", directory.path() / "dangling");
  EXPECT_EQ(NewFile::create(directory.path() / "dangling").error().kind, ErrorKind::AlreadyExists);
}

TEST(ReadFile, StopsAtItsLimit) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "file";
  ASSERT_TRUE(write_file_durably(path, as_bytes("12345")));
  EXPECT_EQ(as_text(read_file(path, 5).value()), "12345");
  const auto refused = read_file(path, 4);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::LimitExceeded);
  EXPECT_THAT(refused.error().detail, HasSubstr(path.string()));
}

TEST(ReadFile, SaysWhatItCouldNotRead) {
  const TemporaryDirectory directory;
  const auto missing = read_file(directory.path() / "missing");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::NotFound);
  EXPECT_THAT(missing.error().detail, HasSubstr("missing"));
  EXPECT_EQ(read_file(directory.path()).error().kind, ErrorKind::InvalidInput);
  ASSERT_TRUE(write_file_durably(directory.path() / "file", {}));
  EXPECT_EQ(read_file(directory.path() / "file" / "below").error().kind, ErrorKind::NotFound);
}

TEST(SyncDirectory, WantsADirectory) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(sync_directory(directory.path()));
  EXPECT_EQ(sync_directory(directory.path() / "missing").error().kind, ErrorKind::NotFound);
  ASSERT_TRUE(write_file_durably(directory.path() / "file", {}));
  EXPECT_FALSE(sync_directory(directory.path() / "file"));
}

TEST(WriteAll, ReportsADescriptorThatCannotBeWritten) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  const auto written = write_all(full, as_bytes("x"));
  ::close(full);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::IoFailure);
}

TEST(WriteAll, GetsThroughAPipeSmallerThanTheOctets) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Bytes many(300'000, 'x');
  const pid_t reader = ::fork();
  if (reader == 0) {
    ::close(ends[1]);
    Bytes buffer(1000);
    std::size_t total = 0;
    for (ssize_t count = 0; (count = ::read(ends[0], buffer.data(), buffer.size())) > 0;)
      total += static_cast<std::size_t>(count);
    _exit(total == 300'000 ? 0 : 1);
  }
  ::close(ends[0]);
  EXPECT_TRUE(write_all(ends[1], many));
  ::close(ends[1]);
  int status = -1;
  ASSERT_EQ(::waitpid(reader, &status, 0), reader);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace signet
