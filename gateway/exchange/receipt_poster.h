#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/exchange/account_snapshot.h"
#include "gateway/exchange/lanes.h"
#include "gateway/exchange/message_store.h"
#include "gateway/exchange/observer.h"
#include "gateway/exchange/revocation_check.h"
#include "gateway/exchange/seal_watch.h"

namespace signet::gateway {

/// Posts asynchronous receipts to the URLs that the agreements allow, from a queue of its own, so that
/// neither messages that wait nor partners who are down hold a receipt up [RFC4130 7.2, 8098]. The store is
/// the queue. One that is not posted within the agreement's attempts and time is given up: its record says so
/// and why, and an operator may queue it again. Thread-safe.
class ReceiptPoster {
 public:
  struct Ports {
    CurrentAccount account;
    MessageStore& store;
    const Clock& clock;
    std::function<Result<HttpAnswer>(const HttpPost&)> post;
    std::string product;  ///< User-Agent
    ExchangeObserver& observer = NoObserver::instance();
    /// The vault is sealed: what is due waits, and no attempt is counted.
    std::function<bool()> is_sealed = [] { return false; };
    RevocationCheck& revocation = NoRevocationLists::instance();
  };

  /// Everything given by reference outlives the poster.
  explicit ReceiptPoster(Ports ports, LaneSettings lanes = {.threads = 128, .window = 4});
  /// As stop() and join().
  ~ReceiptPoster();
  ReceiptPoster(const ReceiptPoster&) = delete;
  ReceiptPoster& operator=(const ReceiptPoster&) = delete;

  /// Queues every receipt that is still to be posted: once, at start. @returns how many.
  Result<std::size_t> recover();
  /// A receipt was queued that is to be posted.
  void enqueue(const std::string& id, const std::string& agreement);
  /// Posts a receipt once more that was made before.
  void repeat(const std::string& id);

  /// Lets no further post begin. Idempotent.
  void stop();
  /// Waits for those under way, after stop(). Idempotent.
  void join();

  [[nodiscard]] std::size_t waiting() const { return lanes_.waiting(); }
  [[nodiscard]] std::vector<std::string> broken() const { return lanes_.broken(); }

 private:
  LaneRunner::Finish post(const Lanes::Turn& turn);
  LaneRunner::Finish give_up(ReceiptPost known, std::string reason);
  LaneRunner::Finish conclude(const ReceiptPost& known, LaneRunner::Finish finish);
  [[nodiscard]] std::chrono::milliseconds until(Time moment) const;
  Result<HttpPost> request_for(const ReceiptPost& post,
                               const std::shared_ptr<const AccountSnapshot>& account);

  Ports ports_;
  SealWatch seal_;
  LaneRunner lanes_;
};

}  // namespace signet::gateway
