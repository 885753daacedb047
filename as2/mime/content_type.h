#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "as2/mime/headers.h"
#include "base/result.h"

/// Content-Type and Content-Disposition: a word or two and a list of parameters, in all the ways that they
/// are written [RFC2045 5.1, RFC2183, RFC2231].

namespace signet::as2::mime {

struct Parameter {
  std::string name;   ///< lower case
  std::string value;  ///< without quotes; UTF-8 where RFC 2231 named a character set that we know
  friend bool operator==(const Parameter&, const Parameter&) = default;
};

/// Parameters in the order written. Where a name occurs twice, the first counts; `boundary` twice is refused
/// when parsing, since two readers could then see two different messages.
class Parameters {
 public:
  Parameters() = default;
  explicit Parameters(std::vector<Parameter> list) : list_(std::move(list)) {}

  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  /// Replaces the value, or puts the parameter at the end.
  void set(std::string_view name, std::string_view value);
  [[nodiscard]] const std::vector<Parameter>& list() const { return list_; }
  /// "; name=value" for each, quoted where RFC 2045 wants it, and as name*=UTF-8''... where the value is not
  /// ASCII; one that is not UTF-8 either is taken for windows-1252.
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const Parameters&, const Parameters&) = default;

 private:
  std::vector<Parameter> list_;
};

struct ContentType {
  std::string type;     ///< lower case
  std::string subtype;  ///< lower case
  Parameters parameters;

  /// is("multipart/signed")
  [[nodiscard]] bool is(std::string_view media_type) const;
  /// "type/subtype", without parameters.
  [[nodiscard]] std::string media_type() const { return type + "/" + subtype; }
  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const {
    return parameters.find(name);
  }
  [[nodiscard]] std::string to_string() const;
};

struct ContentDisposition {
  std::string type;  ///< lower case: "attachment"
  Parameters parameters;
  [[nodiscard]] std::string to_string() const;
};

/// Reads a Content-Type field's value: parameters in any order and case, quoted or not, comments and white
/// space anywhere between tokens, RFC 2231 continuations joined. An empty parameter (";;") is skipped. At
/// most 64 KiB and 64 parameters.
///
/// @error InvalidInput   no type/subtype, a parameter that cannot be read, two boundaries.
/// @error LimitExceeded  too long, too many parameters.
Result<ContentType> parse_content_type(std::string_view value);
/// Content-Disposition, likewise.
Result<ContentDisposition> parse_content_disposition(std::string_view value);

/// The entity's content type; nothing when it has no such field.
///
/// @error InvalidInput  unreadable, or there are two Content-Type fields that differ.
Result<std::optional<ContentType>> content_type(const Headers& headers);

/// The name that the sender gave the file, in UTF-8: Content-Disposition's `filename`, else Content-Type's
/// `name`, with RFC 2231 and RFC 2047 undone. Metadata only, never a path: it may hold anything but control
/// characters.
std::optional<std::string> file_name(const Headers& headers);

/// Undoes RFC 2047 encoded words, Q and B, of utf-8, us-ascii, iso-8859-1 and windows-1252; words that cannot
/// be read stay as they are. The result is UTF-8: octets outside that are not are taken for windows-1252, as
/// mailers do.
std::string decode_words(std::string_view text);

/// Makes a name from a stranger one that can stand in a directory: the part after the last separator, without
/// separators, control and direction-changing characters, wildcards and quotes, leading dots or trailing dots
/// and spaces; not a device of Windows (CON, NUL, ...); at most 120 octets of UTF-8, the extension kept.
/// "unnamed" when nothing is left.
std::string safe_file_name(std::string_view utf8);

}  // namespace signet::as2::mime
