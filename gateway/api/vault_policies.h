#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/api/call.h"
#include "gateway/api/services.h"

/// A vault's access policies as Azure's JSON: by object id, where ours are by a principal's name.
///
/// An object id that no principal has is kept as it is, as a name: nobody's, unless somebody is named so.
/// What the gateway and the operator may do is neither shown nor changed: that is for who runs the gateway.

namespace signet::gateway::api {

enum class PolicyChange {
  Add,      ///< what is given, beside what there is
  Replace,  ///< what is given, and nothing else
  Remove,   ///< what there is without what is given
};

/// Reads "accessPolicies" of an object. @error InvalidInput  a member that is missing or of another type, a
/// permission that there is none of, another tenant.
Result<std::vector<vault::AccessPolicy>> read_policies(const Services& services, const Json& properties,
                                                       std::string_view vault);

/// Changes the policies of a vault, one principal's after the other, each with its record in the audit log.
Result<> change_policies(Services& services, std::string_view vault, PolicyChange change,
                         const std::vector<vault::AccessPolicy>& given);

/// [{"tenantId", "objectId", "permissions": {"keys", "secrets", "certificates", "storage"}}]
Result<Json> policies_json(const Services& services, std::string_view vault);

}  // namespace signet::gateway::api
