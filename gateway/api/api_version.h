#pragma once

#include <string>

#include "base/result.h"
#include "gateway/api/route.h"

namespace signet::gateway::api {

/// The parameter "api-version" of a query. All versions that are taken mean the same here.
///
/// Vault plane: 7.0 to 7.6 and their previews, 2025-07-01. Management plane: any date, with or without
/// "-preview", since each of its services has its own.
/// @error InvalidInput  it is missing, or another one.
Result<std::string> read_api_version(const Target& target, Plane plane);

}  // namespace signet::gateway::api
