#include "gateway/store/audit_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/digest.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/log.h"

namespace signet::gateway {
namespace {

/// What the first line gives as the hash of the line before it.
const std::string kNoLine(64, '0');
/// Octets of one field of a record; longer text is cut.
constexpr std::size_t kLongestField = 1024;
/// Octets of a line, so that looking for the last one has a bound: eight fields, each octet escaped to six,
/// and the rest.
constexpr std::size_t kLongestLine = 64 * 1024;
static_assert(kLongestLine > 8 * 6 * kLongestField + 1024);

std::string hash_of(std::string_view line) { return hex_lower(digest(Hash::Sha256, as_bytes(line))); }

/// Holds the file against other processes.
class FileLock {
 public:
  explicit FileLock(int file) : file_(file) {
    int result = 0;
    do result = ::flock(file, LOCK_EX);
    while (result != 0 && errno == EINTR);
    held_ = result == 0;
  }
  ~FileLock() {
    if (held_) ::flock(file_, LOCK_UN);
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  [[nodiscard]] bool held() const { return held_; }

 private:
  int file_;
  bool held_ = false;
};

std::string line_for(const vault::AuditRecord& record, const std::string& previous) {
  const auto cut = [](const std::string& text) { return text.substr(0, kLongestField); };
  const nlohmann::ordered_json line = {
      {"time", to_rfc3339(record.time)},
      {"principal", cut(record.principal)},
      {"operation", cut(record.operation)},
      {"vault", cut(record.key.vault)},
      {vault::to_string(record.object), cut(record.key.name)},
      {"version", cut(record.key.version)},
      {"message", cut(record.message)},
      {"result", vault::to_string(record.result)},
      {"detail", cut(record.detail)},
      {"previous", previous},
  };
  // ASCII only, so that no octet of a partner's Message-ID is anything but text in whatever shows the file.
  return line.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

/// The octets [begin, end) of a file.
Result<std::string> read_range(int file, std::uint64_t begin, std::uint64_t end) {
  std::string text(static_cast<std::size_t>(end - begin), '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count =
        ::pread(file, text.data() + done, text.size() - done, static_cast<off_t>(begin + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error("reading the audit log"));
    if (count == 0) return fail(ErrorKind::IoFailure, "the audit log became shorter while it was read");
    done += static_cast<std::size_t>(count);
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<AuditFile>> AuditFile::open(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return fail(errno_error("opening the audit log " + path.string()));
  std::unique_ptr<AuditFile> log(new AuditFile(file, path));
  const FileLock lock(file);
  if (!lock.held()) return fail(errno_error("locking the audit log " + path.string()));
  SIGNET_CHECK(log->catch_up());
  SIGNET_CHECK(sync_directory(path.has_parent_path() ? path.parent_path() : "."));
  return log;
}

AuditFile::~AuditFile() { ::close(file_); }

Result<> AuditFile::catch_up() {
  struct stat facts {};
  if (::fstat(file_, &facts) != 0) return fail(errno_error("looking at " + path_.string()));
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  const bool known = !last_hash_.empty() && size >= end_;
  if (known && size == end_) return {};

  const std::uint64_t begin =
      std::max(known ? end_ : 0, size - std::min<std::uint64_t>(size, 2 * kLongestLine));
  SIGNET_TRY(std::string tail, read_range(file_, begin, size));
  const std::size_t whole = tail.find_last_of('\n') + 1;  // npos + 1 is 0
  SIGNET_CHECK(cut_off(tail.size() - whole, size));
  end_ = size - (tail.size() - whole);
  if (whole == 0) {
    if (!known) last_hash_ = kNoLine;
    return {};
  }
  tail.resize(whole - 1);
  last_hash_ = hash_of(std::string_view(tail).substr(tail.find_last_of('\n') + 1));
  return {};
}

Result<> AuditFile::cut_off(std::size_t unfinished, std::uint64_t size) {
  if (unfinished == 0) return {};
  if (unfinished > kLongestLine)
    return fail(ErrorKind::InvalidInput,
                path_.string() + " does not end in a line of an audit log; move it away");
  if (::ftruncate(file_, static_cast<off_t>(size - unfinished)) != 0)
    return fail(errno_error("cutting an unfinished line off " + path_.string()));
  log::warning("audit-log-repaired", {{"file", path_.string()}, {"octets_cut", std::to_string(unfinished)}});
  return {};
}

Result<> AuditFile::append(const vault::AuditRecord& record) {
  const std::lock_guard guard(mutex_);
  const FileLock lock(file_);
  if (!lock.held()) return fail(errno_error("locking the audit log " + path_.string()));
  SIGNET_CHECK(catch_up());
  const std::string line = line_for(record, last_hash_);
  SIGNET_CHECK(write_line(line));
  last_hash_ = hash_of(line);
  return {};
}

Result<> AuditFile::write_line(std::string_view line) {
  const std::string octets = std::string(line) + "\n";
  ssize_t written = 0;
  do written = ::write(file_, octets.data(), octets.size());
  while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(octets.size())) {
    end_ += octets.size();
    ++appended_;
    return {};
  }
  const Error error = written < 0 ? errno_error("writing the audit log " + path_.string())
                                  : Error{ErrorKind::IoFailure, path_.string() +
                                                                    " took only a part of a record: is the "
                                                                    "disk full?"};
  // Half a record goes again; if even that fails, the next catch_up() cuts it off.
  if (written > 0 && ::ftruncate(file_, static_cast<off_t>(end_)) != 0) last_hash_.clear();
  return fail(error);
}

Result<> AuditFile::sync() {
  std::uint64_t appended = 0;
  {
    const std::lock_guard guard(mutex_);
    if (synced_ == appended_) return {};
    appended = appended_;
  }
  // Without the mutex: appending goes on while the disk works.
  failpoint("audit.sync");
  if (::fdatasync(file_) != 0) return fail(errno_error("syncing the audit log " + path_.string()));
  const std::lock_guard guard(mutex_);
  synced_ = std::max(synced_, appended);
  return {};
}

Result<> AuditFile::check() const {
  struct stat opened {};
  struct stat named {};
  if (::fstat(file_, &opened) != 0) return fail(errno_error("looking at the audit log"));
  if (::stat(path_.c_str(), &named) == 0 && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino)
    return {};
  return fail(ErrorKind::IoFailure,
              fmt::format("the audit log {} was removed or replaced while it was written to; restart the "
                          "gateway, and keep whatever moves that file from doing so",
                          path_.string()));
}

namespace {

/// Checks lines as they come.
class ChainCheck {
 public:
  Result<> line(std::string_view text) {
    ++verified_.records;
    const auto record = nlohmann::json::parse(text, nullptr, false);
    const auto previous = record.is_object() ? record.find("previous") : record.end();
    if (!record.is_object() || previous == record.end() || !previous->is_string())
      return broken("is not a record of an audit log");
    if (previous->get_ref<const std::string&>() != verified_.last_hash)
      return broken(
          "does not follow the line before it: one of the two was edited, or lines were taken out or put in");
    verified_.last_hash = hash_of(text);
    return {};
  }
  [[nodiscard]] Result<> broken(std::string_view how) const {
    return fail(ErrorKind::CryptoFailure, fmt::format("line {} {}", verified_.records, how));
  }
  [[nodiscard]] const AuditFile::Verified& verified() const { return verified_; }

 private:
  AuditFile::Verified verified_{0, kNoLine};
};

}  // namespace

Result<AuditFile::Verified> AuditFile::verify(const std::filesystem::path& path) {
  SIGNET_TRY(const auto source, FileSource::open(path));
  ChainCheck chain;
  std::string rest;
  Bytes buffer(kChunkSize);
  const auto check = [&]() -> Result<> {
    for (;;) {
      SIGNET_TRY(const std::size_t count, source->read(buffer));
      if (count == 0) break;
      rest.append(as_text(ByteView(buffer).first(count)));
      std::size_t begin = 0;
      for (std::size_t end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', begin)) {
        SIGNET_CHECK(chain.line(std::string_view(rest).substr(begin, end - begin)));
        begin = end + 1;
      }
      rest.erase(0, begin);
      if (rest.size() > kLongestLine)
        return chain.broken("is followed by a line that is too long for an audit log");
    }
    return rest.empty() ? Result<>() : chain.broken("is followed by a line without an end");
  };
  if (auto checked = check(); !checked) return fail(std::move(checked).error().within(path.string()));
  return chain.verified();
}

}  // namespace signet::gateway
