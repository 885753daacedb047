#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "tests/bench/company.h"

/// Fills homes that nobody serves with messages that were never sent, many times faster than by sending them.

namespace signet::bench {

/// Stores so many messages of years gone by: received, handed over, and gone but for their records, their
/// evidence and the receipts that repeats would get. The first thousand are made by the store's own code, the
/// others are copies of their rows under other ids and names.
///
/// @param host      our AS2 name
/// @param count     up to a thousand, or whole thousands
/// @param partners  they come from the first so many partners (trade.h) in turn
Result<> store_messages(const std::filesystem::path& home, const std::string& host, std::size_t partners,
                        std::size_t count);

/// Queues so many messages for the partners in turn, by the store's own code.
Result<> queue_messages(const std::filesystem::path& home, const std::string& host,
                        const std::vector<Partner>& partners, std::size_t count);

}  // namespace signet::bench
