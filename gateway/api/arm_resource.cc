#include "gateway/api/arm_resource.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "certstore/vault/key.h"
#include "gateway/api/json_body.h"

namespace signet::gateway::api {
namespace {

constexpr std::size_t kMostTags = 15;
constexpr std::size_t kSteps =
    9;  ///< of "/subscriptions/S/resourceGroups/G/providers/Microsoft.KeyVault/vaults/V"

std::vector<std::string_view> steps_of(std::string_view id) {
  std::vector<std::string_view> steps;
  for (;;) {
    const std::size_t slash = std::min(id.find('/'), id.size());
    steps.push_back(id.substr(0, slash));
    if (slash == id.size()) return steps;
    id.remove_prefix(slash + 1);
  }
}

}  // namespace

Result<> check_subscription(const Installation& installation, const Call& call) {
  if (equal_ignoring_case(call.parameter("subscription"), installation.subscription)) return {};
  return fail(ErrorKind::NotFound,
              fmt::format("there is no subscription '{}' here", printable(call.parameter("subscription"))));
}

Result<> check_resource_name(std::string_view name) {
  constexpr std::size_t kLongest = 80;
  const bool good =
      !name.empty() && name.size() <= kLongest && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               std::string_view("-_.()").find(c) != std::string_view::npos;
      });
  if (good) return {};
  return fail(ErrorKind::InvalidInput,
              fmt::format("a name has 1 to 80 letters, digits and - _ . ( ), not '{}'", printable(name)));
}

std::string vault_origin(const Call& call, std::string_view vault) {
  constexpr std::string_view kScheme = "https://";
  return fmt::format("{}{}.{}", kScheme, vault, std::string_view(call.origin).substr(kScheme.size()));
}

Answer refusal_of(const std::vector<agreements::Problem>& problems) {
  Json details = Json::array();
  std::string message;
  for (const agreements::Problem& problem : problems) {
    if (problem.severity != agreements::Severity::Error) continue;
    agreements::Problem told = problem;
    told.path.clear();
    std::string text = agreements::to_string(told);
    details.push_back({{"code", "InvalidValue"}, {"target", problem.path}, {"message", text}});
    if (message.empty()) message = problem.path + ": " + text;
  }
  if (details.size() > 1) message += fmt::format(" And {} more: see details.", details.size() - 1);
  return {400,
          Json{{"error", {{"code", "BadRequest"}, {"message", message}, {"details", std::move(details)}}}},
          {}};
}

Result<Json> read_envelope(const Json& body) {
  SIGNET_TRY(const auto location, text_member(body, "location"));
  SIGNET_TRY(const auto tags, map_member(body, "tags"));
  Json envelope = Json::object();
  if (location) envelope["location"] = *location;
  if (tags && tags->size() > kMostTags)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a resource has {} tags at most, not {}", kMostTags, tags->size()));
  if (tags) envelope["tags"] = *tags;
  return envelope;
}

Json envelope_json(const std::string& id, std::string_view name, std::string_view type,
                   const Json& envelope) {
  Json json = {{"id", id}, {"name", name}, {"type", type}};
  for (const char* member : {"location", "tags"})
    if (envelope.contains(member)) json[member] = envelope[member];
  return json;
}

std::string_view vaults_prefix(const Installation& installation, std::string_view id) {
  const std::vector<std::string_view> steps = steps_of(id);
  const bool is_one =
      steps.size() == kSteps && steps[0].empty() && equal_ignoring_case(steps[1], "subscriptions") &&
      equal_ignoring_case(steps[2], installation.subscription) &&
      equal_ignoring_case(steps[3], "resourceGroups") && !steps[4].empty() &&
      equal_ignoring_case(steps[5], "providers") && equal_ignoring_case(steps[6], "Microsoft.KeyVault") &&
      equal_ignoring_case(steps[7], "vaults");
  return is_one ? id.substr(0, id.size() - steps[8].size()) : std::string_view();
}

Result<std::string> vault_in_id(const Installation& installation, std::string_view id) {
  const std::string_view prefix = vaults_prefix(installation, id);
  if (prefix.empty())
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("expected the id of a key vault, /subscriptions/{}/resourceGroups/GROUP/providers/"
                    "Microsoft.KeyVault/vaults/NAME, found '{}'",
                    installation.subscription, printable(id)));
  std::string name(id.substr(prefix.size()));
  SIGNET_CHECK(vault::check_vault_name(name));
  return name;
}

}  // namespace signet::gateway::api
