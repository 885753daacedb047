#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_line.h"
#include "gateway/evidence/evidence_store.h"
#include "gateway/exchange/message_store.h"
#include "gateway/store/sql_internal.h"
#include "gateway/store/store.h"

/// Internal to gateway/store: how evidence gets into the database. Everything here is part of the transaction
/// that changes the message, so that a crash leaves both or neither.

namespace signet::gateway {

/// Lower-case hexadecimal SHA-256 of the copies that came with a change; empty where none did.
struct CopyDigests {
  std::string wire;  ///< head and body
  std::string payload;
  std::string receipt;  ///< head and body
};

/// SHA-256 of a message as it travelled, or of a receipt.
Result<std::string> travel_digest(const WireCopy& copy);
Result<std::string> travel_digest(const StoredReceipt& receipt);

/// The chain as it is now, from the transaction's point of view.
ChainHead chain_head(SqlConnection& connection);

/// The chain of evidence: the table `evidence`, whose every line has the hash of the one before. What no
/// agreement covers is no evidence, and is left out.
class EvidenceChain {
 public:
  /// What gives the audit log's last line: with it in the records, the end of that log cannot be cut off
  /// unnoticed either.
  void name_audit_head(AuditHead audit_head) { audit_head_ = std::move(audit_head); }

  /// Chains what a message's record says now, under the name of its state.
  void append(SqlConnection& connection, std::int64_t message, const MessageRecord& record,
              const CopyDigests& digests = {}) const;
  /// Chains that a receipt came when the message was settled; the record names its signer.
  void append_late_receipt(SqlConnection& connection, std::int64_t message, const MessageRecord& record,
                           const std::string& sha256, std::string_view verdict, Time when) const;
  /// Chains that a receipt of ours was posted, or that this is given up.
  void append_receipt_post(SqlConnection& connection, std::int64_t message, const MessageRecord& record,
                           const ReceiptPost& post) const;
  /// Chains that copies have gone.
  void append_expiry(SqlConnection& connection, std::int64_t message, const MessageRecord& record,
                     const std::vector<std::string>& copies, Time when) const;

 private:
  void append(SqlConnection& connection, std::int64_t message, const MessageRecord& record,
              JsonLine facts) const;

  AuditHead audit_head_;
};

/// Keeps a certificate, DER, once for all messages.
void keep_certificate(SqlConnection& connection, ByteView der);

}  // namespace signet::gateway
