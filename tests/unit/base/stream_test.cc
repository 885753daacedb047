#include "base/stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <thread>

#include "base/digest.h"
#include "base/file.h"
#include "base/random.h"
#include "tests/unit/base/temporary_directory.h"

namespace signet {
namespace {

using testing::HasSubstr;

/// Makes every file that this process writes end after `octets`, as a full disk would, while it lives.
class FullDisk {
 public:
  explicit FullDisk(rlim_t octets) {
    before_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit_);
    const rlimit small{octets, limit_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &limit_);
    std::signal(SIGXFSZ, before_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit limit_{};
  void (*before_)(int) = nullptr;
};

class SpoolTest : public testing::Test {
 protected:
  std::shared_ptr<Spool> spool(std::size_t memory_limit = 10, std::uint64_t size_limit = 1000) {
    return std::make_shared<Spool>(SpoolArea{directory.path(), memory_limit, size_limit});
  }
  Slice slice_of(std::string_view text, std::size_t memory_limit) {
    auto body = spool(memory_limit);
    EXPECT_TRUE(body->write(as_bytes(text)));
    return Spool::finish(std::move(body));
  }
  static std::string text_of(const Slice& slice) {
    return std::string(as_text(slice.to_bytes(1000).value()));
  }
  static nlink_t names_of(const std::filesystem::path& path) {
    struct stat facts {};
    EXPECT_EQ(::stat(path.c_str(), &facts), 0);
    return facts.st_nlink;
  }

