#include "base/digest.h"
#include "gateway/store/evidence_chain_internal.h"
#include "gateway/store/hash_chain.h"

namespace signet::gateway {
namespace {

/// What is empty is left out, so that a line has no more than what was known.
JsonLine facts_of(const MessageRecord& record, std::string_view event, const CopyDigests& digests) {
  JsonLine facts;
  facts.add("message", record.id).add("event", event).add("direction", to_string(record.direction));
  const auto add = [&facts](std::string_view name, std::string_view value) {
    if (!value.empty()) facts.add(name, value);
  };
  add("agreement", record.agreement);
  add("as2From", record.as2_from);
  add("as2To", record.as2_to);
  add("messageId", record.message_id);
  add("created", to_rfc3339(record.created));
  add("settled", record.settled ? to_rfc3339(*record.settled) : "");
  add("mic", record.mic);
  add("micAlgorithm", record.mic.empty() ? "" : record.mic_algorithm);
  add("disposition", record.disposition);
  add("signer", record.signer_thumbprint);
  add("recipient", record.recipient_thumbprint);
  add("receiptSigner", record.receipt_signer_thumbprint);
  add("revocationUnchecked", record.revocation_unchecked);
  add("wire", digests.wire);
  add("payload", digests.payload);
  add("receipt", digests.receipt);
  return facts;
}

Result<std::string> travel_digest(const decltype(WireCopy::headers)& headers, const Slice& body) {
  Digest sha256(Hash::Sha256);
  sha256.update(as_bytes(head_octets(headers)));
  SIGNET_CHECK(body.copy_to(sha256));
  return hex_lower(std::move(sha256).finish());
}

}  // namespace

Result<std::string> travel_digest(const WireCopy& copy) { return travel_digest(copy.headers, copy.body); }

Result<std::string> travel_digest(const StoredReceipt& receipt) {
  return travel_digest(receipt.headers, Slice::of(receipt.body));
}

ChainHead chain_head(SqlConnection& connection) {
  Query query(connection, "SELECT number, hash FROM evidence ORDER BY number DESC LIMIT 1");
  if (!query.next()) return {0, std::string(no_record())};
  return {static_cast<std::uint64_t>(query.integer(0)), query.text(1)};
}

void EvidenceChain::append(SqlConnection& connection, std::int64_t message, const MessageRecord& record,
                           JsonLine facts) const {
  if (record.agreement.empty()) return;
  if (const auto audit = audit_head_ ? audit_head_() : std::nullopt)
    facts.add("audit", audit->hash).add("auditEnd", audit->end);
  const ChainHead head = chain_head(connection);
  const std::string line = chain_line(std::move(facts), head.hash);
  Query(connection, "INSERT INTO evidence (number, message, line, hash) VALUES (?, ?, ?, ?)")
      .bind(static_cast<std::int64_t>(head.records + 1), message, line, chain_hash(line))
      .run();
}

void EvidenceChain::append(SqlConnection& connection, std::int64_t message, const MessageRecord& record,
                           const CopyDigests& digests) const {
  append(connection, message, record, facts_of(record, to_string(record.state), digests));
}

void EvidenceChain::append_late_receipt(SqlConnection& connection, std::int64_t message,
                                        const MessageRecord& record, const std::string& sha256,
                                        std::string_view verdict, Time when) const {
  JsonLine facts = facts_of(record, kLateReceiptEvent, {"", "", sha256});
  facts.add("received", to_rfc3339(when)).add("verdict", verdict);
  append(connection, message, record, std::move(facts));
}

void EvidenceChain::append_receipt_post(SqlConnection& connection, std::int64_t message,
                                        const MessageRecord& record, const ReceiptPost& post) const {
  JsonLine facts = facts_of(record, post.given_up ? "receipt-not-posted" : "receipt-posted", {});
  if (post.posted) facts.add("posted", to_rfc3339(*post.posted));
  if (post.given_up) facts.add("givenUp", to_rfc3339(*post.given_up)).add("reason", post.reason);
  append(connection, message, record, std::move(facts));
}

void EvidenceChain::append_expiry(SqlConnection& connection, std::int64_t message,
                                  const MessageRecord& record, const std::vector<std::string>& copies,
                                  Time when) const {
  JsonLine facts = facts_of(record, "copies-expired", {});
  facts.add("expired", to_rfc3339(when)).add("copies", copies);
  append(connection, message, record, std::move(facts));
}

void keep_certificate(SqlConnection& connection, ByteView der) {
  if (der.empty()) return;
  Query(connection, "INSERT OR IGNORE INTO used_certificates (thumbprint, der) VALUES (?, ?)")
      .bind(hex_upper(digest(Hash::Sha256, der)), der)
      .run();
}

}  // namespace signet::gateway
