#include "as2/mime/entity.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>

namespace signet::as2::mime {
namespace {

std::string text_of(const Slice& slice) {
  const auto octets = slice.to_bytes(64 * 1024 * 1024);
  return octets ? std::string(as_text(*octets)) : octets.error().detail;
}

/// The same octets in a spool file, so that they are read in windows.
Slice on_disk(std::string_view text) {
  const auto spool = std::make_shared<Spool>(SpoolArea{testing::TempDir(), 0, 1U << 30U});
  EXPECT_TRUE(spool->write(as_bytes(text)));
  return Spool::finish(spool);
}

std::vector<std::string> parts_of(std::string_view text, std::string_view boundary = "b") {
  std::vector<std::string> texts;
  const auto parts = split_multipart(Slice::of(text), boundary, 100);
  EXPECT_TRUE(parts) << (parts ? "" : parts.error().detail) << text;
  if (!parts) return {"refused"};
  for (const Slice& part : *parts) texts.push_back(text_of(part));

  const auto from_disk = split_multipart(on_disk(text), boundary, 100);
  EXPECT_TRUE(from_disk);
  EXPECT_EQ(from_disk ? from_disk->size() : 0, texts.size());
  for (std::size_t i = 0; from_disk && i < from_disk->size() && i < texts.size(); ++i)
    EXPECT_EQ(text_of((*from_disk)[i]), texts[i]);
  return texts;
}

using Texts = std::vector<std::string>;

TEST(Entity, IsHeadersAndBody) {
  const auto entity = read_entity(Slice::of("Content-Type: text/plain\r\nX: y\r\n\r\nbody\r\n"));
  ASSERT_TRUE(entity);
  EXPECT_EQ(entity->headers.value("X"), "y");
  EXPECT_EQ(text_of(entity->body), "body\r\n");
  EXPECT_EQ(text_of(entity->whole), "Content-Type: text/plain\r\nX: y\r\n\r\nbody\r\n");
}

TEST(Entity, MayHaveNoHeadersAtAll) {
  for (const std::string payload :
       {"ISA*00*          *~\r\n", "UNA:+.? '\r\nUNB+UNOC:3+A+B'\r\n", "UNB+UNOC:3+A:14+B:14'", "<?xml?>", "",
        "x", "{\"a\": 1}\r\n\r\n", "Dear: Sir\r\n\r\nbody"}) {
    const auto entity = read_entity(Slice::of(payload));
    ASSERT_TRUE(entity) << payload;
    EXPECT_TRUE(entity->headers.empty()) << payload;
    EXPECT_EQ(text_of(entity->body), payload);
  }
}

TEST(Entity, MayHaveAnEmptyHeaderBlock) {
  EXPECT_EQ(text_of(read_entity(Slice::of("\r\nbody"))->body), "body");
  EXPECT_EQ(text_of(read_entity(Slice::of("\nbody"))->body), "body");
  EXPECT_EQ(text_of(read_entity(Slice::of("\r\n\r\nbody"))->body), "\r\nbody");
}

TEST(Entity, LongerThanAWindowIsReadFromDisk) {
  const std::string body(300000, 'x');
  const auto entity = read_entity(on_disk("Content-Type: a/b\n\n" + body));
  ASSERT_TRUE(entity);
  EXPECT_EQ(text_of(entity->body), body);
}

TEST(Entity, WithMimeHeadersThatCannotBeReadIsRefused) {
  EXPECT_EQ(read_entity(Slice::of("Content-Type: a/b\r\nbroken line\r\n\r\nbody")).error().kind,
            ErrorKind::InvalidInput);
  EXPECT_EQ(read_entity(Slice::of("Content-Type: a/b" + std::string(70000, ' ') + "\r\n\r\n")).error().kind,
            ErrorKind::LimitExceeded);
}

TEST(Multipart, IsCutAtItsBoundaryLines) {
  EXPECT_EQ(parts_of("--b\r\none\r\n--b\r\ntwo\r\n--b--\r\n"), (Texts{"one", "two"}));
  EXPECT_EQ(parts_of("preamble\r\n--b\r\none\r\n\r\n--b--\r\nepilogue\r\n--b\r\nx\r\n--b--"),
            (Texts{"one\r\n"}));
  EXPECT_EQ(parts_of("--b\r\n--b\r\n\r\n--b--"), (Texts{"", ""}));
}

// IBM Sterling writes LF only.
TEST(Multipart, MayHaveBareLfAndPaddedBoundaries) {
  EXPECT_EQ(parts_of("--b\none\n--b\ntwo\n--b--"), (Texts{"one", "two"}));
  EXPECT_EQ(parts_of("--b \t\r\none\r\n--b\t\r\ntwo\r\n--b-- \t"), (Texts{"one", "two"}));
  EXPECT_EQ(parts_of("--b\r\none\n\r\n--b--"), (Texts{"one\n"}));
}

TEST(Multipart, TakesNothingElseForABoundary) {
  EXPECT_EQ(parts_of("--b\r\none\r\n--bb\r\n--b-x\r\n --b\r\nx--b\r\n--b--x\r\n---b\r\n--b x\r\n--b--\r\n"),
            (Texts{"one\r\n--bb\r\n--b-x\r\n --b\r\nx--b\r\n--b--x\r\n---b\r\n--b x"}));
  EXPECT_EQ(parts_of("--outer\r\n--outer-inner\r\nx\r\n--outer-inner--\r\n--outer--\r\n", "outer"),
            (Texts{"--outer-inner\r\nx\r\n--outer-inner--"}));
  EXPECT_EQ(parts_of("--b\r\none\r--b\r\n--b--"), (Texts{"one\r--b"}));
}

TEST(Multipart, IsRefusedWhenItIsNoneOrCutOff) {
  for (const std::string_view text :
       {"", "text", "--b", "--b\r\none", "--b\r\none\r\n", "--b\r\none\r\n--b\r\n", "--B\r\n--B--"})
    EXPECT_EQ(split_multipart(Slice::of(text), "b", 10).error().kind, ErrorKind::InvalidInput) << text;
}

TEST(Multipart, IsRefusedWithABoundaryThatIsNone) {
  const Slice body = Slice::of("--\r\nx\r\n----\r\n");
  EXPECT_FALSE(split_multipart(body, "", 10));
  EXPECT_FALSE(split_multipart(body, "  ", 10));
  EXPECT_FALSE(split_multipart(body, "a\r\nb", 10));
  EXPECT_FALSE(split_multipart(body, std::string(201, 'a'), 10));
}

TEST(Multipart, HasNoMorePartsThanAllowed) {
  std::string many;
  for (int i = 0; i < 11; ++i) many += "--b\r\nx\r\n";
  many += "--b--";
  EXPECT_EQ(split_multipart(Slice::of(many), "b", 10).error().kind, ErrorKind::LimitExceeded);
  EXPECT_EQ(split_multipart(Slice::of(many), "b", 11)->size(), 11U);
}

// The boundary at every place relative to the windows.
TEST(Multipart, IsCutRightAcrossWindows) {
  const std::string boundary = "a-boundary-of-some-length";
  for (std::size_t length = kLargeChunkSize - 700; length < kLargeChunkSize + 10; length += 3) {
    std::string first(length, 'x');
    for (std::size_t i = 100; i < first.size(); i += 100) first[i] = '\n';
    const std::string text =
        "--" + boundary + "\r\n" + first + "\r\n--" + boundary + "\r\n\r\n--" + boundary + "--\r\n";
    const auto parts = split_multipart(on_disk(text), boundary, 2);
    ASSERT_TRUE(parts) << length;
    EXPECT_EQ(text_of(parts->front()), first) << length;
  }
}

TEST(Multipart, OfNearBoundariesIsReadInLinearTime) {
  std::string text = "--b\r\n";
  while (text.size() < 8U * 1024 * 1024) text += "\n--b--b";
  text += "\r\n--b--";
  const Slice slice = on_disk(text);
  ASSERT_TRUE(split_multipart(slice, "b", 2));
}

TEST(SignedParts, AreTheExactOctetsAndTheSignature) {
  const auto parts =
      split_signed(Slice::of("--b\r\nContent-Type: text/plain \r\n\r\nbody \r\n\r\n--b\r\nContent-Type: "
                             "application/pkcs7-signature\r\n\r\nSIG\r\n--b--\r\n"),
                   "b");
  ASSERT_TRUE(parts);
  EXPECT_EQ(text_of(parts->content), "Content-Type: text/plain \r\n\r\nbody \r\n");
  EXPECT_EQ(parts->signature.headers.value("content-type"), "application/pkcs7-signature");
  EXPECT_EQ(text_of(parts->signature.body), "SIG");
}

// Threat T7
TEST(SignedParts, AreTwoAndNoMore) {
  EXPECT_FALSE(split_signed(Slice::of("--b\r\none\r\n--b--"), "b"));
  const auto three = split_signed(Slice::of("--b\r\none\r\n--b\r\ntwo\r\n--b\r\nthree\r\n--b--"), "b");
  ASSERT_FALSE(three);
  EXPECT_EQ(three.error().kind, ErrorKind::InvalidInput);
  EXPECT_NE(three.error().detail.find("more than two"), std::string::npos);
}

TEST(SignedParts, SurviveEveryPrefix) {
  const std::string sample =
      "pre\r\n--b\r\nContent-Type: text/plain\r\n\r\nbody\r\n--b\nContent-Type: "
      "application/pkcs7-signature\r\n\r\nSIG\r\n--b--";
  for (std::size_t i = 0; i < sample.size(); ++i)
    EXPECT_FALSE(split_signed(Slice::of(sample.substr(0, i)), "b")) << i;
  EXPECT_TRUE(split_signed(Slice::of(sample), "b"));
}

}  // namespace
}  // namespace signet::as2::mime
