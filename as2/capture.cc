#include "as2/capture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include "as2/cms/content_info.h"
#include "as2/mime/transfer_encoding.h"

namespace signet::as2 {
namespace {

constexpr std::size_t kMaxStartLine = 8 * 1024;
constexpr std::size_t kMaxHead = 64 * 1024;
constexpr std::size_t kMaxChunkLine = 1024;
constexpr std::size_t kMaxPemLine = 128;
constexpr int kMaxInterimResponses = 4;

Result<std::string> front_of(const Slice& input, std::size_t size) {
  const Slice front = input.sub(0, size);
  SIGNET_TRY(const Bytes octets, front.to_bytes(size));
  return std::string(as_text(octets));
}

std::string_view first_line(std::string_view text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

bool is_status_line(std::string_view line) { return line.starts_with("HTTP/"); }

bool is_request_line(std::string_view line) {
  const std::size_t method_end = line.find(' ');
  if (method_end == std::string_view::npos || method_end == 0) return false;
  const bool is_word = std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(method_end),
                                   [](char c) { return (c >= 'A' && c <= 'Z') || c == '-'; });
  const std::size_t version = line.rfind(" HTTP/");
  return is_word && version != std::string_view::npos && version > method_end;
}

// ---- Heads

/// What the raw lines of a head show and the parsed fields do not.
void remark_on_lines(std::string_view head, std::vector<std::string>& remarks) {
  bool bare_lf = false;
  bool folded = false;
  bool space_before_colon = false;
  for (std::size_t start = 0; start < head.size();) {
    const std::size_t end = head.find('\n', start);
    if (end == std::string_view::npos) break;
    bare_lf = bare_lf || end == start || head[end - 1] != '\r';
    const std::string_view line = trim(head.substr(start, end - start));
    const bool continues = head[start] == ' ' || head[start] == '\t';
    folded = folded || (continues && !line.empty());
    const std::size_t colon = head.find(':', start);
    space_before_colon = space_before_colon || (!continues && colon < end && colon > start &&
                                                (head[colon - 1] == ' ' || head[colon - 1] == '\t'));
    start = end + 1;
  }
  if (bare_lf)
    remarks.emplace_back(
        "lines of the head end in LF alone; on the wire HTTP wants CRLF (or the tool that saved this changed "
        "them)");
  if (folded)
    remarks.emplace_back(
        "a header field is folded over several lines: RFC 4130 section 2.4 forbids it, and many HTTP servers "
        "refuse it or lose the rest of the field");
  if (space_before_colon)
    remarks.emplace_back(
        "white space stands between a field's name and its colon, which HTTP servers have to refuse");
}

/// Fields that mean one thing only when they are there once.
void remark_on_repeats(const mime::Headers& headers, std::vector<std::string>& remarks) {
  constexpr std::array<std::string_view, 9> single = {"AS2-From",
                                                      "AS2-To",
                                                      "Message-ID",
                                                      "Content-Type",
                                                      "Content-Length",
                                                      "Transfer-Encoding",
                                                      "AS2-Version",
                                                      "Receipt-Delivery-Option",
                                                      "Disposition-Notification-To"};
  for (const std::string_view name : single) {
    const auto values = headers.all(name);
    if (values.size() < 2) continue;
    const bool equal =
        std::all_of(values.begin(), values.end(), [&](std::string_view v) { return v == values.front(); });
    remarks.push_back(
        fmt::format("{} stands there {} times, {}: which one counts differs from server to server", name,
                    values.size(), equal ? "each time the same" : "with different values"));
  }
}

/// Reads the head in front of `rest` into the capture and leaves `rest` at the body.
Result<> take_head(Slice& rest, bool has_start_line, Capture& capture) {
  SIGNET_TRY(const std::string front, front_of(rest, kMaxStartLine + kMaxHead));
  std::size_t start = 0;
  if (has_start_line) {
    capture.start_line = std::string(first_line(front));
    const std::size_t line_end = front.find('\n');
    start = line_end == std::string::npos ? front.size() : line_end + 1;
  }
  const std::string_view text = std::string_view(front).substr(start);
  auto block = mime::parse_headers(text);
  if (!block)
    return fail(std::move(block).error().within(fmt::format("the head of the {}", to_string(capture.form))));
  remark_on_lines(text.substr(0, block->octets), capture.remarks);
  remark_on_repeats(block->headers, capture.remarks);
  if (!block->terminated)
    capture.remarks.emplace_back("the head ends with the file, without the empty line that should end it");
  capture.headers = std::move(block->headers);
  rest = rest.sub(start + block->octets);
  return {};
}

// ---- Framing

struct Chunks {
  Slice body;
  std::size_t count = 0;
  std::uint64_t end = 0;  ///< octets of the framed body
  std::string damage;     ///< why it ended early; empty when the last chunk was there
};

std::optional<std::uint64_t> parse_chunk_size(std::string_view line) {
  const std::string_view digits = trim(line.substr(0, line.find(';')));
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return size;
}

Result<std::string> line_at(const Slice& rest, std::uint64_t position) {
  SIGNET_TRY(const std::string front, front_of(rest.sub(position), kMaxChunkLine));
  const std::size_t end = front.find('\n');
  return end == std::string::npos ? std::string() : front.substr(0, end + 1);
}

/// RFC 9112 section 7.1, as far as it goes.
Result<Chunks> take_chunks(const Slice& rest, const SpoolArea& area) {
  Chunks chunks;
  const auto spool = std::make_shared<Spool>(area);
  for (;;) {
    SIGNET_TRY(const std::string line, line_at(rest, chunks.end));
    const auto size = parse_chunk_size(line);
    if (line.empty() || !size) {
      chunks.damage = fmt::format("at octet {} of the body a chunk's size should stand, and '{}' does",
                                  chunks.end, printable(trim(line), 40));
      break;
    }
    chunks.end += line.size();
    if (*size == 0) break;
    const Slice piece = rest.sub(chunks.end, *size);
    SIGNET_CHECK(piece.copy_to(*spool));
    ++chunks.count;
    chunks.end += piece.size();
    if (piece.size() < *size) {
      chunks.damage = fmt::format("a chunk of {} octets has only {}", *size, piece.size());
      break;
    }
    SIGNET_TRY(const std::string ending, line_at(rest, chunks.end));
    if (trim(ending).empty()) chunks.end += ending.size();
  }
  if (chunks.damage.empty()) {  // trailer fields, and the empty line
    for (;;) {
      SIGNET_TRY(const std::string line, line_at(rest, chunks.end));
      chunks.end += line.size();
      if (trim(line).empty()) break;
    }
  }
  chunks.body = Spool::finish(spool);
  return chunks;
}

Result<> take_chunked_body(const Slice& rest, const SpoolArea& area, Capture& capture) {
  SIGNET_TRY(Chunks chunks, take_chunks(rest, area));
  if (chunks.count == 0 && !chunks.damage.empty()) {
    capture.framing = "said to be chunked, and is not";
    capture.remarks.push_back(fmt::format(
        "Transfer-Encoding says chunked, but {}: taken for a body whose chunks the capturing tool has joined",
        chunks.damage));
    capture.body = rest;
    return {};
  }
  capture.body = std::move(chunks.body);
  capture.framing = fmt::format("chunked, {} chunk{}", chunks.count, chunks.count == 1 ? "" : "s");
  if (!chunks.damage.empty())
    capture.remarks.push_back(fmt::format("the chunked body is cut short or damaged: {}", chunks.damage));
  else if (chunks.end < rest.size())
    capture.remarks.push_back(
        fmt::format("{} octets follow the last chunk; they are not looked at", rest.size() - chunks.end));
  return {};
}

Result<> take_body(const Slice& rest, const SpoolArea& area, Capture& capture) {
  const auto coding = capture.headers.value("Transfer-Encoding");
  const auto length = capture.headers.value("Content-Length");
  if (coding && length)
    capture.remarks.emplace_back(
        "Transfer-Encoding and Content-Length are both there: that is how requests are smuggled, and "
        "servers refuse it (RFC 9112 section 6.1)");
  if (coding && to_lower(*coding).find("chunked") != std::string::npos)
    return take_chunked_body(rest, area, capture);
  capture.body = rest;
  if (!length) {
    capture.framing = "to the end of the file";
    return {};
  }
  std::uint64_t announced = 0;
  const auto [end, error] = std::from_chars(length->data(), length->data() + length->size(), announced);
  if (length->empty() || error != std::errc() || end != length->data() + length->size()) {
    capture.framing = "to the end of the file";
    capture.remarks.push_back(
        fmt::format("Content-Length is '{}', which is no number", printable(*length, 40)));
    return {};
  }
  capture.framing = fmt::format("Content-Length {}", announced);
  capture.body = rest.sub(0, announced);
  if (rest.size() < announced)
    capture.remarks.push_back(
        fmt::format("the body is cut short: {} octets of {} are there", rest.size(), announced));
  else if (rest.size() > announced && capture.form != CaptureForm::MimeMessage)
    capture.remarks.push_back(fmt::format(
        "{} octets follow the body; they are not looked at (another message on the same connection?)",
        rest.size() - announced));
  else if (rest.size() > announced)
    capture.body = rest;  // the length was that of another form of this file
  return {};
}

bool is_interim(std::string_view start_line) {
  const std::size_t space = start_line.find(' ');
  return is_status_line(start_line) && space != std::string_view::npos &&
         start_line.substr(space + 1, 1) == "1";
}

Result<Capture> read_http(const Slice& input, CaptureForm form, const CaptureOptions& options) {
  Capture capture;
  capture.form = form;
  Slice rest = input;
  for (int interim = 0;; ++interim) {
    SIGNET_CHECK(take_head(rest, form != CaptureForm::MimeMessage, capture));
    if (!is_interim(capture.start_line) || rest.empty() || interim == kMaxInterimResponses) break;
    capture.remarks.push_back(
        fmt::format("'{}' came first; the answer is what follows it", printable(capture.start_line, 60)));
  }
  SIGNET_CHECK(take_body(rest, options.spool, capture));
  return capture;
}

// ---- CMS alone

Capture cms_capture(Slice message, std::string framing) {
  Capture capture;
  capture.form = CaptureForm::Cms;
  capture.headers.add("Content-Type", "application/pkcs7-mime");
  capture.body = std::move(message);
  capture.framing = std::move(framing);
  return capture;
}

Result<Slice> decode_base64(const Slice& text, const SpoolArea& area) {
  SliceSource source(text);
  mime::Base64Decoder decoder(source);
  const auto spool = std::make_shared<Spool>(area);
  SIGNET_CHECK(copy(decoder, *spool));
  return Spool::finish(spool);
}

/// What stands between the BEGIN and the END line [RFC7468].
Result<Capture> read_pem(const Slice& input, std::string_view front, const SpoolArea& area) {
  const std::string label(first_line(front));
  const std::size_t begin = front.find('\n');
  if (begin == std::string_view::npos || label.size() > kMaxPemLine)
    return fail(ErrorKind::InvalidInput, "a PEM text without content");
  SIGNET_TRY(const Bytes tail,
             input.sub(input.size() - std::min<std::uint64_t>(input.size(), 4 * kMaxPemLine))
                 .to_bytes(4 * kMaxPemLine));
  const std::size_t end = as_text(tail).rfind("-----END");
  if (end == std::string_view::npos) return fail(ErrorKind::InvalidInput, "a PEM text without its END line");
  const std::uint64_t content_end = input.size() - tail.size() + end;
  if (content_end <= begin) return fail(ErrorKind::InvalidInput, "a PEM text without content");
  auto octets = decode_base64(input.sub(begin + 1, content_end - begin - 1), area);
  if (!octets) return fail(std::move(octets).error().within("the PEM text"));
  if (!cms::detect_type(*octets))
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("'{}' holds no CMS message (a certificate or a key? see 'signet certificate add')",
                    printable(label, 60)));
  return cms_capture(*std::move(octets), "PEM");
}

std::optional<Capture> read_bare_base64(const Slice& input, std::string_view front, const SpoolArea& area) {
  const bool looks_so = front.starts_with("MI") && std::all_of(front.begin(), front.end(), [](char c) {
                          return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                                 c == '+' || c == '/' || c == '=' || c == '\r' || c == '\n' || c == ' ' ||
                                 c == '\t';
                        });
  if (!looks_so) return std::nullopt;
  const auto octets = decode_base64(input, area);
  if (!octets || !cms::detect_type(*octets)) return std::nullopt;
  return cms_capture(*octets, "base64");
}

Capture body_capture(const Slice& input, const std::string& content_type) {
  Capture capture;
  capture.form = CaptureForm::Body;
  capture.headers.add("Content-Type", content_type);
  capture.body = input;
  capture.framing = "the whole file";
  return capture;
}

/// Whether the text begins with a block of header fields that a message could have.
bool begins_with_fields(std::string_view front) {
  const auto block = mime::parse_headers(front);
  if (!block || block->headers.empty()) return false;
  return block->headers.has("Content-Type") || block->headers.has("MIME-Version") ||
         block->headers.has("AS2-From") || block->headers.has("AS2-To") || block->headers.has("Message-ID");
}

}  // namespace

