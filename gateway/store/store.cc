#include "gateway/store/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <optional>
#include <utility>

#include "base/digest.h"
#include "base/log.h"
#include "gateway/store/evidence_chain_internal.h"
#include "gateway/store/hash_chain.h"
#include "gateway/store/message_rows_internal.h"
#include "gateway/store/sql_internal.h"

namespace signet::gateway {
namespace {

/// A Message-ID without its angle brackets: a repeat may come with or without them.
std::string_view bare(std::string_view message_id) {
  const bool bracketed = message_id.size() >= 2 && message_id.front() == '<' && message_id.back() == '>';
  return bracketed ? message_id.substr(1, message_id.size() - 2) : message_id;
}
std::string bracketed(std::string_view message_id) { return fmt::format("<{}>", bare(message_id)); }

/// The key of the table `accepted`. The lengths keep ("ab", "c") and ("a", "bc") apart.
Bytes names_hash(std::string_view as2_from, std::string_view as2_to, std::string_view message_id) {
  Bytes names;
  for (const std::string_view name : {as2_from, as2_to, bare(message_id)}) append_counted(names, name);
  Bytes hash = digest(Hash::Sha256, names);
  hash.resize(16);
  return hash;
}

/// A MessageFilter as a condition, but for its limit: the parameters that bind_filter() binds.
#define SIGNET_FILTER                                                       \
  "(?1 IS NULL OR direction = ?1) AND (?2 IS NULL OR state = ?2) "          \
  "AND (?3 IS NULL OR agreement = ?3) AND (?4 IS NULL OR message_id = ?4) " \
  "AND (?5 IS NULL OR created >= ?5) AND (?6 IS NULL OR created < ?6) "

template <class... Rest>
void bind_filter(Query& query, const MessageFilter& filter, const Rest&... rest) {
  const auto or_any = [](std::string_view text) { return text.empty() ? std::nullopt : std::optional(text); };
  const auto direction = filter.direction ? std::optional(to_string(*filter.direction)) : std::nullopt;
  const auto state = filter.state ? std::optional(to_string(*filter.state)) : std::nullopt;
  query.bind(direction, state, or_any(filter.agreement), or_any(filter.message_id), filter.since,
             filter.until, rest...);
}

Result<std::vector<WaitingWork>> read_waiting(Query& query) {
  std::vector<WaitingWork> works;
  while (query.next()) works.push_back({query.text(0), query.text(1), query.time(2), query.time(3)});
  return works;
}

/// How many of an id's 32 digits are enough to name a message by: as many as lists show.
constexpr std::size_t kShortestId = 8;

/// Nobody but the next hand-over of its agreement waits for one to be put on record, so that rather shares a
/// commit with messages that come.
constexpr std::chrono::milliseconds kHandOverPatience{4};

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

}  // namespace

/// What a message's MIC is over, about to be stored: most often headers and then the payload, which is stored
/// already.
struct SqliteStore::StoredProof {
  Bytes signature;
  Bytes head;
  bool payload_follows = false;
  StoredBody rest;  ///< what follows where that is not the payload
};

/// What of a message is about to be stored beside its record.
struct SqliteStore::Bodies {
  std::optional<StoredBody> payload;
  std::optional<StoredBody> wire;
  Bytes wire_headers;
  std::optional<StoredProof> proof;
  CopyDigests digests;  ///< of those that are kept

  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    const auto add = [&names](const StoredBody& body) {
      if (body.place == Place::File) names.push_back(body.name);
    };
    if (payload) add(*payload);
    if (wire) add(*wire);
    if (proof) add(proof->rest);
    return names;
  }
};

