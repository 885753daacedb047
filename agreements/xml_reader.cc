#include <fmt/format.h>

#include <algorithm>
#include <pugixml.hpp>
#include <unordered_set>

#include "agreements/grammar.h"
#include "agreements/namespaces_internal.h"
#include "agreements/suggestion.h"
#include "agreements/xml.h"
#include "agreements/xml_scan.h"
#include "base/file.h"

namespace signet::agreements {

namespace {

constexpr std::string_view kSchemaInstance = "http://www.w3.org/2001/XMLSchema-instance";
constexpr unsigned kParseFlags = pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol |
                                 pugi::parse_wconv_attribute | pugi::parse_ws_pcdata_single;

Space space_of(std::string_view uri) {
  if (uri == kAccountNamespace) return Space::Account;
  return uri == kExtensionNamespace ? Space::Extension : Space::None;
}

bool is_known_namespace(std::string_view uri) {
  return uri == kAccountNamespace || uri == kExtensionNamespace;
}

std::string quote(std::string_view text) { return "'" + printable(text, 80) + "'"; }

/// Turns offsets into lines and columns. Quick as long as they mostly grow.
class LineCounter {
 public:
  explicit LineCounter(std::string_view text) : text_(text) {}

  Position at(std::size_t offset) {
    offset = std::min(offset, text_.size());
    if (offset < offset_) *this = LineCounter(text_);
    for (; offset_ < offset; ++offset_) {
      const auto octet = static_cast<unsigned char>(text_[offset_]);
      if (octet == '\n')
        position_ = {position_.line + 1, 1};
      else if ((octet & 0xC0U) != 0x80)  // not the inside of a UTF-8 character
        ++position_.column;
    }
    return position_;
  }

