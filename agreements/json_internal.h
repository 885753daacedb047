#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "agreements/grammar.h"

/// Internal: what the reader and the writer of JSON agree on.

namespace signet::agreements {

inline constexpr std::string_view kVaultType = "Microsoft.KeyVault/vaults";

/// How a value of a type stands in JSON.
enum class JsonForm { Text, Boolean, Integer };
JsonForm json_form(const ValueType& type);

/// The setting that is the element's text; nullptr: it has none.
const Setting* content_of(const Element& element);
/// Whether the element only holds the entries of one list, which JSON has as an array.
bool is_list(const Element& element);
/// Whether the element is the free notes.
bool is_metadata(const Element& element);

/// Names under metadata that are the extension's: a step of them begins with "x:".
bool is_extension_path(std::string_view name);
std::string attribute_path(std::string_view element_path, const Setting& setting);
/// The `number`-th (from 1) of an element's occurrences under the path.
std::string occurrence_path(std::string_view parent, const Element& element, std::size_t number);

/// A note's text as JSON, and back. Any JSON is a text and any text is JSON, one to one: what is no string
/// stands in the text as JSON, after "json:".
nlohmann::ordered_json note_to_json(const std::string& note);
std::string note_from_json(const nlohmann::ordered_json& value);

}  // namespace signet::agreements
