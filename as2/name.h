#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"

namespace signet::as2 {

/// The name of a party to an exchange [RFC4130 6.2]: 1 to 128 printable ASCII characters, compared with
/// regard to case.
///
/// A name has two written forms, plain and quoted; this is the name itself, so `"A"` and `A` are equal.
class As2Name {
 public:
  /// From the value of AS2-From or AS2-To (or a recipient field, without "rfc822;"). A value in quotes has
  /// them and the backslashes before `"` and `\` removed. A value without quotes is taken as it stands, also
  /// with spaces inside: OpenAS2 forgets the quotes in MDNs.
  ///
  /// @error InvalidInput  empty, longer than 128, another character, or quotes that do not close.
  static Result<As2Name> parse(std::string_view field_value);
  /// From the name itself, as it stands in an agreement. @error InvalidInput  as above.
  static Result<As2Name> of(std::string_view name);

  [[nodiscard]] const std::string& text() const { return text_; }
  /// As it is written in a field: in quotes only when it holds a space, a quote or a backslash.
  [[nodiscard]] std::string field_value() const;

  friend bool operator==(const As2Name&, const As2Name&) = default;
  friend auto operator<=>(const As2Name&, const As2Name&) = default;

 private:
  explicit As2Name(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace signet::as2
