#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/digest.h"
#include "gateway/store/certificate_exchange_rows_internal.h"
#include "gateway/store/hash_chain.h"
#include "gateway/store/sql_internal.h"
#include "gateway/store/store_internal.h"

/// Messages to us, from their arrival to their hand-over.

namespace signet::gateway {
namespace {

/// Nobody but the next hand-over of its agreement waits for one to be put on record, so that rather shares a
/// commit with messages that come.
constexpr std::chrono::milliseconds kHandOverPatience{4};

/// The key of the table `accepted`. The lengths keep ("ab", "c") and ("a", "bc") apart.
Bytes names_hash(std::string_view as2_from, std::string_view as2_to, std::string_view message_id) {
  Bytes names;
  for (const std::string_view name : {as2_from, as2_to, bare(message_id)}) append_counted(names, name);
  Bytes hash = digest(Hash::Sha256, names);
  hash.resize(16);
  return hash;
}

/// What opening a received message has found out about it.
void update_received(SqlConnection& connection, std::int64_t message, const MessageRecord& r) {
  Query update(
      connection,
      "UPDATE messages SET state = ?, agreement = ?, settled = ?, content_type = ?, file_name = ?, "
      "payload_size = ?, mic = ?, mic_algorithm = ?, disposition = ?, signer_thumbprint = ?, "
      "recipient_thumbprint = ?, receipt_signer_thumbprint = ?, security = ?, reason = ?, due = NULL, "
      "receipt_url = ?, keeps_wire = ?, keeps_payload = ?, keeps_receipt = ?, revocation = ?, delivered_to = "
      "? "
      "WHERE sequence "
      "= "
      "?");
  update.bind(to_string(r.state), r.agreement, r.settled, r.content_type, r.file_name,
              static_cast<std::int64_t>(r.payload_size), r.mic, r.mic_algorithm, r.disposition,
              r.signer_thumbprint, r.recipient_thumbprint, r.receipt_signer_thumbprint, r.security, r.reason,
              r.receipt_url, std::int64_t{r.keeps.wire}, std::int64_t{r.keeps.payload},
              std::int64_t{r.keeps.receipt}, r.revocation_unchecked, r.delivered_to, message);
  update.run();
}

/// Whether it was the receipt of a message of ours that was handed over. One that is not kept goes with that.
bool mark_receipt_delivered(SqlConnection& connection, std::int64_t message, std::string_view where) {
  Query update(connection,
               "UPDATE messages SET delivered_to = ? WHERE sequence = ? AND hands_receipt_over = 1 "
               "RETURNING keeps_receipt");
  if (!update.bind(where, message).next()) return false;
  const bool keeps = update.integer(0) != 0;
  if (!keeps) forget_receipt(connection, message);
  return true;
}

bool is_taken(SqlConnection& connection, const MessageRecord& record, ByteView hash) {
  Query taken(connection,
              "SELECT 1 FROM claims JOIN messages ON sequence = message "
              "WHERE names_hash = ? AND as2_from = ? AND as2_to = ? AND message_id IN (?, ?) AND id <> ?");
  return taken
      .bind(hash, record.as2_from, record.as2_to, bare(record.message_id), bracketed(record.message_id),
            record.id)
      .next();
}

/// Enters a message under its names.
Result<> claim_names(SqlConnection& connection, const MessageRecord& record, std::int64_t message,
                     bool unique) {
  const Bytes hash = names_hash(record.as2_from, record.as2_to, record.message_id);
  if (unique && is_taken(connection, record, hash))
    return fail(ErrorKind::AlreadyExists,
                fmt::format("a message {} from {} to {} was accepted before", printable(record.message_id),
                            printable(record.as2_from), printable(record.as2_to)));
  Query(connection, "INSERT OR IGNORE INTO claims (names_hash, message) VALUES (?, ?)")
      .bind(hash, message)
      .run();
  return {};
}

void release_names(SqlConnection& connection, const MessageRecord& record, std::int64_t message) {
  const Bytes hash = names_hash(record.as2_from, record.as2_to, record.message_id);
  Query(connection, "DELETE FROM claims WHERE names_hash = ? AND message = ?").bind(hash, message).run();
}

bool is_accepted(const MessageRecord& record) {
  return record.state == MessageState::Accepted || record.state == MessageState::Delivered;
}

/// The record's key if it was committed before it was opened.
Result<std::optional<std::int64_t>> find_received(SqlConnection& connection, std::string_view id) {
  const auto found = find_row(connection, id);
  if (!found && found.error().kind == ErrorKind::NotFound) return std::nullopt;
  SIGNET_TRY(const MessageRow row, found);
  if (row.state != MessageState::Received)
    return fail(ErrorKind::AlreadyExists, fmt::format("message {} is {} already", id, to_string(row.state)));
  return row.sequence;
}

}  // namespace

Result<std::optional<EarlierMessage>> SqliteStore::find_earlier(std::string_view as2_from,
                                                                std::string_view as2_to,
                                                                std::string_view message_id, Time since) {
  using Found = std::optional<EarlierMessage>;
  return read_value<Found>(*database_, [&](SqlConnection& connection) -> Result<Found> {
    Query query(
        connection,
        "SELECT http_status, headers, body, id, state, receipt_url FROM claims "
        "JOIN messages ON sequence = claims.message LEFT JOIN receipts ON receipts.message = sequence "
        "WHERE names_hash = ? AND as2_from = ? AND as2_to = ? AND message_id IN (?, ?) AND created >= ? "
        "ORDER BY sequence DESC LIMIT 1");
    const Bytes hash = names_hash(as2_from, as2_to, message_id);
    if (!query.bind(hash, as2_from, as2_to, bare(message_id), bracketed(message_id), since).next())
      return Found();
    EarlierMessage earlier;
    if (!query.is_null(0)) {
      SIGNET_TRY(earlier.receipt, read_receipt(query, 0));
    }
    earlier.id = query.text(3);
    SIGNET_TRY(earlier.state, parse_state(query.text(4)));
    earlier.receipt_url = query.text(5);
    return Found(std::move(earlier));
  });
}

void SqliteStore::commit_received(const MessageRecord& record, const WireCopy& wire, bool unique, Done done) {
  auto prepared = prepare(record, nullptr, &wire, {});
  if (!prepared) return done(fail(std::move(prepared).error()));
  auto bodies = std::make_shared<const Bodies>(*std::move(prepared));
  commit(
      bodies,
      [this, record, bodies, unique](SqlConnection& connection) -> Result<> {
        const std::int64_t message = insert_record(connection, record);
        SIGNET_CHECK(claim_names(connection, record, message, unique));
        write_bodies(connection, message, *bodies);
        chain_->append(connection, message, record, bodies->digests);
        return {};
      },
      std::move(done));
}

void SqliteStore::commit_inbound(InboundCommit given, Done done) {
  auto receipt = given.record.keeps.receipt && !given.receipt.body.empty() ? travel_digest(given.receipt)
                                                                           : Result<std::string>();
  if (!receipt) return done(fail(std::move(receipt).error()));
  auto prepared = prepare(given.record, &given.payload, given.wire ? &*given.wire : nullptr, given.evidence);
  if (!prepared) return done(fail(std::move(prepared).error()));
  prepared->digests.receipt = *std::move(receipt);
  auto bodies = std::make_shared<const Bodies>(*std::move(prepared));
  auto shared = std::make_shared<const InboundCommit>(std::move(given));
  const auto forgotten = std::make_shared<std::vector<std::string>>();  // files of what is not kept
  commit(
      bodies,
      [this, shared, bodies, forgotten](SqlConnection& connection) -> Result<> {
        const MessageRecord& record = shared->record;
        SIGNET_TRY(const auto received, find_received(connection, record.id));
        const std::int64_t message = received ? *received : insert_record(connection, record);
        if (received) {
          update_received(connection, message, record);
          if (!record.keeps.wire) forget_wire(connection, message, record.id, *forgotten);
        }
        if (is_accepted(record)) {
          SIGNET_CHECK(claim_names(connection, record, message, shared->unique));
        } else if (received) {
          release_names(connection, record, message);
        }
        write_bodies(connection, message, *bodies);
        write_receipt(connection, message, record, shared->receipt);
        if (!record.receipt_url.empty() && !shared->receipt.body.empty())
          Query(
              connection,
              "INSERT INTO receipt_posts (message, attempts, queued, due, reason) VALUES (?1, 0, ?2, ?2, '')")
              .bind(message, shared->receipt_queued)
              .run();
        keep_certificates(connection, record, shared->evidence);
        take_exchanges(connection, *shared);
        chain_->append(connection, message, record, bodies->digests);
        return {};
      },
      [this, forgotten, done = std::move(done)](Result<> outcome) {
        if (outcome) remove_files(*forgotten);
        done(std::move(outcome));
      });
}

Result<std::vector<MessageRecord>> SqliteStore::undelivered() {
  return read_value<std::vector<MessageRecord>>(*database_, [](SqlConnection& connection) {
    Query query(connection,
                "SELECT " SIGNET_RECORD_COLUMNS
                " FROM messages WHERE direction = 'inbound' AND state = 'accepted' UNION ALL "
                "SELECT " SIGNET_RECORD_COLUMNS
                " FROM messages WHERE hands_receipt_over = 1 AND delivered_to = '' ORDER BY created");
    return read_records(query);
  });
}

void SqliteStore::mark_delivered(std::string_view id, std::string_view where, Time when, Done done) {
  const auto forgotten = std::make_shared<std::vector<std::string>>();  // files of what is not kept
  database_->write(
      [this, id = std::string(id), where = std::string(where), when,
       forgotten](SqlConnection& connection) -> Result<> {
        SIGNET_TRY(const MessageRow row, find_row(connection, id));
        if (row.state == MessageState::Delivered) return {};
        if (mark_receipt_delivered(connection, row.sequence, where)) return {};
        if (row.state != MessageState::Accepted)
          return fail(ErrorKind::InvalidInput,
                      fmt::format("message {} is {} and has nothing to hand over", id, to_string(row.state)));
        Query update(connection,
                     "UPDATE messages SET state = ?, settled = ?, delivered_to = ? WHERE sequence = ?");
        update.bind(to_string(MessageState::Delivered), when, where, row.sequence).run();
        SIGNET_TRY(const MessageRecord now, record_at(connection, row.sequence));
        if (!now.keeps.payload) forget_payload(connection, row.sequence, now.id, *forgotten);
        chain_->append(connection, row.sequence, now);
        return {};
      },
      [this, forgotten, done = std::move(done)](Result<> outcome) {
        if (outcome) remove_files(*forgotten);
        done(std::move(outcome));
      },
      kHandOverPatience);
}

}  // namespace signet::gateway
