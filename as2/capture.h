#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "as2/mime/headers.h"
#include "base/result.h"
#include "base/stream.h"

/// Reading what somebody captured of an exchange, in whatever form it was saved. For explaining only: a
/// listener reads requests through the strict gate, and nothing accepted here is accepted there.

namespace signet::as2 {

enum class CaptureForm {
  HttpRequest,   ///< request line, header, body
  HttpResponse,  ///< status line, header, body
  MimeMessage,   ///< header and body, no line before them
  Cms,           ///< a CMS message alone: DER, BER, PEM or base64
  Body,          ///< a body alone, of a content type that the caller names
};

/// "HTTP request", "HTTP response", "MIME message", "CMS message", "body".
std::string_view to_string(CaptureForm form);

/// A message as captured, without its HTTP framing.
struct Capture {
  CaptureForm form = CaptureForm::Body;
  std::string start_line;  ///< "POST /as2 HTTP/1.1", "HTTP/1.1 200 OK"; empty for other forms
  mime::Headers headers;   ///< Content-Type is there for Cms and Body too
  Slice body;
  std::string framing;               ///< for people: "chunked, 3 chunks", "Content-Length 512"
  std::vector<std::string> remarks;  ///< what is odd about head and framing, a sentence each
};

struct CaptureOptions {
  std::string content_type;  ///< when set, the whole input is a body of this type
  SpoolArea spool;           ///< where a de-chunked or decoded body is kept
};

/// Recognises the form and takes the framing off. Lives with heads whose lines end in LF, folded fields, a
/// body shorter or longer than announced, chunks that end too early; each leaves a remark.
///
/// @error InvalidInput   none of the forms; says what they are and what was found.
/// @error LimitExceeded  a head of more than 64 KiB or 200 fields, a body larger than the spool allows.
/// @error IoFailure      the input could not be read.
Result<Capture> read_capture(const Slice& input, const CaptureOptions& options);

}  // namespace signet::as2
