#include <fmt/format.h>

#include "agreements/json.h"
#include "agreements/json_internal.h"

namespace signet::agreements {

namespace {

using nlohmann::ordered_json;

/// What a text that is not set is written as. A value's own empty() is about arrays and objects.
bool is_empty_text(const ordered_json& value) {
  return value.is_string() && value.get_ref<const std::string&>().empty();
}

/// The object within an object that the steps of "content/aS2" lead to, made where it is not there yet.
ordered_json& inside(ordered_json& json, std::string_view steps) {
  ordered_json* at = &json;
  while (!steps.empty()) {
    const std::size_t slash = std::min(steps.find('/'), steps.size());
    at = &(*at)[std::string(steps.substr(0, slash))];
    steps.remove_prefix(std::min(slash + 1, steps.size()));
  }
  return *at;
}

/// One walk over an entry.
class Writer {
 public:
  explicit Writer(std::string_view vaults) : vaults_(vaults) {}

  ordered_json write(EntryKind kind, const void* entry) {
    ordered_json properties = ordered_json::object();
    write_members(entry_element(kind), entry, properties, {});
    properties["metadata"] = std::move(metadata_);
    ordered_json resource;
    resource["properties"] = std::move(properties);
    return resource;
  }

 private:
  void write_members(const Element& element, const void* object, ordered_json& json,
                     const std::string& path) {
    for (const Setting& setting : element.settings) {
      if (setting.form != Form::Element) continue;
      ordered_json value = value_of(setting, object);
      if (!setting.optional_in_azure || !is_empty_text(value))
        json[std::string(setting.name)] = std::move(value);
    }
    for (const Element& child : element.children) {
      if (child.space == Space::Extension)
        write_extension(child, object, path);
      else if (is_metadata(child))
        write_notes(child, object, path);
      else
        write_child(child, object, json, path);
    }
  }

  void write_child(const Element& child, const void* object, ordered_json& json, const std::string& path) {
    const std::string name(child.name);
    if (is_list(child)) {
      inside(json, child.envelope)[name] = list_of(child.children.front(), object);
      return;
    }
    if (child.count(object) == 0) {
      if (!child.optional_in_azure) inside(json, child.envelope)[name] = nullptr;
      return;
    }
    const void* inner = child.at(object, 0);
    if (const Setting* content = content_of(child)) {
      ordered_json value = value_of(*content, inner);
      if (!is_empty_text(value)) inside(json, child.envelope)[name] = std::move(value);
      return;
    }
    ordered_json& members = inside(json, child.envelope)[name] = ordered_json::object();
    write_members(child, inner, members, occurrence_path(path, child, 1));
  }

  ordered_json list_of(const Element& entry, const void* object) {
    ordered_json list = ordered_json::array();
    for (std::size_t i = 0; i < entry.count(object); ++i)
      write_members(entry, entry.at(object, i), list.emplace_back(ordered_json::object()), {});
    return list;
  }

  [[nodiscard]] ordered_json value_of(const Setting& setting, const void* object) const {
    std::string text = setting.write(object);
    if (setting.names_vault)
      return {{"id", std::string(vaults_) + text}, {"name", text}, {"type", std::string(kVaultType)}};
    switch (json_form(setting.type)) {
      case JsonForm::Boolean:
        return text == "true";
      case JsonForm::Integer:
        return std::stoll(text);
      case JsonForm::Text:
        break;
    }
    return text;
  }

  /// Notes are members of metadata. From the first one on whose name would be taken for the extension's, they
  /// are the entries that they are in the XML.
  void write_notes(const Element& metadata, const void* object, const std::string& path) {
    const Element& entry = metadata.children.front();
    const auto note = [&](std::size_t i) { return static_cast<const MetadataEntry*>(entry.at(object, i)); };
    std::size_t plain = 0;
    for (; plain < entry.count(object) && !is_extension_path(note(plain)->name); ++plain)
      metadata_[note(plain)->name] = note_to_json(note(plain)->value);
    const std::string list = occurrence_path(path, metadata, 1);
    for (std::size_t i = plain; i < entry.count(object); ++i)
      write_occurrence(entry, note(i), occurrence_path(list, entry, i - plain + 1));
  }

  void write_extension(const Element& element, const void* object, const std::string& path) {
    for (std::size_t i = 0; i < element.count(object); ++i)
      write_occurrence(element, element.at(object, i), occurrence_path(path, element, i + 1));
  }

  /// As the canonical XML has it: what is required and what is not the default. An element that says
  /// something by being there is there.
  void write_occurrence(const Element& element, const void* object, const std::string& path) {
    const std::size_t before = metadata_.size();
    for (const Setting& setting : element.settings) {
      std::string value = setting.write(object);
      if (setting.replaces_content || (!setting.required && value == setting.default_text)) continue;
      metadata_[setting.form == Form::Content ? path : attribute_path(path, setting)] = std::move(value);
    }
    for (const Element& child : element.children) write_extension(child, object, path);
    if (!element.only_if_filled && metadata_.size() == before) metadata_[path] = "";
  }

  std::string_view vaults_;
  ordered_json metadata_ = ordered_json::object();
};

}  // namespace

ordered_json write_json(const Partner& partner) { return Writer({}).write(EntryKind::Partner, &partner); }

ordered_json write_json(const Agreement& agreement) {
  return Writer({}).write(EntryKind::Agreement, &agreement);
}

ordered_json write_json(const CertificateEntry& certificate, std::string_view vaults) {
  return Writer(vaults).write(EntryKind::Certificate, &certificate);
}

}  // namespace signet::agreements
