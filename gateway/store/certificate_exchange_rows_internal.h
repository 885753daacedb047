#pragma once

#include <string>
#include <string_view>

#include "gateway/exchange/message_store.h"
#include "gateway/store/sql_internal.h"

/// Internal to gateway/store: what messages bring of exchanged certificates, inside the transaction that
/// takes the message.

namespace signet::gateway {

/// What an inbound message announces, answers and advertises; nothing for one that was refused.
void take_exchanges(SqlConnection& connection, const InboundCommit& commit);

/// What the partner advertises from now on; empty text: he said nothing.
void keep_features(SqlConnection& connection, std::string_view agreement, std::string_view features);
/// EDIINT-Features of an answer; empty: none.
std::string features_in(const StoredReceipt& answer);

}  // namespace signet::gateway
