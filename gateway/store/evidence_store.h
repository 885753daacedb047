#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/evidence/evidence_store.h"

namespace signet::gateway {

class SqliteStore;

/// Evidence, as SqliteStore writes it in the transactions that change messages, read from the same database.
class SqliteEvidenceStore final : public EvidenceStore {
 public:
  /// `store` outlives this.
  explicit SqliteEvidenceStore(SqliteStore& store) : store_(store) {}

  Result<std::vector<EvidenceRecord>> records(std::string_view id) override;
  Result<Proof> proof(std::string_view id) override;
  Result<Bytes> certificate(std::string_view thumbprint) override;
  Result<std::vector<LateReceipt>> late_receipts(std::string_view id) override;

  Result<ChainReport> verify(const std::vector<std::string>& heads) override;
  Result<ChainHead> head() override;
  /// The newest record that names a line of the audit log; nothing while none does.
  Result<std::optional<AuditMention>> newest_audit_mention();
  Result<std::optional<AuditMention>> find_missing_audit_line(
      const std::function<Result<bool>(const AuditLine&)>& is_there) override;

  Result<Expiry> expirable(const ExpiryRule& rule) override;
  Result<Expiry> expire(const ExpiryRule& rule, std::size_t most, Time now) override;

 private:
  SqliteStore& store_;
};

}  // namespace signet::gateway
