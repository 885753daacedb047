#include "gateway/cli/vault_attributes.h"

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

Result<std::optional<Time>> parse_date(const std::string& text) {
  if (text == kNoDate) return std::optional<Time>();
  SIGNET_TRY(const Time time, parse_time(text));
  return std::optional(time);
}

}  // namespace signet::gateway
