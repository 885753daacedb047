#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/clock.h"
#include "gateway/exchange/message_store.h"

namespace signet::gateway {

/// What the business is told of a message beside its payload, or, of one that was sent, beside its receipt.
/// Texts of the partner's may hold octets that are no UTF-8: to be dumped with kReplaceBroken, so that what
/// comes out is always JSON.
///
/// @param size, sha256  of what is handed over  @param now  the time of hand-over
nlohmann::ordered_json facts_for_business(const MessageRecord& record, std::uint64_t size, ByteView sha256,
                                          Time now);

/// Such octets become U+FFFD; the record has them as they came.
inline constexpr auto kReplaceBroken = nlohmann::ordered_json::error_handler_t::replace;

}  // namespace signet::gateway
