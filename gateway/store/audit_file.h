#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/stream.h"
#include "certstore/vault/audit_log.h"
#include "gateway/evidence/evidence_store.h"

namespace signet::gateway {

/// What the first record of a log says that was begun in the place of one that is gone.
inline constexpr std::string_view kAuditLogCut = "auditLogCut";

/// The audit log: a file that is only ever appended to, one line of JSON per record. The lines are chained
/// (hash_chain.h), so that one that was edited, removed from the middle or put in shows when the file is
/// verified. Several processes may append to one file; each record is one write
/// under a lock.
///
/// append() leaves the record with the operating system, where it survives the death of the process; sync()
/// puts it on disk. The wiring calls sync() before each message's commit, so that no receipt leaves before
/// the audit of the key that signed it, and that costs one sync for all the records of a message.
class AuditFile final : public vault::AuditLog {
 public:
  /// Opens or creates the file (mode 0600). A last line that a crash cut short is cut off, and that is
  /// logged.
  ///
  /// @error PermissionDenied, IoFailure; InvalidInput  the last line is none of ours.
  static Result<std::unique_ptr<AuditFile>> open(const std::filesystem::path& path);
  ~AuditFile() override;
  AuditFile(const AuditFile&) = delete;
  AuditFile& operator=(const AuditFile&) = delete;

  /// @error IoFailure  the disk is full...: nothing of the record is in the file.
  Result<> append(const vault::AuditRecord& record) override;
  /// Returns once everything appended by this process is on disk; free when there is nothing new.
  Result<> sync();

  /// Whether records go where they are looked for.
  ///
  /// @error IoFailure  the file was removed, replaced or cut since it was opened.
  [[nodiscard]] Result<> check() const;

  /// The newest line, as far as this process knows; nothing when there is none.
  std::optional<AuditLine> head();
  /// Its lines as they are now, all of them whole, without a copy.
  ///
  /// @error  as Slice::of_file()
  static Result<Slice> snapshot(const std::filesystem::path& path);
  /// Whether its first line says that the log before it was lost: a record of the operation kAuditLogCut.
  static Result<bool> begins_anew(const std::filesystem::path& path);
  /// Whether that line is there, in its place.
  static Result<bool> has(const std::filesystem::path& path, const AuditLine& line);

  /// Reads the whole file and looks at its chain; `heads` are hashes of lines that are asked for. Lines that
  /// are appended meanwhile are not looked at.
  ///
  /// @error  as read_file(): a broken chain is no error, but what it reports.
  static Result<ChainReport> verify(const std::filesystem::path& path,
                                    const std::vector<std::string>& heads = {});
  /// Looks for each line that the evidence names. @returns the place of the first one that is not there,
  /// because the log's end was cut off, whatever was appended since, or all of it made anew; of a log that
  /// begins anew, its first line.
  static Result<std::optional<ChainReport::Flaw>> find_cut(const std::filesystem::path& path,
                                                           EvidenceStore& evidence);

 private:
  AuditFile(int file, std::filesystem::path path) : file_(file), path_(std::move(path)) {}
  /// Brings `end_` and `last_hash_` up to what other processes appended. Under the file's lock.
  Result<> catch_up();
  /// Removes an unfinished line of `unfinished` octets from the end of a file of `size`.
  Result<> cut_off(std::size_t unfinished, std::uint64_t size);
  Result<> write_line(std::string_view line);

  const int file_;
  const std::filesystem::path path_;
  mutable std::mutex mutex_;
  mutable bool was_cut_ = false;  ///< while this process had it open
  std::uint64_t end_ = 0;         ///< of the file, as far as we know it
  std::string last_hash_;         ///< of the line that ends there
  std::uint64_t appended_ = 0;    ///< grows with what this process appended, and with what it found
  std::uint64_t synced_ = 0;      ///< how much of that is on disk
};

}  // namespace signet::gateway
