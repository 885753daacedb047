#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gateway/evidence/evidence_store.h"
#include "gateway/exchange/message_store.h"
#include "gateway/store/body_files.h"
#include "gateway/store/database.h"
#include "gateway/store/sending_marks.h"
#include "gateway/store/store_lock.h"

/// The messages of a gateway, kept in SQLite and, where they are large, in files beside it.
///
///     <home>/store/signet.db         rows, and payloads up to StoreOptions::largest_row
///     <home>/store/bodies/xx/<id>    larger payloads, one file each, named by our id alone; <id>.wire is the
///                                    message as it travels, <id>.content what its MIC is over, where that
///                                    does not end with the payload
///     <home>/store/spool/            where bodies grow while they arrive; files there have no names
///     <home>/store/sending           tells which messages commands are sending (SendingMarks)
///     <home>/store/lock              tells the first process that opens the store that it is alone

namespace signet::gateway {

struct StoreOptions {
  std::uint64_t largest_row = 256 * 1024;  ///< octets; a larger payload becomes a file
  DatabaseOptions database;
};

/// Tells the newest line of the audit log; nothing while there is none.
using AuditHead = std::function<std::optional<AuditLine>()>;

class EvidenceChain;
struct StoredBody;

class SqliteStore final : public MessageStore {
 public:
  /// Opens the store in `home`, making what is not there yet (directories 0700, files 0600). The first
  /// process to open it checks the database and removes payload files that no record knows: what a crash left
  /// between the two.
  ///
  /// @error as Database::open(); and PermissionDenied, IoFailure for the directories.
  static Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& home,
                                                   const StoreOptions& options = {});

  ~SqliteStore() override;

  /// Where the audit log's newest line is told, to be named by the evidence. Before the first message.
  void name_audit_head(AuditHead audit_head);

  /// Where a Spool has to grow so that its file can become a payload without being copied.
  [[nodiscard]] const std::filesystem::path& spool_directory() const { return spool_; }
  /// Everything of the store lies in it.
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  /// For the stores that share the database.
  [[nodiscard]] const std::shared_ptr<Database>& database() const { return database_; }
  /// For the store of evidence, which shares them.
  [[nodiscard]] const BodyFiles& body_files() const { return bodies_; }
  [[nodiscard]] const EvidenceChain& chain() const { return *chain_; }
  /// A number that is another one after any change of the configuration, by this process or by another: the
  /// account, keys and policies. Cheap to ask for on every message; see Database::generations().
  Result<std::uint64_t> generation();

  Result<std::optional<EarlierMessage>> find_earlier(std::string_view as2_from, std::string_view as2_to,
                                                     std::string_view message_id, Time since) override;
  void commit_received(const MessageRecord& record, const WireCopy& wire, bool unique, Done done) override;
  void commit_inbound(InboundCommit commit, Done done) override;
  using MessageStore::commit_inbound;
  Result<std::vector<MessageRecord>> undelivered() override;
  void mark_delivered(std::string_view id, std::string_view where, Time when, Done done) override;
  using MessageStore::mark_delivered;

  Result<std::vector<WaitingWork>> waiting_receipts() override;
  Result<ReceiptPost> receipt_post(std::string_view id) override;
  Result<> update_receipt_post(const ReceiptPost& post) override;
  Result<> queue_receipt_again(std::string_view id, Time due, Tell tell) override;
  /// The receipts of ours that were given up since then, the newest first.
  Result<std::vector<ReceiptPost>> receipts_given_up(Time since);

  Result<> commit_outbound(const OutboundCommit& commit, Tell tell) override;
  Result<> settle_outbound(const MessageRecord& record, const std::optional<StoredReceipt>& answer,
                           Tell tell) override;
  Result<> cancel_outbound(std::string_view id, std::string_view reason, Time when) override;
  Result<> queue_again(std::string_view id, Time due, Tell tell) override;
  Result<> keep_late_receipt(std::string_view id, const StoredReceipt& receipt, std::string_view verdict,
                             Time when) override;
  Result<MessageRecord> find_outbound(std::string_view as2_from, std::string_view as2_to,
                                      std::string_view message_id) override;
  Result<std::vector<WaitingWork>> waiting(MessageState state) override;
  Result<std::vector<std::string>> take_notes() override;

  Result<std::vector<MessageRecord>> list(const MessageFilter& filter) override;
  /// How many of the messages created since then are in which state. Reads every record once.
  Result<std::vector<MessageCount>> counts(std::optional<Time> since = std::nullopt);
  /// Calls `visitor` for each record that matches, oldest first; filter.limit is not heeded. What is
  /// committed meanwhile may or may not be among them. Memory does not grow with their number.
  ///
  /// @error  of the store; and whatever `visitor` returns, which ends it.
  Result<> visit(const MessageFilter& filter, const std::function<Result<>(const MessageRecord&)>& visitor);
  Result<MessageRecord> find(std::string_view id_or_message_id) override;
  Result<Slice> payload(std::string_view id) override;
  Result<WireCopy> wire(std::string_view id) override;
  Result<StoredReceipt> receipt(std::string_view id) override;

 private:
  SqliteStore(std::filesystem::path directory, const StoreOptions& options, StoreLock lock,
              std::shared_ptr<Database> database, BodyFiles bodies, SendingMarks sending);
  struct StoredProof;
  struct Bodies;
  Result<StoredBody> store_body(std::string name, const Slice& octets) const;
  Result<StoredProof> store_proof(const std::string& id, const Proof& proof, const Slice& payload) const;
  Result<Bodies> prepare(const MessageRecord& record, const Slice* payload, const WireCopy* wire,
                         const Evidence& evidence) const;
  static void write_bodies(SqlConnection& connection, std::int64_t message, const Bodies& bodies);
  static void forget_settled(SqlConnection& connection, std::int64_t message, const MessageRecord& record,
                             std::vector<std::string>& files);
  void remove_files(const std::vector<std::string>& names) const;
  void settle_files(const Bodies& bodies, bool committed, bool complete);
  void commit(std::shared_ptr<const Bodies> bodies, Database::Work work, Done done);
  Result<> queue_orphans();

  const std::filesystem::path directory_;
  const std::filesystem::path spool_;
  const StoreOptions options_;
  const StoreLock lock_;
  const std::shared_ptr<Database> database_;
  const BodyFiles bodies_;
  const SendingMarks sending_;
  const std::unique_ptr<EvidenceChain> chain_;

  /// Files of transactions whose commit failed on the disk. Until another commit has overwritten its traces
  /// in the log, a crash may bring such a transaction back; so the files are removed after the next commit
  /// and not before.
  std::mutex doubtful_mutex_;
  std::vector<std::string> doubtful_files_;
};

}  // namespace signet::gateway
