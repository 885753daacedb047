#include "gateway/api/json_body.h"

#include <fmt/format.h>

#include <array>

#include "base/secret.h"

namespace signet::gateway::api {
namespace {

/// Before anything is built of it: what is too deep or too wide costs no more than its octets. (The members
/// of an object keep their order, so each is looked for among all before it.)
///
/// @error LimitExceeded
Result<> check_size(std::string_view text) {
  std::array<std::size_t, kDeepestBody + 1> members{};  // by depth, of the objects that the text is in
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepestBody)
        return fail(ErrorKind::LimitExceeded,
                    fmt::format("the request's body is deeper than {} objects and arrays", kDeepestBody));
      members[depth] = 0;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    } else if (c == ':' && ++members[depth] > kMostMembers) {
      return fail(ErrorKind::LimitExceeded,
                  fmt::format("an object in the request's body has more than {} members", kMostMembers));
    }
  }
  return {};
}

/// Nothing when it is absent or null.
const Json* member(const Json& object, std::string_view name) {
  const auto found = object.find(std::string(name));
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

Error wrong_type(std::string_view name, std::string_view expected) {
  return {ErrorKind::InvalidInput, fmt::format("the member '{}' must be {}", name, expected)};
}

Result<Json> parse(std::string_view text) {
  if (trim(text).empty()) return Json::object();
  SIGNET_CHECK(check_size(text));
  Json parsed = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) return fail(ErrorKind::InvalidInput, "the request's body is not valid JSON");
  if (!parsed.is_object()) return fail(ErrorKind::InvalidInput, "the request's body is not a JSON object");
  return parsed;
}

}  // namespace

Result<Json> parse_body(const Slice& body) {
  SIGNET_TRY(Bytes octets, body.to_bytes(kLongestBody));
  Result<Json> parsed = parse(as_text(octets));
  wipe(octets);  // there may be a secret in it
  return parsed;
}

Json words_json(std::string_view words) {
  Json list = Json::array();
  while (!words.empty()) {
    const std::size_t comma = words.find(',');
    list.push_back(words.substr(0, comma));
    words.remove_prefix(comma == std::string_view::npos ? words.size() : comma + 1);
  }
  return list;
}

Result<std::optional<std::string>> text_member(const Json& object, std::string_view name) {
  const Json* value = member(object, name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) return fail(wrong_type(name, "a string"));
  return value->get<std::string>();
}

Result<std::optional<SecretBytes>> secret_member(const Json& object, std::string_view name) {
  const Json* value = member(object, name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) return fail(wrong_type(name, "a string"));
  return SecretBytes::copy_of(value->get_ref<const std::string&>());
}

Result<std::optional<bool>> flag_member(const Json& object, std::string_view name) {
  const Json* value = member(object, name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) return fail(wrong_type(name, "true or false"));
  return value->get<bool>();
}

Result<std::optional<std::int64_t>> integer_member(const Json& object, std::string_view name) {
  const Json* value = member(object, name);
  if (value == nullptr) return std::nullopt;
  const bool fits = value->is_number_integer() &&
                    (!value->is_number_unsigned() || value->get<std::uint64_t>() <= INT64_MAX);
  if (!fits) return fail(wrong_type(name, "a whole number"));
  return value->get<std::int64_t>();
}

Result<Json> object_member(const Json& object, std::string_view name) {
  const Json* value = member(object, name);
  if (value == nullptr) return Json::object();
  if (!value->is_object()) return fail(wrong_type(name, "an object"));
  return *value;
}

Result<std::optional<std::vector<std::string>>> words_member(const Json& object, std::string_view name) {
  const Json* value = member(object, name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_array()) return fail(wrong_type(name, "an array of strings"));
  std::vector<std::string> words;
  for (const Json& word : *value) {
    if (!word.is_string()) return fail(wrong_type(name, "an array of strings"));
    words.push_back(word.get<std::string>());
  }
  return words;
}

Result<std::optional<std::map<std::string, std::string>>> map_member(const Json& object,
                                                                     std::string_view name) {
  const Json* value = member(object, name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) return fail(wrong_type(name, "an object of strings"));
  std::map<std::string, std::string> map;
  for (const auto& [key, text] : value->items()) {
    if (!text.is_string()) return fail(wrong_type(name, "an object of strings"));
    map.emplace(key, text.get<std::string>());
  }
  return map;
}

Result<std::vector<Json>> objects_member(const Json& object, std::string_view name) {
  const Json* value = member(object, name);
  std::vector<Json> all;
  if (value == nullptr) return all;
  if (!value->is_array()) return fail(wrong_type(name, "an array of objects"));
  for (const Json& one : *value) {
    if (!one.is_object()) return fail(wrong_type(name, "an array of objects"));
    all.push_back(one);
  }
  return all;
}

Result<std::optional<Bytes>> octets_member(const Json& object, std::string_view name) {
  const Json* value = member(object, name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) return fail(wrong_type(name, "a string"));
  auto octets = parse_base64url(value->get_ref<const std::string&>());
  if (!octets) return fail(wrong_type(name, "base64url (RFC 4648 section 5) without padding"));
  return *std::move(octets);
}

}  // namespace signet::gateway::api
