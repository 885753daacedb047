#pragma once

#include <functional>
#include <memory>
#include <string>

#include "as2/mime/headers.h"
#include "base/clock.h"
#include "base/stream.h"
#include "certstore/vault/audit_log.h"
#include "gateway/exchange/account_snapshot.h"
#include "gateway/exchange/decryption_throttle.h"
#include "gateway/exchange/message_store.h"
#include "gateway/exchange/observer.h"
#include "gateway/exchange/revocation_check.h"
#include "gateway/exchange/sender_proof.h"

namespace signet::gateway {

/// A complete request to the AS2 endpoint.
struct InboundRequest {
  as2::mime::Headers headers;
  Slice body;
  std::string request_id;
  std::string remote_address;
  Time received{};
  SenderProof proof{};  ///< nothing for a message that was taken before
};

/// What strangers hear: senders that no agreement knows. Never our signature.
enum class StrangerAnswer {
  UnsignedMdn,  ///< an unsigned receipt, unknown-trading-relationship, when they ask for one; else HttpError
  HttpError,    ///< 403
};

struct InboundOptions {
  std::string product = "Signet";  ///< Reporting-UA
  std::string host = "localhost";  ///< the right side of our receipts' Message-IDs
  StrangerAnswer stranger_answer = StrangerAnswer::UnsignedMdn;
  /// Messages from one address under one agreement that our keys may fail to decrypt in an hour, and at once;
  /// what is beyond is answered 429 and not opened. 0: any number. See DecryptionThrottle.
  unsigned decryption_failures = kDecryptionFailures;
  unsigned workers = 0;  ///< threads that open messages which were answered before; 0: one for each core
  SpoolArea spool;
};

/// What the journey stands on. Everything given by reference outlives the exchange.
struct InboundPorts {
  CurrentAccount account;
  MessageStore& store;
  const Clock& clock;
  /// A message is stored and waits to be handed over.
  std::function<void(const std::string& id, const std::string& agreement)> accepted;
  /// A message's receipt is stored and waits to be posted.
  std::function<void(const std::string& id, const std::string& agreement)> receipt_stored;
  /// A partner repeats a message whose receipt was made: it is to be posted again.
  std::function<void(const std::string& id)> receipt_wanted_again;
  ExchangeObserver& observer = NoObserver::instance();
  /// The vault is sealed: messages that were answered before wait to be opened.
  std::function<bool()> is_sealed = [] { return false; };
  RevocationCheck& revocation = NoRevocationLists::instance();
  /// What was announced and is to be answered; null: no certificates are exchanged.
  CertificateExchangeStore* exchanges = nullptr;
};

/// The inbound journey: identify, admit, open, judge, commit, answer, deliver. Where the receipt is posted to
/// a URL, the message is committed as it came and answered first, and opened afterwards. Thread-safe.
class InboundExchange {
 public:
  /// Gets the answer, once, perhaps on another thread and after receive() has returned. It must not wait for
  /// anything.
  using Reply = std::function<void(StoredReceipt)>;

  InboundExchange(InboundPorts ports, InboundOptions options);
  /// Waits for what is under way. Messages that were answered and not opened stay in the store for the next
  /// recover().
  ~InboundExchange();
  InboundExchange(const InboundExchange&) = delete;
  InboundExchange& operator=(const InboundExchange&) = delete;

  /// Goes on with the messages that were answered and not opened: once, before the first receive(). @returns
  /// how many.
  Result<std::size_t> recover();

  /// Takes one request all the way. Nothing is thrown, and every request is answered.
  void receive(const InboundRequest& request, const Reply& reply);

  /// Writes down a message that was answered 413, its body unread. Returns at once.
  void refuse_unread(InboundRequest request, std::string reason);

  /// Opens no further message that was answered before. Idempotent.
  void stop();

  /// Messages that were answered and are to be opened.
  [[nodiscard]] std::size_t to_open() const;

  /// How large a body may be, going by the names in its head: what the agreement allows, or next to nothing
  /// for strangers, who are to get their answer and not our disk.
  [[nodiscard]] std::uint64_t body_limit(const as2::mime::Headers& head) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace signet::gateway
