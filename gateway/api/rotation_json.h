#pragma once

#include "certstore/vault/rotation_policy.h"
#include "gateway/api/call.h"

/// Rotation policies as Key Vault's JSON.

namespace signet::gateway::api {

/// Without dates where the policy was never set.
Json rotation_policy_json(const Call& call, const vault::KeyId& key, const vault::RotationPolicy& policy);

/// "lifetimeActions" and "attributes" of a body.
///
/// @error InvalidInput  an action that is neither Rotate nor Notify, or twice the same; a trigger that is not
///                      one of timeAfterCreate and timeBeforeExpiry; no period of time.
Result<vault::RotationPolicy> read_rotation_policy(const Json& body);

}  // namespace signet::gateway::api