namespace {

/// The row's key.
std::int64_t insert_record(SqlConnection& connection, const MessageRecord& r) {
  Query insert(connection,
               "INSERT INTO messages (" SIGNET_RECORD_COLUMNS
               ", body_place, body_size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
               "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'none', 0) RETURNING sequence");
  insert.bind(r.id, to_string(r.direction), to_string(r.state), r.agreement, r.as2_from, r.as2_to,
              r.message_id, r.subject, r.created, r.settled, r.request_id, r.remote_address, r.content_type,
              r.file_name, static_cast<std::int64_t>(r.payload_size), r.mic, r.mic_algorithm, r.disposition,
              r.signer_thumbprint, r.recipient_thumbprint, r.receipt_signer_thumbprint, r.security, r.reason,
              r.delivered_to, std::int64_t{r.attempts}, r.queued, r.due, r.receipt_url,
              std::int64_t{r.hands_receipt_over}, std::int64_t{r.keeps.wire}, std::int64_t{r.keeps.payload},
              std::int64_t{r.keeps.receipt});
  insert.next();
  return insert.integer(0);
}

/// What opening a received message has found out about it.
void update_received(SqlConnection& connection, std::int64_t message, const MessageRecord& r) {
  Query update(
      connection,
      "UPDATE messages SET state = ?, agreement = ?, settled = ?, content_type = ?, file_name = ?, "
      "payload_size = ?, mic = ?, mic_algorithm = ?, disposition = ?, signer_thumbprint = ?, "
      "recipient_thumbprint = ?, receipt_signer_thumbprint = ?, security = ?, reason = ?, due = NULL, "
      "receipt_url = ?, keeps_wire = ?, keeps_payload = ?, keeps_receipt = ? WHERE sequence = ?");
  update.bind(to_string(r.state), r.agreement, r.settled, r.content_type, r.file_name,
              static_cast<std::int64_t>(r.payload_size), r.mic, r.mic_algorithm, r.disposition,
              r.signer_thumbprint, r.recipient_thumbprint, r.receipt_signer_thumbprint, r.security, r.reason,
              r.receipt_url, std::int64_t{r.keeps.wire}, std::int64_t{r.keeps.payload},
              std::int64_t{r.keeps.receipt}, message);
  update.run();
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

void keep_certificates(SqlConnection& connection, const MessageRecord& record, const Evidence& evidence) {
  if (!record.keeps.any()) return;
  for (const Bytes& der : evidence.certificates) keep_certificate(connection, der);
}

void leave_note(SqlConnection& connection, std::int64_t message) {
  Query(connection, "INSERT INTO notes (message) VALUES (?)").bind(message).run();
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

/// After a crash: files whose transaction never happened go; rows whose file has gone are reported.
Result<> repair_bodies(Database& database, const BodyFiles& bodies) {
  SIGNET_TRY(const std::size_t removed, bodies.sweep([&](std::string_view name) {
    return read_value<bool>(database, [&](SqlConnection& connection) -> Result<bool> {
      Query payload(connection, "SELECT 1 FROM messages WHERE id = ? AND body_place = 'file'");
      if (payload.bind(name).next()) return true;
      Query wire(connection,
                 "SELECT 1 FROM wires JOIN messages ON sequence = message WHERE id || '.wire' = ?1 AND id = "
                 "substr(?1, 1, 32) AND place = 'file'");
      if (wire.bind(name).next()) return true;
      Query content(connection,
                    "SELECT 1 FROM proofs JOIN messages ON sequence = message WHERE id || '.content' = ?1 "
                    "AND id = substr(?1, 1, 32) AND place = 'file'");
      return content.bind(name).next();
    });
  }));
  if (removed > 0) log::warning("store-swept", {{"bodies_without_record", std::to_string(removed)}});
  return database.read([&](SqlConnection& connection) -> Result<> {
    Query files(connection,
                "SELECT id FROM messages WHERE body_place = 'file' UNION ALL "
                "SELECT id || '.wire' FROM wires JOIN messages ON sequence = message WHERE place = 'file' "
                "UNION ALL SELECT id || '.content' FROM proofs JOIN messages ON sequence = message "
                "WHERE place = 'file'");
    while (files.next())
      if (auto body = bodies.open_body(files.text(0)); !body)
        log::error("store-body-missing", {{"id", files.text(0)}, {"reason", body.error().detail}});
    return {};
  });
}

/// After a crash: nobody makes an attempt any more, so what was in the making waits for the next one.
Result<> repair_states(Database& database) {
  return database.write([](SqlConnection& connection) -> Result<> {
    Query(connection, "UPDATE messages SET state = 'queued', due = queued WHERE state = 'sending'").run();
    return {};
  });
}

}  // namespace

SqliteStore::SqliteStore(std::filesystem::path directory, const StoreOptions& options, StoreLock lock,
                         std::shared_ptr<Database> database, BodyFiles bodies, SendingMarks sending)
    : directory_(std::move(directory)),
      spool_(directory_ / "spool"),
      options_(options),
      lock_(std::move(lock)),
      database_(std::move(database)),
      bodies_(std::move(bodies)),
      sending_(std::move(sending)),
      chain_(std::make_unique<EvidenceChain>()) {}
SqliteStore::~SqliteStore() = default;

void SqliteStore::name_audit_head(AuditHead audit_head) { chain_->name_audit_head(std::move(audit_head)); }

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::filesystem::path& home,
                                                       const StoreOptions& options) {
  const std::filesystem::path directory = home / "store";
  SIGNET_CHECK(make_private_directory(directory));
  SIGNET_CHECK(make_private_directory(directory / "spool"));
  SIGNET_TRY(StoreLock lock, StoreLock::acquire(directory / "lock"));
  DatabaseOptions database_options = options.database;
  database_options.check_integrity = options.database.check_integrity && lock.alone();
  SIGNET_TRY(auto database, Database::open(directory / "signet.db", database_options));
  SIGNET_TRY(BodyFiles bodies, BodyFiles::open(directory / "bodies"));
  SIGNET_TRY(SendingMarks sending, SendingMarks::open(directory / "sending"));
  if (lock.alone()) {
    SIGNET_CHECK(repair_bodies(*database, bodies));
    SIGNET_CHECK(repair_states(*database));
  }
  SIGNET_CHECK(lock.share());
  return std::unique_ptr<SqliteStore>(new SqliteStore(
      directory, options, std::move(lock), std::move(database), std::move(bodies), std::move(sending)));
}

Result<std::uint64_t> SqliteStore::generation() {
  SIGNET_TRY(const Generations generations, database_->generations());
  return generations.account + generations.keys;  // both only grow
}

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

// ---- Committing a message with its bodies

/// A body's file is synced before its row is committed. So a crash leaves a file without a row, never a row
/// without a file.
Result<StoredBody> SqliteStore::store_body(std::string name, const Slice& octets) const {
  StoredBody body{std::move(name), Place::None, octets.size(), {}, 0};
  if (octets.empty()) return body;
  if (octets.size() > options_.largest_row) {
    body.place = Place::File;
    SIGNET_TRY(body.begin, bodies_.save(body.name, octets));
    return body;
  }
  body.place = Place::Row;
  SIGNET_TRY(body.octets, octets.to_bytes(static_cast<std::size_t>(options_.largest_row)));
  return body;
}

Result<SqliteStore::StoredProof> SqliteStore::store_proof(const std::string& id, const Proof& proof,
                                                          const Slice& payload) const {
  constexpr std::uint64_t kLargestHead = 16 * 1024;
  StoredProof stored{proof.signature, {}, false, {}};
  SIGNET_TRY(const bool ends_with_payload, ends_with(proof.content, payload));
  if (ends_with_payload && proof.content.size() - payload.size() <= kLargestHead) {
    stored.payload_follows = true;
    SIGNET_TRY(stored.head,
               proof.content.sub(0, proof.content.size() - payload.size()).to_bytes(kLargestHead));
    return stored;
  }
  SIGNET_TRY(stored.rest, store_body(BodyFiles::content_name(id), proof.content));
  return stored;
}

/// Everything of a message that is not its record, with the digests of what its record keeps.
Result<SqliteStore::Bodies> SqliteStore::prepare(const MessageRecord& record, const Slice* payload,
                                                 const WireCopy* wire, const Evidence& evidence) const {
  if (!BodyFiles::is_id(record.id))
    return fail(ErrorKind::Internal,
                "a message's id is 32 lower-case hexadecimal digits, not '" + printable(record.id) + "'");
  Bodies bodies;
  const auto store_payload = [&]() -> Result<> {
    if (payload == nullptr) return {};
    if (record.keeps.payload && !payload->empty()) {
      SIGNET_TRY(const Bytes sha256, digest(Hash::Sha256, *payload));
      bodies.digests.payload = hex_lower(sha256);
    }
    SIGNET_TRY(bodies.payload, store_body(record.id, *payload));
    if (record.keeps.payload && evidence.proof) {
      SIGNET_TRY(bodies.proof, store_proof(record.id, *evidence.proof, *payload));
    }
    return {};
  };
  const auto store_wire = [&]() -> Result<> {
    if (wire == nullptr) return {};
    if (record.keeps.wire) {
      SIGNET_TRY(bodies.digests.wire, travel_digest(*wire));
    }
    SIGNET_TRY(bodies.wire, store_body(BodyFiles::wire_name(record.id), wire->body));
    bodies.wire_headers = encode_headers(wire->headers);
    return {};
  };
  // Of two large ones, each is digested while the disk writes the other.
  const bool side_by_side = payload != nullptr && wire != nullptr &&
                            std::min(payload->size(), wire->body.size()) > options_.largest_row;
  auto other = std::async(side_by_side ? std::launch::async | std::launch::deferred : std::launch::deferred,
                          store_wire);
  auto prepared = store_payload();
  auto wire_prepared = other.get();
  if (prepared) prepared = std::move(wire_prepared);
  if (prepared) return bodies;
  remove_files(bodies.files());
  return fail(prepared.error());
}

void SqliteStore::write_bodies(SqlConnection& connection, std::int64_t message, const Bodies& bodies) {
  if (const auto& payload = bodies.payload) {
    Query(connection, "UPDATE messages SET body_place = ?, body_size = ?, body_begin = ? WHERE sequence = ?")
        .bind(to_string(payload->place), static_cast<std::int64_t>(payload->size),
              static_cast<std::int64_t>(payload->begin), message)
        .run();
    if (payload->place == Place::Row)
      Query(connection, "INSERT INTO bodies (message, octets) VALUES (?, ?)")
          .bind(message, payload->octets)
          .run();
  }
  if (const auto& wire = bodies.wire)
    Query(
        connection,
        "INSERT INTO wires (message, headers, place, size, octets, begin_in_file) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(message, bodies.wire_headers, to_string(wire->place), static_cast<std::int64_t>(wire->size),
              wire->octets, static_cast<std::int64_t>(wire->begin))
        .run();
  if (const auto& proof = bodies.proof)
    Query(
        connection,
        "INSERT INTO proofs (message, signature, head, payload_follows, place, size, octets, begin_in_file) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(message, proof->signature, proof->head, std::int64_t{proof->payload_follows},
              to_string(proof->rest.place), static_cast<std::int64_t>(proof->rest.size), proof->rest.octets,
              static_cast<std::int64_t>(proof->rest.begin))
        .run();
}

void SqliteStore::remove_files(const std::vector<std::string>& names) const {
  for (const std::string& name : names) bodies_.remove(name);
}

void SqliteStore::commit(std::shared_ptr<const Bodies> bodies, Database::Work work, Done done) {
  auto complete = std::make_shared<bool>(false);
  database_->write(
      [work = std::move(work), complete](SqlConnection& connection) -> Result<> {
        SIGNET_CHECK(work(connection));
        *complete = true;
        return {};
      },
      [this, bodies = std::move(bodies), complete, done = std::move(done)](Result<> outcome) {
        settle_files(*bodies, outcome.has_value(), *complete);
        done(std::move(outcome));
      });
}

void SqliteStore::settle_files(const Bodies& bodies, bool committed, bool complete) {
  const std::lock_guard lock(doubtful_mutex_);
  if (committed) {
    remove_files(doubtful_files_);
    doubtful_files_.clear();
    return;
  }
  const std::vector<std::string> files = bodies.files();
  if (!complete) return remove_files(files);
  doubtful_files_.insert(doubtful_files_.end(), files.begin(), files.end());
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
        chain_->append(connection, message, record, bodies->digests);
        return {};
      },
      [this, forgotten, done = std::move(done)](Result<> outcome) {
        if (outcome) remove_files(*forgotten);
        done(std::move(outcome));
      });
}

