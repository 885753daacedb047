#include "agreements/namespaces_internal.h"

namespace signet::agreements {

namespace {

constexpr std::string_view kXmlNamespace = "http://www.w3.org/XML/1998/namespace";
constexpr std::string_view kDeclarationPrefix = "xmlns:";

struct Parts {
  std::string_view prefix;
  std::string_view local;
};

/// "a:b" is prefix and local name; a name with more or empty parts has no meaning and stays whole.
Parts split(std::string_view name) {
  const std::size_t colon = name.find(':');
  if (colon == std::string_view::npos) return {{}, name};
  return {name.substr(0, colon), name.substr(colon + 1)};
}

}  // namespace

bool is_declaration(pugi::xml_attribute attribute) {
  const std::string_view name = attribute.name();
  return name == "xmlns" || name.starts_with(kDeclarationPrefix);
}

bool Namespaces::enter(pugi::xml_node node) {
  marks_.push_back(declarations_.size());
  for (const pugi::xml_attribute attribute : node.attributes()) {
    if (!is_declaration(attribute)) continue;
    const std::string_view name = attribute.name();
    const std::string_view uri = attribute.value();
    const std::string_view prefix =
        name == "xmlns" ? std::string_view{} : name.substr(kDeclarationPrefix.size());
    // Section 3: a prefix cannot be undeclared, and "xmlns" cannot be declared.
    const bool prefixed = name != "xmlns";
    if (prefixed && (prefix.empty() || prefix == "xmlns" || uri.empty())) return false;
    if ((prefix == "xml") != (uri == kXmlNamespace)) return false;
    if (declarations_.size() >= kMost) return false;
    declarations_.push_back({prefix, uri});
  }
  return true;
}

void Namespaces::leave() {
  declarations_.resize(marks_.back());
  marks_.pop_back();
}

std::optional<std::string_view> Namespaces::find(std::string_view prefix) const {
  for (auto declaration = declarations_.rbegin(); declaration != declarations_.rend(); ++declaration)
    if (declaration->prefix == prefix) return declaration->uri;
  if (prefix.empty()) return std::string_view{};
  if (prefix == "xml") return kXmlNamespace;
  return std::nullopt;
}

std::optional<ExpandedName> Namespaces::element_name(pugi::xml_node node) const {
  const Parts parts = split(node.name());
  const std::optional<std::string_view> uri = find(parts.prefix);
  if (!uri) return std::nullopt;
  return ExpandedName{*uri, parts.local};
}

std::optional<ExpandedName> Namespaces::attribute_name(pugi::xml_attribute attribute) const {
  const Parts parts = split(attribute.name());
  if (parts.prefix.empty()) return ExpandedName{{}, parts.local};
  const std::optional<std::string_view> uri = find(parts.prefix);
  if (!uri) return std::nullopt;
  return ExpandedName{*uri, parts.local};
}

}  // namespace signet::agreements
