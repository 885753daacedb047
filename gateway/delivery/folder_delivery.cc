#include "gateway/delivery/folder_delivery.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "as2/mime/content_type.h"
#include "base/digest.h"
#include "base/failpoint.h"
#include "base/file.h"

namespace signet::gateway {
namespace {

/// The business may run as another user of the same group; nobody executes what a partner sent.
constexpr mode_t kFileMode = 0640;

/// The names that a hand-over uses in its folder.
struct Names {
  explicit Names(const MessageRecord& record) : payload(FolderDelivery::name_of(record)) {}
  std::string payload;
  std::string sidecar = payload + ".json";
  std::string part = "." + payload + ".part";
  std::string sidecar_part = "." + payload + ".json.part";
  std::string done = "." + payload + ".done";
};

/// An open file or directory.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool valid() const { return number_ >= 0; }

 private:
  int number_;
};

/// Writes into an open file and digests what it writes.
class DigestingFile final : public Sink {
 public:
  explicit DigestingFile(int file) : file_(file) {}
  Result<> write(ByteView bytes) override {
    digest_.update(bytes);
    return write_all(file_, bytes);
  }
  Bytes finish() { return std::move(digest_).finish(); }

 private:
  int file_;
  Digest digest_{Hash::Sha256};
};

/// A folder held open, so that nothing on the path to it can be exchanged between two steps. Every name is
/// used through it and never through a symbolic link.
class Folder {
 public:
  static Result<Folder> open(const std::filesystem::path& path) {
    Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.valid()) return fail(errno_error("opening the delivery folder " + path.string()));
    return Folder(std::move(directory), path);
  }

