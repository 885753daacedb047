#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "agreements/json.h"
#include "agreements/json_internal.h"
#include "agreements/suggestion.h"
#include "agreements/xml_scan.h"
#include "base/bytes.h"

namespace signet::agreements {

namespace {

using nlohmann::ordered_json;

constexpr std::size_t kShown = 80;  ///< characters of a value in a problem

/// One step of a JSON pointer (RFC 6901 section 3).
std::string step(std::string_view name) {
  std::string escaped = "/";
  for (const char c : name) {
    if (c == '~')
      escaped += "~0";
    else if (c == '/')
      escaped += "~1";
    else
      escaped += c;
  }
  return escaped;
}

std::string on_metadata(std::string_view path) { return "/properties/metadata" + step(path); }

/// A value as a problem tells it.
std::string shown(const ordered_json& value) {
  if (value.is_string()) return "the text '" + printable(value.get_ref<const std::string&>(), kShown) + "'";
  if (value.is_number()) return "the number " + value.dump();
  if (value.is_boolean()) return value.dump();
  return value.is_null() ? "null" : value.is_array() ? "an array" : "an object";
}

/// The name in ".../providers/Microsoft.KeyVault/vaults/NAME", whose beginning has to be `vaults`; empty: it
/// is not.
std::string vault_in(std::string_view id, std::string_view vaults) {
  if (id.size() <= vaults.size() || !equal_ignoring_case(id.substr(0, vaults.size()), vaults)) return {};
  return std::string(id.substr(vaults.size()));
}

/// One walk over a resource.
class JsonReader {
 public:
  JsonReader(const ordered_json& resource, std::string_view vaults, std::vector<Problem>& problems)
      : resource_(resource), vaults_(vaults), problems_(problems) {}

  void read(EntryKind kind, std::string_view name, void* entry) {
    const Element& element = entry_element(kind);
    for (const Setting& setting : element.settings)
      if (setting.name == element.key) read_text(setting, std::string(name), entry, "/name");
    const ordered_json* properties = object_at(resource_, "properties", "", true);
    if (properties == nullptr) return;
    if (const ordered_json* metadata = object_at(*properties, "metadata", "/properties", false))
      sort(*metadata);
    read_members(element, *properties, entry, "/properties", {});
    for (const auto& [path, value] : extension_)
      if (used_.count(path) == 0) report_unknown(path);
  }

 private:
  /// Free notes are told from the extension's settings.
  void sort(const ordered_json& metadata) {
    for (const auto& [name, value] : metadata.items()) {
      if (!is_extension_path(name))
        notes_.emplace_back(name, &value);
      else if (value.is_string())
        extension_.emplace(name, value.get<std::string>());
      else
        report(on_metadata(name), "a string", shown(value),
               "Settings of the extension are texts, as in the XML.");
    }
  }

  // ---- Azure's part

  void read_members(const Element& element, const ordered_json& json, void* object,
                    const std::string& pointer, const std::string& path) {
    for (const Setting& setting : element.settings)
      if (setting.form == Form::Element) read_member(setting, json, object, pointer);
    for (const Element& child : element.children) {
      if (child.space == Space::Extension)
        read_extension(child, object, path);
      else if (is_metadata(child))
        read_notes(child, object, path);
      else
        read_child(child, json, object, pointer, path);
    }
  }

  void read_member(const Setting& setting, const ordered_json& json, void* object,
                   const std::string& pointer) {
    const std::string here = pointer + step(setting.name);
    const ordered_json* value = member(json, setting.name);
    if (value == nullptr || value->is_null()) {
      if (setting.required || !setting.optional_in_azure)
        report(here, setting.type.expected, value == nullptr ? "none" : "null", "Add it.");
      return;
    }
    if (setting.names_vault)
      read_vault(setting, *value, object, here);
    else if (const std::optional<std::string> text = text_of(setting.type, *value))
      read_text(setting, *text, object, here);
    else
      report(here, setting.type.expected, shown(*value), {});
  }

  void read_child(const Element& child, const ordered_json& json, void* object, const std::string& pointer,
                  const std::string& path) {
    std::string around = pointer;
    const ordered_json* parent = inside(json, child, around);
    if (parent == nullptr) return;
    const std::string here = around + step(child.name);
    if (is_list(child)) return read_list(child, *parent, object, around);
    if (const Setting* content = content_of(child)) {
      const ordered_json* value = member(*parent, child.name);
      if (value == nullptr || value->is_null()) return;
      if (!value->is_string()) return report(here, content->type.expected, shown(*value), {});
      return read_text(*content, value->get<std::string>(), child.enter(object), here);
    }
    // An identity that is left to the partner's is null.
    const ordered_json* given = member(*parent, child.name);
    if (given != nullptr && given->is_null() && !child.only_if_filled) return;
    if (const ordered_json* members = object_at(*parent, child.name, around, !child.optional_in_azure))
      read_members(child, *members, child.enter(object), here, occurrence_path(path, child, 1));
  }

