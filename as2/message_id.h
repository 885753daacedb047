#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"

namespace signet::as2 {

/// A Message-ID, kept exactly as it came, since Original-Message-ID has to repeat it so [RFC4130 7.4.3].
///
/// Two are equal when they are so without their angle brackets. `bare()` is what to keep in a key.
class MessageId {
 public:
  /// From the value of Message-ID or Original-Message-ID. Lives with what peers send: no brackets, no "@",
  /// spaces inside. It may hold "/" or "..": never a file name.
  ///
  /// @error InvalidInput  nothing in it, longer than 998 octets [RFC5322 2.1.1], or a character that is not
  /// printable ASCII.
  static Result<MessageId> parse(std::string_view field_value);
  /// "<32 random hexadecimal digits@host>". Characters of `host` that have no place in an id are left out.
  static MessageId generate(std::string_view host);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::string_view bare() const;

  friend bool operator==(const MessageId& a, const MessageId& b) { return a.bare() == b.bare(); }
  friend auto operator<=>(const MessageId& a, const MessageId& b) { return a.bare() <=> b.bare(); }

 private:
  explicit MessageId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace signet::as2
