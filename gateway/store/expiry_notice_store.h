#pragma once

#include <memory>
#include <vector>

#include "gateway/lifecycle/expiry_notice_store.h"
#include "gateway/store/database.h"

namespace signet::gateway {

/// Which certificates somebody was told of, in SQLite.
class SqliteExpiryNoticeStore final : public ExpiryNoticeStore {
 public:
  explicit SqliteExpiryNoticeStore(std::shared_ptr<Database> database) : database_(std::move(database)) {}

  Result<std::vector<ExpiryNotice>> notices() override;
  Result<> queue(const std::vector<ExpiryNotice>& notices) override;
  Result<> put(const ExpiryNotice& notice) override;

 private:
  std::shared_ptr<Database> database_;
};

}  // namespace signet::gateway
