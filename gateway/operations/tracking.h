#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agreements/model.h"
#include "gateway/exchange/message_store.h"

namespace signet::gateway {

/// A message as tracking sees it: its record, and what else is kept of it.
struct TrackedMessage {
  MessageRecord record;
  const agreements::Agreement* agreement =
      nullptr;  ///< as it is now; null when it is gone, or there was none
  std::vector<std::pair<std::string, std::string>>
      headers;                           ///< of the message as it travelled; empty when they are not kept
  std::optional<StoredReceipt> receipt;  ///< what was answered, by us or by the partner
  std::optional<ReceiptPost> post;       ///< of the receipt, where we post it
};

/// Tracking events in the vocabulary of Azure Logic Apps ("Tracking schemas for monitoring B2B messages";
/// TrackingEvent of Microsoft.Logic 2019-05-01): one AS2Message, and one AS2MDN where the answer is a
/// receipt. Of one that we post there is an AS2MDN event once the partner took it, or that is given up.
///
///     {"eventLevel", "eventTime", "recordType": "AS2Message" | "AS2MDN", "trackingId": our id,
///      "record": {"agreementProperties": {...}, "messageProperties": {...}}, "error": {"code", "message"}}
///
/// "error" is there for what failed, and, with the level "Warning", for what was taken or sent though nobody
/// could say whether a certificate was revoked. What may be absent there and is not known here is left out.
/// Header fields that may hold secrets (Authorization, Cookie) are not shown, nor a URL's password and query.
std::vector<nlohmann::ordered_json> tracking_events(const TrackedMessage& message);

}  // namespace signet::gateway
