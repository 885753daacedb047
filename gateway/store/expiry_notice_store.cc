#include "gateway/store/expiry_notice_store.h"

#include "gateway/store/sql_internal.h"

namespace signet::gateway {

Result<std::vector<ExpiryNotice>> SqliteExpiryNoticeStore::notices() {
  using All = std::vector<ExpiryNotice>;
  return read_value<All>(*database_, [](SqlConnection& connection) -> Result<All> {
    Query query(
        connection,
        "SELECT thumbprint, days, queued, mailed, settled FROM expiry_notices ORDER BY queued, thumbprint");
    All notices;
    while (query.next())
      notices.push_back({query.text(0), static_cast<unsigned>(query.integer(1)), query.time(2),
                         query.integer(3) != 0, query.integer(4) != 0});
    return notices;
  });
}

Result<> SqliteExpiryNoticeStore::queue(const std::vector<ExpiryNotice>& notices) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    for (const ExpiryNotice& notice : notices)
      Query(
          connection,
          "INSERT INTO expiry_notices (thumbprint, days, queued, mailed, settled) VALUES (?, ?, ?, ?, ?) ON "
          "CONFLICT DO NOTHING")
          .bind(notice.thumbprint, static_cast<std::int64_t>(notice.days), notice.queued, flag(notice.mailed),
                flag(notice.settled))
          .run();
    return {};
  });
}

Result<> SqliteExpiryNoticeStore::put(const ExpiryNotice& notice) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    Query(connection, "UPDATE expiry_notices SET mailed = ?, settled = ? WHERE thumbprint = ? AND days = ?")
        .bind(flag(notice.mailed), flag(notice.settled), notice.thumbprint,
              static_cast<std::int64_t>(notice.days))
        .run();
    return {};
  });
}

}  // namespace signet::gateway
