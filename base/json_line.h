#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// JSON for logs and chains, which write several such lines for each message.

namespace signet {

/// A JSON object on one line, written field by field in their order: {"time":"...","size":3}. ASCII only:
/// what is not comes as \u escapes, and octets that are no UTF-8 as U+FFFD, so that no stranger's text is
/// anything but text in whatever shows the line. Names are ours, and need no escapes.
class JsonLine {
 public:
  JsonLine& add(std::string_view name, std::string_view value);
  JsonLine& add(std::string_view name, std::uint64_t value);
  JsonLine& add(std::string_view name, const std::vector<std::string>& values);

  /// The object, closed, without a line end.
  [[nodiscard]] std::string finish() &&;

 private:
  void add_name(std::string_view name);
  void add_text(std::string_view text);

  std::string text_ = "{";
};

}  // namespace signet