  TemporaryDirectory directory;
};

TEST_F(SpoolTest, StaysInMemoryUpToItsLimit) {
  const Slice slice = slice_of("0123456789", 10);
  ASSERT_TRUE(slice.in_memory());
  EXPECT_EQ(as_text(*slice.in_memory()), "0123456789");
  EXPECT_EQ(slice.size(), 10U);
}

TEST_F(SpoolTest, MovesToAFileWithoutANameBeyondIt) {
  auto body = spool(10);
  ASSERT_TRUE(body->write(as_bytes("01234")));
  ASSERT_TRUE(body->write(as_bytes("567890")));
  ASSERT_TRUE(body->write(as_bytes("abc")));
  EXPECT_EQ(body->size(), 14U);
  const Slice slice = Spool::finish(std::move(body));
  EXPECT_FALSE(slice.in_memory());
  EXPECT_EQ(text_of(slice), "01234567890abc");
  EXPECT_EQ(directory.entries(), 0U);
}

TEST_F(SpoolTest, RefusesWhatGoesPastTheSizeLimit) {
  auto body = spool(10, 20);
  ASSERT_TRUE(body->write(Bytes(20)));
  const auto refused = body->write(Bytes(1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::LimitExceeded);
  EXPECT_THAT(refused.error().detail, HasSubstr("20 octets"));
}

TEST_F(SpoolTest, OnceRefusedItStaysRefused) {
  auto body = spool(10, 20);
  EXPECT_FALSE(body->write(Bytes(21)));
  EXPECT_EQ(body->write(Bytes(1)).error().kind, ErrorKind::LimitExceeded);
}

TEST_F(SpoolTest, TellsWhenItsDirectoryIsNotThere) {
  Spool body(SpoolArea{directory.path() / "missing", 4, 100});
  EXPECT_TRUE(body.write(as_bytes("1234")));
  const auto refused = body.write(as_bytes("5"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::NotFound);
  EXPECT_THAT(refused.error().detail, HasSubstr("missing"));
}

TEST_F(SpoolTest, AFullDiskEndsItAndLeavesNoGap) {
  auto moving = spool(100);
  ASSERT_TRUE(moving->write(Bytes(100, 'a')));
  auto moved = spool(1);
  ASSERT_TRUE(moved->write(Bytes(10, 'a')));
  {
    const FullDisk full(50);
    EXPECT_EQ(moving->write(as_bytes("b")).error().kind, ErrorKind::IoFailure);
    EXPECT_EQ(moved->write(Bytes(100, 'b')).error().kind, ErrorKind::IoFailure);
  }
  EXPECT_FALSE(moving->write(as_bytes("c")));
  EXPECT_FALSE(moved->write(as_bytes("c")));
  EXPECT_EQ(moved->size(), 10U);
}

TEST_F(SpoolTest, HoldsNothingWhenNothingWasWritten) {
  const Slice slice = Spool::finish(spool());
  EXPECT_TRUE(slice.empty());
  EXPECT_TRUE(slice.in_memory()->empty());
  EXPECT_TRUE(slice.to_bytes(0).value().empty());
  EXPECT_TRUE(Slice().to_bytes(0).value().empty());
}

// Everything below holds for a slice wherever it lies.
enum class Lies { InMemory, InAFile, InParts };
class SliceTest : public SpoolTest, public testing::WithParamInterface<Lies> {
 protected:
  Slice slice(std::string_view text) {
    if (GetParam() != Lies::InParts) return slice_of(text, GetParam() == Lies::InMemory ? 100 : 0);
    const Slice middle_and_end =
        Slice::joined({slice_of(text.substr(4, 4), 100),
                       slice_of(text.substr(std::min<std::size_t>(8, text.size())), 0)},
                      0)
            .value();
    return Slice::joined({slice_of(text.substr(0, 4), 0), middle_and_end}, 0).value();
  }
};

TEST_P(SliceTest, CutsPartsAndPartsOfParts) {
  const Slice whole = slice("0123456789");
  EXPECT_EQ(text_of(whole.sub(3)), "3456789");
  EXPECT_EQ(text_of(whole.sub(3, 4)), "3456");
  EXPECT_EQ(text_of(whole.sub(3, 4).sub(1, 2)), "45");
  EXPECT_EQ(text_of(whole.sub(3, 4).sub(1)), "456");
  EXPECT_EQ(text_of(whole.sub(8, 100)), "89");
  EXPECT_EQ(text_of(whole.sub(100, 1)), "");
  EXPECT_EQ(text_of(whole.sub(UINT64_MAX, UINT64_MAX)), "");
  EXPECT_EQ(text_of(whole.sub(5, UINT64_MAX).sub(UINT64_MAX)), "");
}

TEST_P(SliceTest, OutlivesTheSpoolAndTheWhole) {
  Slice part;
  {
    const Slice whole = slice("0123456789");
    part = whole.sub(2, 3);
  }
  EXPECT_EQ(text_of(part), "234");
}

TEST_P(SliceTest, ReadsAnywhereWithinItself) {
  const Slice part = slice("0123456789").sub(2, 5);
  Bytes out(3);
  EXPECT_EQ(part.read_at(3, out).value(), 2U);
  EXPECT_EQ(as_text(ByteView(out).first(2)), "56");
  EXPECT_EQ(part.read_at(5, out).value(), 0U);
  EXPECT_EQ(part.read_at(UINT64_MAX, out).value(), 0U);
  EXPECT_EQ(part.read_at(0, {}).value(), 0U);
}

TEST_P(SliceTest, BecomesBytesWithinALimit) {
  const Slice whole = slice("0123456789");
  EXPECT_EQ(whole.to_bytes(10).value().size(), 10U);
  EXPECT_EQ(whole.to_bytes(9).error().kind, ErrorKind::LimitExceeded);
}

TEST_P(SliceTest, FlowsThroughASource) {
  SliceSource source(slice("0123456789").sub(1));
  Bytes out(4);
  std::string all;
  while (const std::size_t count = source.read(out).value()) all += as_text(ByteView(out).first(count));
  EXPECT_EQ(all, "123456789");
  EXPECT_EQ(source.read(out).value(), 0U);
}

TEST_P(SliceTest, CopiesIntoASinkAndReportsItsRefusal) {
  const Slice whole = slice("0123456789");
  MemorySink sink;
  ASSERT_TRUE(whole.copy_to(sink));
  EXPECT_EQ(as_text(sink.bytes()), "0123456789");
  MemorySink small(9);
  EXPECT_EQ(whole.copy_to(small).error().kind, ErrorKind::LimitExceeded);
}

TEST_P(SliceTest, IsDigestedWhereverItLies) {
  EXPECT_EQ(digest(Hash::Sha256, slice("xabcx").sub(1, 3)).value(), digest(Hash::Sha256, as_bytes("abc")));
}

TEST_P(SliceTest, IsSavedAsAFileOfItsOwn) {
  const Slice whole = slice("0123456789");
  const auto path = directory.path() / "whole";
  ASSERT_TRUE(whole.save_as(path));
  EXPECT_EQ(read_text_file(path).value(), "0123456789");
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  ASSERT_TRUE(whole.sub(3, 2).save_as(directory.path() / "part"));
  EXPECT_EQ(read_text_file(directory.path() / "part").value(), "34");
}

TEST_P(SliceTest, NeverOverwritesAFile) {
  const auto path = directory.path() / "taken";
  ASSERT_TRUE(write_file_durably(path, as_bytes("mine")));
  EXPECT_EQ(slice("0123456789").save_as(path).error().kind, ErrorKind::AlreadyExists);
  std::filesystem::create_symlink(directory.path() / "elsewhere", directory.path() / "link");
  EXPECT_EQ(slice("0123456789").save_as(directory.path() / "link").error().kind, ErrorKind::AlreadyExists);
  EXPECT_EQ(read_text_file(path).value(), "mine");
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "elsewhere"));
}

TEST_P(SliceTest, SavedTwiceMakesTwoFilesThatDoNotShare) {
  const Slice whole = slice("0123456789");
  ASSERT_TRUE(whole.save_as(directory.path() / "a"));
  ASSERT_TRUE(whole.save_as(directory.path() / "b"));
  EXPECT_EQ(names_of(directory.path() / "a"), 1U);
  EXPECT_EQ(names_of(directory.path() / "b"), 1U);
  EXPECT_EQ(read_text_file(directory.path() / "b").value(), "0123456789");
}

TEST_P(SliceTest, SaysWhereItCouldNotBeSaved) {
  const auto saved = slice("0123456789").save_as(directory.path() / "missing" / "x");
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().kind, ErrorKind::NotFound);
  EXPECT_THAT(saved.error().detail, HasSubstr("missing"));
}

TEST_P(SliceTest, IsReadByManyThreadsAtOnce) {
  const Slice whole = slice("0123456789");
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i)
    readers.emplace_back([whole] {
      for (int round = 0; round < 100; ++round) EXPECT_EQ(text_of(whole.sub(2, 6)), "234567");
    });
  for (std::thread& reader : readers) reader.join();
}

INSTANTIATE_TEST_SUITE_P(InMemory, SliceTest, testing::Values(Lies::InMemory));
INSTANTIATE_TEST_SUITE_P(InAFile, SliceTest, testing::Values(Lies::InAFile));
INSTANTIATE_TEST_SUITE_P(InParts, SliceTest, testing::Values(Lies::InParts));

TEST_P(SliceTest, KnowsADigestOfExactlyTheOctetsItWasNotedFor) {
  const Slice whole = slice("0123456789");
  EXPECT_FALSE(whole.known_digest(Hash::Sha256));
  const Bytes value = digest(Hash::Sha256, whole).value();
  EXPECT_EQ(whole.known_digest(Hash::Sha256), value);
  EXPECT_EQ(digest(Hash::Sha256, whole).value(), value);
  EXPECT_FALSE(whole.known_digest(Hash::Sha512));
  EXPECT_FALSE(whole.sub(1).known_digest(Hash::Sha256));
  EXPECT_EQ(digest(Hash::Sha256, whole.sub(1)).value(), digest(Hash::Sha256, as_bytes("123456789")));
  EXPECT_FALSE(slice("0123456789").known_digest(Hash::Sha256));
  Slice().note_digest(Hash::Sha256, value);
  EXPECT_FALSE(Slice().known_digest(Hash::Sha256));
}

TEST_P(SliceTest, SavedByManyThreadsAtOnceMakesFilesThatDoNotShare) {
  const Slice whole = slice("0123456789");
  std::vector<std::thread> savers;
  for (int i = 0; i < 4; ++i)
    savers.emplace_back([&, path = directory.path() / std::to_string(i)] {
      const auto begin = whole.sub(0, 9).save_within(path);
      EXPECT_TRUE(begin) << begin.error().detail;
    });
  for (std::thread& saver : savers) saver.join();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(names_of(directory.path() / std::to_string(i)), 1U);
}

TEST_P(SliceTest, IsSavedWithLittleAroundIt) {
  const Slice whole = slice("0123456789");
  const auto path = directory.path() / "around";
  const auto begin = whole.sub(3, 5).save_within(path);
  ASSERT_TRUE(begin) << begin.error().detail;
  EXPECT_EQ(read_text_file(path).value().substr(static_cast<std::size_t>(*begin), 5), "34567");
  EXPECT_EQ(*begin, GetParam() == Lies::InAFile ? 3U : 0U);
  EXPECT_EQ(names_of(path), 1U);
  // A second one must not share the file.
  const auto again = whole.sub(3, 5).save_within(directory.path() / "again");
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, 0U);
  EXPECT_EQ(read_text_file(directory.path() / "again").value(), "34567");
  EXPECT_EQ(whole.sub(3, 5).save_within(path).error().kind, ErrorKind::AlreadyExists);
}

