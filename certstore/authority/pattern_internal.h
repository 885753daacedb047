#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// Internal: the patterns of OPC 10000-12 section 6.5.11 (those of LIKE, OPC 10000-4 section 7.7.3).

namespace signet::authority {

/// Matches whole texts, without regard to ASCII case, in a time that grows with the product of the lengths.
class Pattern {
 public:
  /// @error InvalidInput  a [ without its ], a \ at the end, or over 1000 characters.
  static Result<Pattern> parse(std::string_view text);

  /// Of an empty pattern: every text.
  [[nodiscard]] bool matches(std::string_view text) const;

 private:
  struct Part {
    enum class Kind { AnyText, AnyOne, OneOf, NoneOf };
    Kind kind = Kind::OneOf;
    std::string characters;  ///< lower case
  };
  static bool takes(const Part& part, char character);
  std::vector<Part> parts_;
};

}  // namespace signet::authority
