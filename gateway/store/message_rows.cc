#include "gateway/store/message_rows_internal.h"

#include <fmt/format.h>

#include <utility>

#include "gateway/store/evidence_chain_internal.h"

namespace signet::gateway {
namespace {

using Headers = decltype(WireCopy::headers);

std::optional<std::string> take_counted(ByteView& rest) {
  if (rest.size() < 4) return std::nullopt;
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) size = size << 8 | rest[i];
  rest = rest.subspan(4);
  if (size > rest.size()) return std::nullopt;
  std::string text(as_text(rest.first(size)));
  rest = rest.subspan(size);
  return text;
}

}  // namespace

void append_counted(Bytes& out, std::string_view text) {
  for (const unsigned shift : {24U, 16U, 8U, 0U})
    out.push_back(static_cast<std::uint8_t>(text.size() >> shift & 0xFF));
  const ByteView octets = as_bytes(text);
  out.insert(out.end(), octets.begin(), octets.end());
}

Bytes encode_headers(const Headers& headers) {
  Bytes octets;
  for (const auto& [name, value] : headers) {
    append_counted(octets, name);
    append_counted(octets, value);
  }
  return octets;
}

Result<Headers> decode_headers(ByteView octets) {
  Headers headers;
  while (!octets.empty()) {
    auto name = take_counted(octets);
    auto value = name ? take_counted(octets) : std::nullopt;
    if (!value)
      return fail(ErrorKind::IoFailure, "the database holds a receipt whose header fields cannot be read");
    headers.emplace_back(*std::move(name), *std::move(value));
  }
  return headers;
}

Result<StoredReceipt> read_receipt(const Query& row, int column) {
  StoredReceipt receipt;
  receipt.http_status = static_cast<int>(row.integer(column));
  SIGNET_TRY(receipt.headers, decode_headers(row.bytes(column + 1)));
  receipt.body = row.bytes(column + 2);
  return receipt;
}

Result<MessageRecord> read_record(const Query& row) {
  MessageRecord record;
  record.id = row.text(0);
  SIGNET_TRY(record.direction, parse_direction(row.text(1)));
  SIGNET_TRY(record.state, parse_state(row.text(2)));
  record.agreement = row.text(3);
  record.as2_from = row.text(4);
  record.as2_to = row.text(5);
  record.message_id = row.text(6);
  record.subject = row.text(7);
  record.created = row.time(8);
  record.settled = row.optional_time(9);
  record.request_id = row.text(10);
  record.remote_address = row.text(11);
  record.content_type = row.text(12);
  record.file_name = row.text(13);
  record.payload_size = static_cast<std::uint64_t>(row.integer(14));
  record.mic = row.text(15);
  record.mic_algorithm = row.text(16);
  record.disposition = row.text(17);
  record.signer_thumbprint = row.text(18);
  record.recipient_thumbprint = row.text(19);
  record.receipt_signer_thumbprint = row.text(20);
  record.security = row.text(21);
  record.reason = row.text(22);
  record.delivered_to = row.text(23);
  record.attempts = static_cast<std::uint32_t>(row.integer(24));
  record.queued = row.optional_time(25);
  record.due = row.optional_time(26);
  record.receipt_url = row.text(27);
  record.hands_receipt_over = row.integer(28) != 0;
  record.keeps = {row.integer(29) != 0, row.integer(30) != 0, row.integer(31) != 0};
  record.revocation_unchecked = row.text(32);
  return record;
}

Result<std::vector<MessageRecord>> read_records(Query& query) {
  std::vector<MessageRecord> records;
  while (query.next()) {
    SIGNET_TRY(MessageRecord record, read_record(query));
    records.push_back(std::move(record));
  }
  return records;
}

Result<MessageRecord> record_at(SqlConnection& connection, std::int64_t message) {
  Query row(connection, "SELECT " SIGNET_RECORD_COLUMNS " FROM messages WHERE sequence = ?");
  if (!row.bind(message).next()) return fail(ErrorKind::Internal, "a message's row is gone");
  return read_record(row);
}

Error no_message(std::string_view id) {
  return Error{ErrorKind::NotFound, "no message has the id " + printable(id)};
}

Result<MessageRow> find_row(SqlConnection& connection, std::string_view id) {
  Query row(connection, "SELECT sequence, state FROM messages WHERE id = ?");
  if (!row.bind(id).next()) return fail(no_message(id));
  SIGNET_TRY(const MessageState state, parse_state(row.text(1)));
  return MessageRow{row.integer(0), state};
}

std::string_view to_string(Place place) {
  switch (place) {
    case Place::None:
      return "none";
    case Place::Row:
      return "row";
    case Place::File:
      return "file";
  }
  return "none";
}

Result<Place> parse_place(std::string_view word) {
  for (const Place place : {Place::None, Place::Row, Place::File})
    if (word == to_string(place)) return place;
  return fail(ErrorKind::IoFailure,
              "the database says '" + printable(word) + "' where a body's place stands");
}

