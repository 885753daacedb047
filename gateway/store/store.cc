#include "gateway/store/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/digest.h"
#include "base/log.h"
#include "gateway/store/sql_internal.h"

namespace signet::gateway {
namespace {

// Enumerations are words in the database, for whoever reads it with other tools.

constexpr std::array<std::pair<Direction, std::string_view>, 2> kDirections = {
    {{Direction::Inbound, "inbound"}, {Direction::Outbound, "outbound"}}};

constexpr std::array<std::pair<MessageState, std::string_view>, 6> kStates = {
    {{MessageState::Accepted, "accepted"},
     {MessageState::Delivered, "delivered"},
     {MessageState::Refused, "refused"},
     {MessageState::Sending, "sending"},
     {MessageState::Confirmed, "confirmed"},
     {MessageState::Failed, "failed"}}};

template <class Table, class Value>
std::string_view word_for(const Table& table, Value value) {
  for (const auto& [known, word] : table)
    if (known == value) return word;
  return "";
}

template <class Value, std::size_t N>
Result<Value> value_of(const std::array<std::pair<Value, std::string_view>, N>& table,
                       std::string_view word) {
  for (const auto& [value, known] : table)
    if (known == word) return value;
  return fail(ErrorKind::IoFailure,
              "the database says '" + printable(word) + "' where a message's state or direction stands");
}

void append_counted(Bytes& out, std::string_view text) {
  for (const unsigned shift : {24U, 16U, 8U, 0U})
    out.push_back(static_cast<std::uint8_t>(text.size() >> shift & 0xFF));
  const ByteView octets = as_bytes(text);
  out.insert(out.end(), octets.begin(), octets.end());
}

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

using Headers = decltype(StoredReceipt::headers);

Bytes encode(const Headers& headers) {
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

#define SIGNET_RECORD_COLUMNS                                                                              \
  "id, direction, state, agreement, as2_from, as2_to, message_id, subject, created, settled, request_id, " \
  "remote_address, content_type, file_name, payload_size, mic, mic_algorithm, disposition, "               \
  "signer_thumbprint, "                                                                                    \
  "receipt_signer_thumbprint, security, reason, delivered_to"

Result<MessageRecord> read_record(const Query& row) {
  MessageRecord record;
  record.id = row.text(0);
  SIGNET_TRY(record.direction, value_of(kDirections, row.text(1)));
  SIGNET_TRY(record.state, value_of(kStates, row.text(2)));
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
  record.receipt_signer_thumbprint = row.text(19);
  record.security = row.text(20);
  record.reason = row.text(21);
  record.delivered_to = row.text(22);
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

/// How many of an id's 32 digits are enough to name a message by: as many as lists show.
constexpr std::size_t kShortestId = 8;

/// Where a payload is kept, as the column body_place says it.
enum class Place { None, Row, File };

constexpr std::array<std::pair<Place, std::string_view>, 3> kPlaces = {
    {{Place::None, "none"}, {Place::Row, "row"}, {Place::File, "file"}}};

/// The row's key.
std::int64_t insert_record(SqlConnection& connection, const MessageRecord& r, Place place, std::uint64_t size) {
  Query insert(connection,
               "INSERT INTO messages (" SIGNET_RECORD_COLUMNS
               ", body_place, body_size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
               "?, ?, ?, ?, ?, ?) RETURNING sequence");
  insert.bind(r.id, word_for(kDirections, r.direction), word_for(kStates, r.state), r.agreement, r.as2_from,
              r.as2_to, r.message_id, r.subject, r.created, r.settled, r.request_id, r.remote_address,
              r.content_type, r.file_name, static_cast<std::int64_t>(r.payload_size), r.mic, r.mic_algorithm,
              r.disposition, r.signer_thumbprint, r.receipt_signer_thumbprint, r.security, r.reason,
              r.delivered_to, word_for(kPlaces, place), static_cast<std::int64_t>(size));
  insert.next();
  return insert.integer(0);
}

void write_receipt(SqlConnection& connection, std::int64_t message, const StoredReceipt& receipt) {
  const Bytes headers = encode(receipt.headers);
  Query insert(connection,
               "INSERT OR REPLACE INTO receipts (message, http_status, headers, body) VALUES (?, ?, ?, ?)");
  insert.bind(message, std::int64_t{receipt.http_status}, headers, receipt.body).run();
}

bool is_taken(SqlConnection& connection, const MessageRecord& record, ByteView hash) {
  Query taken(connection,
              "SELECT 1 FROM accepted JOIN messages ON sequence = message "
              "WHERE names_hash = ? AND as2_from = ? AND as2_to = ? AND message_id IN (?, ?)");
  return taken
      .bind(hash, record.as2_from, record.as2_to, bare(record.message_id), bracketed(record.message_id))
      .next();
}

/// Enters an accepted message under its names.
Result<> claim_names(SqlConnection& connection, const MessageRecord& record, std::int64_t message, bool unique) {
  const Bytes hash = names_hash(record.as2_from, record.as2_to, record.message_id);
  if (unique && is_taken(connection, record, hash))
    return fail(ErrorKind::AlreadyExists,
                fmt::format("a message {} from {} to {} was accepted before", printable(record.message_id),
                            printable(record.as2_from), printable(record.as2_to)));
  Query(connection, "INSERT INTO accepted (names_hash, message) VALUES (?, ?)").bind(hash, message).run();
  return {};
}

bool is_accepted(const MessageRecord& record) {
  return record.state == MessageState::Accepted || record.state == MessageState::Delivered;
}

Error no_message(std::string_view id) {
  return Error{ErrorKind::NotFound, "no message has the id " + printable(id)};
}

/// The row's key and state.
struct Found {
  std::int64_t sequence = 0;
  std::string state;
};

Result<Found> find_row(SqlConnection& connection, std::string_view id) {
  Query row(connection, "SELECT sequence, state FROM messages WHERE id = ?");
  if (!row.bind(id).next()) return fail(no_message(id));
  return Found{row.integer(0), row.text(1)};
}

/// After a crash: payload files whose transaction never happened go; rows whose file has gone are reported.
Result<> repair_bodies(Database& database, const BodyFiles& bodies) {
  SIGNET_TRY(const std::size_t removed, bodies.sweep([&](std::string_view id) {
    return read_value<bool>(database, [&](SqlConnection& connection) -> Result<bool> {
      Query known(connection, "SELECT 1 FROM messages WHERE id = ? AND body_place = 'file'");
      return known.bind(id).next();
    });
  }));
  if (removed > 0) log::warning("store-swept", {{"bodies_without_record", std::to_string(removed)}});
  return database.read([&](SqlConnection& connection) -> Result<> {
    Query files(connection, "SELECT id FROM messages WHERE body_place = 'file'");
    while (files.next())
      if (auto body = bodies.open_body(files.text(0)); !body)
        log::error("store-body-missing", {{"id", files.text(0)}, {"reason", body.error().detail}});
    return {};
  });
}

}  // namespace

SqliteStore::SqliteStore(std::filesystem::path directory, const StoreOptions& options, StoreLock lock,
                         std::shared_ptr<Database> database, BodyFiles bodies)
    : directory_(std::move(directory)),
      spool_(directory_ / "spool"),
      options_(options),
      lock_(std::move(lock)),
      database_(std::move(database)),
      bodies_(std::move(bodies)) {}

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
  if (lock.alone()) SIGNET_CHECK(repair_bodies(*database, bodies));
  SIGNET_CHECK(lock.share());
  return std::unique_ptr<SqliteStore>(
      new SqliteStore(directory, options, std::move(lock), std::move(database), std::move(bodies)));
}

Result<std::uint64_t> SqliteStore::generation() {
  SIGNET_TRY(const Generations generations, database_->generations());
  return generations.account + generations.keys;  // both only grow
}

Result<std::optional<StoredReceipt>> SqliteStore::find_accepted(std::string_view as2_from,
                                                                std::string_view as2_to,
                                                                std::string_view message_id, Time since) {
  using Found = std::optional<StoredReceipt>;
  return read_value<Found>(*database_, [&](SqlConnection& connection) -> Result<Found> {
    Query query(
        connection,
        "SELECT http_status, headers, body FROM accepted JOIN messages ON sequence = accepted.message "
        "JOIN receipts ON receipts.message = sequence "
        "WHERE names_hash = ? AND as2_from = ? AND as2_to = ? AND message_id IN (?, ?) AND created >= ? "
        "ORDER BY sequence DESC LIMIT 1");
    const Bytes hash = names_hash(as2_from, as2_to, message_id);
    if (!query.bind(hash, as2_from, as2_to, bare(message_id), bracketed(message_id), since).next())
      return Found();
    SIGNET_TRY(StoredReceipt receipt, read_receipt(query, 0));
    return Found(std::move(receipt));
  });
}

Result<> SqliteStore::commit(const MessageRecord& record, const Slice& payload, const Rest& rest) {
  if (!BodyFiles::is_id(record.id))
    return fail(ErrorKind::Internal,
                "a message's id is 32 lower-case hexadecimal digits, not '" + printable(record.id) + "'");
  const Place place = payload.empty()                         ? Place::None
                      : payload.size() > options_.largest_row ? Place::File
                                                              : Place::Row;
  Bytes octets;
  if (place == Place::Row) {
    SIGNET_TRY(octets, payload.to_bytes(static_cast<std::size_t>(options_.largest_row)));
  }
  if (place == Place::File) SIGNET_CHECK(bodies_.save(record.id, payload));

  bool complete = false;
  auto outcome = database_->write([&](SqlConnection& connection) -> Result<> {
    const std::int64_t message = insert_record(connection, record, place, payload.size());
    if (place == Place::Row)
      Query(connection, "INSERT INTO bodies (message, octets) VALUES (?, ?)").bind(message, octets).run();
    SIGNET_CHECK(rest(connection, message));
    complete = true;
    return {};
  });
  if (outcome) {
    forget_doubtful_bodies();
  } else if (place == Place::File && !complete) {
    bodies_.remove(record.id);
  } else if (place == Place::File) {
    const std::lock_guard lock(doubtful_mutex_);
    doubtful_bodies_.push_back(record.id);
  }
  return outcome;
}

void SqliteStore::forget_doubtful_bodies() {
  const std::lock_guard lock(doubtful_mutex_);
  for (const std::string& id : doubtful_bodies_) bodies_.remove(id);
  doubtful_bodies_.clear();
}

Result<> SqliteStore::commit_inbound(const MessageRecord& record, const Slice& payload,
                                     const StoredReceipt& receipt, bool unique) {
  return commit(record, payload, [&](SqlConnection& connection, std::int64_t message) -> Result<> {
    if (is_accepted(record)) SIGNET_CHECK(claim_names(connection, record, message, unique));
    write_receipt(connection, message, receipt);
    return {};
  });
}

Result<> SqliteStore::commit_outbound(const MessageRecord& record, const Slice& payload) {
  return commit(record, payload, [](SqlConnection&, std::int64_t) { return Result<>(); });
}

Result<> SqliteStore::settle_outbound(const MessageRecord& record, const StoredReceipt& answer) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_TRY(const Found found, find_row(connection, record.id));
    if (found.state != word_for(kStates, MessageState::Sending))
      return fail(
          ErrorKind::AlreadyExists,
          fmt::format("message {} is {} already; a later answer changes nothing", record.id, found.state));
    Query update(connection,
                 "UPDATE messages SET state = ?, settled = ?, disposition = ?, reason = ?, "
                 "receipt_signer_thumbprint = ? "
                 "WHERE sequence = ?");
    update.bind(word_for(kStates, record.state), record.settled, record.disposition, record.reason,
                record.receipt_signer_thumbprint, found.sequence);
    update.run();
    write_receipt(connection, found.sequence, answer);
    return {};
  });
}