TEST_F(SpoolTest, WithMuchAroundItIsCopiedWithoutThat) {
  const auto body = spool(0, 100 * 1024);
  ASSERT_TRUE(body->write(Bytes(64 * 1024 + 2, 'x')));
  const Slice whole = Spool::finish(body);
  const auto path = directory.path() / "alone";
  EXPECT_EQ(whole.sub(1, 1).save_within(path).value(), 0U);
  EXPECT_EQ(read_text_file(path).value(), "x");
  const auto nearly = directory.path() / "nearly";
  EXPECT_EQ(whole.sub(1, 2).save_within(nearly).value(), 1U);
  EXPECT_EQ(std::filesystem::file_size(nearly), whole.size());
}

TEST_F(SpoolTest, JoinedSlicesShareTheOctetsOfTheirParts) {
  const Slice head = slice_of("head:", 100);
  const Slice body = slice_of("0123456789", 0);
  const Slice whole = Slice::joined({head, Slice(), body}, 0).value();
  EXPECT_EQ(text_of(whole), "head:0123456789");
  EXPECT_FALSE(whole.in_memory());
  EXPECT_TRUE(whole.sub(5).is(body));
  EXPECT_TRUE(whole.sub(7, 2).is(body.sub(2, 2)));
  EXPECT_EQ(as_text(whole.sub(0, 4).in_memory().value()), "head");
  EXPECT_FALSE(whole.sub(4).is(body));
  EXPECT_FALSE(body.sub(1).is(body));
  EXPECT_TRUE(Slice::joined({Slice(), body}, 0).value().is(body));
  EXPECT_TRUE(Slice::joined({}, 0).value().empty());
}

