#include "gateway/evidence/tar_writer.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"

/// Judged by the `tar` command.

namespace signet::gateway {
namespace {

constexpr Time kNoon = Time(std::chrono::microseconds(1'795'000'000'000'000));

class TarWriterTest : public testing::Test {
 protected:
  TarWriterTest() : directory_(testing::TempDir() + "/signet-tar-XXXXXX") {
    if (::mkdtemp(directory_.data()) == nullptr) ADD_FAILURE() << "no temporary directory";
  }
  ~TarWriterTest() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] bool shell(const std::string& command) const {
    return std::system(("cd '" + directory_ + "' && " + command + " >log 2>&1").c_str()) == 0;
  }
  void keep(const MemorySink& archive) const {
    ASSERT_TRUE(write_file_durably(directory_ + "/a.tar", archive.bytes()));
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    return read_text_file(directory_ + "/" + name).value_or("(not there)");
  }

  std::string directory_;
};

TEST_F(TarWriterTest, WhatItWritesIsUnpackedAsItWas) {
  MemorySink out;
  TarWriter tar(out);
  const std::string name(100, 'n');
  ASSERT_TRUE(tar.add("empty", Slice(), kNoon));
  ASSERT_TRUE(tar.add("folder/short", Slice::of("text"), kNoon));
  ASSERT_TRUE(tar.add("block", Slice::of(std::string(512, 'b')), kNoon));
  ASSERT_TRUE(tar.add(name, Slice::of(std::string(513, 'l')), kNoon));
  ASSERT_TRUE(tar.finish());
  EXPECT_EQ(out.bytes().size() % 512, 0U);
  keep(out);
  ASSERT_TRUE(shell("tar xf a.tar")) << text("log");
  EXPECT_EQ(text("empty"), "");
  EXPECT_EQ(text("folder/short"), "text");
  EXPECT_EQ(text("block"), std::string(512, 'b'));
  EXPECT_EQ(text(name), std::string(513, 'l'));
  ASSERT_TRUE(shell("TZ=UTC tar tvf a.tar --full-time folder/short"));
  EXPECT_NE(text("log").find("2026-11-18 11:06:40"), std::string::npos) << text("log");
}

TEST_F(TarWriterTest, ADamagedHeaderIsNoticed) {
  MemorySink out;
  TarWriter tar(out);
  ASSERT_TRUE(tar.add("file", Slice::of("text"), kNoon));
  ASSERT_TRUE(tar.finish());
  Bytes damaged = out.bytes();
  damaged[0] ^= 1;
  ASSERT_TRUE(write_file_durably(directory_ + "/a.tar", damaged));
  EXPECT_FALSE(shell("tar tf a.tar"));
}

TEST_F(TarWriterTest, ANameThatDoesNotFitIsRefusedAndNothingIsWritten) {
  MemorySink out;
  TarWriter tar(out);
  EXPECT_EQ(tar.add(std::string(101, 'n'), Slice::of("x"), kNoon).error().kind, ErrorKind::InvalidInput);
  EXPECT_EQ(tar.add("", Slice::of("x"), kNoon).error().kind, ErrorKind::InvalidInput);
  EXPECT_TRUE(out.bytes().empty());
}

TEST_F(TarWriterTest, ASinkThatTakesNoMoreIsAnError) {
  MemorySink out(600);
  TarWriter tar(out);
  EXPECT_FALSE(tar.add("file", Slice::of(std::string(512, 'x')), kNoon));
}

}  // namespace
}  // namespace signet::gateway