std::string_view to_string(CaptureForm form) {
  switch (form) {
    case CaptureForm::HttpRequest:
      return "HTTP request";
    case CaptureForm::HttpResponse:
      return "HTTP response";
    case CaptureForm::MimeMessage:
      return "MIME message";
    case CaptureForm::Cms:
      return "CMS message";
    case CaptureForm::Body:
      return "body";
  }
  return "body";
}

Result<Capture> read_capture(const Slice& input, const CaptureOptions& options) {
  if (input.empty()) return fail(ErrorKind::InvalidInput, "the input is empty");
  if (!options.content_type.empty()) return body_capture(input, options.content_type);
  SIGNET_TRY(const std::string front, front_of(input, kMaxStartLine + kMaxHead));
  const std::string_view line = first_line(front);
  if (is_status_line(line)) return read_http(input, CaptureForm::HttpResponse, options);
  if (is_request_line(line)) return read_http(input, CaptureForm::HttpRequest, options);
  if (line.starts_with("-----BEGIN ")) return read_pem(input, front, options.spool);
  if (cms::detect_type(input)) return cms_capture(input, "DER or BER");
  if (auto capture = read_bare_base64(input, front, options.spool)) return *std::move(capture);
  if (begins_with_fields(front)) return read_http(input, CaptureForm::MimeMessage, options);
  if (line.starts_with("--"))
    return fail(ErrorKind::InvalidInput,
                "the input begins with a boundary: it is the body of a multipart without its header; give "
                "the header's "
                "Content-Type with --content-type");
  // Four octets tell a text from a zip, and nothing of a document that was given by mistake.
  return fail(
      ErrorKind::InvalidInput,
      fmt::format(
          "the input is no HTTP request or response, no MIME message and no CMS message (DER, BER, PEM or "
          "base64); its first octets are {}. For a bare body give its --content-type",
          hex_lower(as_bytes(front).first(std::min<std::size_t>(front.size(), 4)))));
}

}  // namespace signet::as2
