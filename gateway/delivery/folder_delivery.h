#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/stream.h"
#include "gateway/exchange/message_store.h"

/// Hand-over to the business behind the gateway: a file in a folder, with a JSON sidecar. Of an inbound
/// message it is the payload; of an outbound one the receipt that came for it.

namespace signet::gateway {

/// What is to be handed over of one message.
struct HandOver {
  MessageRecord record;
  Slice content;  ///< the payload, or the receipt
};

/// Puts payloads into folders so that a reader sees a payload whole or not at all, and never without its
/// sidecar; and so that a hand-over that a crash cut short can be repeated without handing anything over
/// twice. Stateless; thread-safe, also for the same folder.
///
/// What lies in the folder, in the order in which it appears:
///
///     .<name>.part    the payload in the making; readers ignore names that begin with a dot
///     .<name>.done    a second name of the sidecar, kept until confirm(): with it there and .part gone, the
///     payload was
///                     handed over, even if the business has taken both files away by now
///     <name>.json     the sidecar
///     <name>          the payload
class FolderDelivery {
 public:
  /// The clock gives the sidecar's time of hand-over.
  explicit FolderDelivery(const Clock& clock) : clock_(clock) {}

  /// "20261121T083000Z-<our id>-<safe form of the partner's file name>", for a receipt "...-receipt.mdn":
  /// made of the record alone, so that a repeat gives the same name. The partner's name is cut, not trusted:
  /// see as2/mime/content_type.h.
  static std::string name_of(const MessageRecord& record);

  /// Hands a batch over to `folder`, which must exist and is not made: a missing one is a mount that is not
  /// there. The payloads appear in the batch's order, and share the syncs of the folder, two for all of them.
  /// One that fails keeps back no other one.
  ///
  /// @returns  for each of the batch, in its order, the payload's path. Done before, with the same octets:
  /// the same path, and nothing changes.
  /// @error NotFound, PermissionDenied  the folder.  @error IoFailure  disk full, payload unreadable...
  /// @error AlreadyExists  something else has the payload's name.
  std::vector<Result<std::filesystem::path>> deliver(const std::vector<HandOver>& batch,
                                                     const std::filesystem::path& folder) const;

  /// Takes the traces of deliver() away, once the hand-overs are on record: after this a repeat would hand
  /// over again. One that cannot be taken away keeps back no other one. @returns the first failure
  Result<> confirm(const std::vector<HandOver>& batch, const std::filesystem::path& folder) const;

 private:
  const Clock& clock_;
};

}  // namespace signet::gateway