TEST_F(SpoolTest, JoinedSlicesThatAreSmallLieInMemory) {
  const std::vector<Slice> parts = {slice_of("01234", 100), slice_of("56789", 0)};
  EXPECT_EQ(as_text(Slice::joined(parts, 10).value().in_memory().value()), "0123456789");
  EXPECT_FALSE(Slice::joined(parts, 9).value().in_memory());
}

TEST_F(SpoolTest, AJoinedSliceOfAFileCutShortIsAnError) {
  const auto path = directory.path() / "shrinks";
  ASSERT_TRUE(write_file_durably(path, as_bytes("0123456789")));
  const Slice file = Slice::of_file(path).value();
  const Slice whole = Slice::joined({Slice::of("head"), file}, 0).value();
  std::filesystem::resize_file(path, 4);
  EXPECT_EQ(whole.to_bytes(100).error().kind, ErrorKind::IoFailure);
  EXPECT_EQ(Slice::joined({Slice::of("head"), file}, 100).error().kind, ErrorKind::IoFailure);
}

TEST_F(SpoolTest, WhatIsToBeKeptIsWholeHoweverMuchTheDiskWasGivenBefore) {
  const auto body = std::make_shared<Spool>(SpoolArea{directory.path(), 10}.kept());
  const Bytes some = random_bytes(5 * 1024 * 1024);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(body->write(some));
  ASSERT_TRUE(Spool::finish(body).save_as(directory.path() / "kept"));
  const Bytes kept = read_file(directory.path() / "kept").value();
  ASSERT_EQ(kept.size(), 4 * some.size());
  EXPECT_TRUE(std::equal(some.begin(), some.end(), kept.end() - static_cast<std::ptrdiff_t>(some.size())));
}

