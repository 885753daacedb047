#include "gateway/store/evidence_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "gateway/store/evidence_chain_internal.h"
#include "gateway/store/hash_chain.h"
#include "gateway/store/message_rows_internal.h"
#include "gateway/store/store.h"

namespace signet::gateway {
namespace {

/// The messages of an agreement (?1) that an ExpiryRule lets go of something of: of those settled before ?2
/// everything, of all others the receipts that their switch does not keep; but no receipt that is still to be
/// posted or handed over, and of inbound messages none of those received since ?3, for repeats. Only rows
/// from ?4 to ?5 are looked at.
#define SIGNET_EXPIRABLE                                                                           \
  "WITH ended AS (SELECT *, coalesce(settled < ?2, 0) AS is_old, "                                 \
  "(direction = 'outbound' OR created < ?3) "                                                      \
  "AND NOT (hands_receipt_over = 1 AND delivered_to = '') AND NOT EXISTS "                         \
  "(SELECT 1 FROM receipt_posts WHERE message = sequence AND due IS NOT NULL) AS receipt_is_free " \
  "FROM messages WHERE agreement = ?1 AND settled IS NOT NULL AND sequence BETWEEN ?4 AND ?5 "     \
  "AND (settled < ?2 OR keeps_receipt = 0)), "                                                     \
  "expirable AS (SELECT ended.sequence, ended.created, "                                           \
  "is_old AND (body_place <> 'none' OR wires.message IS NOT NULL OR proofs.message IS NOT NULL "   \
  "OR EXISTS (SELECT 1 FROM late_receipts WHERE message = ended.sequence)) AS loses_copies, "      \
  "receipt_is_free AND (is_old OR keeps_receipt = 0) "                                             \
  "AND receipts.message IS NOT NULL AS loses_receipt, "                                            \
  "body_size + coalesce(wires.size, 0) "                                                           \
  "+ coalesce(proofs.size + length(proofs.head) + length(proofs.signature), 0) AS copies_size, "   \
  "coalesce(length(receipts.body), 0) AS receipt_size FROM ended "                                 \
  "LEFT JOIN wires ON wires.message = ended.sequence "                                             \
  "LEFT JOIN proofs ON proofs.message = ended.sequence "                                           \
  "LEFT JOIN receipts ON receipts.message = ended.sequence) "
#define SIGNET_EXPIRABLE_OCTETS "loses_copies * copies_size + loses_receipt * receipt_size"

/// What goes of one message.
struct Going {
  std::int64_t message = 0;
  bool copies = false;
  bool receipt = false;
};

constexpr std::int64_t kFirst = 0;
constexpr std::int64_t kLast = INT64_MAX;

/// Adds it up in `total`.
std::vector<Going> find_going(SqlConnection& connection, const ExpiryRule& rule, std::int64_t first,
                              std::int64_t last, std::size_t most, Expiry& total) {
  Query query(connection, SIGNET_EXPIRABLE
              "SELECT sequence, created, loses_copies, loses_receipt, " SIGNET_EXPIRABLE_OCTETS
              " FROM expirable WHERE loses_copies OR loses_receipt ORDER BY sequence LIMIT ?6");
  query.bind(rule.agreement, rule.settled_before, rule.repeats_since, first, last,
             static_cast<std::int64_t>(most));
  std::vector<Going> going;
  while (query.next()) {
    going.push_back({query.integer(0), query.integer(2) != 0, query.integer(3) != 0});
    if (!total.oldest) total.oldest = query.time(1);
    ++total.messages;
    total.octets += static_cast<std::uint64_t>(query.integer(4));
  }
  return going;
}

/// @returns the files that are nobody's any more once this is committed, in `files`.
Result<> let_go(SqlConnection& connection, const EvidenceChain& chain, const Going& going, Time now,
                std::vector<std::string>& files) {
  SIGNET_TRY(const MessageRecord record, record_at(connection, going.message));
  std::vector<std::string> copies;
  if (going.copies) {
    forget_payload(connection, going.message, record.id, files);
    forget_wire(connection, going.message, record.id, files);
    Query(connection, "DELETE FROM late_receipts WHERE message = ?").bind(going.message).run();
    copies = {"payload", "wire", "late-receipts"};
  }
  if (going.receipt) {
    Query(connection, "DELETE FROM receipts WHERE message = ?").bind(going.message).run();
    copies.emplace_back("receipt");
  }
  chain.append_expiry(connection, going.message, record, copies, now);
  return {};
}

}  // namespace

Result<std::vector<EvidenceRecord>> SqliteEvidenceStore::records(std::string_view id) {
  using Records = std::vector<EvidenceRecord>;
  return read_value<Records>(*store_.database(), [&](SqlConnection& connection) -> Result<Records> {
    SIGNET_TRY(const MessageRow row, find_row(connection, id));
    Query query(connection, "SELECT number, line, hash FROM evidence WHERE message = ? ORDER BY number");
    query.bind(row.sequence);
    Records records;
    while (query.next())
      records.push_back({static_cast<std::uint64_t>(query.integer(0)), query.text(1), query.text(2)});
    return records;
  });
}

Result<Proof> SqliteEvidenceStore::proof(std::string_view id) {
  struct Kept {
    Proof proof;
    Bytes head;
    bool payload_follows = false;
    StoredBody rest;
  };
  SIGNET_TRY(
      Kept kept, read_value<Kept>(*store_.database(), [&](SqlConnection& connection) -> Result<Kept> {
        SIGNET_TRY(const MessageRow row, find_row(connection, id));
        Query query(connection,
                    "SELECT signature, head, payload_follows, place, size, octets, begin_in_file FROM proofs "
                    "WHERE message = ?");
        if (!query.bind(row.sequence).next())
          return fail(ErrorKind::NotFound, fmt::format("what the MIC of message {} is over is not kept", id));
        Kept found;
        found.proof.signature = query.bytes(0);
        found.head = query.bytes(1);
        found.payload_follows = query.integer(2) != 0;
        SIGNET_TRY(const Place place, parse_place(query.text(3)));
        found.rest = {BodyFiles::content_name(id), place, static_cast<std::uint64_t>(query.integer(4)),
                      query.bytes(5), static_cast<std::uint64_t>(query.integer(6))};
        return found;
      }));
  SIGNET_TRY(const Slice rest, kept.payload_follows ? store_.payload(id)
                                                    : open_body(store_.body_files(), std::move(kept.rest)));
  constexpr std::size_t kInMemory = 256 * 1024;
  SIGNET_TRY(kept.proof.content, Slice::joined({Slice::of(std::move(kept.head)), rest}, kInMemory));
  return std::move(kept.proof);
}

Result<Bytes> SqliteEvidenceStore::certificate(std::string_view thumbprint) {
  return read_value<Bytes>(*store_.database(), [&](SqlConnection& connection) -> Result<Bytes> {
    Query query(connection, "SELECT der FROM used_certificates WHERE thumbprint = ?");
    if (!query.bind(thumbprint).next())
      return fail(ErrorKind::NotFound,
                  "no message is kept that certificate " + printable(thumbprint) + " was used for");
    return query.bytes(0);
  });
}

Result<std::vector<LateReceipt>> SqliteEvidenceStore::late_receipts(std::string_view id) {
  using Receipts = std::vector<LateReceipt>;
  return read_value<Receipts>(*store_.database(), [&](SqlConnection& connection) -> Result<Receipts> {
    SIGNET_TRY(const MessageRow row, find_row(connection, id));
    Query query(connection,
                "SELECT received, verdict, http_status, headers, body FROM late_receipts WHERE message = ? "
                "ORDER BY sequence");
    query.bind(row.sequence);
    Receipts receipts;
    while (query.next()) {
      LateReceipt late{query.time(0), query.text(1), {}};
      SIGNET_TRY(late.receipt, read_receipt(query, 2));
      receipts.push_back(std::move(late));
    }
    return receipts;
  });
}

// ---- The chain

Result<ChainReport> SqliteEvidenceStore::verify(const std::vector<std::string>& heads) {
  return read_value<ChainReport>(*store_.database(), [&](SqlConnection& connection) -> Result<ChainReport> {
    ChainCheck chain(heads);
    Query query(connection,
                "SELECT number, line, hash, messages.id FROM evidence LEFT JOIN messages ON sequence = "
                "message ORDER BY number");
    while (chain.report().intact() && query.next()) {
      const std::uint64_t number = chain.report().records + 1;
      const std::string line = query.text(1);
      if (query.integer(0) != static_cast<std::int64_t>(number))
        chain.broken(number, fmt::format("is missing: the next record has the number {}", query.integer(0)));
      else if (chain_hash(line) != query.text(2))
        chain.broken(number, "was edited: its hash is not the one that it was kept with");
      else if (chain.next(line) && chain_field(line, "message") != query.text(3))
        chain.broken(number, "lies with another message than the one that it is of");
    }
    return chain.report();
  });
}

Result<ChainHead> SqliteEvidenceStore::head() {
  return read_value<ChainHead>(*store_.database(), [](SqlConnection& connection) -> Result<ChainHead> {
    return chain_head(connection);
  });
}

#define SIGNET_AUDIT_MENTIONS                                                                     \
  "SELECT number, json_extract(line, '$.audit'), json_extract(line, '$.auditEnd') FROM evidence " \
  "WHERE json_valid(line) AND json_extract(line, '$.audit') IS NOT NULL ORDER BY number"

namespace {

/// From what SIGNET_AUDIT_MENTIONS selects.
AuditMention read_mention(const Query& row) {
  return {static_cast<std::uint64_t>(row.integer(0)),
          {row.text(1), static_cast<std::uint64_t>(row.integer(2))}};
}

}  // namespace

Result<std::optional<AuditMention>> SqliteEvidenceStore::newest_audit_mention() {
  using Found = std::optional<AuditMention>;
  return read_value<Found>(*store_.database(), [](SqlConnection& connection) -> Result<Found> {
    Query query(connection, SIGNET_AUDIT_MENTIONS " DESC LIMIT 1");
    return query.next() ? Found(read_mention(query)) : Found();
  });
}

Result<std::optional<AuditMention>> SqliteEvidenceStore::find_missing_audit_line(
    const std::function<Result<bool>(const AuditLine&)>& is_there) {
  using Found = std::optional<AuditMention>;
  return read_value<Found>(*store_.database(), [&](SqlConnection& connection) -> Result<Found> {
    Query query(connection, SIGNET_AUDIT_MENTIONS);
    AuditLine known;  // most records name the same line as the one before
    while (query.next()) {
      AuditMention mention = read_mention(query);
      if (mention.line.hash == known.hash && mention.line.end == known.end) continue;
      SIGNET_TRY(const bool there, is_there(mention.line));
      if (!there) return mention;
      known = std::move(mention.line);
    }
    return Found();
  });
}

// ---- What goes

Result<Expiry> SqliteEvidenceStore::expirable(const ExpiryRule& rule) {
  return read_value<Expiry>(*store_.database(), [&](SqlConnection& connection) -> Result<Expiry> {
    Query query(connection,
                SIGNET_EXPIRABLE "SELECT count(*), coalesce(sum(" SIGNET_EXPIRABLE_OCTETS
                                 "), 0), min(created) FROM expirable WHERE loses_copies OR loses_receipt");
    query.bind(rule.agreement, rule.settled_before, rule.repeats_since, kFirst, kLast).next();
    return Expiry{static_cast<std::uint64_t>(query.integer(0)), static_cast<std::uint64_t>(query.integer(1)),
                  query.optional_time(2)};
  });
}

/// Looked for without holding anybody up, then removed in small transactions, each of which looks again at
/// what it removes.
Result<Expiry> SqliteEvidenceStore::expire(const ExpiryRule& rule, std::size_t most, Time now) {
  constexpr std::size_t kInOneTransaction = 100;
  Expiry expected;
  SIGNET_TRY(const auto found,
             read_value<std::vector<Going>>(*store_.database(), [&](SqlConnection& connection) {
               return Result<std::vector<Going>>(find_going(connection, rule, kFirst, kLast, most, expected));
             }));
  Expiry expired;
  for (std::size_t next = 0; next < found.size();) {
    std::vector<std::string> files;
    const std::size_t end = std::min(found.size(), next + kInOneTransaction);
    const auto remove_some = [&](SqlConnection& connection) -> Result<> {
      for (; next < end; ++next) {
        const std::int64_t message = found[next].message;
        for (const Going& one : find_going(connection, rule, message, message, 1, expired))
          SIGNET_CHECK(let_go(connection, store_.chain(), one, now, files));
      }
      return {};
    };
    SIGNET_CHECK(store_.database()->write(remove_some));
    for (const std::string& file : files) store_.body_files().remove(file);
  }
  return expired;
}

}  // namespace signet::gateway