 private:
  std::string_view text_;
  std::size_t offset_ = 0;
  Position position_{1, 1};
};

/// Where every element's name is at home, for "x belongs in y".
std::vector<std::string> homes_of(std::string_view name, const Element& element = root_element()) {
  std::vector<std::string> homes;
  for (const Setting& setting : element.settings)
    if (setting.name == name) homes.push_back(qualified(element.space, element.name));
  for (const Element& child : element.children) {
    if (child.name == name) homes.push_back(qualified(element.space, element.name));
    for (std::string& home : homes_of(name, child))
      if (std::find(homes.begin(), homes.end(), home) == homes.end()) homes.push_back(std::move(home));
  }
  return homes;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// One walk over a document.
class XmlReader {
 public:
  /// @param xml  the text as it came; `buffer` is the copy that pugixml has taken apart, octet for octet in
  /// its place
  XmlReader(std::string_view xml, const char* buffer, const ParseContext& context, ParseOutcome& outcome)
      : lines_(xml), buffer_(buffer), context_(context), outcome_(outcome) {}

  /// @return  whether it is an account at all, and was read to its end
  bool read_root(pugi::xml_node node, Account& account) {
    const Element& root = root_element();
    const bool declared = namespaces_.enter(node);
    const std::optional<ExpandedName> name = namespaces_.element_name(node);
    const bool known = name && name->uri == kAccountNamespace && name->local == root.name;
    if (!declared || !known) {
      report(locate(node.name()), "", fmt::format("<{} xmlns=\"{}\">", root.name, kAccountNamespace),
             fmt::format("<{}>{}", printable(node.name(), 80),
                         name ? " in the namespace " + quote(name->uri) : ""),
             "An account's XML begins like that.");
      return false;
    }
    read_element(node, root, &account, "");
    namespaces_.leave();
    return !full_;
  }

 private:
  /// What was met of an element so far.
  struct Seen {
    std::unordered_set<std::string> settings;
    std::unordered_set<std::string> children;
    std::vector<std::size_t> counts;  ///< by index in Element::children
    bool content = false;
  };

  /// The node's declarations are in scope already.
  void read_element(pugi::xml_node node, const Element& element, void* object, const std::string& path) {
    const Position position = locate(node.name());
    if (!element.transparent) outcome_.positions.add(path, position);
    Seen seen;
    seen.counts.resize(element.children.size());
    read_attributes(node, element, object, path, seen);
    std::string text;
    for (const pugi::xml_node child : node.children()) {
      if (full_) return;
      if (child.type() == pugi::node_element)
        read_child(child, element, object, path, seen);
      else
        text += child.value();
    }
    read_content(text, element, object, path, position, seen);
    check_required(element, path, position, seen);
  }

  void read_attributes(pugi::xml_node node, const Element& element, void* object, const std::string& path,
                       Seen& seen) {
    for (const pugi::xml_attribute attribute : node.attributes()) {
      if (full_) return;
      if (is_declaration(attribute)) continue;
      const std::optional<ExpandedName> name = namespaces_.attribute_name(attribute);
      // Where a schema is, is for editors to know.
      if (name && name->uri == kSchemaInstance && name->local == "schemaLocation") continue;
      const Setting* setting = name ? find_attribute(element, *name) : nullptr;
      if (setting == nullptr) {
        report_unknown_attribute(attribute, element, path);
        continue;
      }
      read_setting(*setting, attribute.value(), object, path, locate(attribute.name()), seen);
    }
  }

  static const Setting* find_attribute(const Element& element, const ExpandedName& name) {
    if (!name.uri.empty() && name.uri != kExtensionNamespace) return nullptr;
    const Space space = name.uri.empty() ? Space::None : Space::Extension;
    for (const Setting& setting : element.settings)
      if (setting.form == Form::Attribute && setting.space == space && setting.name == name.local)
        return &setting;
    return nullptr;
  }

  void read_child(pugi::xml_node node, const Element& element, void* object, const std::string& path,
                  Seen& seen) {
    const bool declared = namespaces_.enter(node);
    const std::optional<ExpandedName> name = namespaces_.element_name(node);
    const Space space = name ? space_of(name->uri) : Space::None;
    if (!declared)
      report(locate(node.name()), path, "namespace declarations as XML allows them, 16 at most", "others",
             {});
    else if (!name || space == Space::None || !dispatch(node, *name, space, element, object, path, seen))
      report_unknown_element(node, name, element, path);
    namespaces_.leave();
  }

  /// @return  false when the element does not know the child
  bool dispatch(pugi::xml_node node, const ExpandedName& name, Space space, const Element& element,
                void* object, const std::string& path, Seen& seen) {
    for (const Setting& setting : element.settings) {
      if (setting.form != Form::Element || setting.space != space || setting.name != name.local) continue;
      read_text_element(node, setting, object, path, seen);
      return true;
    }
    for (std::size_t i = 0; i < element.children.size(); ++i) {
      const Element& child = element.children[i];
      if (child.space != space || child.name != name.local) continue;
      enter_child(node, child, object, path, seen, seen.counts[i]);
      return true;
    }
    return false;
  }

  void enter_child(pugi::xml_node node, const Element& child, void* object, const std::string& path,
                   Seen& seen, std::size_t& count) {
    ++count;
    const std::string id = child.key.empty() ? std::to_string(count) : key_of(node, child, count);
    const std::string inner = child_path(path, child, id);
    const bool repeated = !seen.children.insert(child.transparent ? std::string(child.name) : inner).second;
    if (repeated) {
      const std::string what = qualified(child.space, child.name);
      report(
          locate(node.name()), inner,
          child.repeats ? fmt::format("each {} of another {}", what, child.key) : fmt::format("one {}", what),
          child.repeats ? "a second " + quote(id) : "a second one", "Remove one of them, or join them.");
    }
    // A repeated element is read all the same, for what else may be wrong in it: into the same place, or a
    // new entry that nobody will see, since the account is dropped.
    read_element(node, child, child.enter(object), inner);
  }

  static std::string key_of(pugi::xml_node node, const Element& child, std::size_t number) {
    const std::string_view value = node.attribute(std::string(child.key).c_str()).value();
    const std::string_view key = trim(value);
    return key.empty() ? std::to_string(number) : printable(key, 80);
  }

  /// An element that is one setting: text, and nothing else.
  void read_text_element(pugi::xml_node node, const Setting& setting, void* object, const std::string& path,
                         Seen& seen) {
    const Position position = locate(node.name());
    const std::string here = path + "/" + std::string(setting.name);
    for (const pugi::xml_attribute attribute : node.attributes())
      if (!is_declaration(attribute))
        report(locate(attribute.name()), here, "no attributes", quote(attribute.name()), "Remove it.");
    std::string text;
    for (const pugi::xml_node child : node.children()) {
      if (child.type() == pugi::node_element)
        return report(locate(child.name()), here, setting.type.expected,
                      fmt::format("the element <{}>", printable(child.name(), 80)), "Write text here.");
      text += child.value();
    }
    read_setting(setting, text, object, path, position, seen);
  }

  void read_content(const std::string& text, const Element& element, void* object, const std::string& path,
                    Position position, Seen& seen) {
    const auto content = std::find_if(element.settings.begin(), element.settings.end(),
                                      [](const Setting& setting) { return setting.form == Form::Content; });
    if (content == element.settings.end()) {
      const std::string_view stray = trim(text);
      if (!stray.empty())
        report(position, path, "elements only", "the text " + quote(stray), "Remove the text.");
      return;
    }
    if (trim(text).empty() && (content->required || seen.content)) return;  // check_required() tells
    if (seen.content)
      return report(position, path, "either the text or a file", "both", "Remove one of them.");
    read_setting(*content, text, object, path, position, seen);
  }

  void read_setting(const Setting& setting, std::string_view text, void* object, const std::string& path,
                    Position position, Seen& seen) {
    std::string here = path;
    if (setting.form != Form::Content) {
      const std::string name =
          qualified(setting.form == Form::Attribute ? setting.space : Space::None, setting.name);
      here += (here.empty() ? "" : "/") + (setting.form == Form::Attribute ? "@" + name : name);
      outcome_.positions.add(here, position);
      if (!seen.settings.insert(here).second)
        return report(position, here, "one value", "a second one", "Remove one of them.");
    }
    if (setting.form == Form::Content || setting.replaces_content) seen.content = true;
    if (!setting.type.keeps_space()) text = trim(text);
    const Result<> read = setting.read(object, text, context_);
    if (read) return;
    const std::string& why = read.error().detail;
    report(position, here, setting.type.expected, why.empty() ? quote(text) : why, advice_for(setting, text));
  }

  /// Enums are where a value is mistyped.
  static std::string advice_for(const Setting& setting, std::string_view text) {
    if (!setting.type.expected.starts_with("one of ")) return {};
    std::vector<std::string> values;
    std::string_view rest = std::string_view(setting.type.expected).substr(7);
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(", "), rest.size());
      values.emplace_back(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 2, rest.size()));
    }
    const std::string meant = nearest(text, values);
    return meant.empty() ? std::string() : fmt::format("Did you mean '{}'?", meant);
  }