Result<Slice> open_body(const BodyFiles& files, StoredBody body) {
  SIGNET_TRY(const Slice kept, body.place == Place::File ? files.open_body(body.name)
                                                         : Result<Slice>(Slice::of(std::move(body.octets))));
  const Slice octets = kept.sub(body.begin, body.size);
  if (octets.size() != body.size)
    return fail(ErrorKind::IoFailure,
                fmt::format("the body {} has {} octets and should have {}; restore it from a backup",
                            body.name, octets.size(), body.size));
  return octets;
}

void forget_wire(SqlConnection& connection, std::int64_t message, std::string_view id,
                 std::vector<std::string>& files) {
  Query row(connection, "DELETE FROM wires WHERE message = ? RETURNING place");
  const bool is_file = row.bind(message).next() && row.text(0) == to_string(Place::File);
  if (is_file) files.push_back(BodyFiles::wire_name(id));
}

void forget_payload(SqlConnection& connection, std::int64_t message, std::string_view id,
                    std::vector<std::string>& files) {
  const auto file = to_string(Place::File);
  Query payload(connection, "SELECT body_place FROM messages WHERE sequence = ?");
  if (payload.bind(message).next() && payload.text(0) == file) files.emplace_back(id);
  Query(connection,
        "UPDATE messages SET body_place = 'none', body_size = 0, body_begin = 0 WHERE sequence = ?")
      .bind(message)
      .run();
  Query(connection, "DELETE FROM bodies WHERE message = ?").bind(message).run();
  Query proof(connection, "DELETE FROM proofs WHERE message = ? RETURNING place");
  if (proof.bind(message).next() && proof.text(0) == file) files.push_back(BodyFiles::content_name(id));
}

std::string_view bare(std::string_view message_id) {
  const bool bracketed = message_id.size() >= 2 && message_id.front() == '<' && message_id.back() == '>';
  return bracketed ? message_id.substr(1, message_id.size() - 2) : message_id;
}
std::string bracketed(std::string_view message_id) { return fmt::format("<{}>", bare(message_id)); }

Result<std::vector<WaitingWork>> read_waiting(Query& query) {
  std::vector<WaitingWork> works;
  while (query.next()) works.push_back({query.text(0), query.text(1), query.time(2), query.time(3)});
  return works;
}

std::int64_t insert_record(SqlConnection& connection, const MessageRecord& r) {
  Query insert(connection,
               "INSERT INTO messages (" SIGNET_RECORD_COLUMNS
               ", body_place, body_size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
               "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'none', 0) RETURNING sequence");
  insert.bind(r.id, to_string(r.direction), to_string(r.state), r.agreement, r.as2_from, r.as2_to,
              r.message_id, r.subject, r.created, r.settled, r.request_id, r.remote_address, r.content_type,
              r.file_name, static_cast<std::int64_t>(r.payload_size), r.mic, r.mic_algorithm, r.disposition,
              r.signer_thumbprint, r.recipient_thumbprint, r.receipt_signer_thumbprint, r.security, r.reason,
              r.delivered_to, std::int64_t{r.attempts}, r.queued, r.due, r.receipt_url,
              std::int64_t{r.hands_receipt_over}, std::int64_t{r.keeps.wire}, std::int64_t{r.keeps.payload},
              std::int64_t{r.keeps.receipt}, r.revocation_unchecked);
  insert.next();
  return insert.integer(0);
}

void write_receipt(SqlConnection& connection, std::int64_t message, const MessageRecord& record,
                   const StoredReceipt& receipt) {
  const Bytes headers = encode_headers(receipt.headers);
  Query insert(connection,
               "INSERT OR REPLACE INTO receipts (message, http_status, headers, body) VALUES (?, ?, ?, ?)");
  insert.bind(message, std::int64_t{receipt.http_status}, headers, receipt.body).run();
  if (record.keeps.any()) keep_certificate(connection, receipt.signer);
}

void forget_receipt(SqlConnection& connection, std::int64_t message) {
  Query(connection, "DELETE FROM receipts WHERE message = ?").bind(message).run();
}

void keep_certificates(SqlConnection& connection, const MessageRecord& record, const Evidence& evidence) {
  if (!record.keeps.any()) return;
  for (const Bytes& der : evidence.certificates) keep_certificate(connection, der);
}

void leave_note(SqlConnection& connection, std::int64_t message) {
  Query(connection, "INSERT INTO notes (message) VALUES (?)").bind(message).run();
}

/// Records of one message in the chain of evidence, beyond which no more receipts that change nothing are
/// kept: more than a partner who repeats himself brings about.
constexpr std::int64_t kMostRecords = 32;

Result<> check_room_for_record(SqlConnection& connection, std::int64_t message, std::string_view id) {
  Query records(connection, "SELECT count(*) FROM evidence WHERE message = ?");
  records.bind(message).next();
  if (records.integer(0) < kMostRecords) return {};
  return fail(ErrorKind::LimitExceeded,
              fmt::format("message {} has {} records already: no more receipts that "
                          "change nothing are kept for it",
                          id, kMostRecords));
}

}  // namespace signet::gateway
