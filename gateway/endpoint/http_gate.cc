#include "gateway/endpoint/http_gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/hex_value.h"
#include "base/percent_encoding.h"

namespace signet::gateway {
namespace {

constexpr std::size_t kMaxMethodSize = 32;
constexpr std::size_t kMaxChunkSizeDigits = 16;
constexpr std::size_t kMaxChunkExtension = 256;
constexpr std::size_t kMaxTrailerSize = 8 * 1024;

constexpr std::array<std::string_view, 7> kMethods = {"GET",    "HEAD",  "POST",   "PUT",
                                                      "DELETE", "PATCH", "OPTIONS"};

/// Fields of which a second one could be believed by somebody else than the first.
constexpr std::array<std::string_view, 22> kSingletons = {"Host",
                                                          "Content-Length",
                                                          "Transfer-Encoding",
                                                          "Expect",
                                                          "Authorization",
                                                          "Content-Type",
                                                          "Content-Transfer-Encoding",
                                                          "Content-Disposition",
                                                          "Content-Encoding",
                                                          "Content-Range",
                                                          "MIME-Version",
                                                          "AS2-From",
                                                          "AS2-To",
                                                          "AS2-Version",
                                                          "Message-ID",
                                                          "Original-Message-ID",
                                                          "Disposition-Notification-To",
                                                          "Disposition-Notification-Options",
                                                          "Receipt-Delivery-Option",
                                                          "Subject",
                                                          "Date",
                                                          "Trailer"};

/// Fields that frame the request or say whose it is: never on more than one line.
constexpr std::array<std::string_view, 13> kNeverFolded = {
    "Host",    "Content-Length", "Transfer-Encoding", "Connection",  "Expect",   "TE",    "Trailer",
    "Upgrade", "Authorization",  "Keep-Alive",        "AS2-Version", "AS2-From", "AS2-To"};

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::any_of(names.begin(), names.end(),
                     [name](std::string_view other) { return equal_ignoring_case(name, other); });
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// [RFC9110 5.6.2]
bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_digit(c) || is_letter(c) || kMarks.find(c) != std::string_view::npos;
  });
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// What is wrong with a request target, or nothing. Only the origin form is served: an absolute path, perhaps
/// a query [RFC9112 3.2.1]. A path that two readers could resolve differently is wrong too.
std::string_view fault_of_target(std::string_view target, bool encoded_slashes) {
  constexpr std::string_view kNeverInUris = "\"#<>\\^`{|}";
  if (target.empty() || target.front() != '/') return "the request target is not an absolute path";
  if (target.starts_with("//")) return "the request target begins with an empty segment";
  const std::size_t path_size = std::min(target.find('?'), target.size());
  std::string segment;
  for (std::size_t i = 0; i < target.size(); ++i) {
    char c = target[i];
    if (c <= ' ' || c > '~' || kNeverInUris.find(c) != std::string_view::npos)
      return "the request target has a character that must be encoded";
    bool encoded = false;
    if (c == '%') {
      const auto octet = leading_percent_octet(target.substr(i));
      if (!octet) return "the request target has a broken percent encoding";
      if (*octet < ' ' || *octet == 0x7F) return "the request target has an encoded control character";
      c = static_cast<char>(*octet);
      encoded = true;
      i += 2;
    }
    if (i >= path_size) continue;
    const bool is_slash = c == '/' || c == '\\';
    if (encoded && is_slash && (!encoded_slashes || c == '\\'))
      return "the request target has an encoded slash";
    if (c == '/') {
      if (segment == "." || segment == "..") return "the request target has a dot segment";
      segment.clear();
    } else if (segment.size() < 3) {
      segment += c;
    }
  }
  if (segment == "." || segment == "..") return "the request target has a dot segment";
  return {};
}

bool is_host(std::string_view value) {
  constexpr std::string_view kMarks = "-._~%!$&'()*+,;=:[]";
  return !value.empty() && value.size() <= 512 && std::all_of(value.begin(), value.end(), [&](char c) {
    return is_digit(c) || is_letter(c) || kMarks.find(c) != std::string_view::npos;
  });
}

}  // namespace

