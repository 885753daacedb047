#include <zlib.h>

#include "as2/cms/ber.h"
#include "as2/cms/oids.h"
#include "tests/unit/cms/cms_fixture.h"

namespace signet::as2::cms::test {
namespace {

std::string noise(std::size_t size) {
  const Bytes bytes = random_bytes(size);
  return std::string(as_text(bytes));
}

/// A CompressedData around whatever octets.
Bytes around_stream(ByteView stream, ByteView algorithm = oid::kZlibCompress) {
  const Bytes version = {ber::kInteger, 1, 0};
  const Bytes content =
      ber::element(ber::kSequence,
                   {oid::kData, ber::element(ber::context(0), {ber::element(ber::kOctetString, {stream})})});
  const Bytes data =
      ber::element(ber::kSequence, {version, ber::element(ber::kSequence, {algorithm}), content});
  return ber::element(ber::kSequence, {oid::kCompressedData, ber::element(ber::context(0), {data})});
}

Bytes zlib_stream(const std::string& text) {
  uLongf size = compressBound(text.size());
  Bytes out(size);
  EXPECT_EQ(::compress2(out.data(), &size, as_bytes(text).data(), text.size(), 9), Z_OK);
  out.resize(size);
  return out;
}

TEST(Compress, IsUndoneAtEveryLevelAndSize) {
  for (const int level : {1, 6, 9})
    for (const std::string& text :
         {std::string(), kText, std::string(300'000, 'z'), noise(65'000), noise(300'000)}) {
      const Bytes message = compressed(text, level);
      EXPECT_EQ(detect_type(slice(message)).value(), CmsType::Compressed);
      EXPECT_EQ(decompressed(message).value(), text);
    }
}

TEST(Compress, WritesDerWhileItIsSmall) {
  EXPECT_NE(compressed(kText)[1], 0x80);
  EXPECT_EQ(compressed(noise(300'000))[1], 0x80);
}

TEST(Compress, RefusesAnotherLevel) {
  MemorySource source({});
  MemorySink out;
  for (const int level : {-1, 0, 10})
    EXPECT_EQ(compress(source, out, level).error().kind, ErrorKind::InvalidInput);
}

TEST(Decompress, ReadsOtherPeoplesMessage) {
  const auto text = decompressed(vector_file("good-sign-then-compress.p7m"));
  ASSERT_TRUE(text) << text.error().cause.detail;
  EXPECT_NE(text->find("multipart/signed"), std::string::npos);
}

// phpas2's habit
TEST(Decompress, ReadsAStreamInBase64) {
  const std::string text = noise(20'000);
  const std::string lines = base64_lines(zlib_stream(text));
  EXPECT_EQ(decompressed(around_stream(as_bytes(lines))).value(), text);
  EXPECT_EQ(decompressed(around_stream(as_bytes(base64(zlib_stream(kText))))).value(), kText);
  EXPECT_FALSE(decompressed(around_stream(as_bytes("eJ*not base64 at all"))));
}

TEST(Decompress, RefusesDamageOfEveryKind) {
  const Bytes good = zlib_stream(kText);
  EXPECT_EQ(decompressed(around_stream(good)).value(), kText);
  Bytes wrong_sum = good;
  wrong_sum.back() ^= 1;
  Bytes longer = good;
  longer.push_back(0);
  Bytes twice = good;
  twice.insert(twice.end(), good.begin(), good.end());
  const Bytes wants_dictionary = {0x78, 0xBB, 0, 0, 0, 1, 0, 0};
  for (const Bytes& each :
       {wrong_sum, longer, twice, wants_dictionary, Bytes(), Bytes{0x78}, Bytes(100, 0x78)})
    EXPECT_EQ(decompressed(around_stream(each)).error().fault, Fault::DecompressionFailed);
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(decompressed(around_stream(ByteView(good).first(size)))) << size;
  EXPECT_FALSE(decompressed(around_stream(good, oid::kData)));  // another algorithm
}

TEST(Decompress, RefusesEveryTruncationAndSurvivesEveryFlip) {
  const Bytes message = compressed(kText);
  for (std::size_t size = 0; size < message.size(); ++size)
    EXPECT_EQ(decompressed(ByteView(message).first(size)).error().fault, Fault::DecompressionFailed);
  for (std::size_t at = 0; at < message.size(); ++at) {
    Bytes flipped = message;
    flipped[at] = static_cast<std::uint8_t>(flipped[at] ^ 0xFF);
    const auto result = decompressed(flipped);
    EXPECT_EQ(result ? *result : kText, kText);
  }
}

// T12
TEST(Decompress, StopsAtTheSizeAndAtTheRatio) {
  const std::string zeros(8'000'000, '\0');
  const Bytes bomb = compressed(zeros, 9);
  MemorySink out;
  const auto refused = decompress(slice(bomb), {}, out);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::DecompressionFailed);
  EXPECT_EQ(refused.error().cause.kind, ErrorKind::LimitExceeded);
  EXPECT_LE(out.bytes().size(), std::max<std::size_t>(bomb.size() * 200, 1U << 20) + kChunkSize);
  EXPECT_TRUE(decompressed(bomb, {.max_ratio = 2000}));
  EXPECT_FALSE(decompressed(bomb, {.max_size = 7'999'999, .max_ratio = 2000}));
  EXPECT_TRUE(decompressed(bomb, {.max_size = 8'000'000, .max_ratio = 2000}));
  // Below the floor the ratio is nobody's business: a short document of blanks is no attack.
  EXPECT_TRUE(decompressed(compressed(std::string(1'000'000, ' '), 9)));
  EXPECT_FALSE(decompressed(bomb, {.max_ratio = 0}));
}

class FullDisk final : public Sink {
 public:
  Result<> write(ByteView) override { return fail(ErrorKind::IoFailure, "the disk is full"); }
};

TEST(Decompress, SaysThatItIsUsWhenTheSinkFails) {
  FullDisk sink;
  EXPECT_EQ(decompress(slice(compressed(kText)), {}, sink).error().fault, Fault::UnexpectedProcessingError);
  MemorySource source(as_bytes(kText));
  EXPECT_EQ(compress(source, sink).error().kind, ErrorKind::IoFailure);
}

}  // namespace
}  // namespace signet::as2::cms::test
