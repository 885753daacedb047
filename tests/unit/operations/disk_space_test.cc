#include "gateway/operations/disk_space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/base/temporary_directory.h"

namespace signet::gateway {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(DiskSpace, IsToldOncePerVolume) {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path() / "below");
  const auto volumes = volumes_of({directory.path(), directory.path() / "below", directory.path()});
  ASSERT_TRUE(volumes);
  ASSERT_EQ(volumes->size(), 1);
  EXPECT_EQ(volumes->front().path, directory.path());
  EXPECT_GT(volumes->front().size, 0);
  EXPECT_LE(volumes->front().free, volumes->front().size);
}

TEST(DiskSpace, KnowsOtherVolumesApart) {
  const TemporaryDirectory directory;
  EXPECT_EQ(volumes_of({directory.path(), "/proc"})->size(), 2);
}

TEST(DiskSpace, LeavesOutWhatIsNotThereAndRefusesWhatIsNoDirectory) {
  const TemporaryDirectory directory;
  EXPECT_EQ(volumes_of({directory.path() / "not-mounted"})->size(), 0);
  EXPECT_FALSE(volumes_of({"/dev/null/below"}));
}

TEST(DiskSpace, IsScarceBelowTheMinimum) {
  const std::vector<Volume> volumes = {
      {"/a", 100 << 20, 1 << 30}, {"/b", 300 << 20, 1 << 30}, {"/c", 20 << 20, 1 << 30}};
  EXPECT_TRUE(check_free(volumes, 20 << 20));
  const auto scarce = check_free(volumes, 200 << 20);
  ASSERT_FALSE(scarce);
  EXPECT_EQ(scarce.error().kind, ErrorKind::IoFailure);
  EXPECT_THAT(scarce.error().detail, AllOf(HasSubstr("/a has 100 MiB"), HasSubstr("/c has 20 MiB"),
                                           HasSubstr("200 MiB"), Not(HasSubstr("/b"))));
}

TEST(DiskSpace, IsReadByVolume) {
  const auto readings = readings_of(std::vector<Volume>{{"/a", 5, 10}});
  ASSERT_EQ(readings.size(), 2);
  EXPECT_EQ(readings[0].values.at(0).labels.at("volume"), "/a");
  EXPECT_EQ(readings[0].values.at(0).value, 5);
  EXPECT_EQ(readings[1].values.at(0).value, 10);
}

}  // namespace
}  // namespace signet::gateway
