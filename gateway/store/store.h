#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gateway/exchange/message_store.h"
#include "gateway/store/body_files.h"
#include "gateway/store/database.h"
#include "gateway/store/store_lock.h"

/// The messages of a gateway, kept in SQLite and, where they are large, in files beside it.
///
///     <home>/store/signet.db         rows, and payloads up to StoreOptions::largest_row
///     <home>/store/bodies/xx/<id>    larger payloads, one file each, named by our id alone
///     <home>/store/spool/            where bodies grow while they arrive; files there have no names
///     <home>/store/lock              tells the first process that opens the store that it is alone

namespace signet::gateway {

struct StoreOptions {
  std::uint64_t largest_row = 256 * 1024;  ///< octets; a larger payload becomes a file
  DatabaseOptions database;
};

class SqliteStore final : public MessageStore {
 public:
  /// Opens the store in `home`, making what is not there yet (directories 0700, files 0600). The first
  /// process to open it checks the database and removes payload files that no record knows: what a crash left
  /// between the two.
  ///
  /// @error as Database::open(); and PermissionDenied, IoFailure for the directories.
  static Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& home,
                                                   const StoreOptions& options = {});

  /// Where a Spool has to grow so that its file can become a payload without being copied.
  [[nodiscard]] const std::filesystem::path& spool_directory() const { return spool_; }
  /// Everything of the store lies in it.
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  /// For the stores that share the database.
  [[nodiscard]] const std::shared_ptr<Database>& database() const { return database_; }
  /// A number that is another one after any change of the configuration, by this process or by another: the
  /// account, keys and policies. Cheap to ask for on every message; see Database::generations().
  Result<std::uint64_t> generation();

  Result<std::optional<StoredReceipt>> find_accepted(std::string_view as2_from, std::string_view as2_to,
                                                     std::string_view message_id, Time since) override;
  Result<> commit_inbound(const MessageRecord& record, const Slice& payload, const StoredReceipt& receipt,
                          bool unique) override;
  Result<std::vector<MessageRecord>> undelivered() override;
  Result<> mark_delivered(std::string_view id, std::string_view where, Time when) override;
  Result<> commit_outbound(const MessageRecord& record, const Slice& payload) override;
  /// @error AlreadyExists  it is settled; a later answer changes nothing.  @error NotFound
  Result<> settle_outbound(const MessageRecord& record, const StoredReceipt& answer) override;
  Result<std::vector<MessageRecord>> list(const MessageFilter& filter) override;
  Result<MessageRecord> find(std::string_view id_or_message_id) override;
  Result<Slice> payload(std::string_view id) override;
  Result<StoredReceipt> receipt(std::string_view id) override;

 private:
  SqliteStore(std::filesystem::path directory, const StoreOptions& options, StoreLock lock,
              std::shared_ptr<Database> database, BodyFiles bodies);
  /// What a commit does besides the record and its payload, told the record's key.
  using Rest = std::function<Result<>(SqlConnection&, std::int64_t message)>;
  Result<> commit(const MessageRecord& record, const Slice& payload, const Rest& rest);
  void forget_doubtful_bodies();

  const std::filesystem::path directory_;
  const std::filesystem::path spool_;
  const StoreOptions options_;
  const StoreLock lock_;
  const std::shared_ptr<Database> database_;
  const BodyFiles bodies_;

  /// Payload files of transactions whose commit failed on the disk. Until another commit has overwritten its
  /// traces in the log, a crash may bring such a transaction back; so the file is removed after the next
  /// commit and not before.
  std::mutex doubtful_mutex_;
  std::vector<std::string> doubtful_bodies_;
};

}  // namespace signet::gateway