  void read_list(const Element& list, const ordered_json& parent, void* object, const std::string& pointer) {
    const ordered_json* entries = member(parent, list.name);
    if (entries == nullptr || entries->is_null()) return;
    const std::string here = pointer + step(list.name);
    if (!entries->is_array()) return report(here, "an array", shown(*entries), {});
    const Element& entry = list.children.front();
    for (std::size_t i = 0; i < entries->size() && !full_; ++i) {
      const std::string at = here + step(std::to_string(i));
      if (!(*entries)[i].is_object())
        report(at, "an object", shown((*entries)[i]), {});
      else
        read_members(entry, (*entries)[i], entry.enter(object), at, {});
    }
  }

  /// The object that the element's envelope leads to; nullptr: it is not there, which is told where it has to
  /// be.
  const ordered_json* inside(const ordered_json& json, const Element& element, std::string& pointer) {
    const ordered_json* at = &json;
    for (std::string_view steps = element.envelope; !steps.empty() && at != nullptr;) {
      const std::size_t slash = std::min(steps.find('/'), steps.size());
      const std::string_view name = steps.substr(0, slash);
      at = object_at(*at, name, pointer, !element.optional_in_azure);
      pointer += step(name);
      steps.remove_prefix(std::min(slash + 1, steps.size()));
    }
    return at;
  }

  void read_vault(const Setting& setting, const ordered_json& value, void* object,
                  const std::string& pointer) {
    if (!value.is_object()) return report(pointer, "an object with the vault's id", shown(value), {});
    const ordered_json* id = member(value, "id");
    const std::string name =
        id != nullptr && id->is_string() ? vault_in(id->get<std::string>(), vaults_) : "";
    if (name.empty())
      return report(pointer + "/id", fmt::format("\"{}NAME\"", vaults_), id == nullptr ? "none" : shown(*id),
                    "Name a key vault of this gateway.");
    read_text(setting, name, object, pointer + "/id");
  }

  // ---- The extension's part

  void read_notes(const Element& metadata, void* object, const std::string& path) {
    const Element& entry = metadata.children.front();
    for (const auto& [name, value] : notes_) {
      void* note = entry.enter(object);
      for (const Setting& setting : entry.settings)
        read_text(setting, setting.form == Form::Content ? note_from_json(*value) : name, note,
                  on_metadata(name));
    }
    read_extension(entry, object, occurrence_path(path, metadata, 1));
    std::set<std::string> names;
    for (std::size_t i = 0; i < entry.count(object); ++i)
      check_key(entry, entry.at(object, i), occurrence_path(path, metadata, 1), names);
  }

  void read_extension(const Element& element, void* object, const std::string& path) {
    std::set<std::string> keys;
    for (std::size_t number = 1; !full_; ++number) {
      const std::string here = occurrence_path(path, element, number);
      if (!is_given(here)) return;
      void* entry = element.enter(object);
      read_occurrence(element, entry, here);
      check_key(element, entry, here, keys);
      if (!element.repeats) return;
    }
  }

  /// Whether there is anything of the element.
  bool is_given(const std::string& path) const {
    if (extension_.count(path) != 0) return true;
    const auto next = extension_.lower_bound(path + "/");
    return next != extension_.end() && next->first.starts_with(path + "/");
  }

  void read_occurrence(const Element& element, void* object, const std::string& path) {
    // That the element is there may be all that it says.
    if (const auto bare = extension_.find(path); bare != extension_.end() && bare->second.empty())
      used_.insert(path);
    for (const Setting& setting : element.settings) {
      if (setting.replaces_content) continue;
      const std::string here = setting.form == Form::Content ? path : attribute_path(path, setting);
      const auto given = extension_.find(here);
      if (given != extension_.end()) {
        used_.insert(here);
        read_text(setting, given->second, object, on_metadata(here));
      } else if (setting.required) {
        report(on_metadata(here), setting.type.expected, "none", "Add it.");
      }
    }
    for (const Element& child : element.children) read_extension(child, object, path);
  }

  /// What is told from its siblings by a name has one of its own.
  void check_key(const Element& element, const void* entry, const std::string& path,
                 std::set<std::string>& keys) {
    if (element.key.empty()) return;
    for (const Setting& setting : element.settings)
      if (setting.name == element.key && !keys.insert(setting.write(entry)).second)
        report(on_metadata(path),
               fmt::format("each {} of another {}", qualified(element.space, element.name), element.key),
               "a second '" + printable(setting.write(entry), kShown) + "'",
               "Remove one of them, or join them.");
  }

