#include "gateway/api/api_version.h"

#include <fmt/format.h>

#include <regex>

#include "base/bytes.h"

namespace signet::gateway::api {
namespace {

constexpr std::size_t kLongestVersion = 32;

bool is_known(const std::string& version, Plane plane) {
  static const std::regex kVault(R"(7\.[0-6](-preview(\.\d{1,2})?)?|2025-07-01)");
  static const std::regex kManagement(R"(20\d\d-\d\d-\d\d(-preview)?)");
  return version.size() <= kLongestVersion &&
         std::regex_match(version, plane == Plane::Vault ? kVault : kManagement);
}

}  // namespace

Result<std::string> read_api_version(const Target& target, Plane plane) {
  SIGNET_TRY(const auto version, target.parameter("api-version"));
  const bool vault = plane == Plane::Vault;
  if (!version)
    return fail(ErrorKind::InvalidInput, fmt::format("the query lacks api-version, such as api-version={}",
                                                     vault ? "7.5" : "2019-05-01"));
  if (!is_known(*version, plane))
    return fail(ErrorKind::InvalidInput,
                fmt::format("the api-version '{}' is not known here; {}", printable(*version),
                            vault ? "7.0 to 7.6 and 2025-07-01 are" : "dates such as 2019-05-01 are"));
  return *version;
}

}  // namespace signet::gateway::api
