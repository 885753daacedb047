#include "agreements/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "agreements/grammar.h"
#include "agreements/xml.h"

namespace signet::agreements {

namespace {

// ---- XSD
// -------------------------------------------------------------------------------------------------------------------

std::string type_reference(const ValueType& type) {
  if (type.schema_facets.empty()) return type.schema_name;
  return "t:" + type.schema_name;
}

/// Writes one of the two schemas. Elements of the other namespace that stand directly in one of this are
/// referred to; they are global there.
class SchemaWriter {
 public:
  explicit SchemaWriter(Space space) : space_(space) {}

  std::string write() {
    std::string body;
    if (space_ == Space::Account) body += element(root_element(), "  ", true);
    collect_globals(root_element(), body);
    return head() + body + simple_types() + "</xs:schema>\n";
  }

 private:
  std::string head() const {
    const bool account = space_ == Space::Account;
    const std::string_view target = account ? kAccountNamespace : kExtensionNamespace;
    std::string text = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<!-- Made from agreements/grammar.cc: change it there, then run the test that says how to renew "
        "this file. -->\n"
        "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xmlns:t=\"{0}\" xmlns:x=\"{1}\" "
        "targetNamespace=\"{0}\" "
        "elementFormDefault=\"qualified\">\n",
        target, kExtensionNamespace);
    if (account)
      text += fmt::format("  <xs:import namespace=\"{}\" schemaLocation=\"signet-ext-2026.xsd\"/>\n",
                          kExtensionNamespace);
    return text;
  }

  /// Attributes and elements of the extension that the account's elements refer to.
  void collect_globals(const Element& parent, std::string& body) {
    if (space_ != Space::Extension) return;
    for (const Setting& setting : parent.settings)
      if (setting.form == Form::Attribute && setting.space == Space::Extension &&
          globals_.insert(setting.name).second)
        body += "  " + attribute(setting, true);
    for (const Element& child : parent.children) {
      const bool global = parent.space == Space::Account && child.space == Space::Extension;
      if (global && globals_.insert(child.name).second) body += element(child, "  ", true);
      collect_globals(child, body);
    }
  }

  std::string element(const Element& element, const std::string& indent, bool global) {
    if (!global && element.space != space_)
      return fmt::format("{}<xs:element ref=\"x:{}\"{}/>\n", indent, element.name, occurrence(element));
    return fmt::format("{0}<xs:element name=\"{1}\"{2}>\n{3}{0}</xs:element>\n", indent, element.name,
                       global ? "" : occurrence(element), complex_type(element, indent + "  "));
  }

  static std::string occurrence(const Element& element) {
    return fmt::format("{}{}", element.required ? "" : " minOccurs=\"0\"",
                       element.repeats ? " maxOccurs=\"unbounded\"" : "");
  }

  std::string complex_type(const Element& element, const std::string& indent) {
    const auto content = std::find_if(element.settings.begin(), element.settings.end(),
                                      [](const Setting& setting) { return setting.form == Form::Content; });
    std::string inner;
    if (content != element.settings.end())
      inner = fmt::format(
          "{0}  <xs:simpleContent>\n{0}    <xs:extension base=\"{1}\">\n{2}{0}    </xs:extension>\n{0}  "
          "</xs:simpleContent>\n",
          indent, use(content->type), attributes(element, indent + "      "));
    else
      inner = particles(element, indent + "  ") + attributes(element, indent + "  ");
    return fmt::format("{0}<xs:complexType>\n{1}{0}</xs:complexType>\n", indent, inner);
  }

  /// In any order, each once (xs:all); where something repeats, XSD 1.0 can only say: any of these, any
  /// number of times.
  std::string particles(const Element& element, const std::string& indent) {
    const bool repeats = std::any_of(element.children.begin(), element.children.end(),
                                     [](const Element& child) { return child.repeats; });
    const std::string_view group = repeats ? "choice" : "all";
    std::string text;
    for (const Setting& setting : element.settings)
      if (setting.form == Form::Element)
        text +=
            fmt::format("{}  <xs:element name=\"{}\" type=\"{}\"{}{}/>\n", indent, setting.name,
                        use(setting.type), setting.required ? "" : " minOccurs=\"0\"", default_of(setting));
    for (const Element& child : element.children)
      text += repeats ? strip_occurrence(this->element(child, indent + "  ", false))
                      : this->element(child, indent + "  ", false);
    if (text.empty()) return {};
    return fmt::format("{0}<xs:{1}{2}>\n{3}{0}</xs:{1}>\n", indent, group,
                       repeats ? " minOccurs=\"0\" maxOccurs=\"unbounded\"" : "", text);
  }

