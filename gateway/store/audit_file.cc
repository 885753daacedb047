#include "gateway/store/audit_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/failpoint.h"
#include "base/file.h"
#include "base/file_descriptor.h"
#include "base/log.h"
#include "gateway/store/hash_chain.h"

namespace signet::gateway {
namespace {

/// Octets of one field of a record; longer text is cut.
constexpr std::size_t kLongestField = 1024;
/// Octets of a line, so that looking for the last one has a bound: eight fields, each octet escaped to six,
/// and the rest.
constexpr std::size_t kLongestLine = 64 * 1024;
static_assert(kLongestLine > 8 * 6 * kLongestField + 1024);

/// Holds the file against other processes.
class FileLock {
 public:
  explicit FileLock(int file, int operation = LOCK_EX) : file_(file) {
    int result = 0;
    do result = ::flock(file, operation);
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
  const auto cut = [](std::string_view text) { return text.substr(0, kLongestField); };
  JsonLine line;
  line.add("time", to_rfc3339(record.time))
      .add("principal", cut(record.principal))
      .add("operation", cut(record.operation))
      .add("vault", cut(record.key.vault))
      .add(vault::to_string(record.object), cut(record.key.name))
      .add("version", cut(record.key.version))
      .add("message", cut(record.message))
      .add("result", vault::to_string(record.result))
      .add("detail", cut(record.detail));
  return chain_line(std::move(line), previous);
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
  struct stat facts {};
  if (::fstat(file, &facts) != 0) return fail(errno_error("looking at " + path.string()));
  if (!S_ISREG(facts.st_mode))
    return fail(ErrorKind::IoFailure,
                path.string() + " is no regular file, so no record would stay in it: put the audit log back");
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
  if (size < end_) {
    was_cut_ = true;
    log::error(
        "audit-log-cut",
        {{"file", path_.string()},
         {"reason", fmt::format("its last {} octets were cut off while it was written to", end_ - size)}});
  }
  const bool known = !last_hash_.empty() && size >= end_;
  if (known && size == end_) return {};

  const std::uint64_t begin =
      std::max(known ? end_ : 0, size - std::min<std::uint64_t>(size, 2 * kLongestLine));
  SIGNET_TRY(std::string tail, read_range(file_, begin, size));
  const std::size_t whole = tail.find_last_of('\n') + 1;  // npos + 1 is 0
  SIGNET_CHECK(cut_off(tail.size() - whole, size));
  end_ = size - (tail.size() - whole);
  if (whole == 0) {
    if (!known) last_hash_ = no_record();
    return {};
  }
  tail.resize(whole - 1);
  last_hash_ = chain_hash(std::string_view(tail).substr(tail.find_last_of('\n') + 1));
  ++appended_;  // others wrote that, and may not have synced it
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
  last_hash_ = chain_hash(line);
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
  const std::lock_guard guard(mutex_);
  was_cut_ = was_cut_ || static_cast<std::uint64_t>(opened.st_size) < end_;
  if (was_cut_)
    return fail(
        ErrorKind::IoFailure,
        fmt::format("lines of the audit log {} were cut off while it was written to: see `signet audit "
                    "verify`, put back what you have of them, and restart the gateway",
                    path_.string()));
  if (::stat(path_.c_str(), &named) == 0 && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino)
    return {};
  return fail(ErrorKind::IoFailure,
              fmt::format("the audit log {} was removed or replaced while it was written to; restart the "
                          "gateway, and keep whatever moves that file from doing so",
                          path_.string()));
}

std::optional<AuditLine> AuditFile::head() {
  const std::lock_guard guard(mutex_);
  if (last_hash_.empty() || last_hash_ == no_record()) return std::nullopt;
  return AuditLine{last_hash_, end_};
}

namespace {

/// A log that is looked at, as it is now.
class Snapshot {
 public:
  static Result<Snapshot> take(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return fail(errno_error("opening the audit log " + path.string()));
    Snapshot snapshot(file);
    const FileLock lock(file, LOCK_SH);  // so that nobody is in the middle of a line
    struct stat facts {};
    if (!lock.held() || ::fstat(file, &facts) != 0)
      return fail(errno_error("looking at the audit log " + path.string()));
    snapshot.size_ = static_cast<std::uint64_t>(facts.st_size);
    return snapshot;
  }

  /// Gives its first octets to `taker`, piece by piece, until that has enough.
  Result<> read(std::uint64_t octets, const std::function<bool(std::string_view)>& taker) const {
    const std::uint64_t all = std::min(octets, size_);
    for (std::uint64_t begin = 0; begin < all;) {
      const std::uint64_t end = std::min<std::uint64_t>(all, begin + kChunkSize);
      SIGNET_TRY(const std::string piece, read_range(file_, begin, end));
      if (!taker(piece)) break;
      begin = end;
    }
    return {};
  }