// ---- Outbound

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
        "receipt_signer_thumbprint = ?, attempts = ?, due = ?, remote_address = ?, hands_receipt_over = ? "
        "WHERE sequence = ?");
    update.bind(to_string(record.state), record.settled, record.disposition, record.reason,
                record.receipt_signer_thumbprint, std::int64_t{record.attempts}, record.due,
                record.remote_address, std::int64_t{record.hands_receipt_over}, row.sequence);
    update.run();
    if (answer) write_receipt(connection, row.sequence, record, *answer);
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

// ---- Receipts that are posted

Result<std::vector<WaitingWork>> SqliteStore::waiting_receipts() {
  return read_value<std::vector<WaitingWork>>(*database_, [](SqlConnection& connection) {
    Query query(connection,
                "SELECT id, agreement, receipt_posts.due, receipt_posts.queued FROM receipt_posts JOIN "
                "messages ON sequence = message "
                "WHERE receipt_posts.due IS NOT NULL ORDER BY receipt_posts.due");
    return read_waiting(query);
  });
}

#define SIGNET_RECEIPT_POSTS                                                                             \
  "SELECT id, agreement, receipt_url, receipt_posts.attempts, receipt_posts.queued, receipt_posts.due, " \
  "posted, given_up, receipt_posts.reason FROM receipt_posts JOIN messages ON sequence = message "

