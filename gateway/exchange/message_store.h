#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/stream.h"

/// What the exchange must keep, and how sure it must be of it. gateway/store implements it.

namespace signet::gateway {

enum class Direction { Inbound, Outbound };

enum class MessageState {
  Accepted,   ///< inbound: verified, stored, receipt stored; not yet handed over
  Delivered,  ///< inbound: handed over to the business
  Refused,    ///< inbound: turned down; nothing of it was handed over
  Sending,    ///< outbound: composed and stored; the partner may or may not have it
  Confirmed,  ///< outbound: a receipt that proves delivery was verified (or the agreement asks for none, and the partner answered 2xx)
  Failed,     ///< outbound: the partner, its receipt or the way there says no
};

/// A stored answer: what went, or would go, over the wire again for a repeat.
struct StoredReceipt {
  int http_status = 200;
  std::vector<std::pair<std::string, std::string>> headers;  ///< in their order, Content-Length not among them
  Bytes body;                                                ///< empty when no receipt was asked for
};

/// One message's record, without its bodies.
struct MessageRecord {
  std::string id;  ///< ours: 32 hexadecimal digits, safe as a file name
  Direction direction = Direction::Inbound;
  MessageState state = MessageState::Refused;
  std::string agreement;  ///< empty when none was found
  std::string as2_from;
  std::string as2_to;
  std::string message_id;  ///< as on the wire, brackets and all
  std::string subject;
  Time created{};                     ///< received, or submitted
  std::optional<Time> settled;        ///< delivered, confirmed, refused or failed
  std::string request_id;             ///< joins the record, the log and the HTTP answer
  std::string remote_address;         ///< inbound: the peer; outbound: the URL
  std::string content_type;           ///< of the payload
  std::string file_name;              ///< as the partner sent it: metadata, never a path
  std::uint64_t payload_size = 0;
  std::string mic;                    ///< base64; empty when none could be computed
  std::string mic_algorithm;          ///< "sha-256"
  std::string disposition;            ///< of the receipt: sent (inbound) or received (outbound)
  std::string signer_thumbprint;      ///< SHA-256 of the certificate that the message's signature (inbound) was verified with
  std::string receipt_signer_thumbprint;  ///< outbound: of the certificate that the receipt was verified with
  std::string security;               ///< the layers met or made, for people: "encrypted aes256-cbc (rsa), signed sha-256 (rsa)"
  std::string reason;                 ///< why it was refused or failed, for the operator
  std::string delivered_to;           ///< where the payload was handed over
};

/// Which records to list; empty fields match everything.
struct MessageFilter {
  std::optional<Direction> direction;
  std::optional<MessageState> state;
  std::string agreement;
  std::string message_id;
  std::size_t limit = 100;  ///< newest first
};

/// Durable means: on disk, synced, and still there after the power fails. Thread-safe.
class MessageStore {
 public:
  virtual ~MessageStore() = default;

  /// The stored answer of an inbound message that was accepted under these names since `since`; nothing if there is none. A
  /// Message-ID with and without its angle brackets is the same one.
  virtual Result<std::optional<StoredReceipt>> find_accepted(std::string_view as2_from, std::string_view as2_to,
                                                             std::string_view message_id, Time since) = 0;

  /// Makes an inbound message, its payload and its receipt durable, in one transaction: all or nothing. A refused message
  /// has an empty payload. With `unique`, the triple of names is claimed for this message.
  ///
  /// @error AlreadyExists  the triple is claimed by another accepted message; nothing was stored.
  virtual Result<> commit_inbound(const MessageRecord& record, const Slice& payload, const StoredReceipt& receipt,
                                  bool unique) = 0;

  /// Accepted inbound messages that were not marked delivered, oldest first: what a start after a crash has to hand over.
  virtual Result<std::vector<MessageRecord>> undelivered() = 0;
  virtual Result<> mark_delivered(std::string_view id, std::string_view where, Time when) = 0;

  /// Makes an outbound message durable before its first octet leaves: the record, and the payload as
  /// given.
  virtual Result<> commit_outbound(const MessageRecord& record, const Slice& payload) = 0;
  /// Settles an outbound message (state, disposition, reason, settled, receipt signer) with what the partner answered.
  virtual Result<> settle_outbound(const MessageRecord& record, const StoredReceipt& answer) = 0;

  virtual Result<std::vector<MessageRecord>> list(const MessageFilter& filter) = 0;
  /// By our id, its first 8 digits or more, or a Message-ID. @error NotFound  @error InvalidInput  several
  /// messages have it.
  virtual Result<MessageRecord> find(std::string_view id_or_message_id) = 0;
  virtual Result<Slice> payload(std::string_view id) = 0;
  /// The receipt sent (inbound) or the answer received (outbound). @error NotFound
  virtual Result<StoredReceipt> receipt(std::string_view id) = 0;
};

}  // namespace signet::gateway
