#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "as2/mime/headers.h"
#include "base/result.h"
#include "base/stream.h"

/// MIME entities and multiparts over slices. Everything found is a piece of the octets that came, never a
/// rewritten copy: signatures and MICs are over exactly these octets.

namespace signet::as2::mime {

/// A header block and what it describes.
struct Entity {
  Headers headers;
  Slice whole;  ///< headers, empty line and body, as they came
  Slice body;   ///< as they came: the transfer encoding is still on
};

/// Finds an entity's headers and body.
///
/// Octets that do not begin with MIME headers are a body without headers, since mendelson encrypts bare
/// payloads. They begin with MIME headers when a well-formed header block is there with a Content-* or
/// MIME-Version field in it; so an EDIFACT interchange, whose "UNA:+.? '" looks like a field, stays a
/// payload. An empty first line is an empty header block.
///
/// @error InvalidInput   the first line is a Content-* or MIME-Version field, but the block cannot be read.
/// @error LimitExceeded  such a block is larger than 64 KiB or has more than 200 fields.
/// @error IoFailure      the spool could not be read.
Result<Entity> read_entity(const Slice& octets);

/// The two halves of a multipart/signed [RFC1847 2.1].
struct SignedParts {
  Slice content;     ///< the first part with its headers: the octets that are signed; without the line end
                     ///< before the boundary
  Entity signature;  ///< the second part
  bool null_epilogue = true;  ///< whether nothing but a line end or two follows the closing boundary
};

/// Cuts the body of a multipart/signed. What stands before the first and after the last boundary is ignored.
///
/// @error InvalidInput  not exactly two parts, no closing boundary, or a boundary that cannot be one.
/// @error IoFailure     the spool could not be read.
Result<SignedParts> split_signed(const Slice& body, std::string_view boundary);

/// The parts of a multipart's body, each with its headers, without the line end before the next boundary
/// [RFC2046 5.1.1].
///
/// A delimiter counts only at the start of a line and with nothing but white space behind it, so neither a
/// longer boundary that begins like this one nor the text inside a line is taken for it. Lines may end in
/// CRLF or LF, the last one in nothing. Constant memory, linear time.
///
/// @error InvalidInput   no first or no closing boundary, or a boundary of no or more than 200 characters.
/// @error LimitExceeded  more than `max_parts` parts.
/// @error IoFailure      the spool could not be read.
Result<std::vector<Slice>> split_multipart(const Slice& body, std::string_view boundary,
                                           std::size_t max_parts);

}  // namespace signet::as2::mime