namespace {

/// From what SIGNET_RECEIPT_POSTS selects.
ReceiptPost read_receipt_post(const Query& row) {
  ReceiptPost post;
  post.id = row.text(0);
  post.agreement = row.text(1);
  post.url = row.text(2);
  post.attempts = static_cast<std::uint32_t>(row.integer(3));
  post.queued = row.time(4);
  post.due = row.optional_time(5);
  post.posted = row.optional_time(6);
  post.given_up = row.optional_time(7);
  post.reason = row.text(8);
  return post;
}

}  // namespace

Result<ReceiptPost> SqliteStore::receipt_post(std::string_view id) {
  return read_value<ReceiptPost>(*database_, [&](SqlConnection& connection) -> Result<ReceiptPost> {
    Query row(connection, SIGNET_RECEIPT_POSTS "WHERE id = ?");
    if (!row.bind(id).next())
      return fail(ErrorKind::NotFound, "message " + printable(id) + " has no receipt that is posted");
    return read_receipt_post(row);
  });
}

Result<std::vector<ReceiptPost>> SqliteStore::receipts_given_up(Time since) {
  using Posts = std::vector<ReceiptPost>;
  return read_value<Posts>(*database_, [&](SqlConnection& connection) -> Result<Posts> {
    Query row(connection, SIGNET_RECEIPT_POSTS "WHERE given_up >= ? ORDER BY given_up DESC");
    row.bind(since);
    Posts posts;
    while (row.next()) posts.push_back(read_receipt_post(row));
    return posts;
  });
}

