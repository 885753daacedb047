#pragma once

#include <string>
#include <vector>

#include "gateway/cli/home.h"

namespace signet::gateway {

/// The tracking events of a message (gateway/operations/tracking.h), one line of JSON each, from what the
/// home keeps of it. None for a message that is not opened yet.
///
/// @error  of the store.
Result<std::vector<std::string>> tracking_lines(Home& home, const MessageRecord& record);

}  // namespace signet::gateway
