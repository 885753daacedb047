#include <fmt/format.h>

#include <utility>

#include "base/digest.h"
#include "base/log.h"
#include "gateway/store/certificate_exchange_rows_internal.h"
#include "gateway/store/hash_chain.h"
#include "gateway/store/sql_internal.h"
#include "gateway/store/store_internal.h"

/// Messages of ours, from their queue to their receipt.

namespace signet::gateway {

Result<> SqliteStore::commit_outbound(const OutboundCommit& given, Tell tell) {
  const MessageRecord& record = given.record;
  SIGNET_TRY(const Bodies bodies,
             prepare(record, record.keeps.payload ? &given.payload : nullptr, &given.wire, given.evidence));
  if (record.state == MessageState::Sending) SIGNET_CHECK(sending_.set(record.id));
  bool complete = false;
  auto outcome = database_->write([&](SqlConnection& connection) -> Result<> {
    const std::int64_t message = insert_record(connection, record);
    write_bodies(connection, message, bodies);
    if (tell == Tell::Gateway) leave_note(connection, message);
    keep_certificates(connection, record, given.evidence);
    chain_->append(connection, message, record, bodies.digests);
    complete = true;
    return {};
  });
  settle_files(bodies, outcome.has_value(), complete);
  if (!outcome) sending_.clear(record.id);
  return outcome;
}

/// What of a message of ours nothing needs any more once it is settled.
void SqliteStore::forget_settled(SqlConnection& connection, std::int64_t message, const MessageRecord& record,
                                 std::vector<std::string>& files) {
  if (!record.keeps.wire) forget_wire(connection, message, record.id, files);
  if (!record.keeps.receipt && !waits_for_hand_over(record)) forget_receipt(connection, message);
}

Result<> SqliteStore::settle_outbound(const MessageRecord& record, const std::optional<StoredReceipt>& answer,
                                      Tell tell) {
  CopyDigests digests;
  if (answer && !answer->body.empty() && record.keeps.receipt) {
    SIGNET_TRY(digests.receipt, travel_digest(*answer));
  }
  std::vector<std::string> forgotten;
  SIGNET_CHECK(database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_TRY(const MessageRow row, find_row(connection, record.id));
    if (!is_open(row.state))
      return fail(ErrorKind::AlreadyExists,
                  fmt::format("message {} is {} already; a later answer changes nothing", record.id,
                              to_string(row.state)));
    Query update(
        connection,
        "UPDATE messages SET state = ?, settled = ?, disposition = ?, reason = ?, "
        "receipt_signer_thumbprint = ?, attempts = ?, due = ?, remote_address = ?, hands_receipt_over = ?, "
        "revocation = ? WHERE sequence = ?");
    update.bind(to_string(record.state), record.settled, record.disposition, record.reason,
                record.receipt_signer_thumbprint, std::int64_t{record.attempts}, record.due,
                record.remote_address, std::int64_t{record.hands_receipt_over}, record.revocation_unchecked,
                row.sequence);
    update.run();
    if (answer) write_receipt(connection, row.sequence, record, *answer);
    if (answer && record.state == MessageState::Confirmed)
      keep_features(connection, record.agreement, features_in(*answer));
    if (waits_for_hand_over(record) || (tell == Tell::Gateway && is_open(record.state)))
      leave_note(connection, row.sequence);
    SIGNET_TRY(const MessageRecord now, record_at(connection, row.sequence));
    if (!is_open(now.state)) forget_settled(connection, row.sequence, now, forgotten);
    // While it is open, an answer that is kept counts, and nothing else.
    if (!is_open(now.state) || !digests.receipt.empty())
      chain_->append(connection, row.sequence, now, digests);
    return {};
  }));
  sending_.clear(record.id);
  remove_files(forgotten);
  return {};
}

Result<> SqliteStore::cancel_outbound(std::string_view id, std::string_view reason, Time when) {
  std::vector<std::string> forgotten;
  SIGNET_CHECK(database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_TRY(const MessageRow row, find_row(connection, id));
    if (!is_open(row.state))
      return fail(ErrorKind::AlreadyExists, fmt::format("message {} is {}: only one that is queued, being "
                                                        "sent or waiting for its receipt can be cancelled",
                                                        id, to_string(row.state)));
    Query(connection, "UPDATE messages SET state = ?, settled = ?, due = NULL, reason = ? WHERE sequence = ?")
        .bind(to_string(MessageState::Cancelled), when, reason, row.sequence)
        .run();
    SIGNET_TRY(const MessageRecord now, record_at(connection, row.sequence));
    forget_settled(connection, row.sequence, now, forgotten);
    chain_->append(connection, row.sequence, now);
    return {};
  }));
  remove_files(forgotten);
  return {};
}