Result<std::vector<MessageRecord>> SqliteStore::undelivered() {
  return read_value<std::vector<MessageRecord>>(*database_, [](SqlConnection& connection) {
    Query query(connection,
                "SELECT " SIGNET_RECORD_COLUMNS
                " FROM messages WHERE direction = 'inbound' AND state = 'accepted' ORDER BY sequence");
    return read_records(query);
  });
}

Result<> SqliteStore::mark_delivered(std::string_view id, std::string_view where, Time when) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_TRY(const Found found, find_row(connection, id));
    if (found.state == word_for(kStates, MessageState::Delivered)) return {};
    if (found.state != word_for(kStates, MessageState::Accepted))
      return fail(ErrorKind::InvalidInput,
                  fmt::format("message {} is {} and has nothing to hand over", id, found.state));
    Query update(connection,
                 "UPDATE messages SET state = ?, settled = ?, delivered_to = ? WHERE sequence = ?");
    update.bind(word_for(kStates, MessageState::Delivered), when, where, found.sequence).run();
    return {};
  });
}

Result<std::vector<MessageRecord>> SqliteStore::list(const MessageFilter& filter) {
  const auto or_any = [](std::string_view text) { return text.empty() ? std::nullopt : std::optional(text); };
  const auto direction =
      filter.direction ? std::optional(word_for(kDirections, *filter.direction)) : std::nullopt;
  const auto state = filter.state ? std::optional(word_for(kStates, *filter.state)) : std::nullopt;
  const std::size_t limit = std::min<std::size_t>(filter.limit, INT64_MAX);
  return read_value<std::vector<MessageRecord>>(*database_, [&](SqlConnection& connection) {
    Query query(connection,
                "SELECT " SIGNET_RECORD_COLUMNS
                " FROM messages WHERE (?1 IS NULL OR direction = ?1) AND (?2 IS NULL OR state = ?2) "
                "AND (?3 IS NULL OR agreement = ?3) AND (?4 IS NULL OR message_id = ?4) "
                "ORDER BY sequence DESC LIMIT ?5");
    query.bind(direction, state, or_any(filter.agreement), or_any(filter.message_id),
               static_cast<std::int64_t>(limit));
    return read_records(query);
  });
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
  struct Kept {
    Place place = Place::None;
    std::uint64_t size = 0;
    Bytes octets;
  };
  SIGNET_TRY(Kept kept, read_value<Kept>(*database_, [&](SqlConnection& connection) -> Result<Kept> {
               Query row(connection,
                         "SELECT body_place, body_size, octets FROM messages LEFT JOIN bodies ON message = "
                         "sequence WHERE id = ?");
               if (!row.bind(id).next()) return fail(no_message(id));
               SIGNET_TRY(const Place place, value_of(kPlaces, row.text(0)));
               return Kept{place, static_cast<std::uint64_t>(row.integer(1)), row.bytes(2)};
             }));
  SIGNET_TRY(Slice body, kept.place == Place::File ? bodies_.open_body(id)
                                                   : Result<Slice>(Slice::of(std::move(kept.octets))));
  if (body.size() != kept.size)
    return fail(ErrorKind::IoFailure,
                fmt::format("the payload of message {} has {} octets and should have {}; restore it "
                            "from a backup",
                            id, body.size(), kept.size));
  return body;
}

Result<StoredReceipt> SqliteStore::receipt(std::string_view id) {
  return read_value<StoredReceipt>(*database_, [&](SqlConnection& connection) -> Result<StoredReceipt> {
    SIGNET_TRY(const Found found, find_row(connection, id));
    Query row(connection, "SELECT http_status, headers, body FROM receipts WHERE message = ?");
    if (!row.bind(found.sequence).next())
      return fail(ErrorKind::NotFound, fmt::format("message {} has no receipt yet", id));
    return read_receipt(row, 0);
  });
}

}  // namespace signet::gateway
