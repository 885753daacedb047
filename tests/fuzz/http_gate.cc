#include "gateway/endpoint/http_gate.h"

#include <algorithm>
#include <vector>

#include "tests/fuzz/fuzz_target.h"

/// The gate says the same of a stream of octets whatever the pieces are that it arrives in, takes no octet
/// twice, and lets no more payload through than the limit allows.

using namespace signet;
using namespace signet::gateway;
using fuzz::require;

namespace {

constexpr std::uint64_t kBodyLimit = 4096;
constexpr std::size_t kMaxRequests = 64;

/// What became of the stream, written down.
struct Outcome {
  std::vector<std::string> requests;
  std::string end;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// Gives a reader the stream a piece at a time until it has made up its mind or the stream ends.
template <class Read>
GateVerdict feed(ByteView& input, std::size_t piece, const Read& read) {
  GateVerdict reading = GateVerdict::NeedMore;
  while (reading == GateVerdict::NeedMore && !input.empty()) {
    ByteView part = input.first(std::min(piece, input.size()));
    const std::size_t given = part.size();
    reading = read(part);
    require(reading != GateVerdict::NeedMore || part.empty(),
            "a reader that needs more has taken everything");
    input = input.subspan(given - part.size());
  }
  return reading;
}

std::string describe(const RequestHead& head) {
  return head.method + " " + head.target + "\n" + head.headers.serialise() + std::to_string(head.http_1_0) +
         std::to_string(head.chunked) + std::to_string(head.content_length) +
         std::to_string(head.keep_alive) + std::to_string(head.expect_continue) + "\n";
}

void check(const RequestHead& head) {
  require(!head.target.empty() && head.target.front() == '/', "a target that passed is an absolute path");
  require(head.headers.count("Content-Length") <= 1 && head.headers.count("Transfer-Encoding") <= 1,
          "framing that passed is said once");
  require(!(head.chunked && head.headers.has("Content-Length")), "a body has one kind of framing");
  require(head.http_1_0 || head.headers.count("Host") == 1, "a request that passed names one host");
}

Outcome pass(ByteView input, std::size_t piece) {
  Outcome outcome;
  while (!input.empty() && outcome.requests.size() < kMaxRequests) {
    HeadReader head_reader{HeadLimits{}};
    GateVerdict reading = feed(input, piece, [&](ByteView& part) { return head_reader.read(part); });
    if (reading == GateVerdict::Refused) {
      outcome.end = std::to_string(head_reader.refusal().status) + head_reader.refusal().reason;
      return outcome;
    }
    if (reading == GateVerdict::NeedMore) break;
    const RequestHead head = head_reader.take();
    check(head);
    outcome.requests.push_back(describe(head));
    if (!head.has_body()) continue;

    BodyReader body_reader(head, kBodyLimit);
    Bytes body;
    reading = feed(input, piece, [&](ByteView& part) { return body_reader.read(part, body); });
    require(body.size() <= kBodyLimit && body.size() == body_reader.octets(),
            "payload is counted and within the limit");
    if (reading == GateVerdict::Refused) {
      outcome.end = std::to_string(body_reader.refusal().status) + body_reader.refusal().reason;
      return outcome;
    }
    outcome.requests.back() += as_text(body);
    if (reading == GateVerdict::NeedMore) break;
  }
  return outcome;
}

}  // namespace

SIGNET_FUZZ_TARGET(http_gate) {
  const Outcome whole = pass(input, SIZE_MAX);
  require(pass(input, 1) == whole, "octet by octet the gate says what it says of the whole");
  const std::size_t piece = 2 + (input.empty() ? 0 : input.back() % 61U);
  require(pass(input, piece) == whole, "in pieces the gate says what it says of the whole");
}