LineReader::State LineReader::read(ByteView& input, std::size_t limit) {
  std::size_t taken = 0;
  State state = State::NeedMore;
  while (state == State::NeedMore && taken < input.size()) {
    const std::uint8_t octet = input[taken];
    if (octets_ + taken >= limit) {
      state = State::TooLong;
      break;
    }
    ++taken;
    if (after_cr_) {
      state = octet == '\n' ? State::Line : State::BadOctet;
    } else if (octet == '\r') {
      after_cr_ = true;
    } else if ((octet < 0x20 && octet != '\t') || octet == 0x7F) {
      state = State::BadOctet;
    }
  }
  line_ += as_text(input.first(taken));
  octets_ += taken;
  input = input.subspan(taken);
  if (state == State::Line) line_.resize(line_.size() - 2);
  return state;
}

void LineReader::clear() {
  line_.clear();
  octets_ = 0;
  after_cr_ = false;
}

GateVerdict HeadReader::refuse(int status, std::string reason) {
  refusal_ = {status, std::move(reason)};
  return GateVerdict::Refused;
}

GateVerdict HeadReader::read(ByteView& input) {
  while (!input.empty()) {
    std::size_t limit = limits_.head_size - octets_;
    if (part_ == Part::RequestLine) limit = std::min(limit, limits_.target_size + kMaxMethodSize + 16);
    switch (line_.read(input, limit)) {
      case LineReader::State::NeedMore:
        return GateVerdict::NeedMore;
      case LineReader::State::BadOctet:
        return refuse(400, "a control character, a bare CR or a bare LF in the head");
      case LineReader::State::TooLong:
        return on_overflow();
      case LineReader::State::Line:
        break;
    }
    octets_ += line_.octets();
    const GateVerdict reading = on_line(line_.line());
    line_.clear();
    if (reading != GateVerdict::NeedMore) return reading;
  }
  return GateVerdict::NeedMore;
}

GateVerdict HeadReader::on_overflow() {
  if (part_ == Part::Fields)
    return refuse(431, fmt::format("the head is longer than {} octets", limits_.head_size));
  if (line_.line().find(' ') > kMaxMethodSize) return refuse(501, "no such method is known here");
  return refuse(414, fmt::format("the request target is longer than {} octets", limits_.target_size));
}

GateVerdict HeadReader::on_line(std::string_view line) {
  if (part_ == Part::RequestLine) {
    if (!line.empty()) return read_request_line(line);
    // Old clients send one CRLF too many after a body [RFC9112 2.2]; more than one is no accident.
    if (empty_line_skipped_) return refuse(400, "empty lines in the place of a request");
    empty_line_skipped_ = true;
    return GateVerdict::NeedMore;
  }
  if (line.empty()) return finish();
  return is_blank(line.front()) ? continue_field(line) : read_field(line);
}

GateVerdict HeadReader::read_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || line.find(' ', first + 1) != last)
    return refuse(400,
                  "the request line is not a method, a target and a version with one space between them");
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);

  if (!is_token(method)) return refuse(400, "the method is no token");
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) || version[6] != '.' ||
      !is_digit(version[7]))
    return refuse(400, "the request line does not end in an HTTP version");
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  if (std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end())
    return refuse(501, "no such method is known here");
  if (target.size() > limits_.target_size)
    return refuse(414, fmt::format("the request target is longer than {} octets", limits_.target_size));
  if (const std::string_view fault = fault_of_target(target, limits_.encoded_slashes); !fault.empty())
    return refuse(400, std::string(fault));

  head_.method = method;
  head_.target = target;
  head_.http_1_0 = version == "HTTP/1.0";
  part_ = Part::Fields;
  return GateVerdict::NeedMore;
}

GateVerdict HeadReader::read_field(std::string_view line) {
  if (end_field() == GateVerdict::Refused) return GateVerdict::Refused;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
    return refuse(400, "a line of the head is no field: a name, a colon right behind it, a value");
  name_ = line.substr(0, colon);
  const std::string_view value = line.substr(colon + 1);
  const bool frames = equal_ignoring_case(name_, "Content-Length") ||
                      equal_ignoring_case(name_, "Transfer-Encoding") || equal_ignoring_case(name_, "Host");
  // White space to us, part of the value to some: that is how a Transfer-Encoding is hidden from one of two
  // parsers.
  if (frames && value.find('\t') != std::string_view::npos)
    return refuse(400, fmt::format("a tab in {}", name_));
  value_ = trim_blanks(value);
  field_open_ = true;
  return GateVerdict::NeedMore;
}

