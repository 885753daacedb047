#include "gateway/endpoint/http_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>

#include "base/file.h"

namespace signet::gateway {
namespace {

/// What became of a stream of octets: the requests that passed, and the status of the refusal that ended it,
/// if one did.
struct Outcome {
  std::vector<std::string> targets;
  std::vector<std::string> bodies;
  int refused = 0;
  std::string reason;
  bool waiting = false;  ///< the last request is not complete
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

constexpr std::uint64_t kBodyLimit = 1 << 20;

/// Reads one body; false when the stream ended or was refused.
bool read_body(const RequestHead& head, ByteView& input, std::size_t piece, Outcome& outcome) {
  BodyReader reader(head, kBodyLimit);
  Bytes body;
  for (;;) {
    ByteView part = input.first(std::min(piece, input.size()));
    const std::size_t given = part.size();
    const GateVerdict reading = reader.read(part, body);
    input = input.subspan(given - part.size());
    if (reading == GateVerdict::Done) {
      outcome.bodies.emplace_back(as_text(body));
      return true;
    }
    if (reading == GateVerdict::Refused) {
      outcome.refused = reader.refusal().status;
      outcome.reason = reader.refusal().reason;
      return false;
    }
    if (input.empty()) {
      outcome.waiting = true;
      return false;
    }
  }
}

/// Passes octets through the gate as a connection does, `piece` at a time.
Outcome pass(ByteView input, std::size_t piece = SIZE_MAX) {
  Outcome outcome;
  while (!input.empty()) {
    HeadReader reader{HeadLimits{}};
    GateVerdict reading = GateVerdict::NeedMore;
    while (reading == GateVerdict::NeedMore && !input.empty()) {
      ByteView part = input.first(std::min(piece, input.size()));
      const std::size_t given = part.size();
      reading = reader.read(part);
      input = input.subspan(given - part.size());
    }
    if (reading == GateVerdict::Refused) {
      outcome.refused = reader.refusal().status;
      outcome.reason = reader.refusal().reason;
      return outcome;
    }
    if (reading == GateVerdict::NeedMore) {
      outcome.waiting = true;
      return outcome;
    }
    const RequestHead head = reader.take();
    outcome.targets.push_back(head.target);
    if (!read_body(head, input, piece, outcome)) return outcome;
  }
  return outcome;
}

Outcome pass(std::string_view text) { return pass(as_bytes(text)); }

/// One head, which must pass.
RequestHead passed(const std::string& text) {
  HeadReader reader{HeadLimits{}};
  ByteView input = as_bytes(text);
  EXPECT_EQ(reader.read(input), GateVerdict::Done) << reader.refusal().reason;
  EXPECT_TRUE(input.empty());
  return reader.take();
}

/// The status that a request with this line and these fields is refused with; 0 when it passes.
int status_of(const std::string& line, const std::string& fields) {
  return pass(line + "\r\n" + fields + "\r\n").refused;
}
int status_of_get(const std::string& fields) {
  return status_of("GET /as2 HTTP/1.1", "Host: x\r\n" + fields);
}
int status_of_target(const std::string& target) {
  return status_of("GET " + target + " HTTP/1.1", "Host: x\r\n");
}
int status_of_chunks(const std::string& chunks) {
  return pass("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks).refused;
}

const std::filesystem::path kVectors = std::filesystem::path(SIGNET_SOURCE_DIR) / "tests/vectors/http";

/// EXPECTED.tsv: the status that the gate refuses a file with; 0 for one that it lets through.
std::map<std::string, int> expected_verdicts() {
  std::map<std::string, int> expected;
  std::istringstream lines(read_text_file(kVectors / "EXPECTED.tsv").value());
  std::string line;
  std::getline(lines, line);  // the columns' names
  while (std::getline(lines, line)) {
    std::istringstream row(line);
    std::string file;
    int status = 0;
    row >> file >> status;
    expected[file] = status;
  }
  return expected;
}

TEST(HttpGate, GivesEveryRecordedRequestItsVerdict) {
  const auto expected = expected_verdicts();
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kVectors)) {
    if (entry.path().extension() != ".http") continue;
    ++files;
    SCOPED_TRACE(entry.path().filename());
    const auto verdict = expected.find(entry.path().stem());
    ASSERT_NE(verdict, expected.end()) << "a file without a verdict";
    const Bytes octets = read_file(entry.path()).value();
    const Outcome outcome = pass(octets);
    EXPECT_EQ(outcome.refused, verdict->second) << outcome.reason;
    EXPECT_FALSE(outcome.waiting);
    EXPECT_THAT(outcome.targets, testing::Not(testing::Contains("/smuggled")));
    if (verdict->second == 0) {
      EXPECT_EQ(outcome.bodies.size(), 1U);
    }
    for (const std::size_t piece : {1U, 2U, 3U, 7U, 100U}) EXPECT_EQ(pass(octets, piece), outcome) << piece;
  }
  EXPECT_EQ(files, expected.size());
}

TEST(HttpGate, RefusesWhatIsTooLargeWithoutReadingItAll) {
  const std::string head = "POST /as2 HTTP/1.1\r\nHost: x\r\n";
  std::string many = head;
  for (int i = 0; i < 20'000; ++i) many += "X" + std::to_string(i) + ": 1\r\n";
  EXPECT_EQ(pass(many).refused, 431);
  EXPECT_EQ(pass(head + "Message-ID: <" + std::string(64 * 1024, 'm')).refused, 431);
  EXPECT_EQ(pass("POST /" + std::string(64 * 1024, 'a')).refused, 414);
  EXPECT_EQ(pass("POST /" + std::string(8 * 1024, 'a') + " HTTP/1.1\r\n").refused, 414);
  EXPECT_EQ(pass(std::string(100'000, 'A')).refused, 501);
  std::string flood;
  for (int i = 0; i < 1000; ++i) flood += "\r\n";
  EXPECT_EQ(pass(flood).refused, 400);
  EXPECT_EQ(status_of_chunks("1;" + std::string(1'000'000, 'a')), 400);
  EXPECT_EQ(status_of_chunks("0\r\n" + std::string(10'000, 'a')), 431);
}

TEST(HttpGate, TakesAHundredFieldsAndNotOneMore) {
  std::string fields;
  for (int i = 0; i < 99; ++i) fields += "X: 1\r\n";
  EXPECT_EQ(status_of_get(fields), 0);
  EXPECT_EQ(status_of_get(fields + "X: 1\r\n"), 431);
}

TEST(HttpGate, UnderstandsARequestLineInOneFormOnly) {
  EXPECT_EQ(status_of("GET /as2 HTTP/1.0", ""), 0);
  EXPECT_EQ(status_of("GET  /as2 HTTP/1.1", "Host: x\r\n"), 400);
  EXPECT_EQ(status_of("GET /as2  HTTP/1.1", "Host: x\r\n"), 400);
  EXPECT_EQ(status_of("GET /a s2 HTTP/1.1", "Host: x\r\n"), 400);
  EXPECT_EQ(status_of(" GET /as2 HTTP/1.1", "Host: x\r\n"), 400);
  EXPECT_EQ(status_of("GET\t/as2\tHTTP/1.1", "Host: x\r\n"), 400);
  EXPECT_EQ(status_of("GET /as2 HTTP/1.1 ", "Host: x\r\n"), 400);
  EXPECT_EQ(status_of("GET /as2 http/1.1", "Host: x\r\n"), 400);
  EXPECT_EQ(status_of("GET /as2 HTTP/1.10", "Host: x\r\n"), 400);
  EXPECT_EQ(status_of("GET /as2 HTTP/2.0", "Host: x\r\n"), 505);
  EXPECT_EQ(status_of("get /as2 HTTP/1.1", "Host: x\r\n"), 501);
  EXPECT_EQ(status_of("TRACE /as2 HTTP/1.1", "Host: x\r\n"), 501);
  EXPECT_EQ(status_of("G@T /as2 HTTP/1.1", "Host: x\r\n"), 400);
}

TEST(HttpGate, ServesAbsolutePathsThatResolveInOneWay) {
  for (const char* target :
       {"/", "/as2", "/as2/", "/as2?x=../y", "/a/...", "/a/..b", "/%41", "/a//b", "/as2?q=%2e"})
    EXPECT_EQ(status_of_target(target), 0) << target;
  for (const char* target :
       {"*",           "as2",     "http://x/as2", "//evil/as2", "/..",   "/../etc",  "/a/..",       "/a/./b",
        "/a/%2e%2E/b", "/a/.%2e", "/a%2fb",       "/a%5Cb",     "/a\\b", "/a%00",    "/a%0d%0aX:1", "/a%7f",
        "/a%",         "/a%4",    "/a%zz",        "/a#b",       "/a<b>", "/\xC3\xA4"})
    EXPECT_EQ(status_of_target(target), 400) << target;
}

TEST(HttpGate, LetsAnEncodedSlashThroughWhereItIsToldTo) {
  HeadLimits limits;
  limits.encoded_slashes = true;
  for (const auto& [target, verdict] :
       {std::pair("/ocsp/a%2Fb%2f", GateVerdict::Done), std::pair("/ocsp/..%2Fb", GateVerdict::Refused),
        std::pair("/ocsp/a%2F..", GateVerdict::Refused), std::pair("/ocsp/a%5Cb", GateVerdict::Refused)}) {
    HeadReader reader{limits};
    const std::string text = "GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n";
    ByteView input = as_bytes(text);
    EXPECT_EQ(reader.read(input), verdict) << target;
  }
}

TEST(HttpGate, RefusesAHeadThatTwoParsersCouldReadDifferently) {
  EXPECT_EQ(status_of_get("X : 1\r\n"), 400);
  EXPECT_EQ(status_of_get("X\r\n"), 400);
  EXPECT_EQ(status_of_get(": 1\r\n"), 400);
  EXPECT_EQ(status_of_get("X Y: 1\r\n"), 400);
  EXPECT_EQ(status_of_get("X: a\nY: b\r\n"), 400);
  EXPECT_EQ(status_of_get("X: a\rb\r\n"), 400);
  EXPECT_EQ(status_of_get("X: a\x7F\r\n"), 400);
  EXPECT_EQ(status_of_get("X: a\x0B\r\n"), 400);
  EXPECT_EQ(status_of_get("X: a\r\n \r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1", " Host: x\r\nHost: x\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\n", "Host: x\r\n"), 400);
  EXPECT_EQ(status_of_get("X: \r\nY:\r\nZ:z\t\r\n"), 0);
  EXPECT_EQ(status_of_get("X: \xC3\xA4\r\n"), 0);
}

TEST(HttpGate, WantsOneHost) {
  EXPECT_EQ(status_of("GET / HTTP/1.1", ""), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1", "Host: x\r\nhost: x\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1", "Host:\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1", "Host: a/b\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1", "Host: a b\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1", "Host: [::1]:10080\r\n"), 0);
}

TEST(HttpGate, TakesTheLengthFromOneFieldOnly) {
  const std::string post = "POST / HTTP/1.1";
  EXPECT_EQ(status_of(post, "Host: x\r\n"), 411);
  EXPECT_EQ(status_of(post, "Host: x\r\nContent-Length: 0\r\n"), 0);
  EXPECT_EQ(pass("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0003\r\n\r\nabc").bodies,
            std::vector<std::string>{"abc"});
  for (const char* length : {"-1", "+1", "0x1", "1 1", "1,1", "1;", " ", "1a", "\t1"})
    EXPECT_EQ(status_of(post, "Host: x\r\nContent-Length: " + std::string(length) + "\r\n"), 400) << length;
  EXPECT_EQ(status_of(post, "Host: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n"), 400);
  EXPECT_EQ(status_of(post, "Host: x\r\nContent-Length: 18446744073709551616\r\n"), 413);
  EXPECT_EQ(status_of(post, "Host: x\r\nContent-Length: 1048577\r\n"), 413);
  for (const char* coding :
       {"gzip", "gzip, chunked", "chunked, chunked", "xchunked", "\"chunked\"", "identity", ""})
    EXPECT_EQ(status_of(post, "Host: x\r\nTransfer-Encoding: " + std::string(coding) + "\r\n"), 501)
        << coding;
  EXPECT_EQ(status_of(post, "Host: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400);
  EXPECT_EQ(status_of(post, "Host: x\r\nTransfer-Encoding : chunked\r\n"), 400);
  EXPECT_EQ(status_of(post,
                      "Host: x\r\nTransfer-Encoding: \x0B"
                      "chunked\r\n"),
            400);
  EXPECT_EQ(status_of(post, "Host: x\r\nTransfer-Encoding:\r\n chunked\r\n"), 400);
  EXPECT_EQ(status_of("POST / HTTP/1.0", "Transfer-Encoding: chunked\r\n"), 400);
}

TEST(HttpGate, JoinsFoldedFieldsByOneSpaceUnlessTheyFrameOrIdentify) {
  const RequestHead head = passed(
      "GET / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/signed; \r\n\t protocol=\"p\";\r\n "
      "micalg=sha-256\r\nSubject:\r\n s\r\nMessage-ID:\r\n <long@old.example>\r\n\r\n");
  EXPECT_EQ(head.headers.value("content-type"), "multipart/signed; protocol=\"p\"; micalg=sha-256");
  EXPECT_EQ(head.headers.value("subject"), "s");
  EXPECT_EQ(head.headers.value("message-id"), "<long@old.example>");
  for (const char* name :
       {"Content-Length", "Transfer-Encoding", "Connection", "AS2-From", "as2-to", "AS2-Version"})
    EXPECT_EQ(status_of_get(std::string(name) + ": 1\r\n 1\r\n"), 400) << name;
  EXPECT_EQ(status_of("GET / HTTP/1.1", "Host: x\r\n y\r\n"), 400);
}

TEST(HttpGate, ReadsConnectionAndExpect) {
  const std::string post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n";
  EXPECT_TRUE(passed(post + "\r\n").keep_alive);
  EXPECT_FALSE(passed(post + "Connection: close, TE\r\nTE: trailers\r\n\r\n").keep_alive);
  EXPECT_FALSE(passed(post + "Connection: TE\r\nConnection: x ,\tClose\r\n\r\n").keep_alive);
  EXPECT_TRUE(passed(post + "Connection: closed\r\n\r\n").keep_alive);
  EXPECT_FALSE(passed("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_TRUE(passed(post + "Expect: 100-Continue\r\n\r\n").expect_continue);
  EXPECT_FALSE(
      passed("POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n").expect_continue);
  EXPECT_EQ(status_of_get("Expect: 200-ok\r\n"), 417);
}

TEST(HttpGate, ReadsChunksAndDropsHarmlessTrailers) {
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n";
  const Outcome outcome =
      pass(head + "3\r\nabc\r\n2 \r\nde\r\n0001;name=\"value\"\r\nf\r\n000\r\nX-Checksum: 1\r\n\r\n");
  EXPECT_EQ(outcome.bodies, std::vector<std::string>{"abcdef"});
  EXPECT_EQ(outcome.refused, 0);
  EXPECT_EQ(pass(head + "0\r\n\r\n").bodies, std::vector<std::string>{""});
  EXPECT_EQ(pass(head + "A\t;x\r\n0123456789\r\n0\r\n\r\n").bodies, std::vector<std::string>{"0123456789"});
}

TEST(HttpGate, RefusesBrokenChunks) {
  for (const char* chunks : {"\r\n",
                             "x\r\n",
                             "-1\r\n",
                             "+1\r\n",
                             "0x1\r\n",
                             "1 x\r\n",
                             " 1\r\n",
                             "FFFFFFFFFFFFFFFFF\r\n",
                             "00000000000000001\r\n",
                             "1\nx",
                             "1\r\nxx\r\n",
                             "1\r\nx\n",
                             "1\r\nx\rx",
                             "1;\x01\r\n",
                             "0\r\nX\r\n\r\n",
                             "0\r\n X: 1\r\n\r\n",
                             "0\r\nHost: x\r\n\r\n",
                             "0\r\nContent-Length: 1\r\n\r\n",
                             "0\r\nMessage-ID: <x>\r\n\r\n",
                             "0\r\nX: 1\n\r\n"})
    EXPECT_EQ(status_of_chunks(chunks), 400) << chunks;
  EXPECT_EQ(status_of_chunks("FFFFFFFFFFFFFFFF\r\nx"), 413);
  EXPECT_EQ(status_of_chunks("100000\r\n" + std::string(0x100000, 'x') + "\r\n1\r\n"), 413);
  EXPECT_EQ(status_of_chunks("100000\r\n" + std::string(0x100000, 'x') + "\r\n0\r\n\r\n"), 0);
}

TEST(HttpGate, KeepsPipelinedRequestsApart) {
  const Outcome outcome = pass(
      "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc\r\nPOST /2 HTTP/1.1\r\nHost: x\r\n"
      "Transfer-Encoding: chunked\r\n\r\n1\r\nd\r\n0\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(outcome.targets, (std::vector<std::string>{"/1", "/2", "/3"}));
  EXPECT_EQ(outcome.bodies, (std::vector<std::string>{"abc", "d", ""}));
  EXPECT_EQ(outcome.refused, 0);
}

TEST(HttpGate, GivesTheSameBodyAsThePeerCut) {
  const Outcome outcome = pass(read_file(kVectors / "openas2-chunked.http").value(), 5);
  ASSERT_EQ(outcome.bodies.size(), 1U);
  EXPECT_EQ(outcome.bodies[0], as_text(read_file(kVectors / "openas2-chunked.body").value()));
}

}  // namespace
}  // namespace signet::gateway
