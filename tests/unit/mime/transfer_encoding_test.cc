#include "as2/mime/transfer_encoding.h"

#include <gtest/gtest.h>

#include "as2/mime/canonical.h"
#include "base/random.h"

namespace signet::as2::mime {
namespace {

/// Gives out its text in pieces of `step` octets, so that every state is met at a border.
class SteppingSource final : public Source {
 public:
  SteppingSource(std::string_view text, std::size_t step) : rest_(text), step_(step) {}
  Result<std::size_t> read(std::span<std::uint8_t> out) override {
    const std::size_t count = std::min({rest_.size(), step_, out.size()});
    std::copy_n(rest_.begin(), count, out.begin());
    rest_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view rest_;
  std::size_t step_;
};

/// Reads everything, `step` octets at a time.
Result<std::string> drain(Source& source, std::size_t step) {
  std::string text;
  Bytes buffer(step);
  for (;;) {
    SIGNET_TRY(const std::size_t count, source.read(buffer));
    if (count == 0) return text;
    text.append(as_text(ByteView(buffer).first(count)));
  }
}

/// What the filter makes of the text, the same in all sizes of steps; "!" and the error where it refuses.
template <class Filter>
std::string filtered(std::string_view text) {
  std::string first;
  for (const std::size_t step : {1U, 2U, 3U, 7U, 100000U}) {
    SteppingSource source(text, step);
    Filter filter(source);
    const auto result = drain(filter, step);
    const std::string outcome = result ? *result : "!" + result.error().detail;
    if (step == 1)
      first = outcome;
    else
      EXPECT_EQ(outcome, first) << "in steps of " << step;
  }
  return first;
}

template <class Filter>
bool is_refused(std::string_view text) {
  return filtered<Filter>(text).substr(0, 1) == "!";
}

TEST(Base64, IsDecodedWithAnyWhiteSpaceAndWithoutPadding) {
  EXPECT_EQ(filtered<Base64Decoder>(""), "");
  EXPECT_EQ(filtered<Base64Decoder>("aGVsbG8="), "hello");
  EXPECT_EQ(filtered<Base64Decoder>("aGVsbG8"), "hello");
  EXPECT_EQ(filtered<Base64Decoder>("aG\r\nVs bG\t8=\r\n\r\n"), "hello");
  EXPECT_EQ(filtered<Base64Decoder>("aGVsbG8h"), "hello!");
  EXPECT_EQ(filtered<Base64Decoder>("aA=="), "h");
}

TEST(Base64, IsRefusedWhenItIsNone) {
  for (const std::string_view text : {"a", "aGVsb*", "aGVsbG8=aGVs", "aGVs-G8=", "aGVsbG8=\x01"})
    EXPECT_TRUE(is_refused<Base64Decoder>(text)) << text;
}

TEST(Base64, ComesBackFromWhatTheEncoderWrote) {
  for (const std::size_t size : {0U, 1U, 2U, 3U, 56U, 57U, 58U, 1000U, 57U * 1024, 57U * 1024 + 1, 200000U}) {
    const Bytes octets = random_bytes(size);
    MemorySource source(octets);
    Base64Encoder encoder(source);
    const auto encoded = drain(encoder, 1000);
    ASSERT_TRUE(encoded);
    EXPECT_EQ(*encoded, base64_lines(octets));
    SteppingSource again(*encoded, 4093);
    Base64Decoder decoder(again);
    const auto decoded_text = drain(decoder, 777);
    ASSERT_TRUE(decoded_text);
    EXPECT_EQ(to_bytes(*decoded_text), octets);
  }
}

TEST(QuotedPrintable, IsDecoded) {
  EXPECT_EQ(filtered<QuotedPrintableDecoder>("a=3Db=e4\r\nc"), "a=b\xe4\r\nc");
  EXPECT_EQ(filtered<QuotedPrintableDecoder>("soft=\r\nline=\nend= \t\r\nx"), "softlineendx");
  EXPECT_EQ(filtered<QuotedPrintableDecoder>("trailing  \t\r\nspace \n kept in between"),
            "trailing\r\nspace\n kept in between");
  EXPECT_EQ(filtered<QuotedPrintableDecoder>("end="), "end");
}

TEST(QuotedPrintable, IsRefusedWhenItIsNone) {
  for (const std::string_view text : {"=G0", "=4", "=4G", "= x", "a=b"})
    EXPECT_TRUE(is_refused<QuotedPrintableDecoder>(text)) << text;
  EXPECT_TRUE(is_refused<QuotedPrintableDecoder>(std::string(200 * 1024, ' ') + "x"));
}

TEST(CanonicalLineEnds, MakeEveryLineEndCrLf) {
  EXPECT_EQ(filtered<CanonicalLineEnds>("a\nb\rc\r\nd"), "a\r\nb\r\nc\r\nd");
  EXPECT_EQ(filtered<CanonicalLineEnds>("\n\n\r\r\r\n\n\r"), "\r\n\r\n\r\n\r\n\r\n\r\n\r\n");
  EXPECT_EQ(filtered<CanonicalLineEnds>(""), "");
  EXPECT_EQ(filtered<CanonicalLineEnds>("\r"), "\r\n");
}

TEST(CanonicalLineEnds, LeaveCanonicalTextAlone) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "line of text\r\n";
  SteppingSource source(text, 65536);
  CanonicalLineEnds canonical(source);
  EXPECT_EQ(*drain(canonical, 4096), text);
}

TEST(TransferEncoding, IsBinaryWhenNothingIsSaid) {
  EXPECT_EQ(*transfer_encoding(Headers()), TransferEncoding::Binary);
}

TEST(TransferEncoding, IsReadInAnyCaseAndRefusedWhenUnknown) {
  const auto read = [](std::string_view value) {
    Headers headers;
    headers.add("content-transfer-encoding", value);
    return transfer_encoding(headers);
  };
  EXPECT_EQ(*read("BASE64"), TransferEncoding::Base64);
  EXPECT_EQ(*read("7bit;"), TransferEncoding::SevenBit);
  EXPECT_EQ(*read("quoted-printable (c)"), TransferEncoding::QuotedPrintable);
  EXPECT_EQ(read("x-uuencode").error().kind, ErrorKind::Unsupported);
  EXPECT_EQ(read("").error().kind, ErrorKind::Unsupported);
}

TEST(TransferEncoding, IsTakenOffTheBodyAndIdentityCopiesNothing) {
  const SpoolArea area{testing::TempDir(), 1024, 1024};
  const auto decoded_text = [&](std::string_view text) -> std::string {
    const auto entity = read_entity(Slice::of(text));
    if (!entity) return entity.error().detail;
    const auto body = decoded(*entity, area);
    return body ? std::string(as_text(*body->to_bytes(10000))) : body.error().detail;
  };
  EXPECT_EQ(decoded_text("Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n"), "hello");
  EXPECT_EQ(decoded_text("Content-Transfer-Encoding: quoted-printable\r\n\r\n=41"), "A");
  EXPECT_NE(decoded_text("Content-Transfer-Encoding: base64\r\n\r\n" + base64(Bytes(2000))).find("larger"),
            std::string::npos);

  const auto entity = read_entity(Slice::of("Content-Transfer-Encoding: 8bit\r\n\r\nhello"));
  EXPECT_EQ(decoded(*entity, area)->in_memory()->data(), entity->body.in_memory()->data());
}

}  // namespace
}  // namespace signet::as2::mime