TEST_F(SpoolTest, OnAnotherFileSystemIsSavedByCopying) {
  const std::filesystem::path other = "/dev/shm";
  struct stat here {};
  struct stat there {};
  ASSERT_EQ(::stat(directory.path().c_str(), &here), 0);
  if (::stat(other.c_str(), &there) != 0 || here.st_dev == there.st_dev)
    GTEST_SKIP() << "only one file system";
  const auto path = other / ("signet-" + random_id());
  const auto saved = slice_of("0123456789", 0).save_as(path);
  if (!saved && saved.error().kind == ErrorKind::PermissionDenied) GTEST_SKIP() << "not writable";
  ASSERT_TRUE(saved) << saved.error().detail;
  EXPECT_EQ(read_text_file(path).value(), "0123456789");
  std::filesystem::remove(path);
}

TEST_F(SpoolTest, AFileLookedAtAsASliceIsCopiedAndNeverLinked) {
  const auto path = directory.path() / "kept";
  ASSERT_TRUE(write_file_durably(path, as_bytes("0123456789")));
  const Slice slice = Slice::of_file(path).value();
  EXPECT_EQ(text_of(slice.sub(4, 2)), "45");
  ASSERT_TRUE(slice.save_as(directory.path() / "export"));
  EXPECT_EQ(names_of(path), 1U);
  EXPECT_EQ(read_text_file(directory.path() / "export").value(), "0123456789");
}

TEST_F(SpoolTest, OnlyARegularFileBecomesASlice) {
  EXPECT_EQ(Slice::of_file(directory.path() / "missing").error().kind, ErrorKind::NotFound);
  EXPECT_EQ(Slice::of_file(directory.path()).error().kind, ErrorKind::InvalidInput);
  const auto fifo = directory.path() / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(Slice::of_file(fifo).error().kind, ErrorKind::InvalidInput);
  ASSERT_TRUE(write_file_durably(directory.path() / "file", as_bytes("x")));
  std::filesystem::create_symlink("file", directory.path() / "link");
  EXPECT_FALSE(Slice::of_file(directory.path() / "link"));
}

TEST_F(SpoolTest, AFileCutShortIsAnErrorAndNotAnEnd) {
  const auto path = directory.path() / "shrinks";
  ASSERT_TRUE(write_file_durably(path, as_bytes("0123456789")));
  const Slice slice = Slice::of_file(path).value();
  std::filesystem::resize_file(path, 4);
  EXPECT_EQ(slice.to_bytes(100).error().kind, ErrorKind::IoFailure);
}

TEST(Streams, CopyMovesMoreThanOneChunk) {
  const Bytes big = random_bytes(3 * kChunkSize + 17);
  MemorySource source(big);
  MemorySink sink;
  EXPECT_EQ(copy(source, sink).value(), big.size());
  EXPECT_EQ(sink.take(), big);
}

TEST(Streams, AMemorySinkStopsAtItsLimit) {
  MemorySink sink(4);
  EXPECT_TRUE(sink.write(as_bytes("1234")));
  EXPECT_TRUE(sink.write({}));
  EXPECT_EQ(sink.write(as_bytes("5")).error().kind, ErrorKind::LimitExceeded);
  EXPECT_EQ(as_text(sink.bytes()), "1234");
}

TEST(Streams, AMemorySourceEnds) {
  MemorySource source(as_bytes("abc"));
  Bytes out(2);
  EXPECT_EQ(source.read(out).value(), 2U);
  EXPECT_EQ(source.read(out).value(), 1U);
  EXPECT_EQ(source.read(out).value(), 0U);
}

}  // namespace
}  // namespace signet
