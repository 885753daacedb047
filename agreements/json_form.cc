#include <fmt/format.h>

#include "agreements/json.h"
#include "agreements/json_internal.h"

namespace signet::agreements {

namespace {

using nlohmann::ordered_json;

constexpr std::string_view kJsonNote = "json:";

/// How deep objects and arrays are in each other; brackets in strings are none.
std::size_t depth_of(std::string_view text) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\')
      ++i;
    else if (c == '"')
      in_string = !in_string;
    else if (!in_string && (c == '{' || c == '['))
      deepest = std::max(deepest, ++depth);
    else if (!in_string && (c == '}' || c == ']') && depth > 0)
      --depth;
  }
  return deepest;
}

/// The JSON that a note stands for, if it is one that note_from_json() writes.
std::optional<ordered_json> json_in(const std::string& note) {
  if (!note.starts_with(kJsonNote)) return std::nullopt;
  const std::string_view text = std::string_view(note).substr(kJsonNote.size());
  Result<ordered_json> value = parse_json(text);
  if (!value || note_from_json(*value) != note) return std::nullopt;
  return *std::move(value);
}

}  // namespace

Result<ordered_json> parse_json(std::string_view text) {
  if (text.size() > kMaxJsonSize)
    return fail(ErrorKind::LimitExceeded,
                fmt::format("expected JSON of at most {} octets, found {}", kMaxJsonSize, text.size()));
  if (const std::size_t depth = depth_of(text); depth > kMaxJsonDepth)
    return fail(ErrorKind::LimitExceeded,
                fmt::format("expected JSON of at most {} levels, found {}", kMaxJsonDepth, depth));
  try {
    return ordered_json::parse(text);
  } catch (const ordered_json::parse_error& error) {
    return fail(ErrorKind::InvalidInput,
                fmt::format("expected JSON, found something else at octet {}", error.byte));
  } catch (const ordered_json::exception&) {
    return fail(ErrorKind::InvalidInput, "expected JSON, found a number that is out of range");
  }
}

JsonForm json_form(const ValueType& type) {
  if (type.schema_name == "xs:boolean") return JsonForm::Boolean;
  return type.schema_base == "xs:integer" ? JsonForm::Integer : JsonForm::Text;
}

const Setting* content_of(const Element& element) {
  for (const Setting& setting : element.settings)
    if (setting.form == Form::Content) return &setting;
  return nullptr;
}

bool is_metadata(const Element& element) {
  return element.space == Space::Account && element.name == "metadata";
}

bool is_list(const Element& element) {
  return element.settings.empty() && element.children.size() == 1 && element.children.front().repeats &&
         element.children.front().space == Space::Account;
}

bool is_extension_path(std::string_view name) {
  return name.starts_with("x:") || name.find("/x:") != std::string_view::npos ||
         name.find("@x:") != std::string_view::npos;
}

std::string attribute_path(std::string_view element_path, const Setting& setting) {
  return fmt::format("{}/@{}", element_path, qualified(setting.space, setting.name));
}

std::string occurrence_path(std::string_view parent, const Element& element, std::size_t number) {
  return child_path(parent, element, std::to_string(number));
}

ordered_json note_to_json(const std::string& note) {
  std::optional<ordered_json> value = json_in(note);
  return value ? *std::move(value) : ordered_json(note);
}

std::string note_from_json(const ordered_json& value) {
  if (value.is_string())
    if (const auto& text = value.get_ref<const std::string&>(); !json_in(text)) return text;
  return std::string(kJsonNote) + value.dump();
}

}  // namespace signet::agreements
