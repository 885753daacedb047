#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// Header fields: those of an HTTP message, of a MIME entity, and the fields inside a receipt. They are all
/// the same thing, an ordered list of names and values, and all go through this parser and this writer.

namespace signet::as2::mime {

struct Header {
  std::string name;   ///< as written; compared without regard to case
  std::string value;  ///< unfolded, without white space at either end
  friend bool operator==(const Header&, const Header&) = default;
};

/// An ordered list of fields, in which a name may occur several times.
///
/// No control character gets in by any way, so no value can end its line and start a field of its own:
/// parse_headers() refuses them, and what our own code puts in has each replaced by a space. A tab is allowed
/// inside a value.
class Headers {
 public:
  /// The first field of this name, in any case; borrowed until the list changes.
  [[nodiscard]] const Header* find(std::string_view name) const;
  /// The first field's value.
  [[nodiscard]] std::optional<std::string_view> value(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
  [[nodiscard]] std::size_t count(std::string_view name) const;
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;

  /// Puts the field at the end.
  void add(std::string_view name, std::string_view value);
  /// Makes it the only field of this name: in the place of the first, or at the end.
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);

  [[nodiscard]] bool empty() const { return fields_.empty(); }
  [[nodiscard]] std::size_t size() const { return fields_.size(); }
  [[nodiscard]] auto begin() const { return fields_.begin(); }
  [[nodiscard]] auto end() const { return fields_.end(); }

  /// "Name: value" CRLF for each field, never folded [RFC4130 2.4: deployed peers cannot read folded ones],
  /// without the empty line.
  [[nodiscard]] std::string serialise() const;

  friend bool operator==(const Headers&, const Headers&) = default;

 private:
  std::vector<Header> fields_;
};

/// What a header block may look like.
struct HeaderRules {
  bool bare_lf = true;             ///< LF alone ends a line, as IBM Sterling writes inside MDN bodies
  bool folding = true;             ///< a line that starts with white space continues the one before
  bool space_before_colon = true;  ///< RFC 822 allowed it; in HTTP it is a smuggler's tool
  std::size_t max_octets = 64 * 1024;
  std::size_t max_fields = 200;

  /// Inside bodies: whatever mailers have ever written.
  static HeaderRules body() { return {}; }
  /// The head of an HTTP message: CRLF only, nothing before the colon. Folding stays, since peers behind old
  /// gateways send it.
  static HeaderRules http() {
    HeaderRules rules;
    rules.bare_lf = false;
    rules.space_before_colon = false;
    return rules;
  }
};

/// A header block and where it ends.
struct HeaderBlock {
  Headers headers;
  std::size_t octets = 0;   ///< how far the block reaches, the empty line that ends it included
  bool terminated = false;  ///< whether that empty line was there; without it the block ends with the text
};

/// Reads fields from the front of `text` up to and including the empty line. Folded lines become one, joined
/// by one space [RFC5322 2.2.3]. Octets above 0x7E are left as they are. Linear in the block's size.
///
/// @error InvalidInput   a line that is no field, a control character, a line end that the rules forbid.
/// @error LimitExceeded  more octets or fields than the rules allow.
Result<HeaderBlock> parse_headers(std::string_view text, const HeaderRules& rules = HeaderRules::body());

}  // namespace signet::as2::mime
