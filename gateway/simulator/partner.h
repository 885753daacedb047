#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/stream.h"
#include "certstore/x509/key_handle.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/exchange/account_snapshot.h"
#include "gateway/simulator/behaviour.h"
#include "gateway/simulator/event.h"
#include "gateway/simulator/wire_server.h"

namespace signet::gateway::simulator {

/// What a simulated partner stands on, whether it answers or sends. Everything given by reference outlives
/// it.
struct PartnerPorts {
  CurrentAccount account;
  certstore::PrivateCertificate
      stranger;  ///< known to no agreement: for signatures and encryptions that must not count
  const Clock& clock;
  std::function<Result<HttpAnswer>(const HttpPost&)> post;
  SpoolArea spool;
  std::string product = "Signet";  ///< User-Agent, Reporting-UA
};

struct AnswerSettings {
  std::string path = "/as2";  ///< where messages are posted
  std::chrono::milliseconds delay{30'000};
  /// Whether receipts may be posted to other machines than this one.
  bool allow_remote = false;
};

/// Whether a numeric address is this machine's own.
bool is_loopback(std::string_view address);

/// A trading partner that takes the gateway's messages and answers them as it is told to. What it was sent is
/// opened and judged as by any partner: a message that it cannot accept gets the receipt that says so,
/// whatever the script says. Keeps nothing.
class SimulatedPartner {
 public:
  SimulatedPartner(PartnerPorts ports, AnswerSettings settings, Script script, Tell tell);

  /// One request, from its head to its answer and to the receipts that are posted behind it.
  void serve(Conversation& conversation);

  /// Messages answered so far.
  [[nodiscard]] std::size_t answered() const;

 private:
  class Turn;
  unsigned count_attempt(const std::string& message_id);

  PartnerPorts ports_;
  const AnswerSettings settings_;
  Script script_;
  const Tell tell_;

  mutable std::mutex mutex_;
  std::map<std::string, unsigned> attempts_;  ///< by Message-ID
  std::size_t answered_ = 0;
};

}  // namespace signet::gateway::simulator
