#pragma once

#include <mutex>
#include <string>

#include "as2/receipt.h"
#include "base/clock.h"
#include "base/stream.h"
#include "gateway/exchange/account_snapshot.h"
#include "gateway/exchange/inbound.h"
#include "gateway/exchange/message_store.h"
#include "gateway/exchange/observer.h"
#include "gateway/exchange/revocation_check.h"

namespace signet::gateway {

/// Takes the asynchronous receipts that partners post to us, and settles the messages that they are for
/// [RFC4130 7.2].
///
/// A receipt is matched by its Original-Message-ID, and settles only a message that is open and went to the
/// partner that it comes from. One that proves delivery confirms it; one that does not (a signature that does
/// not hold, another MIC, an error) ends it as failed, for good, since sending the same octets again would
/// bring the same answer. One that anybody can have made (not signed though the agreement asks for that, or
/// by none of the partner's certificates, or by one that is revoked, where that is looked up) settles
/// nothing: it is kept, people are told, and the message waits on. What comes for a settled message is kept,
/// and changes nothing. One that is for no message of ours is kept as an inbound message that was refused, so
/// that people can look at it. Thread-safe.
class PostedReceipts {
 public:
  struct Ports {
    CurrentAccount account;
    MessageStore& store;
    const Clock& clock;
    SpoolArea spool;
    ExchangeObserver& observer = NoObserver::instance();
    RevocationCheck& revocation = NoRevocationLists::instance();
  };

  /// How large a receipt may be, in octets.
  static constexpr std::uint64_t kBodyLimit = 1024 * 1024;

  explicit PostedReceipts(Ports ports) : ports_(std::move(ports)) {}

  /// Whether a request that was posted like a message is a receipt. Many a partner posts both to one URL.
  [[nodiscard]] bool is_receipt(const InboundRequest& request) const;

  /// Takes one receipt. @returns what its sender hears: 200 once it is on disk, whatever it says; 400 for
  /// what is no receipt; 403 when as many came for the message as are kept; 404 for one that is for no
  /// message of ours; 503 to be sent again.
  StoredReceipt receive(const InboundRequest& request);

  struct Claims;
  struct Arrival;

 private:
  Result<> look_up_signer(const agreements::Agreement& agreement,
                          const std::shared_ptr<const AccountSnapshot>& account, MessageRecord& record,
                          as2::ReceiptVerdict& verdict);
  Result<> look_up_named(const InboundRequest& request, const agreements::Agreement& agreement,
                         const std::shared_ptr<const AccountSnapshot>& account, MessageRecord& record,
                         const as2::ReceiptExpectation& expectation, as2::ReceiptVerdict& verdict);
  Result<> settle(const Arrival& arrival);
  Result<> keep_unproven(const Arrival& arrival);
  Result<> keep_late(const Arrival& arrival);
  Result<> keep_unsolicited(const InboundRequest& request, const Claims& claims, const std::string& reason,
                            const StoredReceipt& answer);
  bool has_room_for_unsolicited();

  Ports ports_;
  std::mutex mutex_;
  Time hour_{};  ///< that unsolicited receipts are counted in
  unsigned unsolicited_ = 0;
};

}  // namespace signet::gateway
