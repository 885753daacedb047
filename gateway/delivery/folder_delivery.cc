#include "gateway/delivery/folder_delivery.h"

#include <fmt/format.h>
#include <sys/types.h>

#include "as2/mime/content_type.h"
#include "base/digest.h"
#include "base/directory.h"
#include "gateway/delivery/message_facts_internal.h"

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

/// Whether `name` is a regular file of exactly these octets.
Result<bool> holds(const Directory& folder, const std::string& name, const Slice& octets) {
  SIGNET_TRY(const auto facts, folder.facts(name));
  if (!facts || !facts->is_regular || facts->size != octets.size()) return false;
  SIGNET_TRY(const auto file, folder.read(name));
  Bytes buffer(kChunkSize);
  Digest there(Hash::Sha256);
  for (;;) {
    SIGNET_TRY(const std::size_t count, file->read(buffer));
    if (count == 0) break;
    there.update(ByteView(buffer).first(count));
  }
  SIGNET_TRY(const Bytes wanted, digest(Hash::Sha256, octets));
  return std::move(there).finish() == wanted;
}

/// Writes a file in the place of whatever an earlier try left under the name.
Result<> write(const Directory& folder, const std::string& name, const Slice& octets) {
  SIGNET_CHECK(folder.remove(name));
  return folder.write_new(name, octets, kFileMode);
}

/// A second name for a file, or a copy of `octets` where the file system knows no second names.
Result<> link(const Directory& folder, const std::string& from, const std::string& to, const Slice& octets) {
  SIGNET_TRY(const bool linked, folder.link(from, to));
  return linked ? Result<>() : write(folder, to, octets);
}

/// "20261121T083000Z"
std::string compact_time(Time time) {
  std::string text = to_rfc3339(std::chrono::floor<std::chrono::seconds>(time)).substr(0, 19) + "Z";
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::string sidecar_text(const MessageRecord& record, const std::string& payload_name, std::uint64_t size,
                         ByteView sha256, Time now) {
  nlohmann::ordered_json sidecar = {{"file", payload_name}};
  sidecar.update(facts_for_business(record, size, sha256, now));
  return sidecar.dump(2, ' ', false, kReplaceBroken) + "\n";
}

/// Whether an earlier deliver() got as far as its last rename, and nobody confirmed it since.
Result<bool> was_handed_over(const Directory& folder, const Names& names) {
  SIGNET_TRY(const bool done, folder.has(names.done));
  if (!done) return false;
  SIGNET_TRY(const bool part, folder.has(names.part));
  return !part;
}

/// Prepares a new try: "done" goes first, and for good, so that it is never found without the part that it
/// stands for.
Result<> forget_earlier_try(const Directory& folder, const Names& names) {
  SIGNET_TRY(const bool done, folder.has(names.done));
  if (!done) return {};
  SIGNET_CHECK(folder.remove(names.done));
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
  SIGNET_TRY(const Directory folder, Directory::open(path));
  SIGNET_TRY(const bool taken, folder.has(names.payload));
  if (taken) {
    SIGNET_TRY(const bool ours, holds(folder, names.payload, payload));
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
  SIGNET_TRY(const Bytes sha256, digest(Hash::Sha256, payload));
  SIGNET_CHECK(write(folder, names.part, payload));
  const Slice sidecar = Slice::of(sidecar_text(record, names.payload, payload.size(), sha256, clock_.now()));
  SIGNET_CHECK(write(folder, names.sidecar_part, sidecar));
  SIGNET_CHECK(folder.rename(names.sidecar_part, names.done));
  // From here on "done without part" must mean what it says, also after a power cut.
  SIGNET_CHECK(folder.sync());
  SIGNET_CHECK(folder.remove(names.sidecar));
  SIGNET_CHECK(link(folder, names.done, names.sidecar, sidecar));
  SIGNET_CHECK(folder.rename_to_new(names.part, folder, names.payload));
  SIGNET_CHECK(folder.sync());
  return path / names.payload;
}

Result<> FolderDelivery::confirm(const MessageRecord& record, const std::filesystem::path& path) const {
  SIGNET_TRY(const Directory folder, Directory::open(path));
  return folder.remove(Names(record).done);
}

}  // namespace signet::gateway
