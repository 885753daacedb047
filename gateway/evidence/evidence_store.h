#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "gateway/exchange/message_store.h"

/// What is kept so that others can check later what was exchanged: the chained records of each message, and
/// the copies and certificates that they name by their digests. gateway/store writes it in the transactions
/// that change a message, and implements this for those who read it, and for what goes when its time is over.

namespace signet::gateway {

/// One line of the chain of evidence.
struct EvidenceRecord {
  std::uint64_t number = 0;  ///< its place in the chain, from 1 on, without a gap
  std::string line;          ///< JSON; see docs/evidence.md for its fields
  std::string hash;  ///< lower-case hexadecimal SHA-256 of the line: what the next one calls "previous"
};

/// The newest record of the chain.
struct ChainHead {
  std::uint64_t records = 0;  ///< in the chain
  std::string hash;           ///< of the newest
};

/// A line of the audit log, as the records name it.
struct AuditLine {
  std::string hash;
  std::uint64_t end = 0;  ///< octets of the log up to its end
};

/// A record that names a line of the audit log.
struct AuditMention {
  std::uint64_t record = 0;
  AuditLine line;
};

/// The event of the records that say that a receipt came and changed nothing; see LateReceipt.
inline constexpr std::string_view kLateReceiptEvent = "late-receipt";

/// What looking at a whole chain found.
struct ChainReport {
  struct Flaw {
    std::uint64_t line = 0;  ///< from 1 on
    std::string what;        ///< "does not follow the line before it: ..."
  };
  std::uint64_t records = 0;             ///< that were looked at
  std::string head;                      ///< hash of the last of them
  std::optional<Flaw> flaw;              ///< the first; nothing behind it was looked at
  std::vector<std::string> heads_found;  ///< those of the hashes asked for that a record has

  [[nodiscard]] bool intact() const { return !flaw; }
};

/// A receipt that changed nothing: it came when its message was settled already, or nothing shows that it is
/// the partner's.
struct LateReceipt {
  Time received{};
  std::string verdict;
  StoredReceipt receipt;
};

/// Which copies of an agreement's messages have had their time.
struct ExpiryRule {
  std::string agreement;
  std::optional<Time>
      settled_before;    ///< of messages settled before this, everything goes; absent: nothing for its age
  Time repeats_since{};  ///< receipts of messages received since then are kept in any case: a repeat is
                         ///< answered with them
};

/// What goes, or went, by a rule.
struct Expiry {
  std::uint64_t messages = 0;
  std::uint64_t octets = 0;    ///< of copies
  std::optional<Time> oldest;  ///< when the first of the messages was received or submitted
};

/// Thread-safe.
class EvidenceStore {
 public:
  virtual ~EvidenceStore() = default;

  /// A message's records, in their order; none for one that has none.
  virtual Result<std::vector<EvidenceRecord>> records(std::string_view id) = 0;
  /// What the message's MIC is over. @error NotFound  it is not kept.
  virtual Result<Proof> proof(std::string_view id) = 0;
  /// A certificate that messages were secured with, DER. @error NotFound
  virtual Result<Bytes> certificate(std::string_view thumbprint) = 0;
  virtual Result<std::vector<LateReceipt>> late_receipts(std::string_view id) = 0;

  /// Looks at the whole chain; `heads` are hashes that are asked for.
  virtual Result<ChainReport> verify(const std::vector<std::string>& heads) = 0;
  /// The end of the chain.
  virtual Result<ChainHead> head() = 0;
  /// The first record that names a line of the audit log of which `is_there` says that it is not.
  virtual Result<std::optional<AuditMention>> find_missing_audit_line(
      const std::function<Result<bool>(const AuditLine&)>& is_there) = 0;

  /// What would go by a rule now.
  virtual Result<Expiry> expirable(const ExpiryRule& rule) = 0;
  /// Removes it, of at most `most` messages, the oldest first, and writes into the chain what went. Open
  /// messages are not touched, nor is a receipt that is still to be posted. @returns what went; nothing:
  /// there is no more.
  virtual Result<Expiry> expire(const ExpiryRule& rule, std::size_t most, Time now) = 0;
};

}  // namespace signet::gateway
