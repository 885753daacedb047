#pragma once

#include <memory>
#include <utility>

#include "agreements/account_store.h"
#include "base/clock.h"
#include "gateway/store/database.h"

namespace signet::gateway {

/// The integration account as a whole: partners and agreements as one canonical XML document, certificates as
/// rows that SqliteCertificateStore shows one by one. The stored generation moves with every change through
/// either of them.
class SqliteAccountStore final : public agreements::AccountStore {
 public:
  /// The clock, which outlives the store, gives entries the times of their creation and change.
  SqliteAccountStore(std::shared_ptr<Database> database, const Clock& clock)
      : database_(std::move(database)), clock_(clock) {}

  Result<agreements::StoredAccount> load() override;
  Result<std::uint64_t> replace(const agreements::Account& account,
                                std::uint64_t expected_generation) override;
  Result<agreements::TimesByName> times(agreements::EntryKind kind) override;

 private:
  const std::shared_ptr<Database> database_;
  const Clock& clock_;
};

}  // namespace signet::gateway