/// Old partners fold Content-Type and its like, so those are joined by one space [RFC9112 5.2].
GateVerdict HeadReader::continue_field(std::string_view line) {
  if (!field_open_) return refuse(400, "white space before the first field");
  if (is_one_of(name_, kNeverFolded)) return refuse(400, fmt::format("the field {} is folded", name_));
  const std::string_view more = trim_blanks(line);
  if (more.empty()) return refuse(400, fmt::format("the field {} is continued by an empty line", name_));
  if (!value_.empty()) value_ += ' ';
  value_ += more;
  return GateVerdict::NeedMore;
}

GateVerdict HeadReader::end_field() {
  if (!field_open_) return GateVerdict::NeedMore;
  if (head_.headers.size() >= limits_.field_count)
    return refuse(431, fmt::format("the head has more than {} fields", limits_.field_count));
  head_.headers.add(name_, value_);
  field_open_ = false;
  return GateVerdict::NeedMore;
}

GateVerdict HeadReader::finish() {
  if (end_field() == GateVerdict::Refused || check_fields() == GateVerdict::Refused ||
      read_framing() == GateVerdict::Refused || read_expectation() == GateVerdict::Refused)
    return GateVerdict::Refused;
  read_connection();
  return GateVerdict::Done;
}

GateVerdict HeadReader::check_fields() {
  std::array<bool, kSingletons.size()> seen{};
  for (const auto& field : head_.headers) {
    for (std::size_t i = 0; i < kSingletons.size(); ++i) {
      if (!equal_ignoring_case(field.name, kSingletons[i])) continue;
      if (seen[i]) return refuse(400, fmt::format("the field {} stands there twice", kSingletons[i]));
      seen[i] = true;
    }
  }
  const auto host = head_.headers.value("Host");
  if (!host && !head_.http_1_0) return refuse(400, "the field Host is missing");
  if (host && !is_host(*host)) return refuse(400, "the field Host names no host");
  return GateVerdict::NeedMore;
}

GateVerdict HeadReader::read_framing() {
  const auto coding = head_.headers.value("Transfer-Encoding");
  const auto length = head_.headers.value("Content-Length");
  if (coding && length) return refuse(400, "both Content-Length and Transfer-Encoding");
  if (coding) {
    if (head_.http_1_0) return refuse(400, "Transfer-Encoding in HTTP/1.0");
    if (!equal_ignoring_case(*coding, "chunked"))
      return refuse(501, "a Transfer-Encoding other than chunked");
    head_.chunked = true;
    return GateVerdict::NeedMore;
  }
  if (length) return read_content_length(*length);
  if (head_.method == "POST" || head_.method == "PUT" || head_.method == "PATCH")
    return refuse(411, "neither Content-Length nor Transfer-Encoding: chunked");
  return GateVerdict::NeedMore;
}

GateVerdict HeadReader::read_content_length(std::string_view digits) {
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit))
    return refuse(400, "Content-Length is not one decimal number");
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), head_.content_length);
  if (error != std::errc() || end != digits.data() + digits.size())
    return refuse(413, "Content-Length is beyond all limits");
  return GateVerdict::NeedMore;
}

GateVerdict HeadReader::read_expectation() {
  const auto expectation = head_.headers.value("Expect");
  if (!expectation) return GateVerdict::NeedMore;
  if (!equal_ignoring_case(*expectation, "100-continue"))
    return refuse(417, "an expectation other than 100-continue");
  // [RFC9110 10.1.1]: a server that receives it in HTTP/1.0 ignores it.
  head_.expect_continue = !head_.http_1_0 && head_.has_body();
  return GateVerdict::NeedMore;
}

void HeadReader::read_connection() {
  head_.keep_alive = !head_.http_1_0;
  for (const std::string_view value : head_.headers.all("Connection")) {
    for (std::size_t begin = 0; begin <= value.size();) {
      const std::size_t end = std::min(value.find(',', begin), value.size());
      if (equal_ignoring_case(trim_blanks(value.substr(begin, end - begin)), "close"))
        head_.keep_alive = false;
      begin = end + 1;
    }
  }
}

BodyReader::BodyReader(const RequestHead& head, std::uint64_t limit)
    : limit_(limit), part_(head.chunked ? Part::ChunkSize : Part::Counted), remaining_(head.content_length) {}

GateVerdict BodyReader::refuse(int status, std::string reason) {
  refusal_ = {status, std::move(reason)};
  return GateVerdict::Refused;
}

