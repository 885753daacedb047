#include "gateway/cli/vault_attributes.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace signet::gateway {
namespace {

constexpr std::string_view kNoDate = "none";

}  // namespace

std::string date_text(const std::optional<Time>& date) {
  return date ? to_rfc3339(*date) : std::string(kNoDate);
}

nlohmann::ordered_json date_json(const std::optional<Time>& date) {
  return date ? nlohmann::ordered_json(to_rfc3339(*date)) : nlohmann::ordered_json();
}

nlohmann::ordered_json words_json(std::string_view words) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  while (!words.empty()) {
    const std::size_t comma = words.find(',');
    list.push_back(words.substr(0, comma));
    words.remove_prefix(comma == std::string_view::npos ? words.size() : comma + 1);
  }
  return list;
}

nlohmann::ordered_json version_json(const vault::KeyId& id, const vault::KeyAttributes& attributes,
                                    Time created) {
  return {{"version", id.version},
          {"enabled", attributes.enabled},
          {"notBefore", date_json(attributes.not_before)},
          {"expires", date_json(attributes.expires)},
          {"created", to_rfc3339(created)}};
}

std::vector<std::string> warnings_of(const vault::KeyAttributes& attributes, std::string_view what,
                                     Time now) {
  if (!attributes.expires || *attributes.expires > now) return {};
  return {fmt::format("the {} expired at {} and is of no use: give it another date with 'update --expires'",
                      what, to_rfc3339(*attributes.expires))};
}

Result<std::optional<Time>> parse_date(const std::string& text) {
  if (text == kNoDate) return std::optional<Time>();
  SIGNET_TRY(const Time time, parse_time(text));
  return std::optional(time);
}

}  // namespace signet::gateway
