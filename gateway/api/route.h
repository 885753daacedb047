#pragma once

#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "certstore/vault/access_policy.h"
#include "gateway/api/call.h"
#include "gateway/api/services.h"

/// Which calls there are, and what each needs.

namespace signet::gateway::api {

enum class Plane {
  Vault,       ///< the keys, secrets and certificates of one vault, at an origin of its own
  Management,  ///< everything about the account and its vaults, at the services' own name
};

/// What the caller must have before anything else of a call is looked at: on the vault plane a permission of
/// the vault's access policies, on the management plane a role.
using Needs = std::variant<vault::KeyPermission, vault::SecretPermission, vault::CertificatePermission, Role>;

struct Route {
  Plane plane;
  std::string_view method;
  /// Segments with a slash before each. "{name}" stands for any that is not empty; "{version?}" also for one
  /// that is empty and, at the end, for none. Literals are matched exactly on the vault plane, and without
  /// regard to ASCII case on the management plane.
  std::string_view pattern;
  Needs needs;
  Result<Answer> (*handle)(Services&, const Call&);
};

/// The table of all routes: routes.cc. The first one that fits is taken.
std::span<const Route> routes();

/// What a call's method and path lead to.
struct Match {
  const Route* route = nullptr;  ///< nothing: no route has this path, or none this method
  PathParameters parameters;
  std::vector<std::string_view> methods;  ///< of the routes that have this path, each once
};

Match find_route(std::span<const Route> table, Plane plane, std::string_view method,
                 std::span<const std::string> segments);

/// The code of a thing that a route's call does not find: "KeyNotFound"...
std::string_view not_found_code(const Needs& needs);

}  // namespace signet::gateway::api