  /// Within a repeated choice, each alternative stands once.
  static std::string strip_occurrence(std::string text) {
    const std::size_t line = text.find('\n');
    for (const std::string_view words : {" minOccurs=\"0\"", " maxOccurs=\"unbounded\""})
      if (const std::size_t at = text.find(words); at < line) text.erase(at, words.size());
    return text;
  }

  std::string attributes(const Element& element, const std::string& indent) {
    std::string text;
    for (const Setting& setting : element.settings) {
      if (setting.form != Form::Attribute) continue;
      text += indent + (setting.space == Space::Extension && space_ == Space::Account
                            ? fmt::format("<xs:attribute ref=\"x:{}\"/>\n", setting.name)
                            : attribute(setting, false));
    }
    return text;
  }

  std::string attribute(const Setting& setting, bool global) {
    return fmt::format("<xs:attribute name=\"{}\" type=\"{}\"{}{}/>\n", setting.name, use(setting.type),
                       setting.required && !global ? " use=\"required\"" : "", default_of(setting));
  }

  static std::string default_of(const Setting& setting) {
    if (setting.required || setting.default_text.empty()) return {};
    return fmt::format(" default=\"{}\"", setting.default_text);
  }

  std::string use(const ValueType& type) {
    types_.emplace(type.schema_name, type);
    return type_reference(type);
  }

  std::string simple_types() const {
    std::string text;
    for (const auto& [name, type] : types_)
      if (!type.schema_facets.empty())
        text += fmt::format(
            "  <xs:simpleType name=\"{}\">\n    <xs:restriction base=\"{}\">{}</xs:restriction>\n  "
            "</xs:simpleType>\n",
            name, type.schema_base, type.schema_facets);
    return text;
  }

  Space space_;
  std::set<std::string_view> globals_;
  std::map<std::string, ValueType> types_;
};

// ---- Markdown
// ----------------------------------------------------------------------------------------------------------------

/// Elements that occur in several places are told once, with all the places.
struct Section {
  const Element* element = nullptr;
  std::vector<std::string> parents;
};

bool same_contents(const Element& a, const Element& b) {
  const auto same = [](const auto& x, const auto& y) { return x.name == y.name && x.doc == y.doc; };
  return a.name == b.name && a.space == b.space && a.settings.size() == b.settings.size() && a.doc == b.doc &&
         std::equal(a.settings.begin(), a.settings.end(), b.settings.begin(), same);
}

void collect_sections(const Element& element, const std::string& parent, std::vector<Section>& sections) {
  const auto known = std::find_if(sections.begin(), sections.end(), [&](const Section& section) {
    return same_contents(*section.element, element);
  });
  if (known == sections.end())
    sections.push_back({&element, {parent}});
  else if (std::find(known->parents.begin(), known->parents.end(), parent) == known->parents.end())
    known->parents.push_back(parent);
  for (const Element& child : element.children)
    collect_sections(child, qualified(element.space, element.name), sections);
}

std::string default_shown(const Setting& setting) {
  if (setting.required) return "required";
  return setting.default_text.empty() ? "" : fmt::format("`{}`", setting.default_text);
}

std::string kind_of(const Setting& setting) {
  switch (setting.form) {
    case Form::Element:
      return fmt::format("`<{}>`", setting.name);
    case Form::Attribute:
      return fmt::format("`{}=`", qualified(setting.space, setting.name));
    case Form::Content:
      return "(text)";
  }
  return {};
}

std::string markdown(const Section& section) {
  const Element& element = *section.element;
  std::string text = fmt::format("### `<{}>`\n\n", qualified(element.space, element.name));
  std::string parents;
  for (const std::string& parent : section.parents)
    if (!parent.empty()) parents += (parents.empty() ? "" : ", ") + fmt::format("`{}`", parent);
  if (!parents.empty())
    text += fmt::format("In {}{}. ", parents, element.repeats ? ", any number of times" : "");
  text += std::string(element.doc) + "\n\n";
  if (!element.settings.empty()) text += "| setting | type | default | effect |\n|---|---|---|---|\n";
  for (const Setting& setting : element.settings)
    text += fmt::format("| {} | {} | {} | {} |\n", kind_of(setting), setting.type.name,
                        default_shown(setting), setting.doc);
  if (!element.settings.empty()) text += "\n";
  std::string children;
  for (const Element& child : element.children)
    children += (children.empty() ? "" : ", ") + fmt::format("`<{}>`", qualified(child.space, child.name));
  if (!children.empty()) text += fmt::format("Elements: {}.\n\n", children);
  return text;
}

}  // namespace

std::string account_schema() { return SchemaWriter(Space::Account).write(); }

std::string extension_schema() { return SchemaWriter(Space::Extension).write(); }

std::string settings_reference() {
  std::vector<Section> sections;
  collect_sections(root_element(), "", sections);
  std::string text;
  for (const Section& section : sections) text += markdown(section);
  return text;
}

}  // namespace signet::agreements
