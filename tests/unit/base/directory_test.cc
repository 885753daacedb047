#include "base/directory.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "base/file.h"
#include "tests/support/temporary_folder.h"

namespace signet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

namespace fs = std::filesystem;

class DirectoryTest : public testing::Test {
 protected:
  void put(const std::string& name, std::string_view content) {
    std::ofstream(folder_.path() / name, std::ios::binary) << content;
  }
  std::string content(const fs::path& name) {
    return read_text_file(folder_.path() / name).value_or("(none)");
  }

  test::TemporaryFolder folder_;
  const Directory directory_ = Directory::open(folder_.path()).value();
};

TEST_F(DirectoryTest, ListsAndLooksAtWhatIsThere) {
  put("file", "12345");
  fs::create_directory(folder_.path() / "folder");
  EXPECT_THAT(directory_.names().value(), UnorderedElementsAre("file", "folder"));
  EXPECT_TRUE(directory_.has("file").value());
  EXPECT_FALSE(directory_.has("other").value());
  const auto facts = directory_.facts("file").value();
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->size, 5U);
  EXPECT_TRUE(facts->is_regular);
  EXPECT_FALSE(directory_.facts("folder").value()->is_regular);
  EXPECT_FALSE(directory_.facts("other").value());
}

TEST_F(DirectoryTest, FactsTellAChangeFromNone) {
  put("file", "12345");
  const auto before = directory_.facts("file").value();
  EXPECT_EQ(directory_.facts("file").value(), before);
  put("file", "123456");
  EXPECT_NE(directory_.facts("file").value(), before);
}

TEST_F(DirectoryTest, IsTheSameOneWhenItsPathNamesAnother) {
  put("file", "mine");
  const fs::path moved = folder_.path().string() + "-moved";
  fs::rename(folder_.path(), moved);
  EXPECT_TRUE(directory_.has("file").value());
  fs::rename(moved, folder_.path());
}

TEST_F(DirectoryTest, WritesNewFilesAndNeverOverOthers) {
  ASSERT_TRUE(directory_.write_new("file", Slice::of("new"), 0640));
  EXPECT_EQ(content("file"), "new");
  const auto again = directory_.write_new("file", Slice::of("newer"), 0640);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::AlreadyExists);
  EXPECT_EQ(content("file"), "new");
}

TEST_F(DirectoryTest, ReadsRegularFilesAndNothingElse) {
  put("file", "12345");
  Bytes buffer(10);
  const auto source = directory_.read("file");
  ASSERT_TRUE(source);
  EXPECT_EQ((*source)->read(buffer).value(), 5U);
  fs::create_symlink("file", folder_.path() / "link");
  ASSERT_EQ(::mkfifo((folder_.path() / "pipe").c_str(), 0600), 0);
  EXPECT_FALSE(directory_.read("link"));
  EXPECT_EQ(directory_.read("pipe").error().kind, ErrorKind::InvalidInput);
  EXPECT_EQ(directory_.read("missing").error().kind, ErrorKind::NotFound);
}

TEST_F(DirectoryTest, RenamesIntoAnotherOneAndNeverOverAFile) {
  const auto other = directory_.open_or_make("other");
  ASSERT_TRUE(other);
  put("file", "mine");
  put("other/taken", "theirs");
  EXPECT_EQ(directory_.rename_to_new("file", *other, "taken").error().kind, ErrorKind::AlreadyExists);
  EXPECT_EQ(content("other/taken"), "theirs");
  EXPECT_EQ(content("file"), "mine");
  ASSERT_TRUE(directory_.rename_to_new("file", *other, "free"));
  EXPECT_EQ(content("other/free"), "mine");
  EXPECT_EQ(directory_.rename_to_new("file", *other, "again").error().kind, ErrorKind::NotFound);
}

TEST_F(DirectoryTest, OpensOneBelowAndNoLinkToOneElsewhere) {
  EXPECT_TRUE(directory_.open_or_make("below"));
  EXPECT_TRUE(directory_.open_or_make("below"));
  fs::create_directory_symlink("/etc", folder_.path() / "link");
  const auto link = directory_.open_or_make("link");
  ASSERT_FALSE(link);
  EXPECT_THAT(link.error().detail, HasSubstr("link"));
  put("file", "x");
  EXPECT_FALSE(directory_.open_or_make("file"));
}

TEST_F(DirectoryTest, LinksAndRemoves) {
  put("file", "mine");
  EXPECT_TRUE(directory_.link("file", "second").value());
  EXPECT_EQ(content("second"), "mine");
  EXPECT_TRUE(directory_.remove("file"));
  EXPECT_TRUE(directory_.remove("file"));
  EXPECT_THAT(directory_.names().value(), ElementsAre("second"));
  EXPECT_FALSE(directory_.link("missing", "third"));
}

TEST_F(DirectoryTest, IsNotOpenedWhereThereIsNone) {
  EXPECT_EQ(Directory::open(folder_.path() / "missing").error().kind, ErrorKind::NotFound);
  put("file", "x");
  EXPECT_FALSE(Directory::open(folder_.path() / "file"));
}

TEST_F(DirectoryTest, AndThoseAboveItAreMadeWhereTheyAreMissing) {
  const fs::path deep = folder_.path() / "a" / "b" / "c";
  EXPECT_TRUE(make_directories_durably(deep));
  EXPECT_TRUE(fs::is_directory(deep));
  EXPECT_TRUE(make_directories_durably(deep));
  put("file", "x");
  EXPECT_FALSE(make_directories_durably(folder_.path() / "file" / "below"));
}

}  // namespace
}  // namespace signet