Result<> SqliteStore::update_receipt_post(const ReceiptPost& post) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_TRY(const MessageRow found, find_row(connection, post.id));
    Query(connection,
          "UPDATE receipt_posts SET attempts = ?, due = ?, posted = ?, given_up = ?, reason = ? "
          "WHERE message = ?")
        .bind(std::int64_t{post.attempts}, post.due, post.posted, post.given_up, post.reason, found.sequence)
        .run();
    // Whoever repeats a message has its receipt posted once more, however often.
    if (post.due || !check_room_for_record(connection, found.sequence, post.id)) return {};
    SIGNET_TRY(const MessageRecord record, record_at(connection, found.sequence));
    chain_->append_receipt_post(connection, found.sequence, record, post);
    return {};
  });
}

Result<> SqliteStore::queue_receipt_again(std::string_view id, Time due, Tell tell) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_TRY(const MessageRow found, find_row(connection, id));
    Query queue(connection,
                "UPDATE receipt_posts SET attempts = 0, queued = ?1, due = ?1, given_up = NULL, reason = '' "
                "WHERE message = ?2 RETURNING 1");
    if (!queue.bind(due, found.sequence).next())
      return fail(
          ErrorKind::Unsupported,
          fmt::format("message {} has no receipt to post: it went into the HTTP answer, none was asked "
                      "for, or the message is not opened yet",
                      id));
    if (!Query(connection, "SELECT 1 FROM receipts WHERE message = ?").bind(found.sequence).next())
      return fail(
          ErrorKind::Unsupported,
          fmt::format("the receipt of message {} cannot be posted again: it is not kept any more (see "
                      "enableNRRForOutboundMDN and x:retention)",
                      id));
    if (tell == Tell::Gateway) leave_note(connection, found.sequence);
    return {};
  });
}

