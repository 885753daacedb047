#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "gateway/exchange/message_store.h"

/// Message records as commands show them.

namespace signet::gateway {

nlohmann::ordered_json to_json(const MessageRecord& record);
/// One fact a line; facts that are not there have no line.
std::string to_text(const MessageRecord& record);

}  // namespace signet::gateway
