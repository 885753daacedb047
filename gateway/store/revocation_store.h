#pragma once

#include <memory>

#include "gateway/revocation/revocation_store.h"
#include "gateway/store/database.h"

namespace signet::gateway {

/// Revocation lists and what became of fetching them, in SQLite. That no list takes the place of a newer one
/// is decided in the transaction that writes it.
class SqliteRevocationStore final : public RevocationStore {
 public:
  explicit SqliteRevocationStore(std::shared_ptr<Database> database) : database_(std::move(database)) {}

  Result<std::uint64_t> generation() override;
  Result<std::vector<StoredRevocationList>> lists() override;
  Result<Change> put(const StoredRevocationList& list) override;
  Result<> remove(std::string_view authority) override;
  Result<std::vector<RevocationSource>> sources() override;
  Result<> put_source(const RevocationSource& source) override;
  Result<> remove_source(std::string_view authority, std::string_view urls) override;

 private:
  std::shared_ptr<Database> database_;
};

}  // namespace signet::gateway