  void report_unknown(const std::string& path) {
    report(on_metadata(path), "a setting of the extension, by its path in the XML",
           "'" + printable(path, kShown) + "'",
           "Entries of lists are numbered from 1, without gaps. The path of a free note has no step with x: "
           "in front.");
  }

  // ---- Values

  static const ordered_json* member(const ordered_json& json, std::string_view name) {
    const auto found = json.find(std::string(name));
    return found == json.end() ? nullptr : &*found;
  }

  /// nullptr: there is no object, which is told unless it may be missing and is.
  const ordered_json* object_at(const ordered_json& json, std::string_view name, const std::string& pointer,
                                bool required) {
    const ordered_json* value = json.is_object() ? member(json, name) : nullptr;
    if (value != nullptr && value->is_object()) return value;
    const bool missing = value == nullptr || value->is_null();
    if (required || !missing)
      report_once(pointer + step(name), "an object", value == nullptr ? "none" : shown(*value));
    return nullptr;
  }

  /// A value as the XML would have it; nothing: it is of another type.
  static std::optional<std::string> text_of(const ValueType& type, const ordered_json& value) {
    const JsonForm form = json_form(type);
    if (form == JsonForm::Text && value.is_string()) return value.get<std::string>();
    if ((form == JsonForm::Boolean && value.is_boolean()) ||
        (form == JsonForm::Integer && value.is_number_integer()))
      return value.dump();
    return std::nullopt;
  }

  void read_text(const Setting& setting, const std::string& given, void* object, const std::string& pointer) {
    if (!is_xml_text(given))
      return report(pointer, setting.type.expected, "characters that XML does not have", "Remove them.");
    const std::string_view text = setting.type.keeps_space() ? std::string_view(given) : trim(given);
    // The setting is what it is without being given: only so can what is empty be said.
    if (text.empty() && !setting.required && setting.default_text.empty()) return;
    const Result<> read = setting.read(object, text, kNoFiles);
    if (read) return;
    const std::string& why = read.error().detail;
    report(pointer, setting.type.expected, why.empty() ? "'" + printable(text, kShown) + "'" : why, {});
  }

  /// Several members are looked for in one envelope.
  void report_once(const std::string& pointer, std::string expected, std::string found) {
    const bool told = std::any_of(problems_.begin(), problems_.end(),
                                  [&](const Problem& problem) { return problem.path == pointer; });
    if (!told) report(pointer, std::move(expected), std::move(found), {});
  }

  void report(const std::string& pointer, std::string expected, std::string found, std::string advice) {
    if (full_) return;
    if (problems_.size() == kMaxProblems) {
      full_ = true;
      expected = fmt::format("{} problems at most", kMaxProblems);
      found = "more, and the rest was not looked at";
      advice = "Mend these first.";
    }
    Problem problem;
    problem.path = printable(pointer);
    problem.expected = std::move(expected);
    problem.found = std::move(found);
    problem.advice = std::move(advice);
    problems_.push_back(std::move(problem));
  }

  static inline const ParseContext kNoFiles{};

  const ordered_json& resource_;
  std::string_view vaults_;
  std::vector<Problem>& problems_;
  std::vector<std::pair<std::string, const ordered_json*>> notes_;
  std::map<std::string, std::string> extension_;
  std::set<std::string> used_;
  bool full_ = false;
};

template <class Entry>
JsonOutcome<Entry> read_entry(EntryKind kind, std::string_view name, const ordered_json& resource,
                              std::string_view vaults) {
  JsonOutcome<Entry> outcome;
  Entry entry;
  JsonReader(resource, vaults, outcome.problems).read(kind, name, &entry);
  if (outcome.problems.empty()) outcome.entry = std::move(entry);
  return outcome;
}

}  // namespace

JsonOutcome<Partner> read_partner(std::string_view name, const ordered_json& resource) {
  return read_entry<Partner>(EntryKind::Partner, name, resource, {});
}

JsonOutcome<Agreement> read_agreement(std::string_view name, const ordered_json& resource) {
  return read_entry<Agreement>(EntryKind::Agreement, name, resource, {});
}

JsonOutcome<CertificateEntry> read_certificate(std::string_view name, const ordered_json& resource,
                                               std::string_view vaults) {
  JsonOutcome<CertificateEntry> outcome =
      read_entry<CertificateEntry>(EntryKind::Certificate, name, resource, vaults);
  if (outcome.entry && !outcome.entry->key && outcome.entry->public_certificate.empty()) {
    Problem neither;
    neither.path = "/properties";
    neither.expected = "publicCertificate, key or both";
    neither.found = "neither";
    outcome.problems.push_back(std::move(neither));
    outcome.entry.reset();
  }
  return outcome;
}

}  // namespace signet::agreements
