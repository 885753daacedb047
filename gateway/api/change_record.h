#pragma once

#include <string>
#include <string_view>

#include "gateway/api/account_services.h"
#include "gateway/api/call.h"

namespace signet::gateway::api {

/// Leaves the audit record of a change by the caller, which comes before the change: without it, nothing is
/// changed.
///
/// @param operation  "changeAccount"...
/// @param what       the vault, or the name of what in the account the change is of
Result<> record_change(const AccountServices& services, const Call& call, Time now,
                       std::string_view operation, const vault::KeyId& what, std::string_view detail = {});

/// The same of a change that was recorded and then could not be made.
void record_failure(const AccountServices& services, const Call& call, Time now, std::string_view operation,
                    const vault::KeyId& what, const Error& error);

}  // namespace signet::gateway::api
