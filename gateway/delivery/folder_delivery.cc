#include "gateway/delivery/folder_delivery.h"

#include <fmt/format.h>
#include <sys/types.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <type_traits>
#include <utility>

#include "as2/mime/content_type.h"
#include "base/chunk.h"
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
  Chunk buffer;
  Digest there(Hash::Sha256);
  for (;;) {
    SIGNET_TRY(const std::size_t count, file->read(buffer));
    if (count == 0) break;
    there.update(ByteView(buffer).first(count));
  }
  SIGNET_TRY(const Bytes wanted, digest(Hash::Sha256, octets));
  return std::move(there).finish() == wanted;
}

/// Does what makes a file called `name`; once more, when an earlier try left one under that name, without it.
template <class Make>
std::invoke_result_t<Make> in_place_of(const Directory& folder, const std::string& name, Make make) {
  auto made = make();
  if (made || made.error().kind != ErrorKind::AlreadyExists) return made;
  SIGNET_CHECK(folder.remove(name));
  return make();
}

Result<> write(const Directory& folder, const std::string& name, const Slice& octets) {
  return in_place_of(folder, name, [&] { return folder.write_new(name, octets, kFileMode); });
}

/// A second name for a file, or a copy of `octets` where the file system knows no second names.
Result<> link(const Directory& folder, const std::string& from, const std::string& to, const Slice& octets) {
  SIGNET_TRY(const bool linked, in_place_of(folder, to, [&] { return folder.link(from, to); }));
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

/// What an earlier try left in the folder.
enum class Left {
  Nothing,
  Halves,    ///< a try that a crash cut short, to be done again
  Payload,   ///< all of it; whether its names are durable nobody knows
  Evidence,  ///< that the payload was there, and the business took it
};

/// One of a batch on its way into the folder. The first step that fails is its last.
struct Passage {
  explicit Passage(const HandOver& given) : what(&given), names(given.record) {}
  const HandOver* what;
  Names names;
  Slice sidecar;
  Left left = Left::Nothing;
  Result<> outcome;
  [[nodiscard]] bool is_to_be_written() const { return left == Left::Nothing || left == Left::Halves; }
};

Result<> look(const Directory& folder, Passage& passage) {
  const Names& names = passage.names;
  SIGNET_TRY(const bool taken, folder.has(names.payload));
  if (taken) {
    SIGNET_TRY(const bool ours, holds(folder, names.payload, passage.what->content));
    if (!ours)
      return fail(ErrorKind::AlreadyExists,
                  (folder.path() / names.payload).string() +
                      " is there with other content; move it away to let the payload in");
    passage.left = Left::Payload;
    return {};
  }
  SIGNET_TRY(const bool done, folder.has(names.done));
  if (!done) return {};
  SIGNET_TRY(const bool part, folder.has(names.part));
  passage.left = part ? Left::Halves : Left::Evidence;
  return {};
}

/// Both files, whole and synced, under names that nobody looks at.
Result<> write_parts(const Directory& folder, Passage& passage, Time now) {
  const HandOver& what = *passage.what;
  SIGNET_TRY(const Bytes sha256, digest(Hash::Sha256, what.content));
  SIGNET_CHECK(write(folder, passage.names.part, what.content));
  passage.sidecar =
      Slice::of(sidecar_text(what.record, passage.names.payload, what.content.size(), sha256, now));
  return write(folder, passage.names.sidecar_part, passage.sidecar);
}

Result<> show(const Directory& folder, const Passage& passage) {
  const Names& names = passage.names;
  SIGNET_CHECK(link(folder, names.done, names.sidecar, passage.sidecar));
  return folder.rename_to_new(names.part, folder, names.payload);
}

/// Those of a batch that take the next step together.
using Party = std::vector<Passage*>;

template <class Wanted>
Party those(std::vector<Passage>& passages, Wanted wanted) {
  Party party;
  for (Passage& passage : passages)
    if (passage.outcome && wanted(passage)) party.push_back(&passage);
  return party;
}

/// Does `step` for each, in order, and makes the names durable that it left: one sync for all.
template <class Step>
void advance(const Directory& folder, const Party& party, Step step) {
  for (Passage* passage : party) passage->outcome = step(*passage);
  const bool any = std::any_of(party.begin(), party.end(),
                               [](const Passage* passage) { return passage->outcome.has_value(); });
  if (!any) return;
  const auto synced = folder.sync();
  if (synced) return;
  for (Passage* passage : party)
    if (passage->outcome) passage->outcome = synced;
}

/// Does `step` for each, several at once: a disk that is asked for many syncs together needs little longer
/// than for one.
template <class Step>
void advance_at_once(const Party& party, Step step) {
  constexpr std::size_t kSyncsAtOnce = 8;
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < party.size(); i = next++) party[i]->outcome = step(*party[i]);
  };
  std::vector<std::future<void>> others;
  for (std::size_t i = 1; i < std::min(party.size(), kSyncsAtOnce); ++i)
    others.push_back(std::async(std::launch::async, work));
  work();
  for (std::future<void>& other : others) other.get();
}

}  // namespace

std::string FolderDelivery::name_of(const MessageRecord& record) {
  if (record.direction == Direction::Outbound)
    return fmt::format("{}-{}-receipt.mdn", compact_time(record.settled.value_or(record.created)), record.id);
  return fmt::format("{}-{}-{}", compact_time(record.created), record.id,
                     as2::mime::safe_file_name(record.file_name));
}

std::vector<Result<std::filesystem::path>> FolderDelivery::deliver(const std::vector<HandOver>& batch,
                                                                   const std::filesystem::path& path) const {
  const auto folder = Directory::open(path);
  if (!folder) return std::vector<Result<std::filesystem::path>>(batch.size(), fail(folder.error()));
  std::vector<Passage> passages(batch.begin(), batch.end());
  for (Passage& passage : passages) passage.outcome = look(*folder, passage);

  // "done" goes first, and for good, so that it is never found without the part that it stands for.
  advance(*folder, those(passages, [](const Passage& passage) { return passage.left == Left::Halves; }),
          [&](const Passage& passage) { return folder->remove(passage.names.done); });

  const auto is_to_be_written = [](const Passage& passage) { return passage.is_to_be_written(); };
  const Time now = clock_.now();
  advance_at_once(those(passages, is_to_be_written),
                  [&](Passage& passage) { return write_parts(*folder, passage, now); });
  advance(*folder, those(passages, is_to_be_written), [&](const Passage& passage) {
    return folder->rename(passage.names.sidecar_part, passage.names.done);
  });

  // From here on "done without part" must mean what it says, also after a power cut.
  advance(*folder, those(passages, [](const Passage& passage) { return passage.left != Left::Evidence; }),
          [&](const Passage& passage) {
            return passage.is_to_be_written() ? show(*folder, passage) : Result<>();
          });

  std::vector<Result<std::filesystem::path>> outcomes;
  for (const Passage& passage : passages) {
    if (passage.outcome)
      outcomes.emplace_back(path / passage.names.payload);
    else
      outcomes.emplace_back(fail(passage.outcome.error()));
  }
  return outcomes;
}

Result<> FolderDelivery::confirm(const std::vector<HandOver>& batch,
                                 const std::filesystem::path& path) const {
  SIGNET_TRY(const Directory folder, Directory::open(path));
  Result<> first;
  for (const HandOver& one : batch) {
    auto removed = folder.remove(Names(one.record).done);
    if (first) first = std::move(removed);
  }
  return first;
}

}  // namespace signet::gateway
