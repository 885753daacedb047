#pragma once

#include <chrono>
#include <string>

#include "gateway/exchange/message_store.h"

/// What happens to messages, told to whoever watches: counters, tracking records. The log has it too, and is
/// the place of truth.

namespace signet::gateway {

enum class MessageEvent {
  Accepted,   ///< inbound: verified, and on disk with its receipt
  Repeated,   ///< inbound: came again, and was answered as before
  Refused,    ///< inbound: turned down, and that is on disk
  NotTaken,   ///< inbound: answered 503, since a disk, a store or a vault of ours failed
  HeldBack,   ///< inbound: answered 429, since too much from there did not decrypt
  Delivered,  ///< inbound: handed over to the business
  Submitted,  ///< outbound: left to this gateway to be sent, by whoever composed it or queued it again
  Confirmed,  ///< outbound: proven to be delivered, or as good as its agreement asks for
  Failed,     ///< outbound: for good
};

/// What we post to partners.
enum class Posting { Message, Receipt };

/// Told of each event once it is durable, by whatever thread brought it about: must not wait for anything,
/// and throws nothing.
class ExchangeObserver {
 public:
  virtual ~ExchangeObserver() = default;

  /// `record.agreement` is a name of the account's, or empty where no agreement was found.
  virtual void message(MessageEvent event, const MessageRecord& record) = 0;
  /// A receipt of ours for an inbound message, in the answer or posted, is on disk and goes out.
  virtual void receipt_sent(const MessageRecord& record) = 0;
  /// A receipt for an outbound message came; the record says what it was worth.
  virtual void receipt_received(const MessageRecord& record) = 0;
  /// Something was posted to a partner. `taken`: he answered 2xx.
  virtual void posted(Posting what, const std::string& agreement, bool taken,
                      std::chrono::microseconds took) = 0;
  /// All attempts to post a receipt of ours have ended: the partner took it, or it is given up.
  virtual void receipt_post_ended(const ReceiptPost& post) = 0;
};

/// How long something took that began then: for posted().
inline std::chrono::microseconds since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
}

/// The observer where nobody watches.
class NoObserver final : public ExchangeObserver {
 public:
  static ExchangeObserver& instance() {
    static NoObserver nobody;
    return nobody;
  }
  void message(MessageEvent /*event*/, const MessageRecord& /*record*/) override {}
  void receipt_sent(const MessageRecord& /*record*/) override {}
  void receipt_received(const MessageRecord& /*record*/) override {}
  void posted(Posting /*what*/, const std::string& /*agreement*/, bool /*taken*/,
              std::chrono::microseconds /*took*/) override {}
  void receipt_post_ended(const ReceiptPost& /*post*/) override {}
};

}  // namespace signet::gateway
