#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/directory.h"
#include "base/result.h"
#include "base/stream.h"
#include "gateway/exchange/message_store.h"
#include "gateway/exchange/outbound.h"

namespace signet::gateway {

/// A pick-up folder, and what it belongs to.
struct PickupSettings {
  std::string agreement;
  std::filesystem::path folder;  ///< has to be there: a missing one is a mount that is not there
  std::chrono::milliseconds stable_for{5'000};  ///< a file is whole once it has not changed for so long
  bool keep_sent = false;

  friend bool operator==(const PickupSettings&, const PickupSettings&) = default;
};

struct PickupPorts {
  /// Makes a message and puts it on disk: OutboundExchange::submit(), for this gateway's own outbox.
  std::function<Result<MessageRecord>(const SendRequest&)> submit;
  MessageStore& store;
  SpoolArea spool;
};

/// A folder whose files are sent under an agreement, each once. Time comes in as a parameter. For one thread
/// at a time.
///
///     <folder>/<name>                   a document that the business put there
///     <folder>/processing/<id>-<name>   taken: it becomes, or is, the message <id>
///     <folder>/sent/<id>-<name>         the partner has it; only where sent documents are kept
///     <folder>/failed/<id>-<name>       it did not get there, for the reason in the file beside it,
///     <folder>/failed/<id>-<name>.reason.txt
///
/// One that is put back from `failed` loses the id before its name again.
///
/// A document is taken by giving it the name of its message, durably, before that message exists; and it
/// stays in `processing` until the message is settled. So a crash at any moment leaves either a document
/// whose message is in the store, or one whose message is still to be made, under the same id: none is lost,
/// and none is sent twice.
class PickupFolder {
 public:
  using Moment = std::chrono::steady_clock::time_point;  ///< monotonic: a change of the clock moves nothing

  PickupFolder(PickupSettings settings, PickupPorts ports);

  [[nodiscard]] const PickupSettings& settings() const { return settings_; }

  /// Takes what is there and whole; sends it, the oldest first; puts away what is settled. `stop` is asked
  /// between two documents.
  ///
  /// @returns  how many messages were made.
  /// @error    of the folder, or what keeps any message from being made, such as a full disk: worth another
  /// pass,
  ///           later.
  Result<std::size_t> pass(Moment now, const std::function<bool()>& stop);

 private:
  struct Seen {
    FileFacts facts;
    Moment since{};
  };
  struct Document;

  Result<> take_stable(const Directory& folder, const Directory& processing, Moment now);
  Result<std::vector<std::string>> stable(const Directory& folder, Moment now);
  [[nodiscard]] Result<std::string> objection_to(const Directory& folder, const std::string& name,
                                                 const FileFacts& facts) const;
  [[nodiscard]] Result<std::string> name_as_given(const Directory& folder, const std::string& name) const;
  Result<bool> proceed(const Directory& folder, const Directory& processing, const Document& document);
  Result<bool> send(const Directory& folder, const Directory& processing, const Document& document);
  Result<bool> refuse(const Directory& folder, const Directory& processing, const Document& document,
                      const Error& reason) const;
  Result<std::optional<Slice>> read(const Directory& processing, const Document& document);
  void warn_once(const std::string& name, std::string_view reason);

  const PickupSettings settings_;
  PickupPorts ports_;
  std::map<std::string, Seen, std::less<>> seen_;           ///< documents that may still be written to
  std::map<std::string, std::string, std::less<>> warned_;  ///< names that cannot be taken, and why
};

}  // namespace signet::gateway