// ---- Hand-over, and looking

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

Result<std::vector<MessageRecord>> SqliteStore::list(const MessageFilter& filter) {
  const auto limit = static_cast<std::int64_t>(std::min<std::size_t>(filter.limit, INT64_MAX));
  return read_value<std::vector<MessageRecord>>(*database_, [&](SqlConnection& connection) {
    Query query(connection, "SELECT " SIGNET_RECORD_COLUMNS " FROM messages WHERE " SIGNET_FILTER
                            "ORDER BY sequence DESC LIMIT ?7");
    bind_filter(query, filter, limit);
    return read_records(query);
  });
}

Result<std::vector<MessageCount>> SqliteStore::counts(std::optional<Time> since) {
  using Counts = std::vector<MessageCount>;
  return read_value<Counts>(*database_, [&](SqlConnection& connection) -> Result<Counts> {
    Query query(connection,
                "SELECT direction, state, agreement, count(*), min(created), min(due) FROM messages "
                "WHERE (?1 IS NULL OR created >= ?1) GROUP BY agreement, direction, state "
                "ORDER BY agreement, direction, state");
    query.bind(since);
    Counts counts;
    while (query.next()) {
      MessageCount& count = counts.emplace_back();
      SIGNET_TRY(count.direction, parse_direction(query.text(0)));
      SIGNET_TRY(count.state, parse_state(query.text(1)));
      count.agreement = query.text(2);
      count.count = static_cast<std::uint64_t>(query.integer(3));
      count.oldest = query.time(4);
      count.next_due = query.optional_time(5);
    }
    return counts;
  });
}

Result<> SqliteStore::visit(const MessageFilter& filter,
                            const std::function<Result<>(const MessageRecord&)>& visitor) {
  constexpr std::int64_t kPage = 256;
  struct Page {
    std::vector<MessageRecord> records;
    std::int64_t last = 0;
  };
  Page page;
  do {
    SIGNET_TRY(page, read_value<Page>(*database_, [&](SqlConnection& connection) -> Result<Page> {
                 Query query(connection,
                             "SELECT " SIGNET_RECORD_COLUMNS ", sequence FROM messages WHERE " SIGNET_FILTER
                             "AND sequence > ?7 ORDER BY sequence LIMIT ?8");
                 bind_filter(query, filter, page.last, kPage);
                 Page next;
                 while (query.next()) {
                   SIGNET_TRY(MessageRecord record, read_record(query));
                   next.records.push_back(std::move(record));
                   next.last = query.integer(kSequenceColumn);
                 }
                 return next;
               }));
    for (const MessageRecord& record : page.records) SIGNET_CHECK(visitor(record));
  } while (!page.records.empty());
  return {};
}