  [[nodiscard]] Result<bool> has(const std::string& name) const {
    struct stat facts {};
    if (::fstatat(directory_.number(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0) return true;
    if (errno == ENOENT) return false;
    return fail(error("looking at", name));
  }

  /// Whether `name` is a regular file of exactly these octets.
  [[nodiscard]] Result<bool> holds(const std::string& name, const Slice& octets) const {
    const Descriptor file(
        ::openat(directory_.number(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat facts {};
    if (!file.valid() || ::fstat(file.number(), &facts) != 0) return fail(error("looking at", name));
    if (!S_ISREG(facts.st_mode) || static_cast<std::uint64_t>(facts.st_size) != octets.size()) return false;
    Bytes buffer(kChunkSize);
    Digest there(Hash::Sha256);
    for (;;) {
      const ssize_t count = ::read(file.number(), buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return fail(error("reading", name));
      if (count == 0) break;
      there.update(ByteView(buffer).first(static_cast<std::size_t>(count)));
    }
    SIGNET_TRY(const Bytes wanted, digest(Hash::Sha256, octets));
    return std::move(there).finish() == wanted;
  }

  /// Writes a new file, synced, in the place of whatever an earlier try left under the name. @returns its
  /// SHA-256.
  [[nodiscard]] Result<Bytes> write(const std::string& name, const Slice& octets) const {
    remove(name);
    auto written = write_new(name, octets);
    if (!written) remove(name);
    return written;
  }

  [[nodiscard]] Result<> rename(const std::string& from, const std::string& to) const {
    failpoint("delivery.rename");
    if (::renameat(directory_.number(), from.c_str(), directory_.number(), to.c_str()) != 0)
      return fail(error("renaming " + from + " to", to));
    return {};
  }

  /// As rename(), but never over a file that is there. @error AlreadyExists
  [[nodiscard]] Result<> rename_to_new(const std::string& from, const std::string& to) const {
    failpoint("delivery.rename-new");
    if (::renameat2(directory_.number(), from.c_str(), directory_.number(), to.c_str(), RENAME_NOREPLACE) ==
        0)
      return {};
    if (errno != EINVAL) return fail(error("renaming " + from + " to", to));
    // This file system cannot; nobody else makes names such as ours, so to look first is good enough.
    SIGNET_TRY(const bool taken, has(to));
    if (taken) return fail(ErrorKind::AlreadyExists, (path_ / to).string() + " is there already");
    return rename(from, to);
  }

  /// A second name for a file, or a copy of `octets` where the file system knows no second names.
  [[nodiscard]] Result<> link(const std::string& from, const std::string& to, const Slice& octets) const {
    failpoint("delivery.link");
    if (::linkat(directory_.number(), from.c_str(), directory_.number(), to.c_str(), 0) == 0) return {};
    if (errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK)
      return fail(error("linking " + from + " as", to));
    SIGNET_CHECK(write(to, octets));
    return {};
  }

  void remove(const std::string& name) const { ::unlinkat(directory_.number(), name.c_str(), 0); }
  [[nodiscard]] Result<> sync() const { return sync_file(directory_.number(), path_); }

 private:
  Folder(Descriptor directory, std::filesystem::path path)
      : directory_(std::move(directory)), path_(std::move(path)) {}

  [[nodiscard]] Error error(const std::string& doing, const std::string& name) const {
    return errno_error(doing + " " + (path_ / name).string());
  }

  [[nodiscard]] Result<Bytes> write_new(const std::string& name, const Slice& octets) const {
    const Descriptor file(::openat(directory_.number(), name.c_str(),
                                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
    if (!file.valid()) return fail(error("creating", name));
    DigestingFile sink(file.number());
    if (auto written = octets.copy_to(sink); !written)
      return fail(std::move(written).error().within("writing " + (path_ / name).string()));
    SIGNET_CHECK(sync_file(file.number(), path_ / name));
    return sink.finish();
  }

  Descriptor directory_;
  std::filesystem::path path_;
};

/// "20261121T083000Z"
std::string compact_time(Time time) {
  std::string text = to_rfc3339(std::chrono::floor<std::chrono::seconds>(time)).substr(0, 19) + "Z";
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

nlohmann::ordered_json message_facts(const MessageRecord& record) {
  return {{"kind", "message"},
          {"agreement", record.agreement},
          {"as2From", record.as2_from},
          {"as2To", record.as2_to},
          {"messageId", record.message_id},
          {"subject", record.subject},
          {"fileNameAsSent", record.file_name},
          {"contentType", record.content_type},
          {"mic", record.mic},
          {"micAlgorithm", record.mic_algorithm},
          {"signerThumbprintSha256", record.signer_thumbprint},
          {"security", record.security},
          {"disposition", record.disposition},
          {"remoteAddress", record.remote_address},
          {"requestId", record.request_id},
          {"received", to_rfc3339(record.created)}};
}

/// The names are the receipt's, so those of the message swapped.
nlohmann::ordered_json receipt_facts(const MessageRecord& record) {
  return {{"kind", "receipt"},
          {"agreement", record.agreement},
          {"as2From", record.as2_to},
          {"as2To", record.as2_from},
          {"originalMessageId", record.message_id},
          {"originalSubject", record.subject},
          {"originalFileName", record.file_name},
          {"provesDelivery", record.state == MessageState::Confirmed},
          {"reason", record.reason},
          {"disposition", record.disposition},
          {"mic", record.mic},
          {"micAlgorithm", record.mic_algorithm},
          {"signerThumbprintSha256", record.receipt_signer_thumbprint},
          {"submitted", to_rfc3339(record.created)},
          {"received", to_rfc3339(record.settled.value_or(record.created))}};
}

std::string sidecar_text(const MessageRecord& record, const std::string& file_name, std::uint64_t size,
                         ByteView sha256, Time now) {
  nlohmann::ordered_json sidecar = {{"id", record.id}, {"file", file_name}};
  sidecar.update(record.direction == Direction::Inbound ? message_facts(record) : receipt_facts(record));
  sidecar["size"] = size;
  sidecar["sha256"] = hex_lower(sha256);
  sidecar["handedOver"] = to_rfc3339(now);
  // Octets of a partner that are not UTF-8 become U+FFFD: the sidecar is always JSON, the record has the
  // octets.
  return sidecar.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

/// Whether an earlier deliver() got as far as its last rename, and nobody confirmed it since.
Result<bool> was_handed_over(const Folder& folder, const Names& names) {
  SIGNET_TRY(const bool done, folder.has(names.done));
  if (!done) return false;
  SIGNET_TRY(const bool part, folder.has(names.part));
  return !part;
}

/// Prepares a new try: "done" goes first, and for good, so that it is never found without the part that it
/// stands for.
Result<> forget_earlier_try(const Folder& folder, const Names& names) {
  SIGNET_TRY(const bool done, folder.has(names.done));
  if (!done) return {};
  folder.remove(names.done);
  return folder.sync();
}

}  // namespace

std::string FolderDelivery::name_of(const MessageRecord& record) {
  if (record.direction == Direction::Outbound)
    return fmt::format("{}-{}-receipt.mdn", compact_time(record.settled.value_or(record.created)), record.id);
  return fmt::format("{}-{}-{}", compact_time(record.created), record.id,
                     as2::mime::safe_file_name(record.file_name));
}

Result<std::filesystem::path> FolderDelivery::deliver(const MessageRecord& record, const Slice& payload,
                                                      const std::filesystem::path& path) const {
  const Names names(record);
  SIGNET_TRY(const Folder folder, Folder::open(path));
  SIGNET_TRY(const bool taken, folder.has(names.payload));
  if (taken) {
    SIGNET_TRY(const bool ours, folder.holds(names.payload, payload));
    if (!ours)
      return fail(ErrorKind::AlreadyExists,
                  (path / names.payload).string() +
                      " is there with other content; move it away to let the payload in");
    SIGNET_CHECK(folder.sync());
    return path / names.payload;
  }
  SIGNET_TRY(const bool handed_over, was_handed_over(folder, names));
  if (handed_over) return path / names.payload;

  SIGNET_CHECK(forget_earlier_try(folder, names));
  SIGNET_TRY(const Bytes sha256, folder.write(names.part, payload));
  const Slice sidecar = Slice::of(sidecar_text(record, names.payload, payload.size(), sha256, clock_.now()));
  SIGNET_CHECK(folder.write(names.sidecar_part, sidecar));
  SIGNET_CHECK(folder.rename(names.sidecar_part, names.done));
  // From here on "done without part" must mean what it says, also after a power cut.
  SIGNET_CHECK(folder.sync());
  folder.remove(names.sidecar);
  SIGNET_CHECK(folder.link(names.done, names.sidecar, sidecar));
  SIGNET_CHECK(folder.rename_to_new(names.part, names.payload));
  SIGNET_CHECK(folder.sync());
  return path / names.payload;
}

Result<> FolderDelivery::confirm(const MessageRecord& record, const std::filesystem::path& path) const {
  SIGNET_TRY(const Folder folder, Folder::open(path));
  folder.remove(Names(record).done);
  return {};
}

}  // namespace signet::gateway