  void check_required(const Element& element, const std::string& path, Position position, const Seen& seen) {
    for (const Setting& setting : element.settings) {
      const bool given = setting.form == Form::Content
                             ? seen.content
                             : seen.settings.count(path + (setting.form == Form::Attribute ? "/@" : "/") +
                                                   std::string(setting.name)) != 0;
      if (!setting.required || given) continue;
      const std::string what = setting.form == Form::Content ? setting.type.expected
                               : setting.form == Form::Element
                                   ? fmt::format("<{}>", setting.name)
                                   : fmt::format("the attribute {}", setting.name);
      report(position, path, what, "none", fmt::format("Add it: {}.", setting.type.expected));
    }
    for (std::size_t i = 0; i < element.children.size(); ++i)
      if (element.children[i].required && seen.counts[i] == 0)
        report(position, path, fmt::format("<{}>", element.children[i].name), "none", "Add it.");
  }

  void report_unknown_attribute(pugi::xml_attribute attribute, const Element& element,
                                const std::string& path) {
    std::vector<std::string> known;
    for (const Setting& setting : element.settings)
      if (setting.form == Form::Attribute) known.push_back(qualified(setting.space, setting.name));
    const std::string name = printable(attribute.name(), 80);
    std::string expected = known.empty() ? "no attributes" : "the attributes " + joined(known) + " at most";
    report(locate(attribute.name()), path, std::move(expected), quote(name), advise(name, known, false));
  }

  void report_unknown_element(pugi::xml_node node, const std::optional<ExpandedName>& name,
                              const Element& element, const std::string& path) {
    std::vector<std::string> known;
    for (const Setting& setting : element.settings)
      if (setting.form == Form::Element) known.push_back(qualified(setting.space, setting.name));
    for (const Element& child : element.children) known.push_back(qualified(child.space, child.name));
    std::string found = fmt::format("<{}>", printable(node.name(), 80));
    std::string advice;
    if (!name)
      advice = fmt::format("Declare its prefix: xmlns:x=\"{}\".", kExtensionNamespace);
    else if (!is_known_namespace(name->uri))
      found += name->uri.empty() ? " in no namespace" : " in the namespace " + quote(name->uri);
    if (advice.empty()) advice = advise(name->local, known, true);
    const std::string expected = known.empty() ? "no elements" : "one of " + joined(known);
    report(locate(node.name()), path, expected, std::move(found), std::move(advice));
  }

