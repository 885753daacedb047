#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/stream.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/exchange/account_snapshot.h"
#include "gateway/exchange/message_store.h"
#include "gateway/exchange/observer.h"
#include "gateway/exchange/revocation_check.h"

namespace signet::gateway {

/// A document to be sent under an agreement.
struct SendRequest {
  std::string agreement;
  Slice payload;
  std::string file_name;     ///< the document's own name; told to the partner as the agreement says
  std::string content_type;  ///< empty: the agreement's messageContentType
  std::string subject;       ///< empty: one made of the file's name
  std::string id = {};       ///< of the message's record, 32 hexadecimal digits; empty: one is made
};

struct OutboundOptions {
  std::string product = "Signet";            ///< User-Agent
  std::string as2_product = "signet:0.1.0";  ///< AS2-Product, which belongs to AS2-Version 1.3
  std::string host = "localhost";            ///< the right side of our Message-IDs
  SpoolArea spool;
};

struct OutboundPorts {
  CurrentAccount account;
  MessageStore& store;
  const Clock& clock;
  std::function<Result<HttpAnswer>(const HttpPost&)> post;
  ExchangeObserver& observer = NoObserver::instance();
  RevocationCheck& revocation = NoRevocationLists::instance();
};

/// Who makes a submitted message's attempts.
enum class Custody {
  Outbox,   ///< this process's outbox, which the caller tells
  Gateway,  ///< the gateway that serves this home, now or later
  Caller,   ///< the caller, at once; should it die, the gateway takes over
};

/// What became of an attempt.
struct Attempted {
  MessageRecord record;
  bool partner_failed = false;  ///< he cannot be reached, or takes nothing now
};

/// The outbound journey: submit (compose, on disk), attempt (send, await the receipt in the answer,
/// reconcile), report. Every attempt sends the same octets under the same Message-ID and Date. Thread-safe;
/// one message is attempted by one caller at a time.
class OutboundExchange {
 public:
  OutboundExchange(OutboundPorts ports, OutboundOptions options);

  /// Makes the message and puts it on disk. Nothing has left when this returns.
  ///
  /// @error NotFound  no such agreement, or nothing to send with.  @error InvalidInput  a content type that
  /// is none.  @error CryptoFailure  a certificate that is revoked, where the agreement wants that looked up.
  /// @error ...  whatever kept the message from being made or
  ///                  stored: then there is no message.
  Result<MessageRecord> submit(const SendRequest& request, Custody custody);

  /// Posts an open message once and writes down what became of it: Confirmed, AwaitingReceipt, Queued for
  /// another attempt at `due`, or Failed with the reason.
  ///
  /// @returns the record as it is then.
  /// @error NotFound, AlreadyExists  it is gone, or settled by now, and was not posted.
  /// @error ...  of the store: what the partner answered could not be written down, so the message is as it
  /// was.
  Result<Attempted> attempt(std::string_view id);

  /// Ends a message whose time is over while its partner could not be reached. As attempt() otherwise.
  Result<Attempted> give_up(std::string_view id);

  /// What becomes of a message whose asynchronous receipt has not come in time: the same octets again, or
  /// Failed. One that is settled by now is left alone. As attempt() otherwise.
  Result<Attempted> receipt_overdue(std::string_view id);

 private:
  class Attempt;
  OutboundPorts ports_;
  OutboundOptions options_;
};

}  // namespace signet::gateway
