#pragma once

#include "gateway/api/call.h"
#include "gateway/api/lifecycle_services.h"

/// The inventory of certificates, and rollovers, as JSON: the same for the REST services and for the command
/// line.

namespace signet::gateway::api {

Json json_of(const InventoryEntry& entry, Time now);
Json json_of(const Rollover& rollover, Time now);
Json json_of(const RolloverOutcome& outcome);

}  // namespace signet::gateway::api
