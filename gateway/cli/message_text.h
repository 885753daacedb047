#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "gateway/exchange/message_store.h"

/// Message records as commands show them.

namespace signet::gateway {

nlohmann::ordered_json to_json(const MessageRecord& record);
/// One fact a line; facts that are not there have no line.
std::string to_text(const MessageRecord& record);

/// With what became of the receipt of ours that is posted for it, if there is one.
nlohmann::ordered_json to_json(const MessageRecord& record, const std::optional<ReceiptPost>& post);
std::string to_text(const MessageRecord& record, const std::optional<ReceiptPost>& post);

}  // namespace signet::gateway
