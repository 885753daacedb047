#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "gateway/exchange/message_store.h"
#include "gateway/operations/certificate_expiry.h"
#include "gateway/operations/disk_space.h"
#include "gateway/revocation/wanted_lists.h"

namespace signet::gateway {

/// What waits somewhere.
struct QueueStatus {
  std::string name;
  std::uint64_t waiting = 0;
  std::optional<Time>
      next_due;  ///< the earliest moment at which something of it is to be done; in the past: overdue
};

/// Everything at one look, with or without a running gateway.
struct HomeStatus {
  struct Process {
    pid_t id = 0;
    Time since{};
  };

  Time now{};
  std::string version;
  std::string openssl;
  std::filesystem::path home;
  std::optional<Process> gateway;  ///< that serves this home
  std::vector<MessageCount> messages;
  /// Of those that came or were submitted since `failures_since`: refused, failed.
  std::vector<MessageCount> failures;
  Time failures_since{};
  /// The newest few of those, and of what is queued again after an attempt: with their reasons.
  std::vector<MessageRecord> troubles;
  std::vector<ReceiptPost> receipts_given_up;  ///< since then, the newest first
  std::vector<QueueStatus> queues;
  std::vector<CertificateExpiry> certificates;
  std::vector<RevocationStanding> revocation;  ///< of certificates that are looked up
  std::vector<Volume> volumes;
};

/// The queues that the states of messages are (MessageState), empty ones included.
std::vector<QueueStatus> queues_of(const std::vector<MessageCount>& counts);

nlohmann::ordered_json to_json(const HomeStatus& status);
std::string to_text(const HomeStatus& status);

}  // namespace signet::gateway