  /// The same name in the other namespace or elsewhere in the document, or else the nearest that is known
  /// here.
  static std::string advise(std::string_view name, const std::vector<std::string>& known, bool is_element) {
    const std::string prefixed = "x:" + std::string(name);
    if (std::find(known.begin(), known.end(), prefixed) != known.end())
      return fmt::format("It is an extension: write {}, with xmlns:x=\"{}\".", prefixed, kExtensionNamespace);
    if (is_element && std::find(known.begin(), known.end(), name) != known.end())
      return fmt::format("It is in the namespace \"{}\": write it without a prefix.", kAccountNamespace);
    const std::string meant = nearest(name, known);
    const std::vector<std::string> homes = homes_of(name);
    if (!homes.empty() && (meant.empty() || edit_distance(meant, name) > 1))
      return fmt::format("It belongs in {}.", joined(homes));
    return meant.empty() ? "Remove it." : fmt::format("Did you mean '{}'?", meant);
  }

  /// A name as pugixml gives it lies in the buffer where the document has it.
  Position locate(const char* name) { return lines_.at(static_cast<std::size_t>(name - buffer_)); }

  void report(Position position, std::string path, std::string expected, std::string found,
              std::string advice) {
    if (full_) return;
    if (outcome_.problems.size() == kMaxProblems) {
      full_ = true;
      expected = fmt::format("{} problems at most", kMaxProblems);
      found = "more, and the rest was not looked at";
      advice = "Mend these first.";
    }
    outcome_.problems.push_back(Problem{context_.file_name, position.line, position.column, std::move(path),
                                        Severity::Error, std::move(expected), std::move(found),
                                        std::move(advice)});
  }

  LineCounter lines_;
  const char* buffer_;
  const ParseContext& context_;
  ParseOutcome& outcome_;
  Namespaces namespaces_;
  bool full_ = false;
};

void refuse(ParseOutcome& outcome, const ParseContext& context, std::string_view xml, ScanProblem problem) {
  const Position position = LineCounter(xml).at(problem.offset);
  outcome.problems.push_back(Problem{context.file_name,
                                     position.line,
                                     position.column,
                                     {},
                                     Severity::Error,
                                     std::move(problem.expected),
                                     std::move(problem.found),
                                     std::move(problem.advice)});
}

}  // namespace

ParseOutcome parse_account(std::string_view xml, const ParseContext& context) {
  ParseOutcome outcome;
  outcome.positions = Positions(context.file_name);
  if (std::optional<ScanProblem> problem = scan_xml(xml)) {
    refuse(outcome, context, xml, *std::move(problem));
    return outcome;
  }
  // In place, so that names and values point into the copy, which is how a name's line and column are known.
  std::string buffer(xml);
  pugi::xml_document document;
  const pugi::xml_parse_result parsed =
      document.load_buffer_inplace(buffer.data(), buffer.size(), kParseFlags, pugi::encoding_utf8);
  if (!parsed) {
    refuse(outcome, context, xml,
           {static_cast<std::size_t>(std::max<std::ptrdiff_t>(parsed.offset, 0)), "well-formed XML",
            parsed.description(), "Compare the tags around this place."});
    return outcome;
  }
  Account account;
  const bool understood =
      XmlReader(xml, buffer.data(), context, outcome).read_root(document.document_element(), account);
  if (!has_errors(outcome.problems))
    outcome.account = std::move(account);
  else if (understood)
    outcome.draft = std::move(account);
  return outcome;
}

Result<ParseOutcome> parse_account_file(const std::filesystem::path& path) {
  SIGNET_TRY(const std::string xml, read_text_file(path, kMaxXmlSize));
  std::error_code unknown_directory;
  const std::filesystem::path absolute = std::filesystem::absolute(path, unknown_directory);
  return parse_account(xml, ParseContext{path.string(), absolute.parent_path()});
}

}  // namespace signet::agreements
