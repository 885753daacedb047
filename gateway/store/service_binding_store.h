#pragma once

#include <memory>

#include "certstore/service/binding.h"
#include "gateway/store/database.h"

namespace signet::gateway {

/// What service certificates' names stand for, in SQLite.
class SqliteServiceBindingStore final : public certstore::ServiceBindingStore {
 public:
  explicit SqliteServiceBindingStore(std::shared_ptr<Database> database) : database_(std::move(database)) {}

  Result<std::vector<certstore::ServiceBinding>> bindings() override;
  Result<> change(const std::vector<certstore::BindingChange>& changes, std::string_view by,
                  Time now) override;
  Result<std::vector<certstore::ServiceCandidate>> candidates(std::string_view key_vault) override;

 private:
  std::shared_ptr<Database> database_;
};

}  // namespace signet::gateway
