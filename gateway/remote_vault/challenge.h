#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace signet::gateway {

/// What a vault wants a token for, and from whom, as Key Vault says it in the field WWW-Authenticate of a
/// 401: Bearer authorization="https://login.example/<tenant>", resource="https://vault.example".
struct Challenge {
  std::string authority;  ///< as https_url() has it
  std::string scope;      ///< "<resource>/.default"

  friend bool operator==(const Challenge&, const Challenge&) = default;
};

/// @param vault  the origin that was asked
/// @error InvalidInput      no such field, or one that cannot be read.
/// @error PermissionDenied  a token for a resource that the vault is no part of: the host of the resource
///                          must be the vault's, or a domain above it, as Azure's clients want it.
Result<Challenge> read_challenge(std::string_view field, std::string_view vault);

/// Whether `url` is `root`, or lies below it. Both are https URLs as https_url() has them.
bool is_at_or_below(std::string_view url, std::string_view root);

}  // namespace signet::gateway