GateVerdict BodyReader::read(ByteView& input, Bytes* out) {
  for (;;) {
    GateVerdict reading = GateVerdict::NeedMore;
    switch (part_) {
      case Part::Counted:
        if (octets_ + remaining_ > limit_)
          return refuse(413, fmt::format("the body is longer than {} octets", limit_));
        take_payload(input, out);
        return remaining_ == 0 ? GateVerdict::Done : GateVerdict::NeedMore;
      case Part::ChunkData:
        take_payload(input, out);
        if (remaining_ > 0) return GateVerdict::NeedMore;
        part_ = Part::ChunkEnd;
        continue;
      case Part::ChunkEnd:
        if (input.empty()) return GateVerdict::NeedMore;
        reading = read_chunk_end(input);
        break;
      case Part::ChunkSize:
      case Part::Trailer: {
        if (input.empty()) return GateVerdict::NeedMore;
        const bool size_line = part_ == Part::ChunkSize;
        const std::size_t limit =
            size_line ? kMaxChunkSizeDigits + kMaxChunkExtension + 2 : kMaxTrailerSize - trailer_octets_;
        const LineReader::State state = line_.read(input, limit);
        if (state == LineReader::State::NeedMore) return GateVerdict::NeedMore;
        if (state == LineReader::State::TooLong)
          return size_line ? refuse(400, "a chunk's size line is too long")
                           : refuse(431, "the trailer is too long");
        if (state == LineReader::State::BadOctet)
          return refuse(400, "a control character, a bare CR or a bare LF in the chunked framing");
        trailer_octets_ += size_line ? 0 : line_.octets();
        reading = size_line ? on_chunk_size(line_.line()) : on_trailer(line_.line());
        line_.clear();
        break;
      }
    }
    if (reading != GateVerdict::NeedMore) return reading;
  }
}

void BodyReader::take_payload(ByteView& input, Bytes* out) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size()));
  const ByteView payload = input.first(size);
  if (out != nullptr) out->insert(out->end(), payload.begin(), payload.end());
  input = input.subspan(size);
  remaining_ -= size;
  octets_ += size;
}

/// chunk-size [BWS] [ ";" extension ]; white space behind the size is what old peers send [RFC9112 7.1.1].
GateVerdict BodyReader::on_chunk_size(std::string_view line) {
  std::uint64_t size = 0;
  std::size_t digits = 0;
  for (; digits < line.size() && hex_value(line[digits]) >= 0; ++digits) {
    if (digits == kMaxChunkSizeDigits) return refuse(400, "a chunk's size has more than 16 digits");
    size = size * 16 + static_cast<std::uint64_t>(hex_value(line[digits]));
  }
  if (digits == 0) return refuse(400, "a chunk does not begin with its size");
  if (line.size() - digits > kMaxChunkExtension) return refuse(400, "a chunk's extension is too long");
  const std::string_view extension = trim_blanks(line.substr(digits));
  if (!extension.empty() && extension.front() != ';')
    return refuse(400, "a chunk's size is followed by something else");
  if (size > limit_ - octets_) return refuse(413, fmt::format("the body is longer than {} octets", limit_));
  remaining_ = size;
  part_ = size == 0 ? Part::Trailer : Part::ChunkData;
  return GateVerdict::NeedMore;
}

GateVerdict BodyReader::read_chunk_end(ByteView& input) {
  const char octet = static_cast<char>(input.front());
  input = input.subspan(1);
  if (octet != (after_cr_ ? '\n' : '\r')) return refuse(400, "a chunk does not end where its size says");
  if (after_cr_) part_ = Part::ChunkSize;
  after_cr_ = !after_cr_;
  return GateVerdict::NeedMore;
}

/// Trailers are read and dropped; one that would frame or identify the message is an attack [RFC9110 6.5.1].
GateVerdict BodyReader::on_trailer(std::string_view line) {
  if (line.empty()) return GateVerdict::Done;
  const std::string_view name = line.substr(0, line.find(':'));
  if (name.size() == line.size() || !is_token(name)) return refuse(400, "a line of the trailer is no field");
  if (is_one_of(name, kSingletons) || is_one_of(name, kNeverFolded))
    return refuse(400, fmt::format("the field {} in the trailer", name));
  return GateVerdict::NeedMore;
}

}  // namespace signet::gateway
