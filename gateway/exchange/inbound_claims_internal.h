#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "as2/message_id.h"
#include "as2/mime/headers.h"
#include "as2/name.h"
#include "as2/receipt_request.h"
#include "base/result.h"

/// Internal to the inbound journey: what the headers of a request say.

namespace signet::gateway {

/// A request that is no AS2 message, or that nobody can be found for: it gets an HTTP answer and no receipt.
struct NotForUs {
  int http_status = 400;
  std::string reason;  ///< for the sender and for the operator
};

/// What the headers say. Claims, all of it.
struct Claims {
  std::optional<as2::As2Name> from;
  std::optional<as2::As2Name> to;
  std::optional<as2::MessageId> message_id;  ///< absent when what stands there is not one
  std::string subject;
  as2::ReceiptRequest receipt;
};

/// The first field of this name; empty when there is none.
std::string field(const as2::mime::Headers& headers, std::string_view name);

tl::expected<Claims, NotForUs> read_claims(const as2::mime::Headers& headers);

/// Why a body of `size` octets is not a message's octets as they are: HTTP has compressed it, or it is a part
/// of a transfer that is to be resumed (AS2 Restart), of which nothing is kept here.
std::optional<NotForUs> foreign_body(const as2::mime::Headers& headers, std::uint64_t size);

}  // namespace signet::gateway
