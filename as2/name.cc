#include "as2/name.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace signet::as2 {
namespace {

constexpr std::size_t kMaxNameLength = 128;

/// Undoes the escapes between the quotes [RFC4130 6.2: AS2-quoted-pair].
Result<std::string> unquoted(std::string_view value) {
  std::string name;
  for (std::size_t i = 1; i < value.size(); ++i) {
    if (value[i] == '"') {
      if (i + 1 == value.size()) return name;
      return fail(ErrorKind::InvalidInput,
                  fmt::format("an AS2 name goes on after its closing quote: '{}'", printable(value, 140)));
    }
    if (value[i] == '\\') {
      const char escaped = i + 1 < value.size() ? value[i + 1] : '\0';
      if (escaped != '"' && escaped != '\\')
        return fail(ErrorKind::InvalidInput,
                    fmt::format("in a quoted AS2 name a backslash may stand before '\"' and '\\' only: '{}'",
                                printable(value, 140)));
      ++i;
    }
    name.push_back(value[i]);
  }
  return fail(ErrorKind::InvalidInput,
              fmt::format("the quotes of an AS2 name do not close: '{}'", printable(value, 140)));
}

}  // namespace

Result<As2Name> As2Name::parse(std::string_view field_value) {
  const std::string_view value = trim(field_value);
  if (value.empty() || value.front() != '"') return of(value);
  // Twice the length when every character is escaped, and the quotes.
  if (value.size() > 2 * kMaxNameLength + 2) return of(value);
  SIGNET_TRY(const std::string name, unquoted(value));
  return of(name);
}

Result<As2Name> As2Name::of(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameLength)
    return fail(ErrorKind::InvalidInput,
                fmt::format("an AS2 name has 1 to {} characters, this one {}", kMaxNameLength, name.size()));
  if (!std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; }))
    return fail(ErrorKind::InvalidInput,
                fmt::format("an AS2 name holds printable ASCII characters only, not '{}'", printable(name)));
  return As2Name(std::string(name));
}

std::string As2Name::field_value() const {
  if (text_.find_first_of(" \"\\") == std::string::npos) return text_;
  std::string quoted = "\"";
  for (const char c : text_) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted + '"';
}

}  // namespace signet::as2
