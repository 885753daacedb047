#include "gateway/api/route.h"

#include <algorithm>

#include "base/bytes.h"

namespace signet::gateway::api {
namespace {

bool is_parameter(std::string_view part) { return part.starts_with('{'); }
bool is_optional(std::string_view part) { return part.ends_with("?}"); }
std::string_view name_of(std::string_view part) {
  part.remove_prefix(1);
  return part.substr(0, part.find_first_of("?}"));
}

std::vector<std::string_view> parts_of(std::string_view pattern) {
  std::vector<std::string_view> parts;
  while (!pattern.empty()) {
    pattern.remove_prefix(1);  // the slash
    const std::size_t end = std::min(pattern.find('/'), pattern.size());
    parts.push_back(pattern.substr(0, end));
    pattern.remove_prefix(end);
  }
  return parts;
}

bool fits_literal(Plane plane, std::string_view part, std::string_view segment) {
  return plane == Plane::Vault ? part == segment : equal_ignoring_case(part, segment);
}

/// Nothing when the path is another one.
std::optional<PathParameters> match(const Route& route, std::span<const std::string> segments) {
  const std::vector<std::string_view> parts = parts_of(route.pattern);
  const bool last_may_miss = !parts.empty() && is_optional(parts.back());
  if (segments.size() != parts.size() && !(last_may_miss && segments.size() + 1 == parts.size()))
    return std::nullopt;
  PathParameters parameters;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (!is_parameter(parts[i])) {
      if (!fits_literal(route.plane, parts[i], segments[i])) return std::nullopt;
      continue;
    }
    if (segments[i].empty() && !is_optional(parts[i])) return std::nullopt;
    parameters.emplace(name_of(parts[i]), segments[i]);
  }
  return parameters;
}

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace

Match find_route(std::span<const Route> table, Plane plane, std::string_view method,
                 std::span<const std::string> segments) {
  Match found;
  for (const Route& route : table) {
    if (route.plane != plane) continue;
    auto parameters = match(route, segments);
    if (!parameters) continue;
    if (route.method == method) return {&route, *std::move(parameters), {}};
    if (std::find(found.methods.begin(), found.methods.end(), route.method) == found.methods.end())
      found.methods.push_back(route.method);
  }
  return found;
}

namespace {

/// What a call about certificates does not find.
std::string_view not_found_code_for(vault::CertificatePermission permission) {
  switch (permission) {
    case vault::CertificatePermission::ManageContacts:
      return "ContactsNotFound";
    case vault::CertificatePermission::ManageIssuers:
    case vault::CertificatePermission::GetIssuers:
    case vault::CertificatePermission::ListIssuers:
    case vault::CertificatePermission::SetIssuers:
    case vault::CertificatePermission::DeleteIssuers:
      return "CertificateIssuerNotFound";
    case vault::CertificatePermission::Get:
    case vault::CertificatePermission::List:
    case vault::CertificatePermission::Update:
    case vault::CertificatePermission::Create:
    case vault::CertificatePermission::Import:
    case vault::CertificatePermission::Delete:
    case vault::CertificatePermission::Recover:
    case vault::CertificatePermission::Backup:
    case vault::CertificatePermission::Restore:
    case vault::CertificatePermission::Purge:
      break;
  }
  return "CertificateNotFound";
}

}  // namespace

std::string_view not_found_code(const Needs& needs) {
  return std::visit(
      Overloaded{[](vault::KeyPermission) { return std::string_view("KeyNotFound"); },
                 [](vault::SecretPermission) { return std::string_view("SecretNotFound"); },
                 [](vault::CertificatePermission permission) { return not_found_code_for(permission); },
                 [](Role) { return std::string_view("ResourceNotFound"); }},
      needs);
}

}  // namespace signet::gateway::api