Result<MessageRecord> SqliteStore::find(std::string_view id_or_message_id) {
  return read_value<MessageRecord>(*database_, [&](SqlConnection& connection) -> Result<MessageRecord> {
    Query by_id(connection, "SELECT " SIGNET_RECORD_COLUMNS " FROM messages WHERE id = ?");
    if (by_id.bind(id_or_message_id).next()) return read_record(by_id);
    Query by_message_id(connection,
                        "SELECT " SIGNET_RECORD_COLUMNS
                        " FROM messages WHERE message_id IN (?1, ?2) ORDER BY sequence DESC LIMIT 2");
    // People leave the brackets off.
    by_message_id.bind(id_or_message_id, fmt::format("<{}>", id_or_message_id));
    SIGNET_TRY(std::vector<MessageRecord> records, read_records(by_message_id));
    if (records.empty() && id_or_message_id.size() >= kShortestId) {
      Query by_first_digits(connection, "SELECT " SIGNET_RECORD_COLUMNS
                                        " FROM messages WHERE id >= ?1 AND id < ?1 || 'g' LIMIT 2");
      by_first_digits.bind(id_or_message_id);
      SIGNET_TRY(records, read_records(by_first_digits));
    }
    if (records.empty())
      return fail(ErrorKind::NotFound,
                  "no message has the id or the Message-ID " + printable(id_or_message_id));
    if (records.size() > 1)
      return fail(ErrorKind::InvalidInput,
                  "several messages have the Message-ID, or an id that begins with, " +
                      printable(id_or_message_id) +
                      "; name one by its whole id, which message list --output json shows");
    return std::move(records.front());
  });
}

Result<Slice> SqliteStore::payload(std::string_view id) {
  SIGNET_TRY(StoredBody kept,
             read_value<StoredBody>(*database_, [&](SqlConnection& connection) -> Result<StoredBody> {
               Query row(connection,
                         "SELECT body_place, body_size, octets, payload_size, body_begin FROM messages "
                         "LEFT JOIN bodies ON message = sequence WHERE id = ?");
               if (!row.bind(id).next()) return fail(no_message(id));
               SIGNET_TRY(const Place place, parse_place(row.text(0)));
               if (place == Place::None && row.integer(3) > 0)
                 return fail(ErrorKind::NotFound, fmt::format("the payload of message {} is not kept", id));
               return StoredBody{std::string(id), place, static_cast<std::uint64_t>(row.integer(1)),
                                 row.bytes(2), static_cast<std::uint64_t>(row.integer(4))};
             }));
  return open_body(bodies_, std::move(kept));
}

Result<WireCopy> SqliteStore::wire(std::string_view id) {
  WireCopy copy;
  SIGNET_TRY(StoredBody kept,
             read_value<StoredBody>(*database_, [&](SqlConnection& connection) -> Result<StoredBody> {
               SIGNET_TRY(const MessageRow found, find_row(connection, id));
               Query row(connection,
                         "SELECT place, size, octets, headers, begin_in_file FROM wires WHERE message = ?");
               if (!row.bind(found.sequence).next())
                 return fail(ErrorKind::NotFound, fmt::format("message {} is not kept as it travelled", id));
               SIGNET_TRY(const Place place, parse_place(row.text(0)));
               SIGNET_TRY(copy.headers, decode_headers(row.bytes(3)));
               return StoredBody{BodyFiles::wire_name(id), place, static_cast<std::uint64_t>(row.integer(1)),
                                 row.bytes(2), static_cast<std::uint64_t>(row.integer(4))};
             }));
  SIGNET_TRY(copy.body, open_body(bodies_, std::move(kept)));
  return copy;
}

Result<StoredReceipt> SqliteStore::receipt(std::string_view id) {
  return read_value<StoredReceipt>(*database_, [&](SqlConnection& connection) -> Result<StoredReceipt> {
    SIGNET_TRY(const MessageRow found, find_row(connection, id));
    Query row(connection, "SELECT http_status, headers, body FROM receipts WHERE message = ?");
    if (!row.bind(found.sequence).next())
      return fail(ErrorKind::NotFound, fmt::format("message {} has no receipt yet", id));
    return read_receipt(row, 0);
  });
}

}  // namespace signet::gateway
