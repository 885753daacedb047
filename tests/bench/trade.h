#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/bench.h"
#include "tests/bench/company.h"
#include "tests/bench/load.h"
#include "tests/bench/messages.h"

namespace signet::bench {

/// A gateway that receives, and partners whose messages for it are ready.
class Trade {
 public:
  /// @param senders   so many partners have an agreement; what is sent comes from up to 400 of them in turn
  /// @param demanded  of their messages
  /// @param others    partners who send nothing
  static Result<std::unique_ptr<Trade>> make(const Bench& bench, const std::string& directory,
                                             std::size_t senders = 1, const Layers& demanded = {},
                                             std::vector<Partner> others = {});

  [[nodiscard]] Company& receiver() { return *receiver_; }
  /// The first partner.
  [[nodiscard]] const Sender& sender() const { return *sender_; }
  /// The small messages, in the order in which they are sent.
  [[nodiscard]] const std::vector<Prepared>& small() const { return small_; }
  /// Makes the agreements anew, with what the account has gained.
  Result<> agree();
  /// Counts messages that others sent.
  void count_sent(std::size_t count) { sent_ += count; }
  /// How long `signet apply` took to make the agreements.
  [[nodiscard]] double apply_seconds() const { return apply_seconds_; }
  /// Octets of a small message.
  [[nodiscard]] std::uint64_t small_size() const { return small_.front().body.size(); }

  /// Sends small messages, and looks closely at a sample of the receipts.
  Result<LoadResult> send_small(std::size_t connections, double seconds);
  /// Sends the first message to a gateway that has just been started. @returns how long it took from the
  /// command to its receipt.
  Result<double> first_answer();
  /// Sends a message of the first partner's, and looks at its receipt.
  Result<LoadResult> send_large(const Prepared& message, Framing framing = Framing::ContentLength);
  /// Waits until everything that was sent is handed over.
  Result<> await_delivery() { return receiver_->await_delivered(sent_); }

 private:
  Result<> check(const LoadResult& load, const std::vector<Prepared>& messages) const;

  std::unique_ptr<Company> receiver_;
  std::vector<Partner> guests_;
  std::optional<Sender> sender_;  ///< the first partner
  std::vector<Prepared> small_;
  double apply_seconds_ = 0;
  std::atomic<std::size_t> sent_ = 0;
};

std::string partner_name(std::size_t number);
/// So many partners, each with a certificate of his own for one and the same key of RSA-2048.
std::vector<std::pair<std::string, certstore::PrivateCertificate>> make_partners(std::size_t count);

}  // namespace signet::bench
