#pragma once

#include "gateway/api/call.h"
#include "gateway/api/services.h"

/// /certificateInventory and /rollovers: what comes to its end, and what takes its place when.

namespace signet::gateway::api {

Result<Answer> list_inventory(Services& services, const Call& call);
Result<Answer> list_rollovers(Services& services, const Call& call);
Result<Answer> plan_rollovers(Services& services, const Call& call);
Result<Answer> get_rollover(Services& services, const Call& call);
Result<Answer> cancel_rollover(Services& services, const Call& call);
Result<Answer> advance_rollover(Services& services, const Call& call);
Result<Answer> complete_rollover(Services& services, const Call& call);

}  // namespace signet::gateway::api
