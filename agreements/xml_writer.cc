#include <fmt/format.h>

#include "agreements/grammar.h"
#include "agreements/xml.h"

namespace signet::agreements {

namespace {

constexpr std::size_t kCertificateColumns = 76;

/// Text between tags. A bare CR would be read back as LF, so it is written as a reference.
std::string escape_text(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '\r':
        escaped += "&#13;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

/// Text between quotation marks, where XML turns tabs and line ends into spaces.
std::string escape_attribute(std::string_view text) {
  std::string escaped;
  for (const char c : escape_text(text)) {
    switch (c) {
      case '"':
        escaped += "&quot;";
        break;
      case '\n':
        escaped += "&#10;";
        break;
      case '\t':
        escaped += "&#9;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string lines(std::string_view text, const std::string& indent) {
  std::string folded = "\n";
  for (; !text.empty(); text.remove_prefix(std::min(kCertificateColumns, text.size())))
    folded += fmt::format("{}  {}\n", indent, text.substr(0, kCertificateColumns));
  return folded + indent;
}

/// Whether the canonical form has this setting of this object.
bool is_written(const Setting& setting, const std::string& value) {
  return !setting.replaces_content && (setting.required || value != setting.default_text);
}

std::string write_children(const Element& element, const void* object, const std::string& indent);

std::string write_element(const Element& element, const void* object, const std::string& indent) {
  const std::string name = qualified(element.space, element.name);
  std::string head = indent + "<" + name;
  std::string content;
  bool filled = !element.only_if_filled || element.required;
  for (const Setting& setting : element.settings) {
    const std::string value = setting.write(object);
    if (setting.form == Form::Element || !is_written(setting, value)) continue;
    filled = true;
    if (setting.form == Form::Attribute)
      head += fmt::format(" {}=\"{}\"", setting.name, escape_attribute(value));
    else
      content = value.size() > kCertificateColumns && setting.type.name == "certificate"
                    ? lines(value, indent)
                    : escape_text(value);
  }
  const std::string inner = write_children(element, object, indent + "  ");
  if (!inner.empty()) return fmt::format("{}>\n{}{}</{}>\n", head, inner, indent, name);
  if (!content.empty()) return fmt::format("{}>{}</{}>\n", head, content, name);
  return filled ? head + "/>\n" : std::string();
}

std::string write_children(const Element& element, const void* object, const std::string& indent) {
  std::string text;
  for (const Setting& setting : element.settings) {
    if (setting.form != Form::Element) continue;
    const std::string value = setting.write(object);
    if (is_written(setting, value))
      text += fmt::format("{0}<{1}>{2}</{1}>\n", indent, setting.name, escape_text(value));
  }
  for (const Element& child : element.children) {
    const std::size_t count = child.count(object);
    for (std::size_t i = 0; i < count; ++i) text += write_element(child, child.at(object, i), indent);
  }
  return text;
}

}  // namespace

std::string write_account(const Account& account) {
  const Element& root = root_element();
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{0} xmlns=\"{1}\" xmlns:x=\"{2}\">\n{3}</{0}>\n",
      root.name, kAccountNamespace, kExtensionNamespace, write_children(root, &account, "  "));
}

}  // namespace signet::agreements
