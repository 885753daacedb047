#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/stream.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/exchange/account_snapshot.h"
#include "gateway/exchange/message_store.h"

namespace signet::gateway {

/// A document to be sent under an agreement.
struct SendRequest {
  std::string agreement;
  Slice payload;
  std::string file_name;     ///< the document's own name; told to the partner as the agreement says
  std::string content_type;  ///< empty: the agreement's messageContentType
  std::string subject;       ///< empty: one made of the file's name
};

struct OutboundOptions {
  std::string product = "Signet";            ///< User-Agent
  std::string as2_product = "signet:0.1.0";  ///< AS2-Product, which belongs to AS2-Version 1.3
  std::string host = "localhost";  ///< the right side of our Message-IDs
  SpoolArea spool;
};

struct OutboundPorts {
  CurrentAccount account;
  MessageStore& store;
  const Clock& clock;
  std::function<Result<HttpAnswer>(const HttpPost&)> post;
};

/// The outbound journey: submit, compose, send, await the receipt in the answer, reconcile, report. Thread-safe.
class OutboundExchange {
 public:
  OutboundExchange(OutboundPorts ports, OutboundOptions options);

  /// Sends once and waits for the synchronous receipt. The record's state says how it ended: Confirmed only when a receipt
  /// proves delivery (or the agreement asks for none and the partner answered 2xx), else Failed with the reason.
  ///
  /// @error NotFound  no such agreement, or nothing to send with.  @error ...  whatever kept the message from being made or
  ///                  stored: then nothing has left.
  Result<MessageRecord> send(const SendRequest& request);

 private:
  OutboundPorts ports_;
  OutboundOptions options_;
};

}  // namespace signet::gateway
