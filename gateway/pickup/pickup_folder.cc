#include "gateway/pickup/pickup_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/random.h"

namespace signet::gateway {
namespace {

constexpr std::size_t kIdDigits = 32;
constexpr std::string_view kReason = ".reason.txt";
/// What a file system takes as a name, less our id and the longest thing that we put behind it.
constexpr std::size_t kLongestName = 255 - kIdDigits - 1 - kReason.size();

/// Whether it is "<id>-<name>": so we name what we take, and others may name theirs.
bool begins_with_id(std::string_view file) {
  return file.size() > kIdDigits + 1 && file[kIdDigits] == '-' &&
         file.find_first_not_of("0123456789abcdef") == kIdDigits;
}

/// Whether somebody may still be writing it, going by its name, or hides it.
bool is_in_the_making(std::string_view name) {
  return name.starts_with('.') || name.ends_with(".tmp") || name.ends_with(".part");
}

bool is_own_folder(std::string_view name) {
  return name == "processing" || name == "sent" || name == "failed";
}

}  // namespace

/// A document that was taken.
struct PickupFolder::Document {
  std::string id;    ///< of its message
  std::string name;  ///< as the business gave it
  std::string file;  ///< its name in `processing`
  FileFacts facts;

  /// @returns nothing for a file that is none of ours.
  static std::optional<Document> parse(const std::string& file) {
    if (!begins_with_id(file)) return std::nullopt;
    return Document{file.substr(0, kIdDigits), file.substr(kIdDigits + 1), file, {}};
  }
};

namespace {

Result<> put_into_failed(const Directory& folder, const Directory& processing, const std::string& file,
                         const std::string& why) {
  SIGNET_TRY(const Directory failed, folder.open_or_make("failed"));
  const std::string reason_file = file + std::string(kReason);
  SIGNET_CHECK(failed.remove(reason_file));  // of an earlier try that a crash cut short
  SIGNET_CHECK(failed.write_new(reason_file, Slice::of(why), 0640));
  SIGNET_CHECK(processing.rename_to_new(file, failed, file));
  SIGNET_CHECK(failed.sync());
  return processing.sync();
}

Result<> put_into_sent(const Directory& folder, const Directory& processing, const std::string& file) {
  SIGNET_TRY(const Directory sent, folder.open_or_make("sent"));
  SIGNET_CHECK(processing.rename_to_new(file, sent, file));
  SIGNET_CHECK(sent.sync());
  return processing.sync();
}

Result<> remove(const Directory& processing, const std::string& file) {
  SIGNET_CHECK(processing.remove(file));
  return processing.sync();
}

std::string failure_text(const MessageRecord& record) {
  return fmt::format(
      "The partner does not have this document: its message {} {}.\n"
      "Reason: {}\n"
      "To send the same message again: signet message resend {}\n"
      "To send the document anew: put it into the pick-up folder once more.\n",
      record.id, record.state == MessageState::Cancelled ? "was cancelled" : "has failed", record.reason,
      record.id);
}

}  // namespace

PickupFolder::PickupFolder(PickupSettings settings, PickupPorts ports)
    : settings_(std::move(settings)), ports_(std::move(ports)) {}

Result<std::size_t> PickupFolder::pass(Moment now, const std::function<bool()>& stop) {
  SIGNET_TRY(const Directory folder, Directory::open(settings_.folder));
  SIGNET_TRY(const Directory processing, folder.open_or_make("processing"));
  SIGNET_CHECK(take_stable(folder, processing, now));

  SIGNET_TRY(const std::vector<std::string> files, processing.names());
  std::vector<Document> documents;
  for (const std::string& file : files) {
    std::optional<Document> document = Document::parse(file);
    SIGNET_TRY(const auto facts, processing.facts(file));
    if (!document || !facts || !facts->is_regular) {
      warn_once("processing/" + file, "it is none of Signet's, and does not belong here");
      continue;
    }
    document->facts = *facts;
    documents.push_back(*std::move(document));
  }
  std::sort(documents.begin(), documents.end(), [](const Document& one, const Document& other) {
    return std::tie(one.facts.modified, one.name) < std::tie(other.facts.modified, other.name);
  });

  std::size_t made = 0;
  for (const Document& document : documents) {
    if (stop()) break;
    SIGNET_TRY(const bool made_one, proceed(folder, processing, document));
    made += made_one ? 1 : 0;
  }
  return made;
}

/// Gives each document that is whole the name of its message.
Result<> PickupFolder::take_stable(const Directory& folder, const Directory& processing, Moment now) {
  SIGNET_TRY(const std::vector<std::string> names, stable(folder, now));
  for (const std::string& name : names) {
    SIGNET_TRY(const std::string given, name_as_given(folder, name));
    const std::string file = fmt::format("{}-{}", random_id(), given);
    auto taken = folder.rename_to_new(name, processing, file);
    if (!taken && taken.error().kind == ErrorKind::NotFound) continue;  // its owner has taken it back
    SIGNET_CHECK(taken);
    seen_.erase(name);
  }
  if (names.empty()) return {};
  // A document whose message exists must not be found here again, also not after a power cut.
  SIGNET_CHECK(processing.sync());
  return folder.sync();
}

/// A document that failed comes again under the name that it lay in `failed` with: without our id, then,
/// which is no business of the partner's. We know it by the reason that we wrote, or by the message that it
/// was.
Result<std::string> PickupFolder::name_as_given(const Directory& folder, const std::string& name) const {
  if (!begins_with_id(name) || name.size() > kIdDigits + 1 + kLongestName) return name;
  SIGNET_TRY(const bool have_failed, folder.has("failed"));
  if (!have_failed) return name;
  SIGNET_TRY(const Directory failed, folder.open_or_make("failed"));
  SIGNET_TRY(bool is_ours, failed.has(name + std::string(kReason)));
  if (!is_ours) {
    const auto record = ports_.store.find(name.substr(0, kIdDigits));
    if (!record && record.error().kind != ErrorKind::NotFound) return fail(record.error());
    is_ours = record.has_value();
  }
  return is_ours ? name.substr(kIdDigits + 1) : name;
}

Result<std::vector<std::string>> PickupFolder::stable(const Directory& folder, Moment now) {
  SIGNET_TRY(const std::vector<std::string> names, folder.names());
  std::map<std::string, Seen, std::less<>> there;
  std::vector<std::string> whole;
  for (const std::string& name : names) {
    if (is_in_the_making(name) || is_own_folder(name)) continue;
    SIGNET_TRY(const auto facts, folder.facts(name));
    if (!facts) continue;
    SIGNET_TRY(const std::string objection, objection_to(folder, name, *facts));
    if (!objection.empty()) {
      warn_once(name, objection);
      continue;
    }
    const auto before = seen_.find(name);
    const bool unchanged = before != seen_.end() && before->second.facts == *facts;
    const Seen& seen =
        there.emplace(name, Seen{*facts, unchanged ? before->second.since : now}).first->second;
    if (unchanged && now - seen.since >= settings_.stable_for) whole.push_back(name);
  }
  seen_ = std::move(there);
  return whole;
}

/// Why it cannot be taken; empty: it can.
Result<std::string> PickupFolder::objection_to(const Directory& folder, const std::string& name,
                                               const FileFacts& facts) const {
  if (!facts.is_regular) return "it is no regular file: put files here, no folders, links or pipes";
  if (begins_with_id(name) && name.ends_with(kReason))
    return "it says why a document failed, and is none itself: remove it";
  SIGNET_TRY(const std::string given, name_as_given(folder, name));
  if (given.size() > kLongestName)
    return fmt::format("its name has more than {} octets: rename it", kLongestName);
  return std::string();
}

/// One step on with a document. @returns whether a message was made.
Result<bool> PickupFolder::proceed(const Directory& folder, const Directory& processing,
                                   const Document& document) {
  const auto record = ports_.store.find(document.id);
  if (!record && record.error().kind == ErrorKind::NotFound) return send(folder, processing, document);
  if (!record) return fail(record.error());
  if (is_open(record->state)) return false;
  if (record->state != MessageState::Confirmed) {
    SIGNET_CHECK(put_into_failed(folder, processing, document.file, failure_text(*record)));
    return false;
  }
  SIGNET_CHECK(settings_.keep_sent ? put_into_sent(folder, processing, document.file)
                                   : remove(processing, document.file));
  return false;
}

Result<bool> PickupFolder::send(const Directory& folder, const Directory& processing,
                                const Document& document) {
  auto read_payload = read(processing, document);
  if (!read_payload && read_payload.error().kind == ErrorKind::PermissionDenied)
    return refuse(folder, processing, document, read_payload.error());
  SIGNET_TRY(auto payload, std::move(read_payload));
  if (!payload) return false;
  SendRequest request;
  request.id = document.id;
  request.agreement = settings_.agreement;
  request.payload = *std::move(payload);
  request.file_name = document.name;
  const auto record = ports_.submit(request);
  if (record) {
    log::info("document-picked-up", {{"id", record->id},
                                     {"agreement", settings_.agreement},
                                     {"message_id", record->message_id},
                                     {"file", (settings_.folder / document.name).string()}});
    return true;
  }
  // A key or a certificate that is gone comes back, or another one is named: the document waits for that.
  const bool gone = record.error().kind == ErrorKind::NotFound;
  if (gone || is_our_trouble(record.error())) return fail(record.error());
  return refuse(folder, processing, document, record.error());
}

/// Puts a document aside that no message can be made of.
Result<bool> PickupFolder::refuse(const Directory& folder, const Directory& processing,
                                  const Document& document, const Error& reason) const {
  log::error("document-not-sendable", {{"agreement", settings_.agreement},
                                       {"file", (settings_.folder / document.name).string()},
                                       {"reason", reason.detail}});
  SIGNET_CHECK(put_into_failed(
      folder, processing, document.file,
      fmt::format("No message could be made of this document.\n"
                  "Reason: {}\n"
                  "When that is mended: put the document into the pick-up folder once more.\n",
                  reason.detail)));
  return false;
}

/// @returns nothing while it is being written to; another pass will see. @error PermissionDenied  it is not
/// for us
Result<std::optional<Slice>> PickupFolder::read(const Directory& processing, const Document& document) {
  const auto spool = std::make_shared<Spool>(ports_.spool.kept());
  SIGNET_TRY(const auto source, processing.read(document.file));
  SIGNET_CHECK(copy(*source, *spool));
  SIGNET_TRY(const auto facts, processing.facts(document.file));
  if (facts != document.facts) {
    warn_once("processing/" + document.file,
              "it was written to after it had been left alone: raise x:pickup/@stableFor");
    return std::nullopt;
  }
  return Spool::finish(spool);
}

void PickupFolder::warn_once(const std::string& name, std::string_view reason) {
  std::string& told = warned_[name];
  if (std::exchange(told, std::string(reason)) == reason) return;
  log::warning("document-not-taken", {{"agreement", settings_.agreement},
                                      {"file", (settings_.folder / name).string()},
                                      {"reason", std::string(reason)}});
}

}  // namespace signet::gateway
