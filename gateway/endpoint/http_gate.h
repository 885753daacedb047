#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "as2/mime/headers.h"
#include "base/bytes.h"

/// The gate: the only code that reads a request's head and its body's framing. Internal to the module, but
/// for the simulator, which reads requests by it too.
///
/// It lets nothing through that it does not understand to the last octet, and nothing that another parser on
/// the way could have understood differently [RFC9112 11.2]. Both readers take octets as they arrive, in
/// pieces of any size, and say the same whatever the pieces are. Time and memory are linear in what was read
/// and bounded by the limits.

namespace signet::gateway {

/// Why a request goes no further: for the peer, the record and the log.
struct Refusal {
  int status = 400;
  std::string reason;
};

enum class GateVerdict { NeedMore, Done, Refused };

struct HeadLimits {
  std::size_t head_size = 32 * 1024;
  std::size_t field_count = 100;
  std::size_t target_size = 8 * 1024;
  bool encoded_slashes = false;  ///< "%2F" may stand in a path
};

/// A request's head, and what it says about the octets that follow it.
struct RequestHead {
  std::string method;
  std::string target;
  as2::mime::Headers headers;
  bool http_1_0 = false;
  bool chunked = false;
  std::uint64_t content_length = 0;  ///< 0 when chunked
  bool keep_alive = true;            ///< the peer wants the connection again
  bool expect_continue = false;      ///< the peer waits for our "100 Continue"

  [[nodiscard]] bool has_body() const { return chunked || content_length > 0; }
};

/// Collects one line that ends in CRLF and holds no control character but tabs.
class LineReader {
 public:
  enum class State { NeedMore, Line, BadOctet, TooLong };

  /// Takes octets from the front of `input` up to the line's end. `limit` is for the line with its CRLF.
  State read(ByteView& input, std::size_t limit);
  /// The line without its CRLF, until clear().
  [[nodiscard]] std::string_view line() const { return line_; }
  /// Octets of the line so far, the CRLF included.
  [[nodiscard]] std::size_t octets() const { return octets_; }
  void clear();

 private:
  std::string line_;
  std::size_t octets_ = 0;
  bool after_cr_ = false;
};

/// Reads one head: request line and fields [RFC9112 3, 5, 6].
class HeadReader {
 public:
  explicit HeadReader(const HeadLimits& limits) : limits_(limits) {}

  /// Takes octets from the front of `input`: all of them, or up to the empty line that ends the head.
  GateVerdict read(ByteView& input);

  [[nodiscard]] bool started() const { return octets_ + line_.octets() > 0; }
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }
  /// After Done, once.
  [[nodiscard]] RequestHead take() { return std::move(head_); }

 private:
  enum class Part { RequestLine, Fields };

  GateVerdict refuse(int status, std::string reason);
  GateVerdict on_overflow();
  GateVerdict on_line(std::string_view line);
  GateVerdict read_request_line(std::string_view line);
  GateVerdict read_field(std::string_view line);
  GateVerdict continue_field(std::string_view line);
  GateVerdict end_field();
  GateVerdict finish();
  GateVerdict check_fields();
  GateVerdict read_framing();
  GateVerdict read_content_length(std::string_view digits);
  GateVerdict read_expectation();
  void read_connection();

  HeadLimits limits_;
  LineReader line_;
  Part part_ = Part::RequestLine;
  std::size_t octets_ = 0;  ///< of the lines before line_
  bool empty_line_skipped_ = false;
  bool field_open_ = false;  ///< name_ and value_ hold a field that the next line may continue
  std::string name_;
  std::string value_;
  RequestHead head_;
  Refusal refusal_;
};

/// Takes the framing off a body: counted octets, or chunks [RFC9112 6.3, 7.1].
class BodyReader {
 public:
  /// The body that `head` announces; more than `limit` octets of it are refused with 413.
  BodyReader(const RequestHead& head, std::uint64_t limit);

  /// Takes octets from the front of `input` and appends what is payload to `out`: never more than `input`
  /// had.
  GateVerdict read(ByteView& input, Bytes& out) { return read(input, &out); }
  /// As read(), of a body that nobody wants.
  GateVerdict skip(ByteView& input) { return read(input, nullptr); }

  [[nodiscard]] std::uint64_t octets() const { return octets_; }  ///< payload so far
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }

 private:
  enum class Part { Counted, ChunkSize, ChunkData, ChunkEnd, Trailer };

  GateVerdict refuse(int status, std::string reason);
  GateVerdict read(ByteView& input, Bytes* out);
  void take_payload(ByteView& input, Bytes* out);
  GateVerdict on_chunk_size(std::string_view line);
  GateVerdict read_chunk_end(ByteView& input);
  GateVerdict on_trailer(std::string_view line);

  std::uint64_t limit_;
  Part part_ = Part::Counted;
  std::uint64_t remaining_ = 0;  ///< payload octets of the chunk, or of the whole, still to come
  std::uint64_t octets_ = 0;
  bool after_cr_ = false;
  std::size_t trailer_octets_ = 0;
  LineReader line_;
  Refusal refusal_;
};

}  // namespace signet::gateway