Result<> SqliteStore::queue_again(std::string_view id, Time due, Tell tell) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_TRY(const MessageRow found, find_row(connection, id));
    if (found.state != MessageState::Failed && found.state != MessageState::Cancelled)
      return fail(ErrorKind::AlreadyExists,
                  fmt::format("message {} is {}: only one that failed or was cancelled can be sent again", id,
                              to_string(found.state)));
    if (!Query(connection, "SELECT 1 FROM wires WHERE message = ?").bind(found.sequence).next())
      return fail(
          ErrorKind::Unsupported,
          fmt::format("message {} cannot be sent again under its Message-ID: what was sent is not kept (see "
                      "enableNRRForOutboundEncodedMessages and x:retention); send the document as a new "
                      "message",
                      id));
    Query(connection,
          "UPDATE messages SET state = ?1, settled = NULL, attempts = 0, queued = ?2, due = ?2, reason = '', "
          "hands_receipt_over = 0, delivered_to = '' WHERE sequence = ?3")
        .bind(to_string(MessageState::Queued), due, found.sequence)
        .run();
    if (tell == Tell::Gateway) leave_note(connection, found.sequence);
    SIGNET_TRY(const MessageRecord now, record_at(connection, found.sequence));
    chain_->append(connection, found.sequence, now);
    return {};
  });
}

Result<> SqliteStore::keep_late_receipt(std::string_view id, const StoredReceipt& receipt,
                                        std::string_view verdict, Time when) {
  SIGNET_TRY(const std::string sha256, travel_digest(receipt));
  return database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_TRY(const MessageRow row, find_row(connection, id));
    SIGNET_TRY(MessageRecord record, record_at(connection, row.sequence));
    SIGNET_CHECK(check_room_for_record(connection, row.sequence, id));
    const Bytes headers = encode_headers(receipt.headers);
    if (record.keeps.receipt) {
      Query(
          connection,
          "INSERT INTO late_receipts (message, received, verdict, http_status, headers, body) VALUES (?, ?, "
          "?, ?, ?, ?)")
          .bind(row.sequence, when, verdict, std::int64_t{receipt.http_status}, headers, receipt.body)
          .run();
      keep_certificate(connection, receipt.signer);
    }
    record.receipt_signer_thumbprint =
        receipt.signer.empty() ? "" : hex_upper(digest(Hash::Sha256, receipt.signer));
    chain_->append_late_receipt(connection, row.sequence, record, sha256, verdict, when);
    return {};
  });
}

Result<MessageRecord> SqliteStore::find_outbound(std::string_view as2_from, std::string_view as2_to,
                                                 std::string_view message_id) {
  return read_value<MessageRecord>(*database_, [&](SqlConnection& connection) -> Result<MessageRecord> {
    Query query(connection,
                "SELECT " SIGNET_RECORD_COLUMNS
                " FROM messages WHERE message_id IN (?, ?) AND direction = 'outbound' AND as2_from = ? AND "
                "as2_to = ? ORDER BY sequence DESC LIMIT 1");
    if (!query.bind(bare(message_id), bracketed(message_id), as2_from, as2_to).next())
      return fail(ErrorKind::NotFound,
                  fmt::format("no message {} was sent from {} to {}", printable(message_id),
                              printable(as2_from), printable(as2_to)));
    return read_record(query);
  });
}

Result<std::vector<WaitingWork>> SqliteStore::waiting(MessageState state) {
  return read_value<std::vector<WaitingWork>>(*database_, [&](SqlConnection& connection) {
    Query query(connection,
                "SELECT id, agreement, coalesce(due, created), coalesce(queued, created) FROM messages WHERE "
                "state = ? AND state IN ('received', 'queued', "
                "'sending', 'awaiting-receipt') ORDER BY due, sequence");
    query.bind(to_string(state));
    return read_waiting(query);
  });
}

/// What callers were sending when they died is queued, and a note is left about it.
Result<> SqliteStore::queue_orphans() {
  using Ids = std::vector<std::string>;
  SIGNET_TRY(const Ids sending, read_value<Ids>(*database_, [](SqlConnection& connection) -> Result<Ids> {
               Query query(connection,
                           "SELECT id FROM messages WHERE state = 'sending' AND state IN ('received', "
                           "'queued', 'sending', 'awaiting-receipt')");
               Ids ids;
               while (query.next()) ids.push_back(query.text(0));
               return ids;
             }));
  for (const std::string& id : sending) {
    if (sending_.is_set(id)) continue;
    bool queued = false;
    SIGNET_CHECK(database_->write([&](SqlConnection& connection) -> Result<> {
      // It may have been settled, and its mark gone, since it was looked for.
      Query queue(connection,
                  "UPDATE messages SET state = 'queued', due = queued WHERE id = ? AND state = 'sending' "
                  "RETURNING sequence");
      queued = queue.bind(id).next();
      if (queued) leave_note(connection, queue.integer(0));
      return {};
    }));
    if (queued) log::warning("sender-died", {{"id", id}, {"reason", "the gateway goes on with its message"}});
  }
  return {};
}

Result<std::vector<std::string>> SqliteStore::take_notes() {
  SIGNET_CHECK(queue_orphans());
  std::vector<std::string> ids;
  SIGNET_TRY(const bool any, read_value<bool>(*database_, [](SqlConnection& connection) -> Result<bool> {
               Query query(connection, "SELECT 1 FROM notes LIMIT 1");
               return query.next();
             }));
  if (!any) return ids;
  SIGNET_CHECK(database_->write([&](SqlConnection& connection) -> Result<> {
    Query taken(connection,
                "DELETE FROM notes RETURNING (SELECT id FROM messages WHERE messages.sequence = message)");
    while (taken.next()) ids.push_back(taken.text(0));
    return {};
  }));
  return ids;
}

}  // namespace signet::gateway
