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

/// What became of a change of the account, or 400 with everything that stands against it.
Result<Answer> answer_with(const Result<RolloverOutcome>& outcome);

}  // namespace signet::gateway::api
