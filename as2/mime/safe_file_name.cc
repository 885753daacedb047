#include <algorithm>
#include <string>
#include <string_view>

#include "as2/mime/charset.h"
#include "as2/mime/content_type.h"
#include "base/bytes.h"
#include "base/utf8.h"

namespace signet::as2::mime {
namespace {

constexpr std::size_t kMaxLength = 120;
/// The longest ending that is kept when a name is cut, its dot included.
constexpr std::size_t kMaxExtension = 17;
constexpr std::string_view kUnnamed = "unnamed";

bool is_between(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }

/// Controls, what turns the direction of writing, what cannot be seen, and the ends of lines.
bool is_invisible(char32_t c) {
  return c < 0x20 || is_between(c, 0x7F, 0x9F) || c == 0xAD || c == 0x34F || c == 0x61C ||
         is_between(c, 0x180B, 0x180F) || is_between(c, 0x200B, 0x200F) || is_between(c, 0x2028, 0x202E) ||
         is_between(c, 0x2060, 0x206F) || is_between(c, 0xFE00, 0xFE0F) || c == 0xFEFF ||
         is_between(c, 0xFFF0, 0xFFFB) || is_between(c, 0xE0000, 0xE0FFF);
}

/// What a file system, a shell or a script over the folder could take for more than a letter; look-alikes of
/// separators too.
bool is_special(char32_t c) {
  constexpr std::u32string_view special =
      U"<>:\"|?*%'`$&;!\\/\u2044\u2215\u2216\u29F8\uFE68\uFF0F\uFF3C\uFF0E\u2024\u2025\u2026\uFFFD";
  return special.find(c) != std::u32string_view::npos;
}

std::string_view last_component(std::string_view name) {
  const std::size_t separator = name.find_last_of("/\\");
  return separator == std::string_view::npos ? name : name.substr(separator + 1);
}

std::string replaced(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const auto c = take_code_point(name);
    if (!c || is_special(*c))
      out.push_back('_');
    else if (!is_invisible(*c))
      append_utf8(out, *c);
  }
  return out;
}

/// Nothing at the front that hides a file or looks like an option, nothing at the end that Windows would
/// drop.
std::string_view without_edges(std::string_view name) {
  const std::size_t first = name.find_first_not_of(". -~");
  if (first == std::string_view::npos) return {};
  name.remove_prefix(first);
  return name.substr(0, name.find_last_not_of(". ") + 1);
}

/// Windows gives these names to devices, with any extension.
bool is_device(std::string_view name) {
  const std::string stem = to_lower(trim(name.substr(0, name.find('.'))));
  for (const std::string_view device : {"con", "prn", "aux", "nul", "clock$", "conin$", "conout$"})
    if (stem == device) return true;
  const std::string_view front = std::string_view(stem).substr(0, 3);
  const std::string_view number = std::string_view(stem).substr(front.size());
  const bool is_number = (number.size() == 1 && number[0] >= '0' && number[0] <= '9') || number == "\u00B9" ||
                         number == "\u00B2" || number == "\u00B3";
  return (front == "com" || front == "lpt") && is_number;
}

/// Cuts at a character, not within one.
std::string_view cut(std::string_view utf8, std::size_t limit) {
  if (utf8.size() <= limit) return utf8;
  while (limit > 0 && (static_cast<unsigned char>(utf8[limit]) & 0xC0U) == 0x80U) --limit;
  return utf8.substr(0, limit);
}

std::string shortened(std::string_view name) {
  if (name.size() <= kMaxLength) return std::string(name);
  const std::size_t dot = name.rfind('.');
  const bool keep = dot != std::string_view::npos && name.size() - dot <= kMaxExtension;
  const std::string_view extension = keep ? name.substr(dot) : std::string_view();
  const std::string_view stem =
      without_edges(cut(name.substr(0, name.size() - extension.size()), kMaxLength - extension.size()));
  return std::string(stem).append(extension);
}

}  // namespace

std::string safe_file_name(std::string_view utf8) {
  const std::string visible = replaced(last_component(utf8));
  std::string name(without_edges(visible));
  if (is_device(name)) name.insert(0, "_");
  name = shortened(name);
  return name.empty() ? std::string(kUnnamed) : name;
}

}  // namespace signet::as2::mime
