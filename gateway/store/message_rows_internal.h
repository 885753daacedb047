#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/exchange/message_store.h"
#include "gateway/store/body_files.h"
#include "gateway/store/sql_internal.h"

/// Internal to gateway/store: the rows of a message, as values.

namespace signet::gateway {

/// A text with its length before it, in four octets.
void append_counted(Bytes& out, std::string_view text);

/// Header fields as they stand in the columns called `headers`.
Bytes encode_headers(const decltype(WireCopy::headers)& headers);
Result<decltype(WireCopy::headers)> decode_headers(ByteView octets);

/// From the columns http_status, headers, body, the first of which is `column`.
Result<StoredReceipt> read_receipt(const Query& row, int column);

#define SIGNET_RECORD_COLUMNS                                                                              \
  "id, direction, state, agreement, as2_from, as2_to, message_id, subject, created, settled, request_id, " \
  "remote_address, content_type, file_name, payload_size, mic, mic_algorithm, disposition, "               \
  "signer_thumbprint, recipient_thumbprint, receipt_signer_thumbprint, security, reason, delivered_to, "   \
  "attempts, queued, due, receipt_url, hands_receipt_over, keeps_wire, keeps_payload, keeps_receipt, "     \
  "revocation"

/// Behind those columns, where it is asked for.
inline constexpr int kSequenceColumn = 33;

/// From the SIGNET_RECORD_COLUMNS.
Result<MessageRecord> read_record(const Query& row);
Result<std::vector<MessageRecord>> read_records(Query& query);
/// By the row's key, which is there.
Result<MessageRecord> record_at(SqlConnection& connection, std::int64_t message);

Error no_message(std::string_view id);

/// A message's key and state.
struct MessageRow {
  std::int64_t sequence = 0;
  MessageState state = MessageState::Refused;
};
/// @error NotFound
Result<MessageRow> find_row(SqlConnection& connection, std::string_view id);

/// Where a body is kept, as the columns body_place and place say it.
enum class Place { None, Row, File };
std::string_view to_string(Place place);
Result<Place> parse_place(std::string_view word);

/// A body that is stored, or about to be: in its row, or in a file that is on disk by now.
struct StoredBody {
  std::string name;  ///< of its file, if it has one
  Place place = Place::None;
  std::uint64_t size = 0;
  Bytes octets;
  std::uint64_t begin = 0;  ///< in its file
};
Result<Slice> open_body(const BodyFiles& files, StoredBody body);

/// Removes the rows of a message's copies. The names of files that are nobody's any more once this is
/// committed are added to `files`; with the payload goes its proof.
void forget_wire(SqlConnection& connection, std::int64_t message, std::string_view id,
                 std::vector<std::string>& files);
void forget_payload(SqlConnection& connection, std::int64_t message, std::string_view id,
                    std::vector<std::string>& files);

/// A Message-ID without its angle brackets, and with them: a repeat may come with or without.
std::string_view bare(std::string_view message_id);
std::string bracketed(std::string_view message_id);

/// From id, agreement, due, queued.
Result<std::vector<WaitingWork>> read_waiting(Query& query);

/// @returns the new row's key.
std::int64_t insert_record(SqlConnection& connection, const MessageRecord& record);
void write_receipt(SqlConnection& connection, std::int64_t message, const MessageRecord& record,
                   const StoredReceipt& receipt);
void forget_receipt(SqlConnection& connection, std::int64_t message);
/// Where the record says that anything is kept.
void keep_certificates(SqlConnection& connection, const MessageRecord& record, const Evidence& evidence);
/// A note for the gateway that the message has something for it to do.
void leave_note(SqlConnection& connection, std::int64_t message);
/// @error LimitExceeded  the message has as many records in the chain of evidence as it may have.
Result<> check_room_for_record(SqlConnection& connection, std::int64_t message, std::string_view id);

}  // namespace signet::gateway
