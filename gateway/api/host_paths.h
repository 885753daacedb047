#pragma once

#include <vector>

#include "agreements/model.h"
#include "agreements/problem.h"

namespace signet::gateway::api {

/// What an agreement says of the gateway's own file system, which is for those to decide who run it: a call
/// may name folders below the gateway's own, and leave what is stored, but name no absolute path.
///
/// @param before  the stored agreement of that name; nullptr: there is none
std::vector<agreements::Problem> paths_on_this_host(const agreements::Agreement& agreement,
                                                    const agreements::Agreement* before);

}  // namespace signet::gateway::api
