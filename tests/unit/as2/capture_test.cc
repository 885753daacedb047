#include "as2/capture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace signet::as2 {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kVectors = SIGNET_SOURCE_DIR "/tests/vectors/";

Result<Capture> read(const Slice& input, const std::string& content_type = "") {
  return read_capture(input, {content_type, {{}, 1 << 24, 1 << 24}});
}

Capture read_or_die(std::string_view text) {
  const auto capture = read(Slice::of(text));
  EXPECT_TRUE(capture) << capture.error().detail;
  return capture ? *capture : Capture{};
}

std::string body_of(const Capture& capture) {
  return std::string(as_text(capture.body.to_bytes(1 << 24).value()));
}

TEST(Capture, ReadsARequestWithItsLength) {
  const Capture capture = read_or_die("POST /as2 HTTP/1.1\r\nAS2-From: a\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(capture.form, CaptureForm::HttpRequest);
  EXPECT_EQ(capture.start_line, "POST /as2 HTTP/1.1");
  EXPECT_EQ(capture.headers.value("as2-from"), "a");
  EXPECT_EQ(body_of(capture), "hello");
  EXPECT_THAT(capture.remarks, IsEmpty());
}

TEST(Capture, JoinsChunksAndPassesTrailersBy) {
  const Capture capture = read_or_die(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n6 \r\n "
      "world\r\n0\r\nX-Trailer: 1\r\n\r\n");
  EXPECT_EQ(capture.form, CaptureForm::HttpResponse);
  EXPECT_EQ(body_of(capture), "hello world");
  EXPECT_EQ(capture.framing, "chunked, 2 chunks");
  EXPECT_THAT(capture.remarks, IsEmpty());
}

TEST(Capture, LivesWithChunksThatEndTooEarlyOrNeverWere) {
  const Capture cut =
      read_or_die("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nFF\r\nshort");
  EXPECT_EQ(body_of(cut), "helloshort");
  EXPECT_THAT(cut.remarks, Contains(HasSubstr("a chunk of 255 octets has only 5")));
  const Capture joined =
      read_or_die("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnot a chunk size\r\n");
  EXPECT_EQ(body_of(joined), "not a chunk size\r\n");
  EXPECT_THAT(joined.remarks, Contains(HasSubstr("joined")));
  EXPECT_EQ(
      body_of(read_or_die("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nx")),
      "FFFFFFFFFFFFFFFFF\r\nx");
  EXPECT_EQ(
      body_of(read_or_die("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nx")),
      "x");
}

TEST(Capture, SaysWhenTheBodyIsShorterOrLongerThanItsLength) {
  const Capture shorter = read_or_die("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello");
  EXPECT_THAT(shorter.remarks, Contains(HasSubstr("5 octets of 9")));
  const Capture longer = read_or_die("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello");
  EXPECT_EQ(body_of(longer), "he");
  EXPECT_THAT(longer.remarks, Contains(HasSubstr("3 octets follow")));
  EXPECT_THAT(read_or_die("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello").remarks,
              Contains(HasSubstr("no number")));
}

TEST(Capture, PassesInterimAnswersBy) {
  const Capture capture =
      read_or_die("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(capture.start_line, "HTTP/1.1 200 OK");
  EXPECT_EQ(body_of(capture), "ok");
}

TEST(Capture, RemarksOnOddHeads) {
  const Capture capture = read_or_die(
      "POST / HTTP/1.1\nContent-Type: text/plain;\n charset=x\nAS2-From: a\nAS2-From: b\nAS2-To : c\nAS2-To: "
      "c\nContent-Length: 0\n\n");
  EXPECT_THAT(capture.remarks, Contains(HasSubstr("LF alone")));
  EXPECT_THAT(capture.remarks, Contains(HasSubstr("folded")));
  EXPECT_THAT(capture.remarks, Contains(HasSubstr("AS2-From stands there 2 times, with different values")));
  EXPECT_THAT(capture.remarks, Contains(HasSubstr("AS2-To stands there 2 times, each time the same")));
  EXPECT_THAT(capture.remarks, Contains(HasSubstr("between a field's name and its colon")));
  EXPECT_EQ(capture.headers.value("Content-Type"), "text/plain; charset=x");
}

TEST(Capture, RemarksOnBothFramingsAtOnce) {
  const Capture capture =
      read_or_die("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  EXPECT_THAT(capture.remarks, Contains(HasSubstr("smuggled")));
}

TEST(Capture, ReadsAMimeMessageWithoutALine) {
  const Capture capture = read_or_die("MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nhello");
  EXPECT_EQ(capture.form, CaptureForm::MimeMessage);
  EXPECT_EQ(body_of(capture), "hello");
}

TEST(Capture, ReadsCmsInEveryWrapping) {
  const Bytes der = read_file(kVectors + "cms/good-encsigned-aes-128-cbc.p7m").value();
  const std::string pem = "-----BEGIN CMS-----\n" + base64_lines(der) + "-----END CMS-----\n";
  for (const std::string& wrapped : {std::string(as_text(der)), base64(der), base64_lines(der), pem}) {
    const auto capture = read(Slice::of(wrapped));
    ASSERT_TRUE(capture) << capture.error().detail;
    EXPECT_EQ(capture->form, CaptureForm::Cms);
    EXPECT_EQ(capture->body.to_bytes(1 << 24).value(), der);
  }
}

TEST(Capture, TakesABodyOfANamedTypeAsItIs) {
  const auto capture = read(Slice::of("--b\r\n\r\nx\r\n--b--\r\n"), "multipart/mixed; boundary=b");
  ASSERT_TRUE(capture);
  EXPECT_EQ(capture->form, CaptureForm::Body);
  EXPECT_EQ(capture->headers.value("Content-Type"), "multipart/mixed; boundary=b");
}

TEST(Capture, RefusesWhatItCannotRecogniseAndShowsNothingOfIt) {
  for (const std::string_view text :
       {"", "UNB+UNOC:3+SECRET", "just: one field\r\n\r\n", "-----BEGIN CMS-----\nnothing",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    const auto capture = read(Slice::of(text));
    ASSERT_FALSE(capture) << text;
    EXPECT_EQ(capture.error().kind, ErrorKind::InvalidInput);
    EXPECT_EQ(capture.error().detail.find("SECRET"), std::string::npos);
  }
  const auto multipart =
      read(Slice::of("--boundary\r\nContent-Type: text/plain\r\n\r\nx\r\n--boundary--\r\n"));
  ASSERT_FALSE(multipart);
  EXPECT_THAT(multipart.error().detail, HasSubstr("--content-type"));
}

TEST(Capture, BodiesLargerThanTheSpoolAreRefused) {
  const auto capture = read_capture(
      Slice::of("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n"),
      {"", {{}, 4, 4}});
  ASSERT_FALSE(capture);
  EXPECT_EQ(capture.error().kind, ErrorKind::LimitExceeded);
}

}  // namespace
}  // namespace signet::as2
