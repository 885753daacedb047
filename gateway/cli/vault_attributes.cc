#include "gateway/cli/vault_attributes.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace signet::gateway {
namespace {

constexpr std::string_view kNoDate = "none";
constexpr std::string_view kNoTags = "none";

}  // namespace

std::string date_text(const std::optional<Time>& date) {
  return date ? to_rfc3339(*date) : std::string(kNoDate);
}

nlohmann::ordered_json date_json(const std::optional<Time>& date) {
  return date ? nlohmann::ordered_json(to_rfc3339(*date)) : nlohmann::ordered_json();
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

std::string tags_text(const vault::Tags& tags) {
  std::string text;
  for (const auto& [name, value] : tags)
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", printable(name), printable(value));
  return text.empty() ? std::string(kNoTags) : text;
}

void add_tag_option(CLI::App& command, std::vector<std::string>& tags) {
  command
      .add_option(
          "--tag", tags,
          "A note NAME=VALUE, may be given several times; in place of all there were. 'none' takes all "
          "away")
      ->expected(1)
      ->take_all();
}

Result<std::optional<vault::Tags>> read_tags(const std::vector<std::string>& words) {
  if (words.empty()) return std::optional<vault::Tags>();
  vault::Tags tags;
  if (words.size() == 1 && words.front() == kNoTags) return std::optional(tags);
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos)
      return fail(ErrorKind::InvalidInput,
                  fmt::format("--tag: expected NAME=VALUE, or 'none' alone, got '{}'", printable(word)));
    if (!tags.emplace(word.substr(0, equals), word.substr(equals + 1)).second)
      return fail(ErrorKind::InvalidInput,
                  fmt::format("--tag: '{}' was given twice", printable(word.substr(0, equals))));
  }
  return std::optional(std::move(tags));
}

Result<vault::AttributesUpdate> attributes_update(bool enable, bool disable, const std::string& not_before,
                                                  const std::string& expires) {
  vault::AttributesUpdate update;
  if (enable || disable) update.enabled = enable;
  if (!not_before.empty()) {
    SIGNET_TRY(update.not_before, parse_date(not_before));
  }
  if (!expires.empty()) {
    SIGNET_TRY(update.expires, parse_date(expires));
  }
  return update;
}

Result<std::optional<Time>> parse_date(const std::string& text) {
  if (text == kNoDate) return std::optional<Time>();
  SIGNET_TRY(const Time time, parse_time(text));
  return std::optional(time);
}

}  // namespace signet::gateway
