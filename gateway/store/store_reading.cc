#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "gateway/store/sql_internal.h"
#include "gateway/store/store_internal.h"

/// Messages looked at: their records, and what is kept with them.

namespace signet::gateway {
namespace {

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

/// How many of an id's 32 digits are enough to name a message by: as many as lists show.
constexpr std::size_t kShortestId = 8;

}  // namespace

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
      return fail(
          ErrorKind::NotFound,
          fmt::format(
              "no message has the id or the Message-ID {}: 'signet message list' shows those there are",
              printable(id_or_message_id)));
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