  /// Whether that line is there.
  [[nodiscard]] Result<bool> has(const AuditLine& line) const {
    if (line.end == 0 || line.end > size_) return false;
    constexpr std::uint64_t kMost = kLongestLine;
    for (const std::uint64_t span : {kMost / 32, kMost}) {  // most lines are short
      const std::uint64_t begin = line.end - std::min(line.end, span);
      SIGNET_TRY(std::string text, read_range(file_, begin, line.end));
      if (text.back() != '\n') return false;
      text.pop_back();
      const std::size_t before = text.find_last_of('\n');
      if (before == std::string::npos && begin > 0) continue;
      return chain_hash(std::string_view(text).substr(before + 1)) == line.hash;  // npos + 1 is 0
    }
    return false;
  }

 private:
  explicit Snapshot(int file) : file_(file), owner_(std::make_unique<FileSource>(file)) {}
  int file_;
  std::unique_ptr<FileSource> owner_;
  std::uint64_t size_ = 0;
};

/// Gives the lines of a text that comes in pieces, and says whether all of it was lines of a fair length.
class Lines {
 public:
  explicit Lines(ChainCheck& chain) : chain_(chain) {}
  void more(std::string_view piece) {
    rest_.append(piece);
    std::size_t begin = 0;
    for (std::size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
      chain_.next(std::string_view(rest_).substr(begin, end - begin));
      begin = end + 1;
    }
    rest_.erase(0, begin);
    if (rest_.size() > kLongestLine) broken("is too long for an audit log");
  }
  void end() {
    if (!rest_.empty()) broken("has no end");
  }

 private:
  void broken(std::string what) { chain_.broken(chain_.report().records + 1, std::move(what)); }
  ChainCheck& chain_;
  std::string rest_;
};

}  // namespace

Result<ChainReport> AuditFile::verify(const std::filesystem::path& path,
                                      const std::vector<std::string>& heads) {
  SIGNET_TRY(const Snapshot log, Snapshot::take(path));
  ChainCheck chain(heads);
  Lines lines(chain);
  SIGNET_CHECK(log.read(UINT64_MAX, [&](std::string_view piece) {
    lines.more(piece);
    return chain.report().intact();
  }));
  lines.end();
  return chain.report();
}

Result<Slice> AuditFile::snapshot(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (file.get() < 0) return fail(errno_error("opening the audit log " + path.string()));
  const FileLock lock(file.get(), LOCK_SH);  // so that nobody is in the middle of a line
  if (!lock.held()) return fail(errno_error("looking at the audit log " + path.string()));
  return Slice::of_file(path);
}

Result<bool> AuditFile::has(const std::filesystem::path& path, const AuditLine& line) {
  SIGNET_TRY(const Snapshot log, Snapshot::take(path));
  return log.has(line);
}

Result<bool> AuditFile::begins_anew(const std::filesystem::path& path) {
  SIGNET_TRY(const Snapshot log, Snapshot::take(path));
  std::string start;
  SIGNET_CHECK(log.read(kLongestLine, [&start](std::string_view piece) {
    start += piece;
    return piece.find('\n') == std::string_view::npos;
  }));
  // A quote within a field is escaped, so no other member can look like this one.
  const std::string_view first = std::string_view(start).substr(0, start.find('\n'));
  return first.find(fmt::format(R"("operation":"{}")", kAuditLogCut)) != std::string_view::npos;
}

Result<std::optional<ChainReport::Flaw>> AuditFile::find_cut(const std::filesystem::path& path,
                                                             EvidenceStore& evidence) {
  SIGNET_TRY(const bool anew, begins_anew(path));
  if (anew)
    return ChainReport::Flaw{1,
                             "says that the log before it was emptied or removed: a backup has what is gone"};
  SIGNET_TRY(const Snapshot log, Snapshot::take(path));
  SIGNET_TRY(const auto missing,
             evidence.find_missing_audit_line([&log](const AuditLine& line) { return log.has(line); }));
  if (!missing) return std::nullopt;
  std::uint64_t lines_before = 0;
  SIGNET_CHECK(log.read(missing->line.end - 1, [&](std::string_view piece) {
    lines_before += static_cast<std::uint64_t>(std::count(piece.begin(), piece.end(), '\n'));
    return true;
  }));
  return ChainReport::Flaw{lines_before + 1,
                           fmt::format("is not the one that record {} of the evidence names ({}): the end of "
                                       "the log was cut off there or before, or all of it was made anew",
                                       missing->record, missing->line.hash)};
}

}  // namespace signet::gateway
