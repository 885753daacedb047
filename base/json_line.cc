#include "base/json_line.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace signet {
namespace {

/// Whether a text stands in JSON as it is. Nearly all that is written does.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= ' ' && c < 0x7F && c != '"' && c != '\\'; });
}

}  // namespace

JsonLine& JsonLine::add(std::string_view name, std::string_view value) {
  add_name(name);
  add_text(value);
  return *this;
}

JsonLine& JsonLine::add(std::string_view name, std::uint64_t value) {
  add_name(name);
  text_ += std::to_string(value);
  return *this;
}

JsonLine& JsonLine::add(std::string_view name, const std::vector<std::string>& values) {
  add_name(name);
  text_ += '[';
  for (const std::string& value : values) {
    if (text_.back() != '[') text_ += ',';
    add_text(value);
  }
  text_ += ']';
  return *this;
}

std::string JsonLine::finish() && {
  text_ += '}';
  return std::move(text_);
}

void JsonLine::add_name(std::string_view name) {
  if (text_.size() > 1) text_ += ',';
  text_.append(1, '"').append(name).append("\":");
}

void JsonLine::add_text(std::string_view text) {
  if (is_plain(text)) {
    text_.append(1, '"').append(text).append(1, '"');
    return;
  }
  const nlohmann::json escaped = text;
  text_ += escaped.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

}  // namespace signet
