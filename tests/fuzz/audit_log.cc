#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "gateway/store/audit_file.h"
#include "tests/fuzz/fuzz_target.h"

/// The audit log, the only JSON that we read: what is none of ours is no log, and whatever stands in a record
/// of ours, the chain holds and the record is one line.

using namespace signet;
using fuzz::require;
using gateway::AuditFile;

namespace {

/// A directory for this process, removed at its end: in memory where there is such a place, since a new log
/// is synced.
class Scratch {
 public:
  Scratch() {
    const std::filesystem::path memory = "/dev/shm";
    path_ = (std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path()) /
            ("signet-fuzz-" + std::to_string(::getpid()));
    std::filesystem::create_directory(path_);
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] std::filesystem::path file(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

void reads_what_stands_there(const std::filesystem::path& file, ByteView input) {
  const std::string text(as_text(input));
  std::ofstream(file, std::ios::binary) << text;
  const auto verified = AuditFile::verify(file);
  if (!verified || !verified->intact()) return;
  const auto lines = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
  require(verified->records == lines, "a log that verifies has a record on each line");
}

void writes_one_line(const std::filesystem::path& file, ByteView input) {
  std::filesystem::remove(file);
  vault::AuditRecord record;
  record.operation = "sign";
  record.principal = as_text(input);
  record.message = as_text(input);
  record.detail = as_text(input);
  {
    auto log = AuditFile::open(file);
    require(log && (*log)->append(record) && (*log)->append(record), "every record can be written");
  }
  const auto verified = AuditFile::verify(file);
  require(verified && verified->intact() && verified->records == 2,
          "a record is one line, and the chain holds");
}

}  // namespace

SIGNET_FUZZ_TARGET(audit_log) {
  static const Scratch scratch;
  reads_what_stands_there(scratch.file("read"), input);
  writes_one_line(scratch.file("written"), input);
}
