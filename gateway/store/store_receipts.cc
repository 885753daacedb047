#include <fmt/format.h>

#include "gateway/store/sql_internal.h"
#include "gateway/store/store_internal.h"

/// Receipts that are posted.

namespace signet::gateway {

Result<std::vector<WaitingWork>> SqliteStore::waiting_receipts() {
  return read_value<std::vector<WaitingWork>>(*database_, [](SqlConnection& connection) {
    Query query(connection,
                "SELECT id, agreement, receipt_posts.due, receipt_posts.queued FROM receipt_posts JOIN "
                "messages ON sequence = message "
                "WHERE receipt_posts.due IS NOT NULL ORDER BY receipt_posts.due");
    return read_waiting(query);
  });
}

#define SIGNET_RECEIPT_POSTS                                                                             \
  "SELECT id, agreement, receipt_url, receipt_posts.attempts, receipt_posts.queued, receipt_posts.due, " \
  "posted, given_up, receipt_posts.reason FROM receipt_posts JOIN messages ON sequence = message "

namespace {

/// From what SIGNET_RECEIPT_POSTS selects.
ReceiptPost read_receipt_post(const Query& row) {
  ReceiptPost post;
  post.id = row.text(0);
  post.agreement = row.text(1);
  post.url = row.text(2);
  post.attempts = static_cast<std::uint32_t>(row.integer(3));
  post.queued = row.time(4);
  post.due = row.optional_time(5);
  post.posted = row.optional_time(6);
  post.given_up = row.optional_time(7);
  post.reason = row.text(8);
  return post;
}

}  // namespace

Result<ReceiptPost> SqliteStore::receipt_post(std::string_view id) {
  return read_value<ReceiptPost>(*database_, [&](SqlConnection& connection) -> Result<ReceiptPost> {
    Query row(connection, SIGNET_RECEIPT_POSTS "WHERE id = ?");
    if (!row.bind(id).next())
      return fail(ErrorKind::NotFound, "message " + printable(id) + " has no receipt that is posted");
    return read_receipt_post(row);
  });
}

Result<std::vector<ReceiptPost>> SqliteStore::receipts_given_up(Time since) {
  using Posts = std::vector<ReceiptPost>;
  return read_value<Posts>(*database_, [&](SqlConnection& connection) -> Result<Posts> {
    Query row(connection, SIGNET_RECEIPT_POSTS "WHERE given_up >= ? ORDER BY given_up DESC");
    row.bind(since);
    Posts posts;
    while (row.next()) posts.push_back(read_receipt_post(row));
    return posts;
  });
}

Result<> SqliteStore::update_receipt_post(const ReceiptPost& post) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_TRY(const MessageRow found, find_row(connection, post.id));
    Query(connection,
          "UPDATE receipt_posts SET attempts = ?, due = ?, posted = ?, given_up = ?, reason = ? "
          "WHERE message = ?")
        .bind(std::int64_t{post.attempts}, post.due, post.posted, post.given_up, post.reason, found.sequence)
        .run();
    // Whoever repeats a message has its receipt posted once more, however often.
    if (post.due || !check_room_for_record(connection, found.sequence, post.id)) return {};
    SIGNET_TRY(const MessageRecord record, record_at(connection, found.sequence));
    chain_->append_receipt_post(connection, found.sequence, record, post);
    return {};
  });
}

Result<> SqliteStore::queue_receipt_again(std::string_view id, Time due, Tell tell) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_TRY(const MessageRow found, find_row(connection, id));
    Query queue(connection,
                "UPDATE receipt_posts SET attempts = 0, queued = ?1, due = ?1, given_up = NULL, reason = '' "
                "WHERE message = ?2 RETURNING 1");
    if (!queue.bind(due, found.sequence).next())
      return fail(
          ErrorKind::Unsupported,
          fmt::format("message {} has no receipt to post: it went into the HTTP answer, none was asked "
                      "for, or the message is not opened yet",
                      id));
    if (!Query(connection, "SELECT 1 FROM receipts WHERE message = ?").bind(found.sequence).next())
      return fail(
          ErrorKind::Unsupported,
          fmt::format("the receipt of message {} cannot be posted again: it is not kept any more (see "
                      "enableNRRForOutboundMDN and x:retention)",
                      id));
    if (tell == Tell::Gateway) leave_note(connection, found.sequence);
    return {};
  });
}

}  // namespace signet::gateway
