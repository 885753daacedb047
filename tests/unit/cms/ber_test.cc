#include "as2/cms/ber.h"

#include "tests/unit/cms/cms_fixture.h"

namespace signet::as2::cms::test {
namespace {

Slice hex(std::string_view text) { return Slice::of(parse_hex(text).value()); }

/// The same octets, in a file.
Slice in_file(ByteView bytes, const TemporaryDirectory& directory) {
  auto spool = std::make_shared<Spool>(SpoolArea{.directory = directory.file("."), .memory_limit = 0});
  EXPECT_TRUE(spool->write(bytes));
  return Spool::finish(spool);
}

Result<std::string> string_value(const Slice& octets) {
  ber::Walker walker(octets);
  SIGNET_TRY(const ber::Element element, walker.skip_any("a string"));
  ber::OctetStringSource source(octets, element);
  MemorySink out;
  SIGNET_CHECK(copy(source, out));
  return std::string(as_text(out.bytes()));
}

TEST(BerWalker, GoesInAndOutOfDefiniteAndIndefiniteElements) {
  for (const char* text : {"3005020101 0500", "3080 020101 0500 0000"}) {
    std::string digits(text);
    std::erase(digits, ' ');
    ber::Walker walker(hex(digits));
    EXPECT_FALSE(walker.leave("nothing"));
    ASSERT_TRUE(walker.enter(ber::kSequence, "a sequence"));
    EXPECT_EQ(walker.take(ber::kInteger, 9, "a number").value(), (Bytes{2, 1, 1}));
    EXPECT_FALSE(walker.leave("a sequence"));  // NULL is still to come
    ASSERT_TRUE(walker.skip_any("NULL"));
    EXPECT_FALSE(walker.peek().value());
    EXPECT_TRUE(walker.leave("a sequence"));
    EXPECT_EQ(walker.position(), walker.octets().size());
  }
}

TEST(BerWalker, RefusesEveryBrokenHeader) {
  for (const char* text : {
           "",                        // nothing
           "30",                      // no length
           "3003020101FF00",          // fine itself, used below
           "3004020101",              // longer than what is there
           "3084FFFFFFFF",            // 4 GiB
           "30887FFFFFFFFFFFFFFF",    // 2^63 - 1
           "3088FFFFFFFFFFFFFFFF",    // 2^64 - 1
           "3089010000000000000000",  // nine octets of length
           "30FF",                    // reserved
           "0480",                    // primitive and indefinite
           "3080",                    // never ends
           "30800001",                // end-of-contents with a length
           "0000",                    // end of nothing
           "3FFFFFFFFFFFFF0100",      // a tag number without end
       }) {
    ber::Walker walker(hex(text));
    const bool fine = std::string_view(text) == "3003020101FF00";
    EXPECT_EQ(walker.skip(ber::kSequence, "a sequence").has_value(), fine) << text;
  }
}

TEST(BerWalker, RefusesAnElementThatSticksOutOfItsParent) {
  ber::Walker walker(hex("3003020201FF"));
  ASSERT_TRUE(walker.enter(ber::kSequence, "a sequence"));
  EXPECT_FALSE(walker.skip_any("a number"));
}

TEST(BerWalker, BoundsDepth) {
  Bytes nested;
  for (int i = 0; i < 100'000; ++i) nested.insert(nested.end(), {0x30, 0x80});
  ber::Walker skipping(Slice::of(nested));
  EXPECT_EQ(skipping.skip_any("too deep").error().kind, ErrorKind::LimitExceeded);
  ber::Walker entering(Slice::of(nested));
  for (std::size_t i = 0; i < ber::kMaxDepth; ++i) ASSERT_TRUE(entering.enter(ber::kSequence, "a level"));
  EXPECT_EQ(entering.enter(ber::kSequence, "a level").error().kind, ErrorKind::LimitExceeded);
}

TEST(BerWalker, BoundsTheNumberOfPieces) {
  Bytes many = {0x24, 0x80};
  for (int i = 0; i < 300'000; ++i) many.insert(many.end(), {0x04, 0x00});
  many.insert(many.end(), {0, 0});
  ber::Walker walker(Slice::of(many));
  EXPECT_EQ(walker.skip_any("a string").error().kind, ErrorKind::LimitExceeded);
}

TEST(OctetString, ReadsAsOneWhateverItsPieces) {
  EXPECT_EQ(string_value(hex("0403616263")).value(), "abc");
  EXPECT_EQ(string_value(hex("2480040161040262630000")).value(), "abc");
  EXPECT_EQ(string_value(hex("2407040161040262"
                             "63"))
                .value(),
            "abc");
  EXPECT_EQ(string_value(hex("24802480040161000004000402626300"
                             "00"))
                .value(),
            "abc");
  EXPECT_EQ(string_value(hex("8003616263")).value(), "abc");
  EXPECT_EQ(string_value(hex("A080040361626300"
                             "00"))
                .value(),
            "abc");
  EXPECT_EQ(string_value(hex("0400")).value(), "");
  EXPECT_EQ(string_value(hex("24800000")).value(), "");
}

TEST(OctetString, RefusesPiecesOfAnotherKindAndPiecesTooDeep) {
  EXPECT_FALSE(string_value(hex("24800201610000")));
  Bytes deep;
  for (int i = 0; i < 20; ++i) deep.insert(deep.end(), {0x24, 0x80});
  deep.insert(deep.end(), 40, 0);
  EXPECT_FALSE(string_value(Slice::of(deep)));
}

TEST(OctetString, IsTheSameFromAFile) {
  const TemporaryDirectory directory;
  Bytes pieces = {0x24, 0x80};
  std::string expected;
  for (int i = 0; i < 5000; ++i) {
    const std::string piece(static_cast<std::size_t>(i % 97), static_cast<char>('a' + i % 26));
    const Bytes header = ber::header(ber::kOctetString, piece.size());
    pieces.insert(pieces.end(), header.begin(), header.end());
    pieces.insert(pieces.end(), piece.begin(), piece.end());
    expected += piece;
  }
  pieces.insert(pieces.end(), {0, 0});
  EXPECT_EQ(string_value(Slice::of(pieces)).value(), expected);
  EXPECT_EQ(string_value(in_file(pieces, directory)).value(), expected);
}

TEST(BerHeader, IsDer) {
  EXPECT_EQ(hex_lower(ber::header(0x30, 0)), "3000");
  EXPECT_EQ(hex_lower(ber::header(0x30, 127)), "307f");
  EXPECT_EQ(hex_lower(ber::header(0x30, 128)), "308180");
  EXPECT_EQ(hex_lower(ber::header(0x30, 65536)), "3083010000");
  EXPECT_EQ(hex_lower(ber::header(0x30, UINT64_MAX)), "3088ffffffffffffffff");
}

TEST(DetectType, KnowsAllFourAndNeedsNoMoreThanTheFirstOctets) {
  EXPECT_EQ(detect_type(hex("3080060B2A864886F70D0109100117A080")).value(), CmsType::AuthEnveloped);
  EXPECT_EQ(detect_type(hex("3080060B2A864886F70D0109100109A080")).value(), CmsType::Compressed);
  EXPECT_EQ(detect_type(hex("308006092A864886F70D010703A080")).value(), CmsType::Enveloped);
  EXPECT_EQ(detect_type(hex("300B06092A864886F70D010702")).value(), CmsType::Signed);
  EXPECT_EQ(detect_type(hex("300B06092A864886F70D010701")).value(), CmsType::Other);
  EXPECT_FALSE(detect_type(hex("0403616263")));
  EXPECT_FALSE(detect_type(Slice()));
  EXPECT_FALSE(detect_type(Slice::of("MIME-Version: 1.0\r\n")));
}

}  // namespace
}  // namespace signet::as2::cms::test
